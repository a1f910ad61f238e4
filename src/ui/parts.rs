//! Small pieces that several parts of the page are made of.

use crate::{domain::PersonId, html::Html};
use leptos::prelude::*;

/// An icon of the sprite in `public/icons.svg`.
#[component]
pub fn Icon(
    /// The symbol's id.
    name: &'static str,
) -> impl IntoView {
    let href = format!("/icons.svg#{name}");
    view! { <svg class="icon" aria-hidden="true"><use href=href></use></svg> }
}

/// The same in HTML of our own.
pub fn icon(html: &mut Html, name: &'static str) {
    html.raw("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"/icons.svg#").raw(name).raw("\"></use></svg>");
}

/// The mark of Madang.
#[component]
pub fn Mark() -> impl IntoView {
    view! { <svg class="mark" aria-hidden="true"><use href="/icons.svg#logo"></use></svg> }
}

/// The first letter of a name, before a hue if it has one of its own.
#[component]
pub fn Avatar(
    /// The name.
    name: String,
    /// What the hue is taken from; nothing when the place around it sets the hue.
    #[prop(optional)]
    of: String,
) -> impl IntoView {
    let class = if of.is_empty() { "avatar".to_owned() } else { format!("avatar {}", hue(&of)) };
    view! { <span class=class aria-hidden="true">{initial(&name)}</span> }
}

/// Text for screen readers alone.
#[component]
pub fn Hidden(
    /// The text.
    text: &'static str,
) -> impl IntoView {
    view! { <span class="visually-hidden">{text}</span> }
}

/// The error of a form, beside its field; hidden while it is empty. See [`super::forms`].
#[component]
pub fn FieldError(
    /// The element's id, which the field is described by.
    id: &'static str,
    /// What went wrong.
    error: String,
) -> impl IntoView {
    let hidden = error.is_empty();
    view! { <p class="field-error" id=id role="alert" hidden=hidden><Icon name="alert"/><span>{error}</span></p> }
}

/// What somebody's hue is taken from.
#[must_use]
pub fn hue_of(sender: &str, person: Option<PersonId>, guest: Option<&str>) -> String {
    person.map_or_else(|| format!("{sender}{}", guest.unwrap_or_default()), |id| id.to_string())
}

/// The first letter of a name; the style makes it a capital.
#[must_use]
pub fn initial(name: &str) -> String {
    name.chars().take(1).collect()
}

/// The class of one of eight quiet hues, always the same for the same thing.
#[must_use]
pub fn hue(of: &str) -> String {
    // FNV-1a: short, and even enough over eight.
    let hash = of.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("hue-{}", (hash >> 16) % 8)
}
