//! From what is stored to what is sent: one allow-listed shape for each audience, never the row.

use super::{clock::rfc3339, markdown, store::Mark};
use crate::{
    domain::{AuthorKind, DisplayName, Message, Room},
    protocol::{LastLine, Member, Reaction, ReadMark, ReplyTo, RoomSummary, Talk},
};

/// A message as everyone in its room sees it.
#[must_use]
pub fn talk(message: &Message) -> Talk {
    let Member { sender, person, guest } = member(&message.author.name, &message.author.kind);
    Talk {
        room_id: message.room,
        sender,
        message: message.body.clone(),
        html: markdown::render(&message.body),
        id: message.id,
        seq: message.seq,
        rev: message.rev,
        at: rfc3339(message.at),
        person,
        guest,
        edited_at: message.edited_at.map(rfc3339),
        deleted: message.deleted,
        reply_to: message.reply_to.clone().map(|quote| ReplyTo {
            id: quote.id,
            seq: quote.seq,
            sender: quote.sender,
            excerpt: markdown::plain(&quote.excerpt),
        }),
        reactions: message
            .reactions
            .iter()
            .map(|reaction| Reaction { emoji: reaction.emoji.clone(), by: reaction.by.clone() })
            .collect(),
    }
}

/// Somebody as the others see them.
#[must_use]
pub fn member(name: &DisplayName, kind: &AuthorKind) -> Member {
    let (person, guest) = match kind {
        AuthorKind::Person(id) => (Some(*id), None),
        AuthorKind::Guest(tag) => (None, Some(tag.clone())),
    };
    Member { sender: name.to_string(), person, guest }
}

/// How far a person has read.
#[must_use]
pub fn mark(Mark { room, seq, unread, messages, .. }: Mark) -> ReadMark {
    ReadMark { room_id: room, seq, unread, message_count: messages, recounted: false }
}

/// A room as the list shows it.
#[must_use]
pub fn summary(room: &Room, member_count: u32) -> RoomSummary {
    let last = room.last.clone();
    RoomSummary {
        room_id: room.id,
        name: room.name.to_string(),
        topic: room.topic.clone(),
        lobby: room.lobby,
        head: room.head,
        at: last.as_ref().map(|(_, _, at)| rfc3339(*at)),
        last: last.map(|(sender, message, _)| LastLine { sender, message: markdown::plain(&message) }),
        member_count,
        message_count: room.messages,
        created_by: room.created_by,
        created_at: rfc3339(room.created_at),
    }
}
