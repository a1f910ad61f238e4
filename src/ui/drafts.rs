//! What is being written and not sent yet: one text per person and room, in the browser's local storage, so
//! that every tab has it and no reload loses it.

use super::{state::About, storage};
use crate::domain::{PersonId, RoomId};

/// An entry is `madang.draft.{person}.{room}`.
const PREFIX: &str = "madang.draft.";
/// An entry is `madang.about.{person}.{room}`: the message, whether it is changed, its author and text, a line each but the
/// last.
const ABOUT: &str = "madang.about.";

/// Keeps what is typed before the page has woken up, if it is left before that: the server writes this into the page. The field
/// names its [`key`] until it is awake.
pub const EARLY: &str = include_str!("drafts.js");

/// Keeps the text that somebody writes in a room; an empty one is forgotten.
pub fn keep(me: PersonId, room: RoomId, text: &str) {
    if text.trim().is_empty() {
        storage::remove(&key(me, room));
    } else {
        storage::put(&key(me, room), text);
    }
}

/// What was typed belongs after the draft that was there, unless it is that draft.
#[must_use]
pub fn joined(draft: &str, typed: String) -> String {
    if draft.is_empty() || typed.starts_with(draft) { typed } else { format!("{draft}\n{typed}") }
}

/// Everything that somebody has begun to write.
#[must_use]
pub fn kept(me: PersonId) -> Vec<(RoomId, String)> {
    let prefix = format!("{PREFIX}{me}.");
    storage::entries(&prefix).into_iter().filter_map(|(room, text)| Some((room.parse().ok()?, text))).collect()
}

/// Keeps what the text that somebody writes in a room is about.
pub fn keep_about(me: PersonId, room: RoomId, about: Option<&About>) {
    let key = format!("{ABOUT}{me}.{room}");
    match about {
        Some(About { id, edits, sender, text }) => storage::put(&key, &format!("{id}\n{edits}\n{sender}\n{text}")),
        None => storage::remove(&key),
    }
}

/// What the texts are about that somebody has begun to write.
#[must_use]
pub fn kept_abouts(me: PersonId) -> Vec<(RoomId, About)> {
    let read = |(room, entry): (String, String)| {
        let mut parts = entry.splitn(4, '\n');
        let (id, edits) = (parts.next()?.parse().ok()?, parts.next()? == "true");
        let (sender, text) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some((room.parse().ok()?, About { id, edits, sender, text }))
    };
    storage::entries(&format!("{ABOUT}{me}.")).into_iter().filter_map(read).collect()
}

/// The room whose draft has this key, if it is one of this person's.
#[must_use]
pub fn room_of(key: &str, me: PersonId) -> Option<RoomId> {
    key.strip_prefix(&format!("{PREFIX}{me}."))?.parse().ok()
}

/// The key of a draft.
#[must_use]
pub fn key(me: PersonId, room: RoomId) -> String {
    format!("{PREFIX}{me}.{room}")
}
