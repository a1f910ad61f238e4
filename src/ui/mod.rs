//! The page: rendered whole on the server, brought to life in the browser where it changes.
//!
//! [`page`] is all of it: plain HTML with islands in it. The root island ([`island`]) owns the one
//! connection ([`connection`]) and the one state ([`state`]); the islands inside it take what they show
//! from there. Without JavaScript every form and link still works, since each is a plain one first.

pub mod account;
pub mod composer;
pub mod connection;
pub mod forms;
pub mod home;
pub mod island;
pub mod join;
pub mod lost;
pub mod members;
pub mod outbox;
pub mod page;
pub mod parts;
pub mod room_header;
pub mod room_list;
pub mod state;
pub mod text;
pub mod time;
pub mod timeline;
pub mod wire;

use crate::{
    domain::{Body, Error, Lang, MessageId, RoomId, Seq},
    protocol::{Member, RoomSummary, RoomView},
};
use connection::{Event, Events};
use leptos::prelude::*;
use serde::Serialize;
use state::{ChatState, Sending};
use text::Text;
use wasm_bindgen::JsCast;

/// A room that could not be loaded anew is asked for again after this long.
const RELOAD_AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What the server knew when it rendered the page; the browser starts from the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FirstPage {
    /// The language.
    pub lang: Lang,
    /// Who this browser is; `None` before joining.
    pub me: Option<Member>,
    /// The rooms.
    pub rooms: Vec<RoomSummary>,
    /// Whether there are others too: what is heard of those is not shown.
    pub partly: bool,
    /// The room on screen.
    pub room: Option<RoomView>,
    /// Whether that shows older messages than the newest: a page for reading without JavaScript.
    pub older: bool,
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
    /// Set once the page is live: until then nothing may differ from what the server rendered.
    pub awake: RwSignal<bool>,
    /// The browser's clock, in milliseconds, once a second.
    pub now: RwSignal<f64>,
    /// Counts journeys inside the page, so that a late answer does not overtake a newer click.
    journey: StoredValue<u32>,
    events: StoredValue<Events>,
}

impl Ui {
    /// The page's context.
    #[must_use]
    pub fn get() -> Self {
        expect_context()
    }

    /// How many are in the room on screen.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.state.with(|state| state.room.as_ref().map_or(0, |room| room.member_count))
    }

    /// Tells the connection.
    pub fn tell(&self, event: Event) {
        self.events.with_value(|events| events.send(event));
    }

    /// Shows another room without loading a page.
    pub fn go(self, room: RoomId, push: bool) {
        self.journey.update_value(|journey| *journey += 1);
        let journey = self.journey.get_value();
        leptos::task::spawn_local(async move {
            let view = match wire::room_page(room, None).await {
                Ok(view) => view,
                Err(Error::RoomNotFound) => return leave_for(&address(room)),
                // Out of reach: stay, with everything that waits here.
                Err(_) => return,
            };
            if self.journey.get_value() != journey {
                return;
            }
            if push {
                push_address(&address(room));
            }
            document().set_title(&format!("{} · {}", view.room.name, self.text.madang));
            self.state.update(|state| state.open(view));
            self.tell(Event::Moved);
            request_animation_frame(|| {
                scroll_to_end();
                focus_main();
            });
        });
    }

    /// Loads the room on screen anew.
    pub fn reload(self) {
        let Some(id) = self.state.with_untracked(|state| state.room.as_ref().map(|room| room.id)) else { return };
        leptos::task::spawn_local(async move {
            let is_here = move |state: &ChatState| state.room.as_ref().is_some_and(|room| room.id == id);
            match wire::room_page(id, None).await {
                Ok(view) => {
                    self.state.update(|state| {
                        if is_here(state) {
                            state.open(view);
                        }
                    });
                    self.tell(Event::Moved);
                }
                Err(Error::RoomNotFound) => {}
                Err(_) if self.state.with_untracked(is_here) => set_timeout(move || self.reload(), RELOAD_AGAIN),
                Err(_) => {}
            }
        });
    }

    /// Loads the messages before `seq`.
    pub fn load_older(self, room: RoomId, seq: Seq) {
        leptos::task::spawn_local(async move {
            if let Ok(view) = wire::room_page(room, Some(seq)).await {
                let keep_place = keep_place(format!("m-{seq}"));
                self.state.update(|state| state.prepend(view, seq));
                request_animation_frame(move || {
                    keep_place();
                    request_animation_frame(keep_place);
                });
            }
        });
    }

    /// Says something in the room on screen: it is shown at once and sent as soon as there is a connection.
    pub fn say(self, text: String) {
        // The server would refuse it, or even close the connection, and what follows would wait behind it.
        let failed = Body::parse(text.clone()).err().map(|error| error.code().to_owned());
        let sending = Sending { id: MessageId::new(), text, at: time::now_rfc3339(), failed };
        self.state.update(|state| {
            if let Some(room) = state.room.as_mut() {
                // What is refused here already is never sent, and so not kept for a next page either.
                if sending.failed.is_none() {
                    outbox::keep(state.me.as_ref(), room.id, &sending);
                }
                room.sending.push(sending.clone());
            }
        });
        self.tell(Event::Say(sending.id));
        scroll_to_end();
    }

    /// Sends a refused message again, under the same id.
    pub fn say_again(self, id: MessageId) {
        self.state.update(|state| {
            let sending = state.room.iter_mut().flat_map(|room| &mut room.sending).find(|sending| sending.id == id);
            if let Some(sending) = sending {
                sending.failed = None;
            }
        });
        self.tell(Event::Say(id));
    }

    /// Gives a refused message up.
    pub fn discard(self, id: MessageId) {
        self.state.update(|state| {
            if let Some(room) = state.room.as_mut() {
                room.sending.retain(|sending| sending.id != id);
            }
        });
        outbox::forget(id);
    }
}

/// One's own words are always in view. The scroller is turned round: its end is at 0.
fn scroll_to_end() {
    if let Ok(Some(timeline)) = document().query_selector(".timeline") {
        timeline.set_scroll_top(0);
    }
}

/// Where the element is now; what is returned scrolls the timeline so that it is there again.
fn keep_place(id: String) -> impl Fn() + 'static {
    let top = move || Some(document().get_element_by_id(&id)?.get_bounding_client_rect().top());
    let before = top();
    move || {
        if let (Some(before), Some(after), Ok(Some(timeline))) = (before, top(), document().query_selector(".timeline"))
        {
            timeline.set_scroll_top(timeline.scroll_top() + (after - before).round() as i32);
        }
    }
}

/// After a journey inside the page the keyboard starts at what is new, unless a field has taken it.
fn focus_main() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
    let nowhere = document().active_element().is_none_or(|active| active.tag_name() == "BODY");
    if let (true, Some(main)) = (nowhere, document().get_element_by_id("main")) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = main.unchecked_into::<web_sys::HtmlElement>().focus_with_options(&options);
    }
}

/// The address of a room.
#[must_use]
pub fn address(room: RoomId) -> String {
    format!("/rooms/{room}")
}

/// Whether a click is an ordinary one: others open tabs and windows and stay the browser's.
#[must_use]
pub fn is_plain_click(click: &web_sys::MouseEvent) -> bool {
    click.button() == 0 && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key())
}

fn push_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(address));
    }
}

/// Loads a page the ordinary way, for whatever cannot be shown here.
fn leave_for(address: &str) {
    let _ = window().location().set_href(address);
}

/// The page has panicked: offer to load it anew.
pub fn show_crashed() {
    if let Some(bar) = document().get_element_by_id("crashed") {
        let _ = bar.remove_attribute("hidden");
    }
}
