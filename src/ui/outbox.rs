//! What this browser has said and not seen come back, kept in its local storage: neither a reload nor a
//! crash loses a word. Each message has an entry of its own, so that two tabs do not overwrite each other.

use super::state::Sending;
use crate::{
    domain::{MessageId, PersonId, RoomId},
    protocol::Member,
};
use leptos::prelude::*;
use web_sys::Storage;

/// An entry is `madang.outbox.{message}`, and in it person, room, time and text, a line each but the last.
const PREFIX: &str = "madang.outbox.";

/// Keeps a message; to be done before it is sent. A full or forbidden storage keeps nothing.
pub fn keep(me: Option<&Member>, room: RoomId, sending: &Sending) {
    if let (Some(storage), Some(person)) = (storage(), me.and_then(|me| me.person)) {
        let _ = storage.set_item(&key(sending.id), &format!("{person}\n{room}\n{}\n{}", sending.at, sending.text));
    }
}

/// Forgets a message: it has come back, or was given up.
pub fn forget(id: MessageId) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&key(id));
    }
}

/// The messages kept for somebody, in the order in which they were said. Nobody sends another's words.
#[must_use]
pub fn kept(me: PersonId) -> Vec<(RoomId, Sending)> {
    let Some(storage) = storage() else { return Vec::new() };
    let entries = (0..storage.length().unwrap_or(0)).filter_map(|at| {
        let key = storage.key(at).ok()??;
        let id: MessageId = key.strip_prefix(PREFIX)?.parse().ok()?;
        let entry = storage.get_item(&key).ok()??;
        let mut parts = entry.splitn(4, '\n');
        let person: PersonId = parts.next()?.parse().ok()?;
        let room = parts.next()?.parse().ok()?;
        let (at, text) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        (person == me).then_some((room, Sending { id, text, at, failed: None }))
    });
    let mut entries: Vec<_> = entries.collect();
    // Their ids begin with the time.
    entries.sort_by_key(|(_, sending)| sending.id);
    entries
}

fn key(id: MessageId) -> String {
    format!("{PREFIX}{id}")
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
