//! What the server sends.

use crate::domain::{Epoch, MessageId, PersonId, RoomId, Seq};
use serde::{Deserialize, Serialize};

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
    /// How far this person has read: in every room, for who begins to follow the list; as another of their connections said;
    /// or as before, with what is unread counted anew.
    Read(ReadMark),
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
    /// The frame as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// SYNC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// The room.
    pub room_id: RoomId,
    /// The number that the replay reached.
    pub head: Seq,
}

/// MEMBERS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// The room.
    pub room_id: RoomId,
    /// Persons and guests present.
    pub member_count: u32,
}

/// TYPING.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Typing {
    /// The room.
    pub room_id: RoomId,
    /// The name shown.
    pub sender: String,
    /// Set for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

/// READ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadMark {
    /// The room.
    pub room_id: RoomId,
    /// The place of the last message that was read; 0 for none.
    pub seq: Seq,
    /// How many messages of others came after it that are not taken back; 100 stands for more.
    pub unread: u32,
    /// How many had ever been said in the room when these were counted: what LIST has beyond that is unread too.
    pub message_count: u64,
    /// Set when `unread` was counted anew, and this is not what another connection has said: it was asked for, messages were
    /// deleted, or somebody spoke themselves. Whoever has another `seq` by now passes over it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recounted: bool,
}

/// RESTART.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The room.
    pub room_id: RoomId,
    /// The name shown.
    pub sender: String,
    /// The same as a Korean sentence, as in the tutorial.
    pub message: String,
    /// Set for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Set for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// The same as HTML, where its Markdown is more than text: made and cleared by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
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
    /// When its text was last changed: RFC 3339, UTC, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    /// Set when it was taken back; then there is no text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// What others put to it, sorted by emoji.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// An emoji under a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// The names of those who put it there, sorted.
    pub by: Vec<String>,
}

/// The message that a reply answers, as it was when this state of the reply was made: a change of that message
/// is no change of the reply. Where its own state is known, that is the one to show.
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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomState {
    /// The room.
    pub room_id: RoomId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whether it is the lobby.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
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
    /// Messages ever said here, those that were taken back included.
    pub message_count: u64,
    /// Who made it and may give it another name and topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<PersonId>,
    /// When it was made: RFC 3339, UTC, milliseconds.
    pub created_at: String,
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
    /// Whether the room's newest messages are among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub newest: bool,
    /// Who is there; at most 200 of them.
    pub members: Vec<Member>,
}

/// ERROR.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFrame {
    /// The word for it, from the table of [`Error`].
    pub code: String,
    /// The same for people.
    pub message: String,
    /// The `roomId` of the refused frame, where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// The `id` of the refused frame, where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The `seq` of the refused READ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// When the same would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorFrame {
    /// Whether what was refused named that message.
    #[must_use]
    pub fn names(&self, id: MessageId) -> bool {
        self.id.as_ref().and_then(|named| named.parse().ok()) == Some(id)
    }

    /// After how many milliseconds the same may be asked again; a second where nothing is said of it.
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        self.retry_after_ms.and_then(|ms| ms.try_into().ok()).unwrap_or(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
