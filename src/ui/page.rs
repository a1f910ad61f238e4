//! Everything between `<body>` and `</body>`, as the server writes it. What changes is mended in place once the page
//! has woken up.

use super::{
    FirstPage, Refused, Ui,
    account::Account,
    composer::{self, Composer},
    connection,
    home::Home,
    join::Join,
    keys::Keys,
    lost::{Lost, LostPage},
    members::Members,
    menu::MessageMenu,
    parts::{FieldError, Hidden, Icon, Mark},
    room_header::RoomHeader,
    room_list::RoomList,
    switcher::Switcher,
    text::{Text, text},
    timeline::Timeline,
    words::{Words, words},
};
use leptos::prelude::*;

/// The page.
#[component]
pub fn Page(
    /// What it shows.
    first: FirstPage,
    /// Set when the address leads nowhere.
    lost: Option<Lost>,
    /// The plain form that was refused, if the page answers one.
    refused: Option<Refused>,
) -> impl IntoView {
    let (text, words) = (text(first.lang), words(first.lang));
    let (lang, me, only_lobby) = (first.lang, first.me.clone(), first.rooms.len() <= 1);
    let layout = match (lost, &first.room) {
        (Some(_), _) => "app app-lost",
        (None, Some(_)) => "app app-room",
        (None, None) => "app app-home",
    };
    let is_room = first.room.is_some();
    provide_context(Ui::new(first, connection::events().0));
    view! {
        <div class=layout>
            <div class="pane">
                <header class="brand">
                    <a class="brand-home" href="/"><Mark/>{text.madang}</a>
                    <a class="icon-button" href="/#create-name"><Icon name="plus"/><Hidden text=words.create_link/></a>
                </header>
                <RoomList none=words.no_such_room/>
            </div>
            {match lost {
                Some(lost) => view! { <LostPage lost words/> }.into_any(),
                None if is_room => view! { <RoomPage joined=me.is_some() text words refused/> }.into_any(),
                None => view! { <Home only_lobby text words refused/> }.into_any(),
            }}
            <Account lang words me/>
            <Keys words/>
            // Not in the pane, which a phone hides in a room.
            <Switcher none=words.no_such_room/>
        </div>
    }
}

/// A room's main pane and its members.
#[component]
fn RoomPage(joined: bool, text: &'static Text, words: &'static Words, refused: Option<Refused>) -> impl IntoView {
    view! {
        <main id="main" class="room" tabindex="-1">
            <RoomHeader/>
            <Timeline/>
            <div class="room-foot">
                <FieldError id=composer::REFUSAL error=Refused::words(refused.as_ref(), composer::PATH, text)/>
                {if joined {
                    let unsaid = refused.and_then(|refused| refused.text).unwrap_or_default();
                    view! { <Composer unsaid/> }.into_any()
                } else {
                    view! { <Join text words refused/> }.into_any()
                }}
            </div>
        </main>
        <Members/>
        <MessageMenu text words/>
    }
}
