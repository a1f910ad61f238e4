//! What this browser has asked of the server and not had an answer to: it is asked again on the next connection.

use crate::{
    domain::RoomId,
    protocol::{ClientFrame, ServerFrame},
};

/// Refusals that say nothing of what was asked: it may be asked again.
pub const RETRIED: [&str; 4] = ["busy", "rate_limited", "storage_unavailable", "internal"];

/// Changes of messages, and how far was read, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Requests(Vec<ClientFrame>);

/// What a frame says of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, or that it was done.
    Fine,
    /// That it is to be asked again, after so many milliseconds.
    Again(u32),
    /// That it was refused, with this code.
    Refused(String),
}

impl Requests {
    /// Keeps one. How far was read in a room is said once, as it was last.
    pub fn push(&mut self, frame: ClientFrame) {
        if let ClientFrame::Read { room_id, .. } = &frame {
            self.0.retain(|known| !matches!(known, ClientFrame::Read { room_id: room, .. } if room == room_id));
        }
        self.0.push(frame);
    }

    /// Those that somebody in that room can send.
    #[must_use]
    pub fn from_inside(&self, room: Option<RoomId>) -> Vec<ClientFrame> {
        self.0.iter().filter(|frame| can_be_sent(frame, room)).cloned().collect()
    }

    /// Forgets what a frame answers.
    pub fn hears(&mut self, frame: &ServerFrame) -> Answer {
        if let ServerFrame::Error(error) = frame {
            let names = |asked: &ClientFrame| id_of(asked).is_some_and(|id| error.id.as_ref() == Some(&id));
            if RETRIED.contains(&error.code.as_str()) && self.0.iter().any(names) {
                return Answer::Again(error.retry_after_ms.and_then(|ms| ms.try_into().ok()).unwrap_or(1_000));
            }
            // What is not there need not be deleted.
            let is_done =
                |asked: &ClientFrame| error.code == "message_not_found" && matches!(asked, ClientFrame::Delete { .. });
            let is_refused = self.0.iter().any(|asked| names(asked) && !is_done(asked));
            self.0.retain(|asked| !names(asked));
            return if is_refused { Answer::Refused(error.code.clone()) } else { Answer::Fine };
        }
        self.0.retain(|asked| !is_done(asked, frame));
        Answer::Fine
    }
}

/// Whether somebody in that room, or in none, can send it.
#[must_use]
pub fn can_be_sent(frame: &ClientFrame, inside: Option<RoomId>) -> bool {
    inside.is_some() && frame.needs_room().is_none_or(|room| Some(room) == inside)
}

fn id_of(frame: &ClientFrame) -> Option<String> {
    match frame {
        ClientFrame::Edit { id, .. } | ClientFrame::Delete { id, .. } | ClientFrame::React { id, .. } => {
            Some(id.to_string())
        }
        _ => None,
    }
}

fn is_done(asked: &ClientFrame, frame: &ServerFrame) -> bool {
    match (asked, frame) {
        (ClientFrame::Edit { id, message, .. }, ServerFrame::Talk(talk)) => {
            talk.id == *id && (talk.deleted || talk.message == *message)
        }
        (ClientFrame::Delete { id, .. }, ServerFrame::Talk(talk)) => talk.id == *id && talk.deleted,
        // Whose reaction it was is not looked at: asked again it would change nothing.
        (ClientFrame::React { id, .. }, ServerFrame::Talk(talk)) => talk.id == *id,
        (ClientFrame::Read { room_id, seq, unread }, ServerFrame::Read(mark)) => {
            mark.room_id == *room_id && (mark.seq == *seq || (mark.seq > *seq && !unread))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::MessageId,
        protocol::{ErrorFrame, ReadMark},
    };

    fn refused(id: MessageId, code: &str) -> ServerFrame {
        ServerFrame::Error(ErrorFrame {
            code: code.into(),
            message: String::new(),
            room_id: None,
            id: Some(id.to_string()),
            retry_after_ms: Some(70),
        })
    }

    #[test]
    fn what_is_asked_waits_for_its_room_and_for_its_answer() {
        let (mut asked, here, there) = (Requests::default(), RoomId::new(), RoomId::new());
        let (kept, gone) = (MessageId::new(), MessageId::new());
        let deletion = |room_id, id| ClientFrame::Delete { room_id, id };
        asked.push(deletion(here, kept));
        asked.push(deletion(there, gone));
        assert_eq!(asked.from_inside(None), []);
        assert_eq!(asked.from_inside(Some(here)), [deletion(here, kept)]);
        assert_eq!(asked.from_inside(Some(here)).len(), 1, "until it is answered");
        assert_eq!(asked.hears(&refused(kept, "rate_limited")), Answer::Again(70));
        assert_eq!(asked.hears(&refused(kept, "not_yours")), Answer::Refused("not_yours".into()));
        assert_eq!(asked.hears(&refused(kept, "not_yours")), Answer::Fine, "not asked any more");
        assert_eq!(asked.from_inside(Some(there)), [deletion(there, gone)]);
        assert_eq!((asked.hears(&refused(gone, "message_not_found")), asked.0.len()), (Answer::Fine, 0));
    }

    #[test]
    fn how_far_was_read_is_said_once() {
        let (mut asked, room_id) = (Requests::default(), RoomId::new());
        for seq in 1..=3 {
            asked.push(ClientFrame::Read { room_id, seq, unread: false });
        }
        assert_eq!(asked.from_inside(Some(room_id)).len(), 1);
        let mark = |seq| ServerFrame::Read(ReadMark { room_id, seq, unread: 0, message_count: 3 });
        asked.hears(&mark(2));
        assert_eq!(asked.from_inside(Some(room_id)).len(), 1, "an earlier answer");
        asked.hears(&mark(3));
        assert_eq!(asked.from_inside(Some(room_id)), []);
    }
}
