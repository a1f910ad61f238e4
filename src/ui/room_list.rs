//! The list of rooms.

use super::{
    Ui, address, is_plain_click,
    parts::{Hidden, Icon, Mark, hue, initial, text},
    time::When,
};
use crate::{
    domain::{RoomId, limits},
    protocol::RoomSummary,
};
use leptos::{either::Either, prelude::*};

/// The list.
#[island]
pub fn RoomList() -> impl IntoView {
    let ui = Ui::get();
    // Rooms keep their order, so that each row finds its room by its place.
    let ids =
        move || ui.state.with(|state| state.rooms.iter().map(|room| room.room_id).enumerate().collect::<Vec<_>>());
    // A page of them keeps its rooms.
    let next = ui.state.with_untracked(|state| {
        let is_full = state.rooms.len() >= limits::ROOMS_LISTED as usize;
        state.rooms.last().filter(|_| state.partly && is_full).map(|room| room.room_id)
    });
    view! {
        <nav class="room-list" aria-label=ui.text.rooms>
            <ul>
                <For each=ids key=|(_, id)| *id let((place, id))>
                    <li><RoomItem place id/></li>
                </For>
            </ul>
            {next.map(|last| view! { <a class="room-list-more" href=format!("/?after={last}")>{ui.text.more_rooms}</a> })}
        </nav>
    }
}

#[component]
fn RoomItem(place: usize, id: RoomId) -> impl IntoView {
    let ui = Ui::get();
    let of_room = move |part: fn(Ui, &RoomSummary) -> String| {
        move || ui.state.with(|state| state.rooms.get(place).map(|room| part(ui, room)).unwrap_or_default())
    };
    let is_lobby = ui.state.with_untracked(|state| state.rooms.get(place).is_some_and(|room| room.lobby));
    let avatar = if is_lobby {
        Either::Left(view! { <span class="avatar" aria-hidden="true"><Mark/></span> })
    } else {
        let class = format!("avatar {}", hue(&id.to_string()));
        Either::Right(
            view! { <span class=class aria-hidden="true">{text(of_room(|_, room| initial(&room.name)))}</span> },
        )
    };
    let is_open = move || ui.state.with(|state| state.room.as_ref().is_some_and(|room| room.id == id));
    let at = Memo::new(move |_| of_room(|_, room| room.at.clone().unwrap_or_default())());
    let count = Memo::new(move |_| {
        of_room(|_, room| if room.member_count > 0 { room.member_count.to_string() } else { String::new() })()
    });
    view! {
        <a
            class=if is_lobby { "room-item room-item-lobby" } else { "room-item" }
            href=address(id)
            aria-current=move || is_open().then_some("page")
            on:click=move |click| follow(ui, &click, id)
        >
            {avatar}
            <span class="room-item-text">
                <span class="room-item-head">
                    <span class="room-item-name">
                        <span dir="auto">{text(of_room(|_, room| room.name.clone()))}</span>
                        {is_lobby.then(|| view! { " " <span class="badge">{ui.text.anyone}</span> })}
                    </span>
                    {move || Some(at.get()).filter(|at| !at.is_empty()).map(|at| view! { <When at class="room-item-time"/> })}
                </span>
                <span class="room-item-foot">
                    <span class="room-item-last" dir="auto">{text(of_room(last_line))}</span>
                    <span class="room-item-end">
                        {move || Some(count.get()).filter(|count| !count.is_empty()).map(|count| view! { <Count count/> })}
                    </span>
                </span>
            </span>
        </a>
    }
}

#[component]
fn Count(count: String) -> impl IntoView {
    let ui = Ui::get();
    view! { <span class="room-item-count"><Icon name="users"/>{count}<Hidden text=ui.text.present/></span> }
}

fn last_line(ui: Ui, room: &RoomSummary) -> String {
    match &room.last {
        Some(last) => format!("{}: {}", last.sender, last.message),
        None => ui.text.nothing_yet.to_owned(),
    }
}

/// From room to room the page stays; from elsewhere the link leads there the ordinary way.
fn follow(ui: Ui, click: &web_sys::MouseEvent, room: RoomId) {
    if is_plain_click(click) && ui.state.with_untracked(|state| state.room.is_some()) {
        click.prevent_default();
        ui.go(room, true);
    }
}
