//! What one reads stays where it is, whatever comes above or below it. Most browsers see to that themselves (scroll
//! anchoring), but for the very end; Safari does not.

use super::{
    Ui,
    dom::{element, partition_point, target},
    listen::listen,
};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, ResizeObserver};

/// The first line of the timeline in sight, and where it is.
pub struct Place {
    line: Element,
    /// Pixels from the line's top to the timeline's end: those stay where the window becomes lower.
    above_end: f64,
    /// Pixels that the timeline was scrolled by.
    scrolled: f64,
}

impl Place {
    /// As it is now.
    #[must_use]
    pub fn here() -> Option<Self> {
        let timeline = element("#timeline")?;
        let line = first_below(timeline.get_bounding_client_rect().top())?;
        Some(Self { above_end: above_end(&timeline, &line), line, scrolled: scrolled(&timeline) })
    }

    /// Scrolls so that the line is there again, if it is still here.
    pub fn restore(&self) {
        self.scroll_back(0.0);
    }

    /// The same, but for what somebody has scrolled meanwhile; who has come to the end wants to be there.
    fn keep(&self, timeline: &Element) {
        let scrolled = scrolled(timeline);
        if scrolled < 0.0 || self.is_end() {
            self.scroll_back(scrolled - self.scrolled);
        }
    }

    fn scroll_back(&self, but_for: f64) {
        if let Some(timeline) = element("#timeline").filter(|_| self.line.is_connected()) {
            let moved = above_end(&timeline, &self.line) - self.above_end - but_for;
            // Fractions of a pixel would add up.
            if moved.abs() >= 1.0 {
                timeline.set_scroll_top((scrolled(&timeline) - moved).round() as i32);
            }
        }
    }

    /// The timeline is turned round: its end is at 0.
    fn is_end(&self) -> bool {
        self.scrolled >= 0.0
    }
}

/// Whether the browser sees to it.
#[must_use]
pub fn browser_keeps() -> bool {
    let style = element("#timeline").and_then(|timeline| window().get_computed_style(&timeline).ok()?);
    style.and_then(|style| style.get_property_value("overflow-anchor").ok()).as_deref() == Some("auto")
}

/// Keeps the place, where the browser does not.
pub fn start(ui: Ui) {
    if browser_keeps() {
        return;
    }
    let (Some(timeline), Some(content)) = (element("#timeline"), element(".timeline-content")) else { return };
    let place = StoredValue::new_local(None::<Place>);
    let keep = move || {
        place.with_value(|place| place.iter().for_each(|place| place.keep(&timeline)));
        // At the end of what there is one follows what is said.
        let is_newest = ui.state.with_untracked(|state| state.room.as_ref().is_none_or(|room| room.newest));
        let here = Place::here().filter(|place| !(place.is_end() && is_newest));
        place.set_value(here);
    };
    // After layout, and before it is painted.
    let callback = Closure::wrap(Box::new(keep.clone()) as Box<dyn Fn()>);
    if let Ok(observer) = ResizeObserver::new(callback.as_ref().unchecked_ref()) {
        observer.observe(&content);
    }
    callback.forget();
    listen("scroll", move |event| {
        if target(&event).is_some_and(|target| target.id() == "timeline") {
            keep();
        }
    });
}

/// What web-sys cuts to a whole number.
fn scrolled(timeline: &Element) -> f64 {
    js_sys::Reflect::get(timeline, &"scrollTop".into()).ok().and_then(|pixels| pixels.as_f64()).unwrap_or_default()
}

fn above_end(timeline: &Element, line: &Element) -> f64 {
    timeline.get_bounding_client_rect().bottom() - line.get_bounding_client_rect().top()
}

/// The first line whose end is below that height.
fn first_below(top: f64) -> Option<Element> {
    let first = |parent: &Element| {
        let above = partition_point(parent, |child| child.get_bounding_client_rect().bottom() <= top);
        parent.children().item(above)
    };
    let chunk = first(&document().get_element_by_id("chunks")?)?;
    // Of a chunk there may be nothing left in sight but the margin below its last line.
    first(&chunk).or_else(|| chunk.next_element_sibling()?.first_element_child())
}
