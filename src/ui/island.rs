//! The island: the whole page below `<body>`, in the browser one hydrated tree.

#![expect(missing_docs, reason = "of the struct that the macro makes of the argument")]

use super::{
    FirstPage, Ui, account::Account, connection, home::Home, lost::LostPage, room::RoomPage, room_list::Pane,
    state::ChatState, text::text,
};
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

/// The whole page below `<body>`.
#[island]
pub fn Madang(
    /// A [`FirstPage`] as JSON text. Leptos would read a struct by a second copy of the code that reads
    /// frames: 9 KB more for the browser.
    first: String,
) -> impl IntoView {
    let Some(first) = FirstPage::from_json(&first) else { return Either::Left(()) };
    let (events, inbox) = connection::events();
    let mut state = ChatState {
        me: first.me,
        rooms: first.rooms,
        lost: first.lost,
        refused: first.refused,
        ..ChatState::default()
    };
    if let Some(view) = first.room {
        state.open(view);
    }
    let ui = Ui {
        state: RwSignal::new(state),
        text: text(first.lang),
        awake: RwSignal::new(false),
        now: RwSignal::new(0.0),
        journey: StoredValue::new(0),
        events: StoredValue::new(events),
    };
    provide_context(ui);
    connection::start(ui, inbox, first.older);

    // What is shown changes as a whole with this word alone.
    let place = Memo::new(move |_| ui.state.with(ChatState::place));
    let layout = move || match ui.state.with(|state| (state.lost, state.room.is_some())) {
        (Some(_), _) => "app app-lost",
        (None, true) => "app app-room",
        (None, false) => "app app-home",
    };
    Either::Right(view! {
        <div class=layout>
            <Pane/>
            {move || match place.with(|_| ui.state.with_untracked(|state| (state.lost, state.room.as_ref().map(|room| room.id)))) {
                (Some(lost), _) => EitherOf3::A(view! { <LostPage lost/> }),
                (None, Some(id)) => EitherOf3::B(view! { <RoomPage id/> }),
                (None, None) => EitherOf3::C(view! { <Home/> }),
            }}
            <Account lang=first.lang/>
        </div>
    })
}
