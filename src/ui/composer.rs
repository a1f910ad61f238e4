//! Where one writes. Enter sends, except where it ends a syllable, breaks a line, or where the
//! keyboard is on the screen.

use super::{
    Ui,
    connection::Event,
    parts::{Hidden, Icon, text},
    state::ChatState,
};
use leptos::{
    ev::{InputEvent, KeyboardEvent, SubmitEvent},
    html::Textarea,
    prelude::*,
};
use std::time::Duration;

/// Where the plain form posts to.
pub const PATH: &str = "/api/post_message";
/// TYPING is sent at most once in this many milliseconds.
const TYPING_EVERY_MS: f64 = 3_000.0;

/// The composer, with the line above it that says who is writing.
#[island]
pub fn Composer() -> impl IntoView {
    let ui = Ui::get();
    let field: NodeRef<Textarea> = NodeRef::new();
    let composing = RwSignal::new(false);
    let send_after_composing = RwSignal::new(false);
    let shift = RwSignal::new(false);
    let typing_sent = RwSignal::new(0.0);

    let send = move || {
        let Some(field) = field.get_untracked() else { return };
        let text = field.value();
        if !text.trim().is_empty() {
            field.set_value("");
            typing_sent.set(0.0);
            ui.say(text);
        }
    };
    let on_submit = move |submit: SubmitEvent| {
        submit.prevent_default();
        send();
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    };
    let on_keydown = move |key: KeyboardEvent| {
        shift.set(key.shift_key());
        if key.key() == "Enter" && (key.ctrl_key() || key.meta_key()) && !key.is_composing() {
            key.prevent_default();
            send();
        }
    };
    // Deciding here and not on keydown: while a syllable is composed, keydown cannot tell its end
    // from a new line, and a message would be sent twice or lose its last syllable.
    let on_beforeinput = move |input: InputEvent| {
        let breaks = matches!(input.input_type().as_str(), "insertLineBreak" | "insertParagraph");
        if !breaks || shift.get_untracked() || !has_keyboard() {
            return;
        }
        input.prevent_default();
        if composing.get_untracked() || input.is_composing() {
            send_after_composing.set(true);
        } else {
            send();
        }
    };
    let on_compositionend = move |_| {
        composing.set(false);
        if send_after_composing.get_untracked() {
            send_after_composing.set(false);
            // The last syllable arrives in the field only after this event.
            set_timeout(send, Duration::ZERO);
        }
    };
    let on_input = move |_| {
        let now = js_sys::Date::now();
        if now - typing_sent.get_untracked() >= TYPING_EVERY_MS {
            typing_sent.set(now);
            ui.tell(Event::Typing);
        }
    };
    // Whoever has just joined, or opened a room, wants to write.
    Effect::new(move |_| {
        if let Some(field) = field.get().filter(|_| has_keyboard()) {
            let _ = field.focus();
        }
    });
    let room = move || ui.state.with(|state| state.room.as_ref().map(|room| room.id.to_string()).unwrap_or_default());
    view! {
        <Typing/>
        <form class="composer" method="post" action=PATH on:submit=on_submit>
            <input type="hidden" name="room_id" value=text(room)/>
            <label class="visually-hidden" for="composer-text">{ui.text.message}</label>
            <textarea
                class="composer-text"
                id="composer-text"
                name="message"
                rows="1"
                required
                dir="auto"
                enterkeyhint="send"
                placeholder=ui.text.message_example
                node_ref=field
                on:keydown=on_keydown
                on:keyup=move |key| shift.set(key.shift_key())
                on:beforeinput=on_beforeinput
                on:compositionstart=move |_| composing.set(true)
                on:compositionend=on_compositionend
                on:input=on_input
            ></textarea>
            <button class="button composer-send"><Icon name="send"/><Hidden text=ui.text.send/></button>
        </form>
    }
}

/// Who is writing, in a line that always has its height.
#[component]
fn Typing() -> impl IntoView {
    let ui = Ui::get();
    let line = move || {
        let typing = |state: &ChatState| {
            state.room.iter().flat_map(|room| &room.typing).map(|(member, _)| member.sender.clone()).collect()
        };
        let names: Vec<String> = ui.state.with(typing);
        if names.is_empty() { String::new() } else { (ui.text.typing)(&names) }
    };
    view! { <p class="typing">{text(line)}</p> }
}

/// Whether there is a fine pointer, and so most likely a keyboard: on a phone Enter is a new line.
fn has_keyboard() -> bool {
    window().match_media("(any-pointer: fine)").ok().flatten().is_some_and(|query| query.matches())
}
