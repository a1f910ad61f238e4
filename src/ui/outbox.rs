//! What this browser has said and not seen come back, kept in its local storage: neither a reload nor a
//! crash loses a word. Each message has an entry of its own, so that two tabs do not overwrite each other.

use super::{state::Sending, storage};
use crate::{
    domain::{MessageId, PersonId, RoomId},
    protocol::{ClientFrame, Member},
};

/// An entry is `madang.outbox.{message}`: person, room, time, the message that it answers (or nothing) and text, a line
/// each but the last.
const SAID: &str = "madang.outbox.";
/// An entry is `madang.edit.{message}`: person, room, and the new text.
const CHANGED: &str = "madang.edit.";
/// An entry is `madang.delete.{message}`: person, room, and nothing.
const DELETED: &str = "madang.delete.";
/// An entry is `madang.react.{message}.{emoji}`: person, room, whether it is put on, and the emoji.
const REACTED: &str = "madang.react.";

/// Keeps a message; to be done before it is sent. A full or forbidden storage keeps nothing.
pub fn keep(me: Option<&Member>, room: RoomId, sending: &Sending) {
    let Sending { id, text, at, reply_to, .. } = sending;
    let answers = reply_to.map(|id| id.to_string()).unwrap_or_default();
    put(SAID, *id, me, room, &format!("{at}\n{answers}\n{text}"));
}

/// Keeps what is asked of a message until the server has answered.
pub fn keep_change(me: Option<&Member>, asked: &ClientFrame) {
    match asked {
        ClientFrame::Edit { room_id, id, message, .. } => put(CHANGED, id, me, *room_id, message),
        ClientFrame::Delete { room_id, id } => put(DELETED, id, me, *room_id, ""),
        ClientFrame::React { room_id, id, emoji, on } => {
            put(REACTED, format_args!("{id}.{emoji}"), me, *room_id, &format!("{on}\n{emoji}"));
        }
        _ => {}
    }
}

/// Forgets a message: it has come back, or was given up.
pub fn forget(id: MessageId) {
    storage::remove(&format!("{SAID}{id}"));
}

/// Forgets a change that the server has answered.
pub fn forget_change(answered: &ClientFrame) {
    match answered {
        ClientFrame::Edit { id, .. } => storage::remove(&format!("{CHANGED}{id}")),
        ClientFrame::Delete { id, .. } => storage::remove(&format!("{DELETED}{id}")),
        ClientFrame::React { id, emoji, .. } => storage::remove(&format!("{REACTED}{id}.{emoji}")),
        _ => {}
    }
}

/// The messages kept for somebody, in the order in which they were said. Nobody sends another's words.
#[must_use]
pub fn kept(me: PersonId) -> Vec<(RoomId, Sending)> {
    let mut kept: Vec<(RoomId, Sending)> = Vec::new();
    for (room, id, entry) in of(SAID, me) {
        let Ok(id) = id.parse() else { continue };
        let mut parts = entry.splitn(3, '\n');
        let (Some(at), Some(answers), Some(text)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let reply_to = answers.parse().ok();
        let sending = Sending { id, text: text.to_owned(), at: at.to_owned(), reply_to, failed: None };
        // Their ids begin with the time.
        let place = kept.partition_point(|(_, sending)| sending.id < id);
        kept.insert(place, (room, sending));
    }
    kept
}

/// The changes kept for somebody.
#[must_use]
pub fn kept_changes(me: PersonId) -> Vec<ClientFrame> {
    let edit = |(room_id, id, message): (_, String, _)| {
        Some(ClientFrame::Edit { room_id, id: id.parse().ok()?, message, if_rev: None })
    };
    let deletion = |(room_id, id, _): (_, String, _)| Some(ClientFrame::Delete { room_id, id: id.parse().ok()? });
    let reaction = |(room_id, id, entry): (_, String, String)| {
        let ((id, _), (on, emoji)) = (id.split_once('.')?, entry.split_once('\n')?);
        Some(ClientFrame::React { room_id, id: id.parse().ok()?, emoji: emoji.to_owned(), on: on == "true" })
    };
    let mut changes: Vec<ClientFrame> = of(CHANGED, me).into_iter().filter_map(edit).collect();
    changes.extend(of(DELETED, me).into_iter().filter_map(deletion));
    changes.extend(of(REACTED, me).into_iter().filter_map(reaction));
    changes
}

fn put(prefix: &str, name: impl std::fmt::Display, me: Option<&Member>, room: RoomId, entry: &str) {
    if let Some(person) = me.and_then(|me| me.person) {
        storage::put(&format!("{prefix}{name}"), &format!("{person}\n{room}\n{entry}"));
    }
}

/// The entries of somebody: the room, the rest of the key, and what is kept.
fn of(prefix: &str, me: PersonId) -> Vec<(RoomId, String, String)> {
    let read = |(name, entry): (String, String)| {
        let (person, entry) = entry.split_once('\n')?;
        let (room, entry) = entry.split_once('\n')?;
        let is_own = person.parse() == Ok(me);
        Some((room.parse().ok()?, name, entry.to_owned())).filter(|_| is_own)
    };
    storage::entries(prefix).into_iter().filter_map(read).collect()
}
