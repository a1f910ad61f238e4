//! Finding things in the browser's page: short forms of what the standard interfaces say at length.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusOptions, HtmlElement};

/// The elements that a selector names, in their order.
#[must_use]
pub fn elements(selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}

/// The first of them.
#[must_use]
pub fn element(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok()??.dyn_into().ok()
}

/// Whether the focus is nowhere in particular.
#[must_use]
pub fn has_no_focus() -> bool {
    document().active_element().is_none_or(|active| active.tag_name() == "BODY")
}

/// Gives the focus to an element without scrolling to it.
pub fn focus_quietly(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// The element that an event happened to.
#[must_use]
pub fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// That, or the nearest one around it, which the selector names.
#[must_use]
pub fn around(event: &Event, selector: &str) -> Option<Element> {
    closest(&target(event)?, selector)
}

/// An element, or the nearest one around it, which the selector names.
#[must_use]
pub fn closest(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok()?
}

/// The first element inside another which the selector names.
#[must_use]
pub fn inside(element: &Element, selector: &str) -> Option<Element> {
    element.query_selector(selector).ok()?
}

/// How many of the children come before the first of which something no longer holds: it holds for all of those and for
/// none after. Asked of a few only, since each answer may lay out the page.
pub fn partition_point(parent: &Element, holds: impl Fn(&Element) -> bool) -> u32 {
    let children = parent.children();
    let (mut from, mut to) = (0, children.length());
    while from < to {
        let middle = from.midpoint(to);
        if children.item(middle).is_some_and(|child| holds(&child)) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

/// Whether a media query holds.
#[must_use]
pub fn is_media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
}

/// Whether a part stands in a text, by the browser: Rust's search would weigh 1 KB.
#[must_use]
pub fn holds(text: &str, part: &str) -> bool {
    js_sys::JsString::from(text).includes(part, 0)
}

/// In small letters, by the browser: Rust's tables of them would weigh 3 KB. What is empty never asks it.
#[must_use]
pub fn lowered(text: &str) -> String {
    if text.is_empty() { String::new() } else { js_sys::JsString::from(text).to_lower_case().into() }
}
