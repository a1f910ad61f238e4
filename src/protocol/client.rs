//! What clients send, read with errors that name the part that is wrong.

use super::{ErrorFrame, ServerFrame};
use crate::domain::{Epoch, Error, MessageId, RoomId, Seq};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// Be in a room; with `since`, get what changed after that number.
    Enter {
        /// The room.
        room_id: RoomId,
        /// The name of somebody without a session.
        #[serde(skip_serializing_if = "Option::is_none")]
        sender: Option<String>,
        /// The last number seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Seq>,
        /// The history that `since` belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
    },
    /// Say something.
    Talk {
        /// The room.
        room_id: RoomId,
        /// Made once per message and kept over retries; the open dialect has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        /// Optional; must then be the name that entered.
        #[serde(skip_serializing_if = "Option::is_none")]
        sender: Option<String>,
        /// The text.
        message: String,
        /// The message that this one answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Change the text of one's own message.
    Edit {
        /// The room.
        room_id: RoomId,
        /// The message.
        id: MessageId,
        /// The new text.
        message: String,
        /// Only if its last change is still this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_rev: Option<Seq>,
    },
    /// Take one's own message back.
    Delete {
        /// The room.
        room_id: RoomId,
        /// The message.
        id: MessageId,
    },
    /// Put an emoji to a message, or take it away.
    React {
        /// The room.
        room_id: RoomId,
        /// The message.
        id: MessageId,
        /// Which.
        emoji: String,
        /// Put, or take away.
        on: bool,
    },
    /// How far this person has really read.
    Read {
        /// The room.
        room_id: RoomId,
        /// The place of the last message read; 0 for none.
        seq: Seq,
        /// Whether the mark may also go back.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        unread: bool,
        /// Whether to answer with a READ: how many messages are unread now.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        count: bool,
    },
    /// Somebody is writing.
    Typing {
        /// The room.
        room_id: RoomId,
    },
    /// Begin or end to follow the list of rooms: LIST for the first 200 that were made, then for each that changes.
    Watch {
        /// Begin, or end.
        on: bool,
    },
    /// Be in the room no longer.
    Leave {
        /// The room.
        room_id: RoomId,
    },
    /// Ask for PONG.
    Ping,
}

impl ClientFrame {
    /// The room that it is about, where it must be sent by somebody who is there.
    #[must_use]
    pub fn needs_room(&self) -> Option<RoomId> {
        match self {
            Self::Talk { room_id, .. }
            | Self::Edit { room_id, .. }
            | Self::Delete { room_id, .. }
            | Self::React { room_id, .. }
            | Self::Typing { room_id } => Some(*room_id),
            _ => None,
        }
    }
}

/// Why a frame was refused, with what it named, so that the answer can name it too.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The reason.
    pub error: Error,
    /// The `roomId` of the refused frame.
    pub room_id: Option<String>,
    /// The `id` of the refused frame.
    pub id: Option<String>,
    /// The `seq` of the refused READ.
    pub seq: Option<Seq>,
}

impl From<Refusal> for ServerFrame {
    fn from(refusal: Refusal) -> Self {
        Self::Error(ErrorFrame {
            code: refusal.error.code().into(),
            message: refusal.error.to_string(),
            room_id: refusal.room_id,
            id: refusal.id,
            seq: refusal.seq,
            retry_after_ms: refusal.error.retry_after_ms(),
        })
    }
}

impl ClientFrame {
    /// Reads one text frame. The open dialect has no `id`, `since`, `epoch` and `replyTo`: there they are
    /// unknown fields, and so ignored.
    ///
    /// # Errors
    /// `bad_frame`, saying which part is wrong; `room_not_found` for a `roomId` that is no UUID,
    /// since no room has it.
    pub fn parse(text: &str, v1: bool) -> Result<Self, Refusal> {
        let bare = |detail: String| Refusal { error: Error::bad_frame(detail), room_id: None, id: None, seq: None };
        let fields: Fields = serde_json::from_str(text).map_err(|error| {
            bare(if error.is_data() { "a frame is a JSON object".into() } else { format!("not JSON: {error}") })
        })?;
        fields.frame(v1).map_err(|error| Refusal {
            error,
            room_id: fields.short("roomId"),
            id: fields.short("id"),
            seq: None,
        })
    }
}

/// The fields of one frame, each read with an error that names it. What needs no unescaping is borrowed: a server
/// reads one for every word that anybody says.
struct Fields<'a>(Vec<(Cow<'a, str>, Field<'a>)>);

/// A value, as far as a frame has any use for it.
enum Field<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Truth(bool),
    Null,
    Other,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some((name, value)) = map.next_entry()? {
            if let Field::Text(name) = name {
                fields.push((name, value));
            }
        }
        Ok(Fields(fields))
    }
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Field<'de>, E> {
        Ok(Field::Truth(truth))
    }

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

impl Fields<'_> {
    fn frame(&self, v1: bool) -> Result<ClientFrame, Error> {
        let room_id = || self.room_id();
        let sender = || self.optional_text("sender").map(|sender| sender.map(str::to_owned));
        Ok(match self.text("type")? {
            "ENTER" => ClientFrame::Enter {
                room_id: room_id()?,
                sender: sender()?,
                since: if v1 { self.optional_number("since")? } else { None },
                epoch: if v1 { self.optional_uuid("epoch")? } else { None },
            },
            "TALK" => ClientFrame::Talk {
                room_id: room_id()?,
                id: if v1 { self.optional_uuid("id")? } else { None },
                sender: sender()?,
                message: self.text("message")?.to_owned(),
                reply_to: if v1 { self.optional_uuid("replyTo")? } else { None },
            },
            "LEAVE" => ClientFrame::Leave { room_id: room_id()? },
            // Everything from here on is v1's alone.
            _ if !v1 => return Err(Error::bad_frame("type: the open dialect has ENTER, TALK and LEAVE")),
            "TYPING" => ClientFrame::Typing { room_id: room_id()? },
            "WATCH" => ClientFrame::Watch { on: self.truth("on")? },
            "PING" => ClientFrame::Ping,
            "EDIT" => ClientFrame::Edit {
                room_id: room_id()?,
                id: self.message_id()?,
                message: self.text("message")?.to_owned(),
                if_rev: self.optional_number("ifRev")?,
            },
            "DELETE" => ClientFrame::Delete { room_id: room_id()?, id: self.message_id()? },
            "REACT" => ClientFrame::React {
                room_id: room_id()?,
                id: self.message_id()?,
                emoji: self.text("emoji")?.to_owned(),
                on: self.truth("on")?,
            },
            "READ" => ClientFrame::Read {
                room_id: room_id()?,
                seq: self.optional_number("seq")?.ok_or_else(|| Error::bad_frame("seq: missing"))?,
                unread: self.get("unread").is_some() && self.truth("unread")?,
                count: self.get("count").is_some() && self.truth("count")?,
            },
            _ => return Err(Error::bad_frame("type: not one that this server knows")),
        })
    }

    fn get(&self, name: &str) -> Option<&Field<'_>> {
        let last = self.0.iter().rev().find(|(known, _)| known == name);
        last.map(|(_, value)| value).filter(|value| !matches!(value, Field::Null))
    }

    fn text(&self, name: &str) -> Result<&str, Error> {
        self.optional_text(name)?.ok_or_else(|| Error::bad_frame(format!("{name}: missing")))
    }

    fn optional_text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Field::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Error::bad_frame(format!("{name}: must be a string"))),
        }
    }

    fn optional_number(&self, name: &str) -> Result<Option<Seq>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Field::Number(number)) if i64::try_from(*number).is_ok() => Ok(Some(*number)),
            Some(_) => Err(Error::bad_frame(format!("{name}: must be a whole number, 0 or greater"))),
        }
    }

    fn optional_uuid<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        let wrong = |_| Error::bad_frame(format!("{name}: must be a UUID"));
        self.optional_text(name)?.map(|text| text.parse().map_err(wrong)).transpose()
    }

    fn room_id(&self) -> Result<RoomId, Error> {
        self.text("roomId")?.parse().map_err(|_| Error::RoomNotFound)
    }

    fn message_id(&self) -> Result<MessageId, Error> {
        self.optional_uuid("id")?.ok_or_else(|| Error::bad_frame("id: missing"))
    }

    fn truth(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            Some(Field::Truth(truth)) => Ok(*truth),
            _ => Err(Error::bad_frame(format!("{name}: must be true or false"))),
        }
    }

    /// A field to repeat in an ERROR, unless it is no text or too long to be an identifier.
    fn short(&self, name: &str) -> Option<String> {
        self.optional_text(name).ok().flatten().filter(|text| text.len() <= 64).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "0190a5e4-0000-7000-8000-000000000001";

    fn refused(text: &str) -> (&'static str, String) {
        let error = ClientFrame::parse(text, true).expect_err(text).error;
        (error.code(), error.to_string())
    }

    #[test]
    fn the_tutorials_frames_are_read() {
        let text = format!(r#"{{"type":"TALK","roomId":"{ROOM}","sender":"mina","message":"hi","extra":[1]}}"#);
        let Ok(ClientFrame::Talk { sender, message, id, .. }) = ClientFrame::parse(&text, false) else {
            panic!("refused")
        };
        assert_eq!((sender.as_deref(), message.as_str(), id), (Some("mina"), "hi", None));
    }

    #[test]
    fn a_refusal_names_the_part_that_is_wrong() {
        for (text, part) in [
            ("{", "not JSON"),
            ("[]", "JSON object"),
            ("{}", "type: missing"),
            (r#"{"type":5}"#, "type: must be a string"),
            (r#"{"type":"SHOUT"}"#, "type: not one"),
            (r#"{"type":"TALK","roomId":[],"message":"a"}"#, "roomId: must be a string"),
            (&format!(r#"{{"type":"TALK","roomId":"{ROOM}"}}"#), "message: missing"),
            (&format!(r#"{{"type":"TALK","roomId":"{ROOM}","message":5}}"#), "message: must be a string"),
            (&format!(r#"{{"type":"TALK","roomId":"{ROOM}","message":"a","id":"x"}}"#), "id: must be a UUID"),
            (&format!(r#"{{"type":"ENTER","roomId":"{ROOM}","since":-1}}"#), "since: must be a whole number"),
            (r#"{"type":"WATCH"}"#, "on: must be true or false"),
            (&format!(r#"{{"type":"EDIT","roomId":"{ROOM}","message":"a"}}"#), "id: missing"),
            (&format!(r#"{{"type":"READ","roomId":"{ROOM}"}}"#), "seq: missing"),
            (&format!(r#"{{"type":"READ","roomId":"{ROOM}","seq":1,"unread":1}}"#), "unread: must be true or false"),
        ] {
            let (code, message) = refused(text);
            assert_eq!(code, "bad_frame", "{text}");
            assert!(message.contains(part), "{text}: {message}");
        }
        assert_eq!(refused(r#"{"type":"LEAVE","roomId":"nowhere"}"#).0, "room_not_found");
    }

    #[test]
    fn the_open_dialect_ignores_fields_that_it_does_not_have() {
        let text = format!(r#"{{"type":"TALK","roomId":"{ROOM}","message":"hi","id":5,"replyTo":"x"}}"#);
        assert!(matches!(ClientFrame::parse(&text, false), Ok(ClientFrame::Talk { id: None, reply_to: None, .. })));
        assert!(ClientFrame::parse(&text, true).is_err());
    }

    #[test]
    fn a_refusal_carries_the_id_of_the_frame() {
        let refusal = ClientFrame::parse(r#"{"type":"TALK","roomId":[],"id":"abc"}"#, true).expect_err("refused");
        assert_eq!((refusal.room_id, refusal.id.as_deref()), (None, Some("abc")));
    }
}
