//! What one reads stays where it is, whatever comes above or below it. Most browsers would see to that by themselves (scroll
//! anchoring), but not at the very end, not before the next frame is looked at, and Safari not at all.

use super::{
    Ui,
    dom::{element, inside, partition_point},
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure, prelude::wasm_bindgen};
use web_sys::{DomRect, Element, ResizeObserver};

#[wasm_bindgen]
extern "C" {
    /// A message as the browser draws it; web-sys knows nothing of that yet.
    type Drawn;

    #[wasm_bindgen(method, js_name = checkVisibility)]
    fn check_visibility(this: &Drawn, options: &js_sys::Object) -> bool;
}

/// A message of the timeline in sight, and where it is.
pub struct Place {
    message: Element,
    /// Pixels from the top of its text to the timeline's end: those stay where the window becomes lower.
    above_end: f64,
    /// Pixels that the timeline was scrolled by. It is turned round: its end is at 0, and above that it is negative.
    scrolled: f64,
    /// Pixels that it could be scrolled by, negative as well.
    reach: f64,
}

impl Ui {
    /// Takes back what the timeline was moved by since this was last asked, unless somebody scrolled.
    pub fn keep_place(self) {
        let is_newest = self.state.with_untracked(|state| state.room.as_ref().is_none_or(|room| room.newest));
        self.place.update_value(|place| {
            let Some(timeline) = element("#timeline") else { return };
            let off = place.as_ref().map_or(0.0, |place| place.keep(&timeline));
            // At the end of what there is one follows what is said.
            let in_sight = Place::in_sight(&timeline, off).filter(|place| place.scrolled < 0.0 || !is_newest);
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
    /// Where the message stands, but for the part of a pixel that it is off by.
    fn in_sight(timeline: &Element, off: f64) -> Option<Self> {
        let view = timeline.get_bounding_client_rect();
        let chunks = document().get_element_by_id("chunks")?;
        // What a jump brought into sight has its real height a frame later. Who was led to a message, by the keyboard or
        // the browser's search, has it in the middle until then; else one reads from the top.
        let top = if is_drawn(&chunks, &view) { view.top() } else { (view.top() + view.bottom()) / 2.0 };
        let message = first_below(&chunks, top)?;
        Some(Self {
            above_end: above_end(timeline, &message) - off,
            message,
            scrolled: scrolled(timeline),
            reach: reach(timeline),
        })
    }

    /// Takes back what it was moved by, and says what part of a pixel is left of that: what is scrolled is whole ones.
    fn keep(&self, timeline: &Element) -> f64 {
        let scrolled = scrolled(timeline);
        // Of another room's messages none is left. And who has come to the end wants to be there.
        if !self.message.is_connected() || (scrolled >= 0.0 && self.scrolled < 0.0) {
            return 0.0;
        }
        // Where so much has gone that nobody can be where one was, it was the browser that scrolled.
        let reach = reach(timeline);
        let is_cut = self.reach < reach && self.scrolled < reach;
        let scrolled_since = if is_cut { 0.0 } else { scrolled - self.scrolled };
        // Whoever was led further than to what was in sight is where they are to be.
        if scrolled_since.abs() > f64::from(timeline.client_height()) {
            return 0.0;
        }
        let moved = above_end(timeline, &self.message) - self.above_end - scrolled_since;
        if moved.abs() < 1.0 {
            return moved;
        }
        timeline.set_scroll_top((scrolled - moved).round() as i32);
        let off = moved + self::scrolled(timeline) - scrolled;
        // What could not be taken back is where it is.
        if off.abs() < 1.0 { off } else { 0.0 }
    }
}

/// Keeps the place whenever the timeline's size changes: after layout, and before it is painted.
pub fn start(ui: Ui) {
    let Some(content) = element(".timeline-content") else { return };
    let _ = content.class_list().add_1("timeline-kept");
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

fn reach(timeline: &Element) -> f64 {
    f64::from(timeline.client_height() - timeline.scroll_height())
}

fn above_end(timeline: &Element, message: &Element) -> f64 {
    // Its author is named above it no more, once the one before it is here.
    let text = inside(message, ".message-body");
    timeline.get_bounding_client_rect().bottom() - text.as_ref().unwrap_or(message).get_bounding_client_rect().top()
}

/// Whether every chunk in sight is drawn.
fn is_drawn(chunks: &Element, view: &DomRect) -> bool {
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &"contentVisibilityAuto".into(), &true.into());
    let begun = partition_point(chunks, |chunk| chunk.get_bounding_client_rect().top() < view.bottom());
    (above(chunks, view.top())..begun).all(|at| {
        let line = chunks.children().item(at).and_then(|chunk| chunk.first_element_child());
        line.is_none_or(|line| line.unchecked_ref::<Drawn>().check_visibility(&options))
    })
}

/// How many of the children end above that height.
fn above(parent: &Element, top: f64) -> u32 {
    partition_point(parent, |child| child.get_bounding_client_rect().bottom() <= top)
}

/// The first message whose end is below that height. Days and the line before what is unread move among the messages.
fn first_below(chunks: &Element, top: f64) -> Option<Element> {
    let first = |parent: &Element| parent.children().item(above(parent, top));
    let message = |line: Option<Element>| {
        std::iter::successors(line, Element::next_element_sibling).find(|line| line.id().starts_with("m-"))
    };
    let chunk = first(chunks)?;
    // Of a chunk there may be nothing left in sight but the margin below its last line.
    message(first(&chunk)).or_else(|| message(chunk.next_element_sibling()?.first_element_child()))
}
