//! The pane with the name of the house and the list of rooms.

use super::{
    Ui, address, is_plain_click,
    parts::{Hidden, Icon, Mark, hue},
    time::When,
};
use crate::{domain::RoomId, protocol::RoomSummary};
use leptos::{either::Either, prelude::*};

/// The pane.
#[component]
pub fn Pane() -> impl IntoView {
    let ui = Ui::get();
    // Rooms keep their order, so that each row finds its room by its place.
    let ids = Memo::new(move |_| {
        ui.state.with(|state| state.rooms.iter().map(|room| room.room_id).enumerate().collect::<Vec<_>>())
    });
    view! {
        <div class="pane">
            <header class="brand">
                <a class="brand-home" href="/" on:click=move |click| follow(ui, &click, None)><Mark/>{ui.text.madang}</a>
                <a class="icon-button" href="/#create"><Icon name="plus"/><Hidden text=ui.text.create_link/></a>
            </header>
            <nav class="room-list" aria-label=ui.text.rooms>
                <ul>
                    <For each=move || ids.get() key=|(_, id)| *id let((place, id))>
                        <li><RoomItem place id/></li>
                    </For>
                </ul>
            </nav>
        </div>
    }
}

#[component]
fn RoomItem(place: usize, id: RoomId) -> impl IntoView {
    let ui = Ui::get();
    let room = Memo::new(move |_| ui.state.with(|state| state.rooms.get(place).cloned()));
    let is_lobby = room.with_untracked(|room| room.as_ref().is_some_and(|room| room.lobby));
    let current = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().is_some_and(|room| room.id == id)));
    let name = move || room.with(|room| room.as_ref().map(|room| room.name.clone()).unwrap_or_default());
    let letter = move || name().chars().next().into_iter().flat_map(char::to_uppercase).collect::<String>();
    let avatar = if is_lobby {
        Either::Left(view! { <span class="avatar" aria-hidden="true"><Mark/></span> })
    } else {
        let class = format!("avatar {}", hue(&id.to_string()));
        Either::Right(view! { <span class=class aria-hidden="true">{letter}</span> })
    };
    view! {
        <a
            class=if is_lobby { "room-item room-item-lobby" } else { "room-item" }
            href=address(Some(id))
            aria-current=move || current.get().then_some("page")
            on:click=move |click| follow(ui, &click, Some(id))
        >
            {avatar}
            <span class="room-item-text">
                <span class="room-item-head">
                    <span class="room-item-name">
                        <span dir="auto">{name}</span>
                        {is_lobby.then(|| view! { " " <span class="badge">{ui.text.anyone}</span> })}
                    </span>
                    {move || room.get().and_then(|room| room.at).map(|at| view! { <When at class="room-item-time"/> })}
                </span>
                <span class="room-item-foot">
                    <span class="room-item-last" dir="auto">{move || room.with(|room| last_line(ui, room.as_ref()))}</span>
                    <span class="room-item-end">
                        {move || {
                            let count = room.with(|room| room.as_ref().map_or(0, |room| room.member_count));
                            (count > 0).then(|| view! { <span class="room-item-count"><Icon name="users"/>{count}<Hidden text=ui.text.present/></span> })
                        }}
                    </span>
                </span>
            </span>
        </a>
    }
}

fn last_line(ui: Ui, room: Option<&RoomSummary>) -> String {
    match room.and_then(|room| room.last.as_ref()) {
        Some(last) => format!("{}: {}", last.sender, last.message),
        None => ui.text.nothing_yet.to_owned(),
    }
}

/// Follows a link of ours inside the page.
pub fn follow(ui: Ui, click: &web_sys::MouseEvent, room: Option<RoomId>) {
    if is_plain_click(click) {
        click.prevent_default();
        ui.go(room, true);
    }
}
