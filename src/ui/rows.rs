//! Lists that change: each row is a piece of HTML with a name and a version. The server writes them out; the
//! browser mends the difference in place, so that focus, selection and the place in the text stay where they are.
//!
//! Leptos' keyed list builds a row anew where it changed, and compiles one view type for each kind of row.

use super::dom::{focus_quietly, inside};
use crate::html::Html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The id of its element, unique on the page.
    pub id: String,
    /// Two rows with the same id and version look the same.
    pub version: u64,
}

/// What a row looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The name of its element.
    pub tag: &'static str,
    /// Its class.
    pub class: String,
    /// What is in it.
    pub html: Html,
}

/// A row whose version is taken from its look.
#[must_use]
pub fn row(id: String, look: &Look) -> Row {
    let version = mix(mix_text(0, &look.class), 0);
    Row { id, version: mix_text(version, look.html.as_str()) }
}

/// A version that depends on one more number.
#[must_use]
pub fn mix(version: u64, number: u64) -> u64 {
    (version ^ number).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
}

/// A version that depends on a text too.
#[must_use]
pub fn mix_text(version: u64, text: &str) -> u64 {
    text.bytes().fold(mix(version, text.len() as u64), |version, byte| mix(version, byte.into()))
}

/// The rows as the server writes them.
#[must_use]
pub fn written(rows: &[Row], look: &dyn Fn(usize) -> Look) -> Html {
    let mut out = Html::new();
    for (at, row) in rows.iter().enumerate() {
        let Look { tag, class, html } = look(at);
        out.raw("<").raw(tag).raw(" id=\"").text(&row.id).raw("\" class=\"").text(&class).raw("\">");
        out.html(&html).raw("</").raw(tag).raw(">");
    }
    out
}

/// Changes the children of `parent`, which show the rows `before`, so that they show those of `after`; `look`
/// is asked only for what is new.
pub fn mend(parent: &Element, before: &[Row], after: &[Row], look: &dyn Fn(usize) -> Look) {
    if before == after {
        return;
    }
    // Among these children: while a line moves from one chunk to another, it is in both.
    let element_of = |row: &Row| parent.children().named_item(&row.id);
    for (at, row) in before.iter().enumerate() {
        if find(after, &row.id, at).is_none()
            && let Some(element) = element_of(row)
        {
            element.remove();
        }
    }
    let mut next = parent.first_element_child();
    for (at, row) in after.iter().enumerate() {
        let old = find(before, &row.id, at);
        let known = old.and_then(element_of);
        let is_changed = old != Some(row);
        let look = (is_changed || known.is_none()).then(|| look(at));
        let Some(element) = known.or_else(|| document().create_element(look.as_ref()?.tag).ok()) else { continue };
        if let Some(Look { class, html, .. }) = look {
            element.set_id(&row.id);
            element.set_class_name(&class);
            rewrite(&element, &html);
        }
        if next.as_ref() == Some(&element) {
            next = element.next_element_sibling();
        } else {
            let focused = focused_in(&element);
            let _ = parent.insert_before(&element, next.as_deref());
            if let Some(focused) = focused {
                focus_quietly(&focused);
            }
        }
    }
}

/// What has the focus, if that is in the element.
fn focused_in(element: &Element) -> Option<HtmlElement> {
    let active = document().active_element().filter(|active| element.contains(Some(active)))?;
    active.dyn_into().ok()
}

/// Writes anew what is in the element. What had the focus there has a successor that takes it: what does the same, or the
/// menu of the message, or the first that can be pressed.
fn rewrite(element: &Element, html: &Html) {
    let lost = focused_in(element);
    let Ok(fresh) = document().create_element("div") else { return };
    fresh.set_inner_html(html.as_str());
    // What is the same at the end and at the beginning stays: somebody may have selected a part of it.
    let mut end = None;
    while let (Some(old), Some(new)) = (before(element, end.as_ref()), fresh.last_child()) {
        if !old.is_equal_node(Some(&new)) {
            break;
        }
        let _ = fresh.remove_child(&new);
        end = Some(old);
    }
    let mut old = element.first_child();
    while let Some(kept) = old.take_if(|old| Some(&*old) != end.as_ref()) {
        old = kept.next_sibling();
        match fresh.first_child() {
            Some(new) if kept.is_equal_node(Some(&new)) => drop(fresh.remove_child(&new)),
            _ => {
                let _ = element.remove_child(&kept);
            }
        }
    }
    while let Some(new) = fresh.first_child() {
        let _ = element.insert_before(&new, end.as_ref());
    }
    let Some(lost) = lost.filter(|lost| !lost.is_connected()) else { return };
    let like = |name: &str| lost.get_attribute(name).map(|value| format!("[{name}=\"{value}\"]")).unwrap_or_default();
    let alike = ["data-do", "data-emoji", "popovertarget"].map(like).concat();
    let alike = Some(alike).filter(|alike| !alike.is_empty()).and_then(|alike| inside(element, &alike));
    let first = || inside(element, "[data-do=menu]").or_else(|| inside(element, "button, a"));
    if let Some(successor) = alike.or_else(first) {
        focus_quietly(successor.unchecked_ref());
    }
}

/// The child before that one, or the last.
fn before(parent: &Element, child: Option<&Node>) -> Option<Node> {
    child.map_or_else(|| parent.last_child(), Node::previous_sibling)
}

/// Replaces what is in the element of that id, if it changed.
pub fn replace(id: &str, before: &Html, after: &Html) {
    if before != after
        && let Some(element) = document().get_element_by_id(id)
    {
        rewrite(&element, after);
    }
}

/// The row of that id; most often it stands where it stood.
fn find<'a>(rows: &'a [Row], id: &str, hint: usize) -> Option<&'a Row> {
    rows.get(hint).filter(|row| row.id == id).or_else(|| rows.iter().find(|row| row.id == id))
}

/// An element with HTML in it, as the server writes it.
#[component]
pub fn Written(
    /// The element's name.
    #[prop(default = "div")]
    tag: &'static str,
    /// Its id.
    id: &'static str,
    /// Its class.
    class: &'static str,
    /// What is in it.
    html: Html,
) -> impl IntoView {
    leptos::html::custom(tag).id(id).class(class).inner_html(html.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_follows_what_is_seen() {
        let look = |class: &str, text: &str| {
            let mut html = Html::new();
            html.text(text);
            row("m-1".into(), &Look { tag: "p", class: class.into(), html })
        };
        assert_eq!(look("a", "b"), look("a", "b"));
        for other in [look("a", "c"), look("ab", ""), look("", "ab")] {
            assert_ne!(look("a", "b"), other);
        }
    }

    #[test]
    fn rows_are_written_with_what_people_called_them_escaped() {
        let mut html = Html::new();
        html.text("<i>");
        let look = Look { tag: "li", class: "a\"b".into(), html };
        let rows = [row("x".into(), &look)];
        assert_eq!(written(&rows, &|_| look.clone()).as_str(), "<li id=\"x\" class=\"a&quot;b\">&lt;i&gt;</li>");
    }
}
