//! What the buttons do that are written as HTML: each names its deed in `data-do`.

use super::{
    Ui, address, composer,
    connection::Event,
    dom::{around, closest, inside, is_media},
    drafts, forms, journey,
    listen::listen,
    menu, outbox,
    requests::NO_EMOJI,
    state::{About, ChatState, Sending},
    switcher, time,
};
use crate::{
    domain::{Error, MessageId, RoomId, Seq},
    protocol::{ClientFrame, Talk},
};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, InputEvent, MouseEvent};

/// How long a deletion can be undone.
const UNDO_FOR: Duration = Duration::from_secs(5);
/// How long "copied" is shown.
const COPIED_SHOWN: Duration = Duration::from_secs(2);

/// Listens, in the browser.
pub fn start(ui: Ui) {
    listen("click", move |click| {
        let click: MouseEvent = click.unchecked_into();
        let Some(button) = around(&click, "[data-do]") else { return };
        let deed = button.get_attribute("data-do").unwrap_or_default();
        // A link that does something is still a link: other clicks open tabs and windows.
        if !button.has_attribute("href") || journey::is_plain_click(&click) {
            ui.act(&deed, &button, &click);
        }
    });
    // A reaction that is not at hand. While something is being composed there is none yet.
    for event in ["input", "compositionend"] {
        listen(event, move |input| {
            let Some(field) = around(&input, menu::ANY_EMOJI) else { return };
            let emoji = field.unchecked_ref::<HtmlInputElement>().value();
            if !emoji.trim().is_empty() && !input.unchecked_ref::<InputEvent>().is_composing() {
                let _ = field.set_attribute("data-emoji", emoji.trim());
                ui.act("react", &field, input.unchecked_ref());
            }
        });
    }
    // Whoever goes has meant it.
    listen("pagehide", move |_| {
        ui.delete_now();
        ui.tell_read();
    });
    listen("contextmenu", move |press| {
        let press: MouseEvent = press.unchecked_into();
        // A long press, on a screen without a pointer.
        let more = around(&press, ".message").and_then(|message| inside(&message, "[data-do=menu]"));
        if let (true, Some(more)) = (is_media("(hover: none)"), more) {
            press.prevent_default();
            ui.act("menu", &more, &press);
        }
    });
}

impl Ui {
    /// Does what a button says. `click` is asked for whether it, and what else the browser would do.
    pub fn act(self, deed: &str, button: &Element, click: &MouseEvent) {
        let room = self.state.with_untracked(ChatState::here);
        match (deed, room) {
            // From room to room the page stays; from elsewhere the link leads there the ordinary way.
            ("open", Some(_)) => {
                if let Some(asked) = journey::room_of(&button.get_attribute("href").unwrap_or_default()) {
                    click.prevent_default();
                    switcher::close(self);
                    self.go(asked, true);
                }
            }
            ("older" | "newer", Some(_)) => {
                click.prevent_default();
                self.load_more(deed == "older");
            }
            ("copy-link", Some(room)) => self.copy(button, &format!("{}{}", origin(), address(room))),
            ("reconnect", _) => self.tell(Event::Wake),
            ("latest", Some(_)) => {
                click.prevent_default();
                self.go_to_end();
                // The button goes when there is nothing more to lead to.
                journey::leave_button();
            }
            ("left-off", Some(room)) => {
                click.prevent_default();
                self.go_back(room);
            }
            ("cancel", _) => drop(self.about_nothing()),
            (_, Some(room)) => self.act_on_message(deed, room, button, click),
            _ => {}
        }
    }

    fn act_on_message(self, deed: &str, room: RoomId, button: &Element, click: &MouseEvent) {
        // The menu stands for the message that it was opened on.
        let Some(element) = menu::subject(button).or_else(|| closest(button, ".message")) else { return };
        let id = element.id();
        let name = id.strip_prefix("m-").unwrap_or_default();
        if let Ok(unsent) = name.parse::<MessageId>() {
            return self.act_on_unsent(deed, room, unsent);
        }
        let found =
            |state: &ChatState| name.parse::<Seq>().ok().and_then(|seq| state.room.as_ref()?.message(seq).cloned());
        let Some(talk) = self.state.with_untracked(found) else { return };
        if deed != "menu" {
            menu::close();
        }
        match deed {
            "menu" => {
                let is_own = self.state.with_untracked(|state| state.is_own(&talk));
                menu::open(button, &element, is_own);
            }
            "reply" => {
                let shown = inside(&element, ".message-body").and_then(|body| body.text_content());
                self.about(&talk, false, shown.unwrap_or_default());
            }
            "edit" if !self.state.with_untracked(|state| state.is_own(&talk)) => {}
            "edit" => self.edit(&talk),
            "delete" => self.delete(room, talk.id),
            "undelete" => self.undelete(talk.id),
            "react" => self.react(room, &talk, &button.get_attribute("data-emoji").unwrap_or_default()),
            "copy-text" => self.copy(button, &talk.message),
            "copy-address" => {
                self.copy(button, &format!("{}{}?at={seq}#m-{seq}", origin(), address(room), seq = talk.seq))
            }
            "unread" => self.mark_unread(room, talk.seq),
            "jump" => {
                if let Some(quote) = &talk.reply_to {
                    click.prevent_default();
                    self.go_to(room, quote.seq);
                }
            }
            _ => {}
        }
    }

    fn act_on_unsent(self, deed: &str, room: RoomId, id: MessageId) {
        match deed {
            "retry" => self.say_again(id),
            "discard" => drop(self.discard(room, id)),
            "rewrite" => self.rewrite(room, id),
            _ => {}
        }
    }

    // Saying

    /// Says something in a room: it is shown at once, if that is on screen, and sent as soon as there is a connection.
    pub fn say(self, room: RoomId, text: String) {
        let (id, at) = (MessageId::new(), time::now_rfc3339());
        let mut sending = Sending { id, text, at, reply_to: None, failed: None };
        self.draft(room, "");
        let is_about = self.state.with_untracked(|state| state.about(room).is_some());
        self.state.update(|state| {
            sending.reply_to = state.about(room).filter(|about| !about.edits).map(|about| about.id);
            state.set_about(room, None);
            // Whoever speaks has read.
            if let Some(open) = state.room.as_mut().filter(|open| open.id == room) {
                open.stays_unread = false;
            }
            outbox::keep(state.me.as_ref(), room, &sending);
            state.unsent(room).push(sending);
        });
        // What waits for another page is not of this text.
        if is_about {
            self.keep_about(room);
        }
        self.tell(Event::Say);
        if self.state.with_untracked(|state| state.here() == Some(room)) {
            self.go_to_end();
        }
    }

    /// Puts a text before what is being written in a room.
    pub fn give_back(self, room: RoomId, text: String) {
        let begun = self.state.with_untracked(|state| state.draft(room).unwrap_or_default().to_owned());
        let text = if begun.trim().is_empty() { text } else { format!("{text}\n{begun}") };
        self.draft(room, &text);
        self.state.notify();
    }

    /// Keeps what is being written in a room.
    pub fn draft(self, room: RoomId, text: &str) {
        let mut is_news = false;
        self.state.update_untracked(|state| {
            if let Some(me) = state.me.as_ref().and_then(|me| me.person) {
                drafts::keep(me, room, text);
            }
            is_news = state.set_draft(room, text);
        });
        if is_news {
            self.state.notify();
        }
    }

    /// Sends a message again that has not come through, under the same id.
    fn say_again(self, id: MessageId) {
        self.state.update(|state| {
            let sending = state.room.iter_mut().flat_map(|room| &mut room.sending).find(|sending| sending.id == id);
            if let Some(sending) = sending {
                // What it answers is gone: it is said by itself.
                if sending.failed.take().as_deref() == Some(Error::MessageNotFound.code()) {
                    sending.reply_to = None;
                }
            }
        });
        self.tell(Event::Wake);
        self.tell(Event::Say);
    }

    /// Gives a message up that has not come through; what it was.
    fn discard(self, room_id: RoomId, id: MessageId) -> Option<Sending> {
        let mut given_up = None;
        self.state.update(|state| {
            if let Some(room) = state.room.as_mut() {
                given_up = room.sending.iter().position(|sending| sending.id == id).map(|at| room.sending.remove(at));
            }
        });
        outbox::forget(id);
        let given_up = given_up?;
        if given_up.failed.is_none() {
            // It may be stored already, and its answer lost.
            self.ask_to_delete(room_id, id);
        }
        Some(given_up)
    }

    /// Takes a message that has not come through back into the composer, with what it answers.
    fn rewrite(self, room_id: RoomId, id: MessageId) {
        let Some(Sending { text, reply_to, .. }) = self.discard(room_id, id) else { return };
        self.give_back(room_id, text);
        let answered = self.state.with_untracked(|state| {
            let room = state.room.as_ref().filter(|_| state.about(room_id).is_none())?;
            room.messages.iter().find(|talk| Some(talk.id) == reply_to).cloned()
        });
        if let Some(talk) = answered {
            self.about(&talk, false, talk.message.clone());
        }
    }

    // Changing what was said

    fn about(self, talk: &Talk, edits: bool, text: String) {
        forms::refuse(composer::REFUSAL, "");
        let about = About { id: talk.id, edits, sender: talk.sender.clone(), text };
        self.set_about(talk.room_id, Some(about));
    }

    /// Neither answers nor changes anything any more; says whether it did.
    pub fn about_nothing(self) -> bool {
        let about = |room: &RoomId| self.state.with_untracked(|state| state.about(*room).is_some());
        self.chosen().filter(about).inspect(|room| self.set_about(*room, None)).is_some()
    }

    /// Sets what the text that is being written in a room is about.
    fn set_about(self, room: RoomId, about: Option<About>) {
        self.state.update(|state| state.set_about(room, about));
        self.keep_about(room);
    }

    /// Keeps what the text that is being written in a room is about.
    fn keep_about(self, room: RoomId) {
        self.state.with_untracked(|state| {
            if let Some(me) = state.me.as_ref().and_then(|me| me.person) {
                drafts::keep_about(me, room, state.about(room));
            }
        });
    }

    /// Keeps the new text of the message that is being changed in a room.
    pub fn keep_edit(self, room: RoomId, text: String) {
        self.state.update_untracked(|state| state.set_edit(room, text));
        self.keep_about(room);
    }

    /// Changes the last message that this person said here; says whether there is one.
    pub fn edit_last(self) -> bool {
        let last = self.state.with_untracked(|state| {
            // While the last is on its way, none is it.
            let room = state.room.as_ref().filter(|room| room.sending.is_empty())?;
            let is_gone =
                |talk: &Talk| room.is_going(talk.id) || state.preview(talk).map_or(talk.deleted, |talk| talk.deleted);
            room.messages.iter().rev().find(|talk| state.is_own(talk) && !is_gone(talk)).cloned()
        });
        last.inspect(|talk| self.edit(talk)).is_some()
    }

    /// Begins to change a message, as it is or is to be.
    fn edit(self, talk: &Talk) {
        self.about(talk, true, self.preview(talk).message);
    }

    /// Sends the new text of a message.
    pub fn change_text(self, room_id: RoomId, id: MessageId, message: String) {
        let before = self.state.with_untracked(|state| {
            state.room.iter().flat_map(|room| &room.messages).find(|talk| talk.id == id).cloned()
        });
        if before.is_none_or(|talk| self.preview(&talk).message != message) {
            self.ask(ClientFrame::Edit { room_id, id, message, if_rev: None });
        }
        self.about_nothing();
    }

    /// Deletes a message, unless that is undone in time.
    fn delete(self, room: RoomId, id: MessageId) {
        let going = (id, js_sys::Date::now() + UNDO_FOR.as_secs() as f64 * 1_000.0);
        self.state.update(|state| {
            if let Some(open) = state.room.as_mut().filter(|open| open.id == room) {
                open.going.push(going);
            }
        });
        // What is to go is not changed any more.
        let is_changed = |about: &About| about.id == id && about.edits;
        if self.state.with_untracked(|state| state.about(room).is_some_and(is_changed)) {
            self.set_about(room, None);
        }
        // Undone and begun again, it is another one.
        let is_due = move |state: &ChatState| state.room.as_ref().is_some_and(|open| open.going.contains(&going));
        set_timeout(
            move || {
                if self.state.with_untracked(is_due) {
                    self.ask_to_delete(room, id);
                }
            },
            UNDO_FOR,
        );
    }

    /// Deletes at once what could still be undone: the page, or the room, is being left.
    pub fn delete_now(self) {
        let going = self.state.with_untracked(|state| {
            let room = state.room.iter();
            room.flat_map(|room| room.going.iter().map(|(id, _)| (room.id, *id))).collect::<Vec<_>>()
        });
        going.into_iter().for_each(|(room, id)| self.ask_to_delete(room, id));
    }

    fn ask_to_delete(self, room_id: RoomId, id: MessageId) {
        self.undelete(id);
        self.ask(ClientFrame::Delete { room_id, id });
    }

    fn undelete(self, id: MessageId) {
        self.state.update(|state| {
            if let Some(room) = state.room.as_mut() {
                room.going.retain(|(going, _)| *going != id);
            }
        });
    }

    /// A message as it is, or as it is to be.
    fn preview(self, talk: &Talk) -> Talk {
        self.state.with_untracked(|state| state.preview(talk)).unwrap_or_else(|| talk.clone())
    }

    fn react(self, room_id: RoomId, talk: &Talk, emoji: &str) {
        if menu::is_text(emoji) {
            return forms::refuse(composer::REFUSAL, &(self.text.error)(NO_EMOJI));
        }
        let me = self.state.with_untracked(|state| state.me.as_ref().map(|me| me.sender.clone())).unwrap_or_default();
        let on = !self.preview(talk).reactions.iter().any(|one| one.emoji == emoji && one.by.contains(&me));
        self.ask(ClientFrame::React { room_id, id: talk.id, emoji: emoji.into(), on });
    }

    // Copying

    fn copy(self, button: &Element, words: &str) {
        let (button, words) = (button.clone(), words.to_owned());
        leptos::task::spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            // Browsers have no clipboard on plain http, except from this machine: then the text is shown to copy by hand.
            let written = !clipboard.is_undefined()
                && wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&words)).await.is_ok();
            if !written {
                let _ = window().prompt_with_message_and_default(self.text.copy, &words);
                return;
            }
            if let Some(label) = inside(&button, "[aria-live]") {
                let before = label.text_content();
                label.set_text_content(Some(self.text.copied));
                set_timeout(move || label.set_text_content(before.as_deref()), COPIED_SHOWN);
            }
        });
    }
}

fn origin() -> String {
    window().location().origin().unwrap_or_default()
}
