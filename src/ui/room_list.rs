//! The list of rooms: those with something unread first, then by when something happened there last.

use super::{
    Ui, address,
    dom::{element, holds, lowered},
    parts::{hue, icon, initial},
    pointer,
    rows::{Look, Row, Written, mend, row, written},
    state::ChatState,
    switcher::Filter,
    text::Text,
    time::{Moment, now_rfc3339},
};
use crate::{domain::limits, html::Html, protocol::RoomSummary};
use leptos::prelude::*;

/// The list's element.
pub const LIST: &str = "#rooms";

/// The browser's date, once the page is live.
type Today = Option<(u32, u32, u32)>;

/// The list, as the server writes it.
#[component]
pub fn RoomList(
    /// What stands there when no room's name fits.
    none: &'static str,
) -> impl IntoView {
    let ui = Ui::get();
    let html = ui.state.with_untracked(|state| {
        let (rows, looks) = rows(state, "r", false, ui.text);
        let mut html = Html::new();
        html.raw("<ul id=\"rooms\" data-none=\"")
            .text(none)
            .raw("\">")
            .html(&written(&rows, &|at| looks[at].clone()))
            .raw("</ul>");
        html
    });
    // A page of them keeps its rooms.
    let next = ui.state.with_untracked(|state| {
        let is_full = state.rooms.len() >= limits::ROOMS_LISTED as usize;
        state.rooms.last().filter(|_| state.partly && is_full).map(|room| room.room_id)
    });
    view! {
        <nav class="room-list" aria-label=ui.text.rooms>
            <Filter/>
            <Written id="room-list" class="room-list-rows" html/>
            {next.map(|last| view! { <a class="room-list-more" href=format!("/?after={last}")>{ui.text.more_rooms}</a> })}
        </nav>
    }
}

/// Keeps the list as the state has it, in the browser.
pub fn start(ui: Ui) {
    // The server wrote every time as a day, in UTC.
    let mut shown = ui.state.with_untracked(|state| rows(state, "r", false, ui.text).0);
    let mut filter = String::new();
    ui.draw(move || {
        let (mut after, mut looks) = ui.state.with(|state| rows(state, "r", true, ui.text));
        let wanted = ui.state.with_untracked(|state| state.filter.clone());
        if wanted == filter && pointer::is_over(LIST) {
            (after, looks) = in_place(&shown, after, looks);
        }
        filter = wanted;
        if let Some(list) = element(LIST) {
            mend(&list, &shown, &after, &|at| looks[at].clone());
        }
        shown = after;
    });
}

/// The same rooms in the order of `shown`, those that are new at the end.
fn in_place(shown: &[Row], rows: Vec<Row>, looks: Vec<Look>) -> (Vec<Row>, Vec<Look>) {
    let mut rest: Vec<_> = rows.into_iter().zip(looks).collect();
    let mut placed = Vec::with_capacity(rest.len());
    for known in shown {
        if let Some(at) = rest.iter().position(|(row, _)| row.id == known.id) {
            placed.push(rest.remove(at));
        }
    }
    placed.into_iter().chain(rest).unzip()
}

/// The rows of the rooms whose names fit the filter; their ids begin with `prefix`. Times are the browser's once the
/// page is live.
pub fn rows(state: &ChatState, prefix: &str, is_awake: bool, text: &Text) -> (Vec<Row>, Vec<Look>) {
    let today = is_awake.then(|| Moment::new(&now_rfc3339(), true).date());
    // Blanks are written or not, as one likes.
    let plain = |name: &str| lowered(name).replace(' ', "");
    let wanted = plain(&state.filter);
    let rooms = sorted(state).into_iter().filter(|room| wanted.is_empty() || holds(&plain(&room.name), &wanted));
    rooms
        .map(|room| {
            let look = look(state, room, today, text);
            (row(format!("{prefix}-{}", room.room_id), &look), look)
        })
        .unzip()
}

fn sorted(state: &ChatState) -> Vec<&RoomSummary> {
    let mut rooms: Vec<&RoomSummary> = Vec::with_capacity(state.rooms.len());
    for room in &state.rooms {
        // Of one moment, in the order in which they were made.
        let at = rooms.partition_point(|other| key(state, other) >= key(state, room));
        rooms.insert(at, room);
    }
    rooms
}

/// What is unread comes first, then where something happened last: that a room was made is the first of it.
fn key<'a>(state: &ChatState, room: &'a RoomSummary) -> (bool, &'a String) {
    (state.unread(room.room_id) > 0, room.at.as_ref().unwrap_or(&room.created_at))
}

fn look(state: &ChatState, room: &RoomSummary, today: Today, text: &Text) -> Look {
    let mut html = Html::new();
    html.raw("<a class=\"room-item").raw(if room.lobby { " room-item-lobby" } else { "" });
    html.raw("\" data-do=\"open\" href=\"").text(&address(room.room_id)).raw("\"");
    html.raw(if is_open(state, room) { " aria-current=\"page\">" } else { ">" });
    if room.lobby {
        html.raw("<span class=\"avatar\" aria-hidden=\"true\"><svg class=\"mark\"><use href=\"/icons.svg#logo\"></use></svg></span>");
    } else {
        html.raw("<span class=\"avatar ").text(&hue(&room.room_id.to_string())).raw("\" aria-hidden=\"true\">");
        html.text(&initial(&room.name)).raw("</span>");
    }
    html.raw("<span class=\"room-item-text\"><span class=\"room-item-head\"><span class=\"room-item-name\"><span dir=\"auto\">");
    html.text(&room.name).raw("</span>");
    if room.lobby {
        html.raw(" <span class=\"badge\">").text(text.anyone).raw("</span>");
    }
    html.raw("</span>");
    if let Some(at) = &room.at {
        let shown = Moment::new(at, today.is_some()).short(today, text);
        html.raw("<time class=\"room-item-time\" datetime=\"").text(at).raw("\">").text(&shown).raw("</time>");
    }
    html.raw("</span><span class=\"room-item-foot\">");
    last_line(&mut html, state, room, text);
    html.raw("<span class=\"room-item-end\">");
    if room.member_count > 0 {
        html.raw("<span class=\"room-item-count\">");
        icon(&mut html, "users");
        html.number(room.member_count.into())
            .raw("<span class=\"visually-hidden\">")
            .text(text.present)
            .raw("</span></span>");
    }
    let unread = state.unread(room.room_id);
    if unread > 0 {
        html.raw("<span class=\"unread\">").text(&count(unread)).raw("<span class=\"visually-hidden\">");
        html.text(text.unread).raw("</span></span>");
    }
    html.raw("</span></span></span></a>");
    Look { tag: "li", class: if unread > 0 { "has-unread".into() } else { String::new() }, html }
}

fn is_open(state: &ChatState, room: &RoomSummary) -> bool {
    state.here() == Some(room.room_id)
}

/// What waits to be sent, what is being written, or what was last said.
fn last_line(html: &mut Html, state: &ChatState, room: &RoomSummary, text: &Text) {
    html.raw("<span class=\"room-item-last\">");
    if state.has_unsent(room.room_id) {
        icon(html, "alert");
        html.text(text.unsent);
    } else if let Some(draft) = state.draft(room.room_id).filter(|_| !is_open(state, room)) {
        icon(html, "pencil");
        html.raw("<bdi>").text(draft.split('\n').next().unwrap_or_default()).raw("</bdi>");
    } else if let Some(last) = &room.last {
        html.raw("<bdi>").text(&last.sender).raw("</bdi>: <bdi>").text(&last.message).raw("</bdi>");
    } else {
        html.text(text.nothing_yet);
    }
    html.raw("</span>");
}

/// Beyond a hundred nobody counts.
fn count(unread: u32) -> String {
    if unread < limits::UNREAD_COUNTED { unread.to_string() } else { format!("{}+", limits::UNREAD_COUNTED - 1) }
}
