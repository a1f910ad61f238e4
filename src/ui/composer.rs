//! Where one writes. Enter sends, except where it ends a syllable, breaks a line, or where the
//! keyboard is on the screen. What is written belongs to one room, and goes there.

use super::{
    Ui, connection,
    dom::{around, element, focus_quietly, has_no_focus, is_media, lowered},
    drafts, forms,
    listen::{follow, listen},
    mentions,
    parts::{Hidden, Icon, icon},
    regions::{Region, Seen},
    state::{About, ChatState},
};
use crate::{
    domain::{Body, MessageId, RoomId},
    html::Html,
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlTextAreaElement, InputEvent, KeyboardEvent};

/// The field's id.
const FIELD: &str = "composer-text";
/// The id of the refusal above it.
pub const REFUSAL: &str = "composer-error";
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
    /// The message that the text in the field answers or changes, and whether it changes it.
    about: Cell<Option<(MessageId, bool)>>,
    /// Where the `@` stands (in bytes) after which no names are wanted.
    unwanted: Cell<Option<usize>>,
    /// When TYPING was last sent.
    typing_sent: Cell<f64>,
    /// Whether a syllable, or a word, is being made.
    composing: Cell<bool>,
    enter_after_composing: Cell<bool>,
    /// Whether Shift is held down.
    shift: Cell<bool>,
}

impl Writing {
    fn on(self: &Rc<Self>, event: &Event) {
        match event.type_().as_str() {
            "keydown" => self.keydown(event.unchecked_ref()),
            "keyup" => {
                self.shift.set(event.unchecked_ref::<KeyboardEvent>().shift_key());
                self.offer_names();
            }
            "beforeinput" => self.beforeinput(event.unchecked_ref()),
            "compositionstart" => self.composing.set(true),
            "compositionend" => self.compositionend(),
            "input" => self.typed(),
            "click" => match around(event, ".mention") {
                Some(button) => drop(self.pick(&button)),
                None => self.offer_names(),
            },
            "focusout" => self.offer(&[], 0),
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
        let is_bare = !(key.alt_key() || key.shift_key() || key.ctrl_key() || key.meta_key());
        let is_done = match key.key().as_str() {
            "Enter" if key.ctrl_key() || key.meta_key() => {
                self.send();
                true
            }
            // Enter is for beforeinput to decide.
            "ArrowUp" | "ArrowDown" | "Tab" | "Escape" if is_bare && self.choose(&key.key()) => true,
            "ArrowUp" if is_bare => self.field.value().is_empty() && self.is_here() && self.ui.edit_last(),
            // Whoever is busy with nothing is led to the end.
            "Escape" if !self.is_here() => false,
            "Escape" if !self.ui.about_nothing() => {
                self.ui.go_to_end();
                false
            }
            "Escape" => true,
            _ => false,
        };
        if is_done {
            key.prevent_default();
        }
    }

    /// Offers those whose name may have been begun before the caret.
    fn offer_names(&self) {
        let text = self.field.value();
        let begun = mentions::begun(&text, self.caret());
        // Whoever sent the list away does not want it for the same name again.
        if self.unwanted.get() != begun.map(|(at, _)| at) {
            self.unwanted.set(None);
        }
        let begun = begun.filter(|_| self.unwanted.get().is_none());
        let names = |(_, typed)| self.ui.state.with_untracked(|state| mentions::meant(state, typed, lowered));
        let names = begun.map(names).unwrap_or_default();
        let chosen = self.ui.state.with_untracked(|state| if state.naming == names { state.chosen } else { 0 });
        self.offer(&names, chosen);
    }

    /// What a key does to the names on offer; says whether it did.
    fn choose(&self, key: &str) -> bool {
        let (names, chosen) = self.ui.state.with_untracked(|state| (state.naming.clone(), state.chosen));
        match key {
            _ if names.is_empty() => return false,
            "ArrowUp" => self.offer(&names, chosen.checked_sub(1).unwrap_or(names.len() - 1)),
            "ArrowDown" => self.offer(&names, (chosen + 1) % names.len()),
            "Escape" => {
                self.unwanted.set(mentions::begun(&self.field.value(), self.caret()).map(|(at, _)| at));
                self.offer(&[], 0);
            }
            _ => return element(&format!("#mention-{chosen}")).is_some_and(|button| self.pick(&button)),
        }
        true
    }

    /// Offers these names, of which one is chosen.
    fn offer(&self, names: &[String], chosen: usize) {
        let is_same = |state: &ChatState| state.naming == names && state.chosen == chosen;
        if !self.ui.state.with_untracked(is_same) {
            self.ui.state.update(|state| (state.naming, state.chosen) = (names.to_vec(), chosen));
        }
    }

    /// Writes out the name on that button; says whether one had been begun.
    fn pick(&self, button: &Element) -> bool {
        let name = button.last_element_child().and_then(|name| name.text_content());
        let text = self.field.value();
        let Some((name, (at, typed))) = name.zip(mentions::begun(&text, self.caret())) else { return false };
        let (before, after) = (&text[..at], &text[at + 1 + typed.len()..]);
        let before = format!("{before}@{name} ");
        self.field.set_value(&format!("{before}{}", after.trim_start_matches(' ')));
        let caret = before.encode_utf16().count() as u32;
        let _ = self.field.set_selection_range(caret, caret);
        self.focus();
        self.unwanted.set(Some(at));
        self.typed();
        true
    }

    fn caret(&self) -> u32 {
        self.field.selection_start().ok().flatten().unwrap_or_default()
    }

    /// Deciding here and not on keydown: while a syllable is composed, keydown cannot tell its end
    /// from a new line, and a message would be sent twice or lose its last syllable.
    fn beforeinput(&self, input: &InputEvent) {
        let breaks = matches!(input.input_type().as_str(), "insertLineBreak" | "insertParagraph");
        if breaks {
            self.offer_names();
        }
        let names = self.ui.state.with_untracked(|state| !state.naming.is_empty());
        if !breaks || self.shift.get() || !(has_keyboard() || names) {
            return;
        }
        input.prevent_default();
        if self.composing.get() || input.is_composing() {
            self.enter_after_composing.set(true);
        } else {
            self.enter();
        }
    }

    /// Enter: the name that is chosen, if any are on offer; else what was written is sent.
    fn enter(&self) {
        if !self.choose("Enter") && has_keyboard() {
            self.send();
        }
    }

    fn compositionend(self: &Rc<Self>) {
        self.composing.set(false);
        if self.enter_after_composing.take() {
            // The last syllable arrives in the field only after this event.
            let writing = self.clone();
            set_timeout(move || writing.enter(), Duration::ZERO);
        }
        // Another room was chosen meanwhile.
        if self.room.get() != self.ui.chosen() {
            let ui = self.ui;
            set_timeout(move || ui.state.notify(), Duration::ZERO);
        }
    }

    /// Whether the text in the field is for the room on screen, and not for one that is on its way.
    fn is_here(&self) -> bool {
        self.room.get() == self.ui.state.with_untracked(ChatState::here)
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
        let edits = self.about.get().is_some_and(|(_, edits)| edits);
        // Enter in an empty field says nothing; a message is not emptied by changing it.
        let Some(room) = self.room.get().filter(|_| edits || !text.trim().is_empty()) else { return };
        let refusal = Body::parse(text.clone()).err().map(|error| (self.ui.text.error)(error.code()));
        forms::refuse(REFUSAL, refusal.as_deref().unwrap_or_default());
        if refusal.is_some() {
            return;
        }
        match self.about.get() {
            // A change waits for another Enter until its room is there.
            Some((_, true)) if !self.is_here() => {}
            Some((id, true)) => self.ui.change_text(room, id, text),
            _ => {
                self.set("");
                self.typing_sent.set(0.0);
                self.ui.say(room, text);
            }
        }
        self.offer_names();
    }

    /// Something was typed.
    fn typed(&self) {
        let Some(room) = self.room.get() else { return };
        forms::refuse(REFUSAL, "");
        let text = self.field.value();
        match self.about.get() {
            Some((_, true)) => self.ui.keep_edit(room, text),
            _ => self.ui.draft(room, &text),
        }
        self.offer_names();
        let now = js_sys::Date::now();
        if now - self.typing_sent.get() >= TYPING_EVERY_MS && self.is_here() {
            self.typing_sent.set(now);
            self.ui.tell(connection::Event::Typing);
        }
    }

    /// The room that is chosen, its draft, or what its text is about has changed.
    fn follow(&self, room: Option<RoomId>, about: Option<&About>, draft: &str) {
        let (was_for, was_about) = (self.room.replace(room), self.about.get());
        let is_about = about.map(|about| (about.id, about.edits));
        self.about.set(is_about);
        match about.filter(|about| about.edits) {
            // What is being changed stands there already, and perhaps more.
            Some(_) if (was_for, was_about) == (room, is_about) => {}
            Some(about) => self.set(&about.text),
            None => self.set(draft),
        }
        if was_for == room && was_about != is_about {
            self.focus();
        }
    }
}

/// The composer, with the line above it that says who is writing.
#[component]
pub fn Composer(
    /// What was written and refused.
    unsaid: String,
) -> impl IntoView {
    let ui = Ui::get();
    // Leptos escapes nothing in a textarea, and HTML drops its first new line.
    let mut unsaid_html = Html::new();
    unsaid_html.raw("\n").text(&unsaid);
    let (room, draft) = ui.state.with_untracked(|state| {
        let (room, me) = (state.here(), state.me.as_ref().and_then(|me| me.person));
        (room.map(|room| room.to_string()), me.zip(room).map(|(me, room)| drafts::key(me, room)))
    });
    view! {
        <p class="typing"><Region id="typing"/></p>
        <form class="composer" id="composer" method="post" action=PATH>
            <div class="mentions" id="mentions-list" role="listbox" aria-label=ui.text.members><Region id="mentions"/></div>
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
                aria-autocomplete="list"
                aria-controls="mentions-list"
                placeholder=ui.text.message_example
                data-draft=draft
            >{unsaid_html.into_string()}</textarea>
            <button class="button composer-send"><Icon name="send"/><Hidden text=ui.text.send/></button>
        </form>
    }
}

/// Takes the focus where there is a keyboard, as if somebody had begun to write; says whether it did. Elsewhere one would
/// come up.
pub fn take_focus() -> bool {
    element(&format!("#{FIELD}")).filter(|_| has_keyboard()).inspect(focus_quietly).is_some()
}

/// Lets go of the focus: keys go nowhere.
pub fn leave_focus() {
    if let Some(field) = element(&format!("#{FIELD}:focus")) {
        let _ = field.blur();
    }
}

/// Brings it to life, in the browser.
pub fn start(ui: Ui) {
    let Some(field) = document().get_element_by_id(FIELD) else { return };
    let field: HtmlTextAreaElement = field.unchecked_into();
    let room = ui.state.with_untracked(ChatState::here);
    let writing = Rc::new(Writing {
        ui,
        field: field.clone(),
        room: Cell::new(room),
        about: Cell::default(),
        unwanted: Cell::default(),
        typing_sent: Cell::new(0.0),
        composing: Cell::new(false),
        enter_after_composing: Cell::new(false),
        shift: Cell::new(false),
    });
    let _ = field.remove_attribute("data-draft");
    if let Some(room) = room.filter(|_| !field.value().is_empty()) {
        take_typed(ui, room, field.value());
    }
    for name in [
        "keydown",
        "keyup",
        "beforeinput",
        "compositionstart",
        "compositionend",
        "input",
        "submit",
        "click",
        "focusout",
    ] {
        let writing = writing.clone();
        listen(name, move |event| {
            if around(&event, "#composer").is_some() {
                writing.on(&event);
            }
        });
    }
    // Whoever has just joined wants to write, unless they do something else already.
    if has_no_focus() {
        take_focus();
    }
    let writing = SendWrapper::new(writing);
    let field = SendWrapper::new(field);
    ui.draw(move || {
        let chosen = ui.state.with(|state| (!state.naming.is_empty()).then_some(state.chosen));
        let _ = match chosen {
            Some(at) => field.set_attribute("aria-activedescendant", &format!("mention-{at}")),
            None => field.remove_attribute("aria-activedescendant"),
        };
    });
    follow(move || {
        // A room that was chosen is written in before it is on screen.
        ui.bound_for.track();
        let room = ui.chosen();
        let (about, draft) = ui.state.with(|state| {
            let draft = room.and_then(|room| state.draft(room)).unwrap_or_default().to_owned();
            (room.and_then(|room| state.about(room)).cloned(), draft)
        });
        // Nothing is put into a field in which a syllable is being made.
        if !writing.composing.get() {
            writing.follow(room, about.as_ref(), &draft);
        }
    });
}

/// What was written before the page came to life comes after the draft that was there. It does not become a part of a message
/// that was being changed: that change waits for the next page.
fn take_typed(ui: Ui, room: RoomId, typed: String) {
    let draft = ui.state.with_untracked(|state| state.draft(room).unwrap_or_default().to_owned());
    ui.state.update(|state| state.abouts.retain(|(of, about)| *of != room || !about.edits));
    ui.draft(room, &drafts::joined(&draft, typed));
}

/// What the text is about: the message that it answers or changes. Empty, and so not shown, for a new one.
#[must_use]
pub fn about(&Seen { state, chosen, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let Some(about) = chosen.and_then(|room| state.about(room)) else { return html };
    html.raw("<span class=\"composer-about-text\">");
    if about.edits {
        html.text(text.editing);
    } else {
        html.raw("<b>").text(&(text.replying)(&about.sender)).raw("</b> ");
        html.raw("<bdi>").text(about.text.split('\n').next().unwrap_or_default()).raw("</bdi>");
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

/// Whether there is most likely a keyboard: wherever there is more than a finger to point with, or nothing at all. On a phone
/// Enter is a new line.
fn has_keyboard() -> bool {
    is_media("(any-pointer: fine), not (any-pointer: coarse)")
}
