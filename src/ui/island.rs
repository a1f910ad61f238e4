//! The island: the whole page below `<body>`, in the browser one hydrated tree.

#![expect(missing_docs, reason = "of the struct that the macro makes of the argument")]

use super::{
    FirstPage, Ui, account::Account, connection, home::Home, lost::LostPage, room::RoomPage, room_list::Pane,
    state::ChatState, text::text,
};
use leptos::{either::EitherOf3, prelude::*};

/// The whole page below `<body>`.
#[island]
pub fn Madang(
    /// What the server knew.
    first: FirstPage,
) -> impl IntoView {
    let (events, inbox) = connection::events();
    let mut state = ChatState { me: first.me, rooms: first.rooms, ..ChatState::default() };
    if let Some(view) = first.room {
        state.open(view);
    }
    let ui = Ui {
        state: RwSignal::new(state),
        text: text(first.lang),
        lost: RwSignal::new(first.lost),
        awake: RwSignal::new(false),
        now: RwSignal::new(0.0),
        events: StoredValue::new(events),
    };
    provide_context(ui);
    provide_context(StoredValue::new(first.refused));
    connection::start(ui, inbox, first.older);

    let place = Memo::new(move |_| (ui.lost.get(), ui.state.with(|state| state.room.as_ref().map(|room| room.id))));
    let layout = move || match place.get() {
        (Some(_), _) => "app app-lost",
        (None, Some(_)) => "app app-room",
        (None, None) => "app app-home",
    };
    view! {
        <div class=layout>
            <Pane/>
            {move || match place.get() {
                (Some(lost), _) => EitherOf3::A(view! { <LostPage lost/> }),
                (None, Some(id)) => EitherOf3::B(view! { <RoomPage id/> }),
                (None, None) => EitherOf3::C(view! { <Home/> }),
            }}
            <Account lang=first.lang/>
        </div>
    }
}
