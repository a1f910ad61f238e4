//! Small parts of the page that follow the state: each is a function from it to HTML, written by the server and
//! replaced in the browser when it changes.

use super::{
    Ui, composer, mentions, room_header,
    rows::{Written, replace},
    state::ChatState,
    text::Text,
    timeline,
};
use crate::{domain::RoomId, html::Html};
use leptos::prelude::*;

/// What a region can see.
pub struct Seen<'a> {
    /// What the page knows.
    pub state: &'a ChatState,
    /// The room that was chosen: the one on its way, else the one on screen.
    pub chosen: Option<RoomId>,
    /// The words.
    pub text: &'static Text,
    /// Whether the page has woken up: what the server writes claims nothing that only the browser knows.
    pub awake: bool,
    /// The browser's clock, in milliseconds, once a second.
    pub now: f64,
}

/// What is in a region.
type Content = fn(&Seen<'_>) -> Html;

/// Every region: the id of its element, and what is in it.
const REGIONS: [(&str, Content); 18] = [
    ("room-name", room_header::name),
    ("room-meta", room_header::meta),
    ("room-topic", room_header::topic),
    ("whole-topic", room_header::whole_topic),
    ("room-rename", room_header::rename),
    ("room-form", room_header::form),
    ("share-rows", room_header::share),
    ("member-count", room_header::count),
    ("status", room_header::status),
    ("status-retry", room_header::retry),
    ("members-count", room_header::count),
    ("timeline-top", timeline::top),
    ("timeline-end", timeline::end),
    ("left-off", timeline::left_off),
    ("typing", composer::typing),
    ("announcer", timeline::announcement),
    ("composer-about", composer::about),
    ("mentions", mentions::region),
];

/// One of them, as the server writes it.
#[component]
pub fn Region(
    /// Its id.
    id: &'static str,
) -> impl IntoView {
    let ui = Ui::get();
    let html = REGIONS.iter().find(|(known, _)| *known == id).map(|(_, of)| {
        ui.state
            .with_untracked(|state| of(&Seen { state, chosen: state.here(), text: ui.text, awake: false, now: 0.0 }))
    });
    view! { <Written tag="span" id class="region" html=html.unwrap_or_default()/> }
}

/// Keeps them all as the state has it, in the browser.
pub fn start(ui: Ui) {
    let seen = move |awake: bool, now: f64| {
        let chosen = ui.chosen();
        ui.state.with_untracked(|state| REGIONS.map(|(_, of)| of(&Seen { state, chosen, text: ui.text, awake, now })))
    };
    let mut shown = seen(false, 0.0);
    ui.draw(move || {
        ui.state.track();
        ui.bound_for.track();
        let after = seen(true, ui.now.get());
        for ((id, _), (before, after)) in REGIONS.iter().zip(shown.iter().zip(&after)) {
            replace(id, before, after);
        }
        shown = after;
    });
}
