//! How far somebody has really read: to the last message that was on screen, in a window that has the focus.

use super::{
    Ui,
    connection::Event,
    dom::{element, partition_point},
    journey,
    listen::{follow, listen},
};
use crate::{
    domain::{RoomId, Seq},
    protocol::ClientFrame,
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// The end counts as seen within this many pixels of it.
const NEAR_END: i32 = 48;

/// Watches, in the browser.
pub fn start(ui: Ui) {
    for event in ["focus", "blur", "resize", "scroll", "visibilitychange"] {
        listen(event, move |_| ui.look_soon());
    }
    // Once it is drawn.
    ui.draw(move || {
        ui.state.track();
        ui.look_soon();
    });
    follow(move || {
        let (unread, name) =
            ui.state.with(|state| (state.unread_in_all(), state.room.as_ref().map(|room| room.name.clone())));
        let name = name.map_or_else(|| ui.text.madang.to_owned(), |name| format!("{name} · {}", ui.text.madang));
        document().set_title(&if unread > 0 { format!("({unread}) {name}") } else { name });
    });
}

impl Ui {
    /// Looks in the next frame, once: what the page shows is known when it is drawn.
    fn look_soon(self) {
        // Known at once: in a tab that is hidden nothing is drawn any more.
        self.state.update_untracked(|state| state.looking = is_looking());
        if !self.look_due.get_value() {
            self.look_due.set_value(true);
            request_animation_frame(move || {
                self.look_due.set_value(false);
                self.look();
            });
        }
    }

    /// Takes note of what is on screen.
    fn look(self) {
        if self.is_landing() {
            return self.look_soon();
        }
        // First, or what was moved into sight for a moment would count as seen.
        self.keep_place();
        // While a button is pressed nothing is drawn: the page may show another room than the state.
        if self.pressed.get_untracked() {
            return;
        }
        let Some(timeline) = document().get_element_by_id("timeline") else { return };
        let (is_newest, is_empty) = self.state.with_untracked(|state| {
            state.room.as_ref().map_or((true, false), |room| (room.newest, room.messages.is_empty()))
        });
        let at_end = is_newest && timeline.scroll_top() > -NEAR_END;
        // What comes into sight has its real height a frame later, and may be out of sight again. Whoever was in an empty room
        // has seen that nothing was said.
        let in_sight = last_seen(&timeline, at_end).or((is_newest && is_empty).then_some(0));
        let seen = self.in_sight.try_update_value(|before| std::mem::replace(before, in_sight)).flatten().min(in_sight);
        if seen < in_sight {
            self.look_soon();
        }
        let (mut moved, mut waiting) = (None, 0);
        self.state.update_untracked(|state| {
            if let Some(room) = &state.room {
                waiting = state.unread(room.id);
            }
            if state.looking {
                moved = seen.and_then(|seq| state.saw(seq));
            }
        });
        show_way_down(self, at_end, waiting);
        self.load_ahead(&timeline);
        if let Some(mark) = moved {
            // Said once a second, and before one leaves.
            self.read_due.set_value(Some(mark));
            self.state.notify();
        }
    }

    /// Loads older or newer messages before somebody comes to the end of those here. The scroller is turned round: its
    /// end is at 0, and above that it is negative.
    fn load_ahead(self, timeline: &Element) {
        let near = timeline.client_height() * 3 / 2;
        // In a high window both may be near.
        if timeline.scroll_height() - timeline.client_height() + timeline.scroll_top() < near {
            self.load_more(true);
        }
        if -timeline.scroll_top() < near {
            self.load_more(false);
        }
    }

    /// Tells the server how far was read, if that is news.
    pub fn tell_read(self) {
        if let Some((room_id, seq)) = self.read_due.try_update_value(Option::take).flatten() {
            let frame = ClientFrame::Read { room_id, seq, unread: false, count: true };
            if self.state.with_untracked(|state| state.requests.contains(&frame)) {
                self.tell(Event::Ask(frame));
            }
        }
    }

    /// Everything from the message at `seq` on is unread again.
    pub fn mark_unread(self, room_id: RoomId, seq: Seq) {
        self.read_due.set_value(None);
        self.state.update(|state| state.mark_unread(room_id, seq - 1));
        self.ask(ClientFrame::Read { room_id, seq: seq - 1, unread: true, count: true });
    }
}

/// Goes to the message that the address names, else to where one left off: the line before the first unread message, or
/// the end.
pub fn land() {
    if !journey::named().is_some_and(journey::show) {
        journey::show_unread();
    }
}

/// Whether somebody has scrolled away from where the browser put them before the page woke up.
#[must_use]
pub fn has_scrolled_away() -> bool {
    let Some(timeline) = element("#timeline") else { return false };
    let is_in_sight = |seq: Seq| {
        let (message, view) = (element(&format!("#m-{seq}")), timeline.get_bounding_client_rect());
        message
            .map(|message| message.get_bounding_client_rect())
            .is_some_and(|message| message.bottom() > view.top() && message.top() < view.bottom())
    };
    timeline.scroll_top() != 0 && !journey::named().is_some_and(is_in_sight)
}

/// Whether somebody looks at this window.
fn is_looking() -> bool {
    document().has_focus().unwrap_or(false) && !document().hidden()
}

/// The place of the last message whose end is in sight.
fn last_seen(timeline: &Element, at_end: bool) -> Option<Seq> {
    let bottom = timeline.get_bounding_client_rect().bottom() + if at_end { f64::from(NEAR_END) } else { 1.0 };
    let chunks = document().get_element_by_id("chunks")?;
    let begun = partition_point(&chunks, |chunk| chunk.get_bounding_client_rect().top() < bottom);
    (0..begun).rev().find_map(|at| {
        let chunk = chunks.children().item(at)?;
        let seen = partition_point(&chunk, |line| line.get_bounding_client_rect().bottom() <= bottom);
        (0..seen).rev().find_map(|at| chunk.children().item(at)?.id().strip_prefix("m-")?.parse().ok())
    })
}

/// The button that leads to the end, while that is out of sight.
fn show_way_down(ui: Ui, at_end: bool, waiting: u32) {
    let button: Option<HtmlElement> =
        document().get_element_by_id("to-latest").and_then(|button| button.dyn_into().ok());
    let Some(button) = button else { return };
    button.set_hidden(at_end);
    if let Some(label) = button.last_element_child() {
        let words = (ui.text.new_below)(waiting);
        if label.text_content().as_deref() != Some(&words) {
            label.set_text_content(Some(&words));
        }
    }
}
