//! What one reads stays where it is, whatever comes above or below it. Most browsers would see to that by themselves (scroll
//! anchoring), but not at the very end, not before the next frame is looked at, and Safari not at all.

use super::{
    Ui,
    dom::{element, partition_point},
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, ResizeObserver};

/// The first message of the timeline in sight, and where it is.
pub struct Place {
    message: Element,
    /// Pixels from its top to the timeline's end: those stay where the window becomes lower.
    above_end: f64,
    /// Pixels that the timeline was scrolled by. It is turned round: its end is at 0, and above that it is negative.
    scrolled: f64,
}

impl Ui {
    /// Takes back what the timeline was moved by since this was last asked, unless somebody scrolled.
    pub fn keep_place(self) {
        let is_newest = self.state.with_untracked(|state| state.room.as_ref().is_none_or(|room| room.newest));
        self.place.update_value(|place| {
            let Some(timeline) = element("#timeline") else { return };
            place.iter().for_each(|place| place.keep(&timeline));
            // At the end of what there is one follows what is said.
            let in_sight = Place::in_sight(&timeline).filter(|place| place.scrolled < 0.0 || !is_newest);
            *place = in_sight.map(SendWrapper::new);
        });
    }

    /// Whoever was led elsewhere is not taken back, and stays there from now on.
    pub fn renew_place(self) {
        self.place.set_value(None);
        self.keep_place();
    }
}

impl Place {
    fn in_sight(timeline: &Element) -> Option<Self> {
        let message = first_below(timeline.get_bounding_client_rect().top())?;
        Some(Self { above_end: above_end(timeline, &message), message, scrolled: scrolled(timeline) })
    }

    fn keep(&self, timeline: &Element) {
        let scrolled = scrolled(timeline);
        // Of another room's messages none is left. And who has come to the end wants to be there.
        if !self.message.is_connected() || (scrolled >= 0.0 && self.scrolled < 0.0) {
            return;
        }
        let moved = above_end(timeline, &self.message) - self.above_end - (scrolled - self.scrolled);
        // What is set is whole pixels: to take back less would only swing to and fro.
        if moved.abs() >= 1.0 {
            timeline.set_scroll_top((scrolled - moved).round() as i32);
        }
    }
}

/// Keeps the place whenever the timeline's size changes: after layout, and before it is painted.
pub fn start(ui: Ui) {
    let Some(content) = element(".timeline-content") else { return };
    let resized = Closure::wrap(Box::new(move || ui.keep_place()) as Box<dyn Fn()>);
    if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
        observer.observe(&content);
    }
    resized.forget();
}

/// What web-sys cuts to a whole number.
fn scrolled(timeline: &Element) -> f64 {
    js_sys::Reflect::get(timeline, &"scrollTop".into()).ok().and_then(|pixels| pixels.as_f64()).unwrap_or_default()
}

fn above_end(timeline: &Element, message: &Element) -> f64 {
    timeline.get_bounding_client_rect().bottom() - message.get_bounding_client_rect().top()
}

/// The first message whose end is below that height. Days and the line before what is unread move among the messages.
fn first_below(top: f64) -> Option<Element> {
    let first = |parent: &Element| {
        let above = partition_point(parent, |child| child.get_bounding_client_rect().bottom() <= top);
        parent.children().item(above)
    };
    let message = |line: Option<Element>| {
        std::iter::successors(line, Element::next_element_sibling).find(|line| line.id().starts_with("m-"))
    };
    let chunk = first(&document().get_element_by_id("chunks")?)?;
    // Of a chunk there may be nothing left in sight but the margin below its last line.
    message(first(&chunk)).or_else(|| message(chunk.next_element_sibling()?.first_element_child()))
}
