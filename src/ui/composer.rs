//! Where one writes. Enter sends, except where it ends a syllable, breaks a line, or where the
//! keyboard is on the screen. What is written belongs to one room, and goes there.

use super::{
    Ui, connection,
    dom::{around, is_media},
    listen::listen,
    parts::{Hidden, Icon, icon},
    regions::{Region, Seen},
    state::About,
};
use crate::{domain::RoomId, html::Html};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlTextAreaElement, InputEvent, KeyboardEvent};

/// The field's id.
const FIELD: &str = "composer-text";
/// Where the plain form posts to.
pub const PATH: &str = "/api/post_message";
/// TYPING is sent at most once in this many milliseconds.
const TYPING_EVERY_MS: f64 = 3_000.0;

/// The text that is being written, and what it is written for.
struct Writing {
    ui: Ui,
    field: HtmlTextAreaElement,
    /// The room that the text in the field is for: not whichever is on screen when it is sent.
    room: Cell<Option<RoomId>>,
    /// The message that the text in the field changes, if it does.
    edits: RefCell<Option<About>>,
    /// What the text was about when it was last looked at.
    about: RefCell<Option<About>>,
    /// When TYPING was last sent.
    typing_sent: Cell<f64>,
    /// Whether a syllable, or a word, is being made.
    composing: Cell<bool>,
    send_after_composing: Cell<bool>,
    /// Whether Shift is held down.
    shift: Cell<bool>,
}

impl Writing {
    fn on(self: &Rc<Self>, event: &Event) {
        match event.type_().as_str() {
            "keydown" => self.keydown(event.unchecked_ref()),
            "keyup" => self.shift.set(event.unchecked_ref::<KeyboardEvent>().shift_key()),
            "beforeinput" => self.beforeinput(event.unchecked_ref()),
            "compositionstart" => self.composing.set(true),
            "compositionend" => self.compositionend(),
            "input" => self.typed(),
            _ => {
                event.prevent_default();
                self.send();
                self.focus();
            }
        }
    }

    fn keydown(&self, key: &KeyboardEvent) {
        self.shift.set(key.shift_key());
        if key.is_composing() {
            return;
        }
        let is_done = match key.key().as_str() {
            "Enter" if key.ctrl_key() || key.meta_key() => {
                self.send();
                true
            }
            "ArrowUp" if !(key.alt_key() || key.shift_key() || key.ctrl_key() || key.meta_key()) => {
                self.field.value().is_empty() && self.ui.edit_last()
            }
            "Escape" => self.ui.about_nothing(),
            _ => false,
        };
        if is_done {
            key.prevent_default();
        }
    }

    /// Deciding here and not on keydown: while a syllable is composed, keydown cannot tell its end
    /// from a new line, and a message would be sent twice or lose its last syllable.
    fn beforeinput(&self, input: &InputEvent) {
        let breaks = matches!(input.input_type().as_str(), "insertLineBreak" | "insertParagraph");
        if !breaks || self.shift.get() || !has_keyboard() {
            return;
        }
        input.prevent_default();
        if self.composing.get() || input.is_composing() {
            self.send_after_composing.set(true);
        } else {
            self.send();
        }
    }

    fn compositionend(self: &Rc<Self>) {
        self.composing.set(false);
        if self.send_after_composing.take() {
            // The last syllable arrives in the field only after this event.
            let writing = self.clone();
            set_timeout(move || writing.send(), Duration::ZERO);
        }
    }

    fn set(&self, text: &str) {
        if self.field.value() != text {
            self.field.set_value(text);
        }
    }

    fn focus(&self) {
        let _ = self.field.focus();
    }

    /// Sends what is in the field.
    fn send(&self) {
        let text = self.field.value();
        let Some(room) = self.room.get().filter(|_| !text.trim().is_empty()) else { return };
        let edits = self.edits.borrow().clone();
        if let Some(about) = edits {
            self.ui.change_text(room, about, text);
        } else {
            self.set("");
            self.typing_sent.set(0.0);
            self.ui.say(room, text);
        }
    }

    /// Something was typed.
    fn typed(&self) {
        let Some(room) = self.room.get() else { return };
        if self.edits.borrow().is_none() {
            self.ui.draft(room, &self.field.value());
        }
        let now = js_sys::Date::now();
        if now - self.typing_sent.get() >= TYPING_EVERY_MS {
            self.typing_sent.set(now);
            self.ui.tell(connection::Event::Typing);
        }
    }

    /// The room on screen, its draft, or what its text is about has changed.
    fn follow(&self, room: Option<RoomId>, about: Option<About>, draft: &str) {
        let is_news = about.is_some() && *self.about.borrow() != about;
        self.about.replace(about.clone());
        let edits = about.filter(|about| about.edits);
        if self.room.get() != room || *self.edits.borrow() != edits {
            self.set(edits.as_ref().map_or(draft, |about| &about.text));
            self.room.set(room);
            self.edits.replace(edits);
        } else if edits.is_none() {
            self.set(draft);
        }
        if is_news {
            self.focus();
        }
    }
}

/// The composer, with the line above it that says who is writing.
#[component]
pub fn Composer() -> impl IntoView {
    let ui = Ui::get();
    let room = ui.state.with_untracked(|state| state.room.as_ref().map(|room| room.id.to_string()));
    view! {
        <p class="typing"><Region id="typing"/></p>
        <form class="composer" id="composer" method="post" action=PATH>
            <p class="composer-about"><Region id="composer-about"/></p>
            <input type="hidden" name="room_id" value=room/>
            <label class="visually-hidden" for="composer-text">{ui.text.message}</label>
            <textarea
                class="composer-text"
                id=FIELD
                name="message"
                rows="1"
                required
                dir="auto"
                enterkeyhint="send"
                autocomplete="off"
                placeholder=ui.text.message_example
            ></textarea>
            <button class="button composer-send"><Icon name="send"/><Hidden text=ui.text.send/></button>
        </form>
    }
}

/// Brings it to life, in the browser.
pub fn start(ui: Ui) {
    let Some(field) = document().get_element_by_id(FIELD) else { return };
    let field: HtmlTextAreaElement = field.unchecked_into();
    let room = ui.state.with_untracked(|state| state.room.as_ref().map(|room| room.id));
    let writing = Rc::new(Writing {
        ui,
        field,
        room: Cell::new(room),
        edits: RefCell::default(),
        about: RefCell::default(),
        typing_sent: Cell::new(0.0),
        composing: Cell::new(false),
        send_after_composing: Cell::new(false),
        shift: Cell::new(false),
    });
    // What was written before the page came to life is newer than any draft.
    if !writing.field.value().is_empty() {
        writing.typed();
    }
    for name in ["keydown", "keyup", "beforeinput", "compositionstart", "compositionend", "input", "submit"] {
        let writing = writing.clone();
        listen(name, move |event| {
            if around(&event, "#composer").is_some() {
                writing.on(&event);
            }
        });
    }
    // Whoever has just joined, or opened a room, wants to write.
    if has_keyboard() {
        writing.focus();
    }
    let writing = SendWrapper::new(writing);
    Effect::new(move |_| {
        let (room, about, draft) = ui.state.with(|state| {
            let room = state.room.as_ref();
            let draft = room.and_then(|room| state.draft(room.id)).unwrap_or_default().to_owned();
            (room.map(|room| room.id), room.and_then(|room| room.about.clone()), draft)
        });
        // Nothing is put into a field in which a syllable is being made.
        if !writing.composing.get() {
            writing.follow(room, about, &draft);
        }
    });
}

/// What the text is about: the message that it answers or changes. Empty, and so not shown, for a new one.
#[must_use]
pub fn about(&Seen { state, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let Some(about) = state.room.as_ref().and_then(|room| room.about.as_ref()) else { return html };
    html.raw("<span class=\"composer-about-text\" dir=\"auto\">");
    if about.edits {
        html.text(text.editing);
    } else {
        html.raw("<b>").text(&(text.replying)(&about.sender)).raw("</b> ");
        html.text(about.text.split('\n').next().unwrap_or_default());
    }
    html.raw("</span><button class=\"icon-button\" type=\"button\" data-do=\"cancel\">");
    icon(&mut html, "close");
    html.raw("<span class=\"visually-hidden\">").text(text.cancel).raw("</span></button>");
    html
}

/// Who is writing, in a line that always has its height.
#[must_use]
pub fn typing(&Seen { state, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let typing = state.room.iter().flat_map(|room| &room.typing);
    let names: Vec<String> = typing.map(|(member, _)| member.sender.clone()).collect();
    if !names.is_empty() {
        html.text(&(text.typing)(&names));
    }
    html
}

/// Whether there is a fine pointer, and so most likely a keyboard: on a phone Enter is a new line.
fn has_keyboard() -> bool {
    is_media("(any-pointer: fine)")
}
