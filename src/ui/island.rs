//! The one island: it owns the one state and the one connection, which every part of the page follows.

use super::{FirstPage, Ui, connection, members, regions, room_list, state::ChatState, text::text, timeline};
use leptos::prelude::*;

/// Around the whole page; draws nothing itself.
#[island]
pub fn App(children: Children) -> impl IntoView {
    let first = use_context::<FirstPage>().or_else(FirstPage::of_document).unwrap_or_default();
    let (events, inbox) = connection::events();
    let mut state = ChatState::default();
    (state.me, state.rooms, state.marks, state.partly) = (first.me, first.rooms, first.marks, first.partly);
    if let Some(view) = first.room {
        state.open(view);
    }
    let ui = Ui {
        state: RwSignal::new(state),
        text: text(first.lang),
        awake: RwSignal::new(false),
        now: RwSignal::new(0.0),
        pressed: RwSignal::new(false),
        journey: StoredValue::new(0),
        loading: StoredValue::new(false),
        read_due: StoredValue::new(None),
        events: StoredValue::new(events),
    };
    provide_context(ui);
    timeline::start(ui);
    room_list::start(ui);
    members::start(ui);
    regions::start(ui);
    connection::start(ui, inbox);
    children()
}
