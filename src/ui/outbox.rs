//! What this browser has said and not seen come back, kept in its local storage: neither a reload nor a
//! crash loses a word. Each message has an entry of its own, so that two tabs do not overwrite each other.

use super::state::Sending;
use crate::{
    domain::{MessageId, PersonId, RoomId},
    protocol::Member,
};
use leptos::prelude::*;
use web_sys::Storage;

/// An entry is `madang.outbox.{message}`, and in it person, room, time, the message that it answers (or nothing)
/// and text, a line each but the last.
const PREFIX: &str = "madang.outbox.";

/// Keeps a message; to be done before it is sent. A full or forbidden storage keeps nothing.
pub fn keep(me: Option<&Member>, room: RoomId, sending: &Sending) {
    if let (Some(storage), Some(person)) = (storage(), me.and_then(|me| me.person)) {
        let Sending { id, text, at, reply_to, .. } = sending;
        let answers = reply_to.map(|id| id.to_string()).unwrap_or_default();
        let _ = storage.set_item(&key(*id), &format!("{person}\n{room}\n{at}\n{answers}\n{text}"));
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
    let read = |(id, entry): (String, String)| {
        let mut parts = entry.splitn(5, '\n');
        let person: PersonId = parts.next()?.parse().ok()?;
        let room = parts.next()?.parse().ok()?;
        let (at, answers) = (parts.next()?.to_owned(), parts.next()?);
        let (id, reply_to, text) = (id.parse().ok()?, answers.parse().ok(), parts.next()?.to_owned());
        (person == me).then_some((room, Sending { id, text, at, reply_to, failed: None }))
    };
    let mut kept: Vec<(RoomId, Sending)> = Vec::new();
    for entry in entries(PREFIX).into_iter().filter_map(read) {
        // Their ids begin with the time.
        let at = kept.partition_point(|(_, sending)| sending.id < entry.1.id);
        kept.insert(at, entry);
    }
    kept
}

/// Forgets everything that anybody has begun to write or has not sent yet in this browser.
pub fn forget_all() {
    for (name, _) in entries("madang.") {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&format!("madang.{name}"));
        }
    }
}

fn key(id: MessageId) -> String {
    format!("{PREFIX}{id}")
}

/// Every entry whose key begins so: the rest of the key, and the entry.
#[must_use]
pub fn entries(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
    let of_prefix = |key: String| Some((key.strip_prefix(prefix)?.to_owned(), storage.get_item(&key).ok()??));
    keys.filter_map(of_prefix).collect()
}

/// The browser's storage; none where it is forbidden.
#[must_use]
pub fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
