//! The frames of `/ws/chat` and the JSON of its HTTP companions, as they look on the wire.
//!
//! One JSON object per text frame, with a `type` in capitals and camelCase fields; unknown fields
//! are ignored both ways. A client that asks for the subprotocol [`V1`] gets acknowledgement, resume
//! and presence; any other speaks the open dialect of the classic tutorial.

use crate::domain::{Epoch, Error, MessageId, PersonId, RoomId, Seq};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The WebSocket subprotocol of the v1 dialect.
pub const V1: &str = "madang.v1";

/// Close codes of ours, beside 1000, 1001 and the two of RFC 6455 for bad input (1007, 1009).
pub mod close {
    /// A binary frame; both dialects are text.
    pub const BINARY: u16 = 1003;
    /// Text that is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A message over the size limit.
    pub const TOO_BIG: u16 = 1009;
    /// A breach of the WebSocket protocol itself.
    pub const PROTOCOL: u16 = 1002;
    /// The server stops or restarts: come back.
    pub const RESTART: u16 = 1012;
    /// This socket's session was signed in or out elsewhere: come back as who you are now.
    pub const SESSION_CHANGED: u16 = 4001;
    /// No progress in reading: come back with `since`.
    pub const TOO_SLOW: u16 = 4008;
    /// Kept flooding after many refusals.
    pub const FLOODING: u16 = 4029;
}

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
    /// Somebody is writing.
    Typing {
        /// The room.
        room_id: RoomId,
    },
    /// Begin or end to follow the list of rooms.
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

/// Why a frame was refused, with what it named, so that the answer can name it too.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The reason.
    pub error: Error,
    /// The `roomId` of the refused frame.
    pub room_id: Option<String>,
    /// The `id` of the refused frame.
    pub id: Option<String>,
}

impl From<Refusal> for ServerFrame {
    fn from(refusal: Refusal) -> Self {
        Self::Error(ErrorFrame {
            code: refusal.error.code().into(),
            message: refusal.error.to_string(),
            room_id: refusal.room_id,
            id: refusal.id,
            retry_after_ms: refusal.error.retry_after_ms(),
        })
    }
}

impl ClientFrame {
    /// Reads one text frame.
    ///
    /// # Errors
    /// `bad_frame`, saying which part is wrong; `room_not_found` for a `roomId` that is no UUID,
    /// since no room has it.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bare = |detail: String| Refusal { error: Error::bad_frame(detail), room_id: None, id: None };
        let fields = match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Fields(fields),
            Ok(_) => return Err(bare("a frame is a JSON object".into())),
            Err(error) => return Err(bare(format!("not JSON: {error}"))),
        };
        fields.frame().map_err(|error| Refusal { error, room_id: fields.short("roomId"), id: fields.short("id") })
    }
}

/// The fields of one frame, each read with an error that names it.
struct Fields(Map<String, Value>);

impl Fields {
    fn frame(&self) -> Result<ClientFrame, Error> {
        let room_id = || self.room_id();
        Ok(match self.text("type")?.as_str() {
            "ENTER" => ClientFrame::Enter {
                room_id: room_id()?,
                sender: self.optional_text("sender")?,
                since: self.optional_number("since")?,
                epoch: self.optional_uuid("epoch")?,
            },
            "TALK" => ClientFrame::Talk {
                room_id: room_id()?,
                id: self.optional_uuid("id")?,
                sender: self.optional_text("sender")?,
                message: self.text("message")?,
                reply_to: self.optional_uuid("replyTo")?,
            },
            "TYPING" => ClientFrame::Typing { room_id: room_id()? },
            "WATCH" => ClientFrame::Watch { on: self.truth("on")? },
            "LEAVE" => ClientFrame::Leave { room_id: room_id()? },
            "PING" => ClientFrame::Ping,
            known @ ("EDIT" | "DELETE" | "REACT" | "READ") => {
                return Err(Error::bad_frame(format!("{known}: not yet")));
            }
            _ => return Err(Error::bad_frame("type: not one that this server knows")),
        })
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        self.optional_text(name)?.ok_or_else(|| Error::bad_frame(format!("{name}: missing")))
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Error::bad_frame(format!("{name}: must be a string"))),
        }
    }

    fn optional_number(&self, name: &str) -> Result<Option<Seq>, Error> {
        let wrong = || Error::bad_frame(format!("{name}: must be a whole number, 0 or greater"));
        self.get(name).map(|value| value.as_u64().filter(|n| *n <= i64::MAX as u64).ok_or_else(wrong)).transpose()
    }

    fn optional_uuid<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        let wrong = |_| Error::bad_frame(format!("{name}: must be a UUID"));
        self.optional_text(name)?.map(|text| text.parse().map_err(wrong)).transpose()
    }

    fn room_id(&self) -> Result<RoomId, Error> {
        self.text("roomId")?.parse().map_err(|_| Error::RoomNotFound)
    }

    fn truth(&self, name: &str) -> Result<bool, Error> {
        self.get(name)
            .and_then(Value::as_bool)
            .ok_or_else(|| Error::bad_frame(format!("{name}: must be true or false")))
    }

    /// A field to repeat in an ERROR, unless it is no text or too long to be an identifier.
    fn short(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).filter(|text| text.len() <= 64).map(str::to_owned)
    }
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// Somebody came.
    Enter(Presence),
    /// The state of one message, new or replayed. With our own `id`: it is on disk.
    Talk(Talk),
    /// Somebody went.
    Leave(Presence),
    /// The answer to ENTER.
    Room(RoomState),
    /// The replay is complete; what follows is live.
    Sync(Sync),
    /// How many are in a room too large to name each.
    Members(Members),
    /// Somebody is writing.
    Typing(Typing),
    /// A room of the list, new or changed.
    List(RoomSummary),
    /// The answer to PING.
    Pong,
    /// The server goes away for a while.
    Restart(Restart),
    /// A frame was refused.
    Error(ErrorFrame),
}

impl ServerFrame {
    /// Reads a frame; `None` for one that this side does not know. Each type is read straight into its
    /// struct: serde's own way, by a buffer for any type, costs the browser 40 KB of code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Tagged {
            r#type: String,
        }
        // From bytes, as Leptos reads its answers: one copy of the code serves both.
        fn read<'a, T: Deserialize<'a>>(text: &'a str, frame: impl Fn(T) -> ServerFrame) -> Option<ServerFrame> {
            serde_json::from_slice(text.as_bytes()).ok().map(frame)
        }
        match serde_json::from_slice::<Tagged>(text.as_bytes()).ok()?.r#type.as_str() {
            "ENTER" => read(text, Self::Enter),
            "TALK" => read(text, Self::Talk),
            "LEAVE" => read(text, Self::Leave),
            "ROOM" => read(text, Self::Room),
            "SYNC" => read(text, Self::Sync),
            "MEMBERS" => read(text, Self::Members),
            "TYPING" => read(text, Self::Typing),
            "LIST" => read(text, Self::List),
            "PONG" => Some(Self::Pong),
            "RESTART" => read(text, Self::Restart),
            "ERROR" => read(text, Self::Error),
            _ => None,
        }
    }

    /// The frame as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// SYNC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// The room.
    pub room_id: RoomId,
    /// The number that the replay reached.
    pub head: Seq,
}

/// MEMBERS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// The room.
    pub room_id: RoomId,
    /// Persons and guests present.
    pub member_count: u32,
}

/// TYPING.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Typing {
    /// The room.
    pub room_id: RoomId,
    /// The name shown.
    pub sender: String,
    /// Set for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

/// RESTART.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// Come back after about this long.
    pub after_ms: u32,
}

/// Somebody who is present.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The name shown.
    pub sender: String,
    /// Set for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set for a guest: a tag that tells guests of one name apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

/// ENTER and LEAVE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The room.
    pub room_id: RoomId,
    /// The name shown.
    pub sender: String,
    /// The same as a Korean sentence, as in the tutorial.
    pub message: String,
    /// Set for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// Persons and guests present afterwards.
    pub member_count: u32,
}

/// The state of one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    /// The room.
    pub room_id: RoomId,
    /// The author's name, as it was then.
    pub sender: String,
    /// The text.
    pub message: String,
    /// Its identity.
    pub id: MessageId,
    /// Its place in the room, for ever.
    pub seq: Seq,
    /// The number of its last change.
    pub rev: Seq,
    /// When it was stored: RFC 3339, UTC, milliseconds.
    pub at: String,
    /// Set where a person wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set where a guest wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
}

/// The message that a reply answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// Its identity.
    pub id: MessageId,
    /// Its place.
    pub seq: Seq,
    /// Its author's name.
    pub sender: String,
    /// The beginning of its text.
    pub excerpt: String,
}

/// ROOM: what somebody who enters finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomState {
    /// The room.
    pub room_id: RoomId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whether it is the lobby.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lobby: bool,
    /// The history that the numbers belong to.
    pub epoch: Epoch,
    /// The number of its last change.
    pub head: Seq,
    /// As whom the connection speaks here.
    pub you: Member,
    /// Who is here; at most 200 of them.
    pub members: Vec<Member>,
    /// How many are here.
    pub member_count: u32,
    /// What the client holds does not belong to this history: load the room anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// LIST, and a row of `GET /chat`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomSummary {
    /// The room.
    pub room_id: RoomId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whether it is the lobby.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lobby: bool,
    /// The number of its last change.
    pub head: Seq,
    /// The last thing said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastLine>,
    /// When: RFC 3339, UTC, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Persons and guests present.
    pub member_count: u32,
}

/// The last thing said in a room, shortened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastLine {
    /// Its author's name.
    pub sender: String,
    /// The beginning of its text.
    pub message: String,
}

/// One page of a room's history, of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagesPage {
    /// The room.
    pub room_id: RoomId,
    /// The history that the numbers belong to.
    pub epoch: Epoch,
    /// The room's last number at that moment.
    pub head: Seq,
    /// In ascending order of `seq`.
    pub messages: Vec<Talk>,
}

/// What a room's page shows: the room, some of its messages, and who is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    /// The room, as of the same moment as the messages.
    pub room: RoomSummary,
    /// The history that the numbers belong to.
    pub epoch: Epoch,
    /// In ascending order of `seq`.
    pub messages: Vec<Talk>,
    /// Who is there; at most 200 of them.
    pub members: Vec<Member>,
}

/// ERROR.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFrame {
    /// The word for it, from the table of [`Error`].
    pub code: String,
    /// The same for people.
    pub message: String,
    /// The `roomId` of the refused frame, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// The `id` of the refused frame, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the same would be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "0190a5e4-0000-7000-8000-000000000001";

    fn refused(text: &str) -> (&'static str, String) {
        let error = ClientFrame::parse(text).expect_err(text).error;
        (error.code(), error.to_string())
    }

    #[test]
    fn the_tutorials_frames_are_read() {
        let text = format!(r#"{{"type":"TALK","roomId":"{ROOM}","sender":"mina","message":"hi","extra":[1]}}"#);
        let Ok(ClientFrame::Talk { sender, message, id, .. }) = ClientFrame::parse(&text) else { panic!("refused") };
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
            (r#"{"type":"EDIT"}"#, "EDIT: not yet"),
        ] {
            let (code, message) = refused(text);
            assert_eq!(code, "bad_frame", "{text}");
            assert!(message.contains(part), "{text}: {message}");
        }
        assert_eq!(refused(r#"{"type":"LEAVE","roomId":"nowhere"}"#).0, "room_not_found");
    }

    #[test]
    fn a_refusal_carries_the_id_of_the_frame() {
        let refusal = ClientFrame::parse(r#"{"type":"TALK","roomId":[],"id":"abc"}"#).expect_err("refused");
        assert_eq!((refusal.room_id, refusal.id.as_deref()), (None, Some("abc")));
    }

    #[test]
    fn the_first_four_keys_are_the_tutorials() {
        let presence = Presence {
            room_id: RoomId::new(),
            sender: "mina".into(),
            message: "mina님이 입장했습니다.".into(),
            person: None,
            guest: Some("ab12".into()),
            member_count: 1,
        };
        let json = ServerFrame::Enter(presence).to_json();
        let place = |key: &str| json.find(&format!("\"{key}\":")).expect("present");
        assert!(json.starts_with("{\"type\":\"ENTER\","));
        assert!(
            place("roomId") < place("sender")
                && place("sender") < place("message")
                && place("message") < place("guest")
        );
    }
}
