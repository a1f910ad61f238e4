//! The page: rendered whole on the server, brought to life in the browser where it changes.
//!
//! [`page`] is all of it, written by the server as plain HTML. In the browser it wakes up step by step ([`waking`]):
//! from then on one state ([`state`]) follows one connection ([`connection`]), and every part follows the state. What
//! changes is mended in place ([`rows`], [`regions`]) and nothing is hydrated: the views need not be loaded. Buttons are
//! named by what they do ([`deeds`]). Without JavaScript every form and link still works, since each is a plain one first.

pub mod account;
pub mod composer;
pub mod connection;
pub mod deeds;
pub mod dom;
pub mod drafts;
pub mod forms;
pub mod home;
pub mod join;
pub mod journey;
pub mod keys;
pub mod listen;
pub mod lost;
pub mod members;
pub mod mentions;
pub mod menu;
pub mod message;
pub mod outbox;
pub mod page;
pub mod parts;
pub mod place;
pub mod pointer;
pub mod reading;
pub mod regions;
pub mod requests;
pub mod room_header;
pub mod room_list;
pub mod rows;
pub mod state;
pub mod storage;
pub mod switcher;
pub mod text;
pub mod time;
pub mod timeline;
pub mod viewport;
pub mod waking;
pub mod wire;
pub mod words;

use crate::{
    domain::{Error, Lang, RoomId, Seq},
    protocol::{ClientFrame, Member, ReadMark, RoomSummary, RoomView},
};
use connection::{Event, Events};
use leptos::prelude::*;
use place::Place;
use send_wrapper::SendWrapper;
use serde::Serialize;
use state::ChatState;
use text::Text;

/// What the server knew when it rendered the page; the browser starts from the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FirstPage {
    /// The language.
    pub lang: Lang,
    /// Who this browser is; `None` before joining.
    pub me: Option<Member>,
    /// The rooms.
    pub rooms: Vec<RoomSummary>,
    /// How far this browser's person has read, in each room where they have.
    pub marks: Vec<ReadMark>,
    /// Whether there are others too: what is heard of those is not shown.
    pub partly: bool,
    /// The room on screen.
    pub room: Option<RoomView>,
}

impl FirstPage {
    /// The page as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A refused form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The path that it was posted to.
    pub path: String,
    /// Why.
    pub error: Error,
    /// What was written, where that is to be put back.
    pub text: Option<String>,
}

impl Refused {
    /// Why the form at `path` was refused, in words; empty if it was another one.
    #[must_use]
    pub fn words(refused: Option<&Self>, path: &str, text: &Text) -> String {
        refused
            .filter(|refused| refused.path == path)
            .map(|refused| (text.error)(refused.error.code()))
            .unwrap_or_default()
    }
}

/// What every part of the page can reach.
#[derive(Clone, Copy)]
pub struct Ui {
    /// What the page knows.
    pub state: RwSignal<ChatState>,
    /// The words.
    pub text: &'static Text,
    /// The browser's clock, in milliseconds, once a second.
    pub now: RwSignal<f64>,
    /// Set while a link or a button is pressed and not yet released.
    pub pressed: RwSignal<bool>,
    /// Counts journeys inside the page, so that a late answer does not overtake a newer click.
    journey: StoredValue<u32>,
    /// The room that the last of them leads to, while it is on its way. What is written meanwhile is for it.
    bound_for: RwSignal<Option<RoomId>>,
    /// Set while the page is to look at what is on screen.
    look_due: StoredValue<bool>,
    /// The last message in sight when it last did.
    in_sight: StoredValue<Option<Seq>>,
    /// The journey that has not come to where one reads: until then nothing counts as seen.
    landing: StoredValue<Option<u32>>,
    /// Set while more messages are on their way.
    loading: StoredValue<bool>,
    /// Where somebody reads, so that it stays there. On the server nobody does: a page is not bound to a thread there.
    place: StoredValue<Option<SendWrapper<Place>>>,
    /// How far was read, until the server is told.
    read_due: StoredValue<Option<(RoomId, Seq)>>,
    events: StoredValue<Events>,
}

impl Ui {
    /// A page that shows this and tells its connection so.
    #[must_use]
    pub fn new(first: FirstPage, events: Events) -> Self {
        let mut state = ChatState::default();
        (state.me, state.rooms, state.marks, state.partly) = (first.me, first.rooms, first.marks, first.partly);
        if let Some(view) = first.room {
            state.open(view);
        }
        Self {
            state: RwSignal::new(state),
            text: text::text(first.lang),
            now: RwSignal::new(0.0),
            pressed: RwSignal::new(false),
            journey: StoredValue::new(0),
            bound_for: RwSignal::new(None),
            look_due: StoredValue::new(false),
            in_sight: StoredValue::new(None),
            landing: StoredValue::new(None),
            loading: StoredValue::new(false),
            place: StoredValue::new(None),
            read_due: StoredValue::new(None),
            events: StoredValue::new(events),
        }
    }

    /// The page's context, for what the server writes.
    #[must_use]
    pub fn get() -> Self {
        expect_context()
    }

    /// Tells the connection.
    pub fn tell(&self, event: Event) {
        self.events.with_value(|events| events.send(event));
    }

    /// Asks something of the server, now or as soon as it can be reached. What is asked of a message is shown as if it
    /// were done, and outlives the page.
    pub fn ask(&self, frame: ClientFrame) {
        self.state.update_untracked(|state| {
            outbox::keep_change(state.me.as_ref(), &frame);
            state.requests.ask(frame.clone());
        });
        if !matches!(frame, ClientFrame::Read { .. }) {
            self.state.notify();
        }
        self.tell(Event::Ask(frame));
    }
}

/// The address of a room.
#[must_use]
pub fn address(room: RoomId) -> String {
    format!("/rooms/{room}")
}

/// The page has panicked: offer to load it anew.
pub fn show_crashed() {
    if let Some(bar) = document().get_element_by_id("crashed") {
        let _ = bar.remove_attribute("hidden");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_may_end_a_page_on_another_thread_than_it_began_it_on() {
        let owner = Owner::new();
        owner.with(|| Ui::new(FirstPage::default(), connection::events().0));
        std::thread::spawn(move || owner.cleanup()).join().expect("a page that belongs to no thread");
    }
}
