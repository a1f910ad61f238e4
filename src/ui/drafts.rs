//! What is being written and not sent yet: one text per person and room, in the browser's local storage, so
//! that every tab has it and no reload loses it.

use super::storage;
use crate::domain::{PersonId, RoomId};

/// An entry is `madang.draft.{person}.{room}`.
const PREFIX: &str = "madang.draft.";

/// Keeps the text that somebody writes in a room; an empty one is forgotten.
pub fn keep(me: PersonId, room: RoomId, text: &str) {
    if text.trim().is_empty() {
        storage::remove(&key(me, room));
    } else {
        storage::put(&key(me, room), text);
    }
}

/// Everything that somebody has begun to write.
#[must_use]
pub fn kept(me: PersonId) -> Vec<(RoomId, String)> {
    let prefix = format!("{PREFIX}{me}.");
    storage::entries(&prefix).into_iter().filter_map(|(room, text)| Some((room.parse().ok()?, text))).collect()
}

/// The room whose draft has this key, if it is one of this person's.
#[must_use]
pub fn room_of(key: &str, me: PersonId) -> Option<RoomId> {
    key.strip_prefix(&format!("{PREFIX}{me}."))?.parse().ok()
}

fn key(me: PersonId, room: RoomId) -> String {
    format!("{PREFIX}{me}.{room}")
}
