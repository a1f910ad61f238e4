//! The one error of Madang, named by what happened. The causes of the last two are logged where
//! they arise and never sent.

use super::limits::{MESSAGE_CHARS, NAME_CHARS, ROOM_NAME_CHARS, ROOMS_PER_CONNECTION};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something was refused or could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Said", into = "Said")]
pub enum Error {
    /// The frame or request does not have the shape that it must have.
    BadFrame {
        /// Which part is wrong, and how.
        detail: String,
    },
    /// No such room, or a private one of somebody else's.
    RoomNotFound,
    /// TALK and the like before ENTER.
    NotEntered,
    /// TALK under another name than ENTER's.
    SenderMismatch,
    /// A display name that nobody may have.
    NameInvalid {
        /// What is wrong with it.
        detail: String,
    },
    /// A display name that somebody else holds, or one that looks like it.
    NameTaken,
    /// A message of nothing but white space.
    MessageEmpty,
    /// A message over the limit.
    MessageTooLong,
    /// A room name that is empty, too long, or holds control characters.
    RoomNameInvalid,
    /// The message id belongs to another message, or the message has changed since `ifRev`.
    IdConflict,
    /// No such message in this room.
    MessageNotFound,
    /// Not yours to change.
    Forbidden,
    /// A state-changing request from another site's page.
    CrossSite,
    /// One connection in too many rooms.
    TooManyRooms,
    /// Too much in too short a time.
    RateLimited {
        /// When the same would be accepted.
        retry_after_ms: u64,
    },
    /// A queue is full. The same id may be sent again.
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The disk or the database does not take or give data at the moment.
    StorageUnavailable,
    /// A fault of ours.
    Internal,
}

impl Error {
    /// A malformed frame or request; `detail` names the part.
    pub fn bad_frame(detail: impl Into<String>) -> Self {
        Self::BadFrame { detail: detail.into() }
    }

    /// A name that nobody may have; `detail` says why.
    pub fn name_invalid(detail: impl Into<String>) -> Self {
        Self::NameInvalid { detail: detail.into() }
    }

    /// The table of the protocol: the word on the wire, the HTTP status.
    fn row(&self) -> (&'static str, u16) {
        match self {
            Self::BadFrame { .. } => ("bad_frame", 400),
            Self::RoomNotFound => ("room_not_found", 404),
            Self::NotEntered => ("not_entered", 409),
            Self::SenderMismatch => ("sender_mismatch", 400),
            Self::NameInvalid { .. } => ("name_invalid", 400),
            Self::NameTaken => ("name_taken", 409),
            Self::MessageEmpty => ("message_empty", 400),
            Self::MessageTooLong => ("message_too_long", 400),
            Self::RoomNameInvalid => ("room_name_invalid", 400),
            Self::IdConflict => ("id_conflict", 409),
            Self::MessageNotFound => ("message_not_found", 404),
            Self::Forbidden => ("forbidden", 403),
            Self::CrossSite => ("cross_site", 403),
            Self::TooManyRooms => ("too_many_rooms", 409),
            Self::RateLimited { .. } => ("rate_limited", 429),
            Self::Busy { .. } => ("busy", 503),
            Self::StorageUnavailable => ("storage_unavailable", 503),
            Self::Internal => ("internal", 500),
        }
    }

    /// The word that stands for it on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.row().1
    }

    /// When the same may be tried again, in milliseconds, where that is known.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_ms } | Self::Busy { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadFrame { detail } | Self::NameInvalid { detail } => f.write_str(detail),
            Self::RoomNotFound => f.write_str("there is no such room"),
            Self::NotEntered => f.write_str("enter the room first: {\"type\":\"ENTER\",\"roomId\":…,\"sender\":…}"),
            Self::SenderMismatch => f.write_str("sender differs from the name that entered"),
            Self::NameTaken => {
                write!(
                    f,
                    "somebody holds that name, or one that looks like it (names have 1 to {NAME_CHARS} characters)"
                )
            }
            Self::MessageEmpty => f.write_str("the message is empty"),
            Self::MessageTooLong => write!(f, "a message has at most {MESSAGE_CHARS} characters"),
            Self::RoomNameInvalid => {
                write!(f, "a room's name has 1 to {ROOM_NAME_CHARS} characters and no control characters")
            }
            Self::IdConflict => {
                f.write_str("that id belongs to another message, or the message is no longer as ifRev says")
            }
            Self::MessageNotFound => f.write_str("there is no such message in this room, or it was deleted"),
            Self::Forbidden => f.write_str("only the person who made it may do that, and guests change nothing"),
            Self::CrossSite => f.write_str("this request came from another site"),
            Self::TooManyRooms => write!(f, "one connection may be in {ROOMS_PER_CONNECTION} rooms"),
            Self::RateLimited { retry_after_ms } => write!(f, "too fast: try again in {retry_after_ms} ms"),
            Self::Busy { retry_after_ms } => write!(f, "busy: try the same again in {retry_after_ms} ms"),
            Self::StorageUnavailable => f.write_str("storage does not answer: nothing may have been stored"),
            Self::Internal => f.write_str("something went wrong here"),
        }
    }
}

impl std::error::Error for Error {}

/// The error as JSON: its word, and what goes with it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    code: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl From<Error> for Said {
    fn from(error: Error) -> Self {
        Self { code: error.code().into(), message: error.to_string(), retry_after_ms: error.retry_after_ms() }
    }
}

impl From<Said> for Error {
    fn from(said: Said) -> Self {
        let retry_after_ms = said.retry_after_ms.unwrap_or_default();
        let plain = [
            Self::RoomNotFound,
            Self::NotEntered,
            Self::SenderMismatch,
            Self::NameTaken,
            Self::MessageEmpty,
            Self::MessageTooLong,
            Self::RoomNameInvalid,
            Self::IdConflict,
            Self::MessageNotFound,
            Self::Forbidden,
            Self::CrossSite,
            Self::TooManyRooms,
            Self::RateLimited { retry_after_ms },
            Self::Busy { retry_after_ms },
            Self::StorageUnavailable,
        ];
        match said.code.as_str() {
            "bad_frame" => Self::BadFrame { detail: said.message },
            "name_invalid" => Self::NameInvalid { detail: said.message },
            code => plain.into_iter().find(|error| error.code() == code).unwrap_or(Self::Internal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_to_the_browser() {
        for error in [
            Error::bad_frame("x: missing"),
            Error::NameTaken,
            Error::RateLimited { retry_after_ms: 7 },
            Error::Internal,
        ] {
            let json = serde_json::to_string(&error).expect("serialises");
            assert!(json.starts_with(&format!("{{\"code\":\"{}\"", error.code())), "{json}");
            assert_eq!(serde_json::from_str::<Error>(&json).expect("is read"), error);
        }
    }
}
