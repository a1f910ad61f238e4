//! What this browser has asked of the server and not had an answer to: it is asked again on the next connection.

use crate::{
    domain::RoomId,
    protocol::{ClientFrame, ErrorFrame, ServerFrame},
};

/// Refusals that say nothing of what was asked: it may be asked again.
pub const RETRIED: [&str; 4] = ["busy", "rate_limited", "storage_unavailable", "internal"];

/// Those of them that pass by themselves: a message waits.
pub const LATER: [&str; 2] = ["busy", "rate_limited"];

/// What the page calls the refusal of a reaction: it is no emoji, or one too many.
pub const NO_EMOJI: &str = "no_emoji";

/// Changes of messages, and how far was read, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Requests(Vec<ClientFrame>);

/// What a frame says of one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing, or that it was done.
    Fine,
    /// That it is to be asked again, after so many milliseconds.
    Again(u32),
    /// That it was refused, with this code.
    Refused(String, ClientFrame),
}

/// After how many milliseconds a refusal says that one may ask again.
#[must_use]
pub fn retry_after(error: &ErrorFrame) -> u32 {
    error.retry_after_ms.and_then(|ms| ms.try_into().ok()).unwrap_or(1_000)
}

impl Requests {
    /// Keeps one, and gives it back if somebody in that room, or in none, can send it now. How far was read has no
    /// answer: it is kept until it is sent, as it was last.
    pub fn ask(&mut self, frame: ClientFrame, inside: Option<RoomId>) -> Option<ClientFrame> {
        let can_be_sent = can_be_sent(&frame, inside);
        if let ClientFrame::Read { room_id, .. } = &frame {
            self.0.retain(|known| !is_read_of(known, *room_id));
        }
        if !(can_be_sent && is_read(&frame)) {
            self.0.push(frame.clone());
        }
        Some(frame).filter(|_| can_be_sent)
    }

    /// Those that somebody in that room can send.
    #[must_use]
    pub fn from_inside(&mut self, inside: Option<RoomId>) -> Vec<ClientFrame> {
        let frames: Vec<_> = self.0.iter().filter(|frame| can_be_sent(frame, inside)).cloned().collect();
        self.0.retain(|frame| !(is_read(frame) && can_be_sent(frame, inside)));
        frames
    }

    /// Forgets what a frame answers, and shows it to `settled`. `me` is this person's name, by which
    /// reactions are known.
    pub fn hears(&mut self, frame: &ServerFrame, me: Option<&str>, settled: impl Fn(&ClientFrame)) -> Answer {
        if let ServerFrame::Error(error) = frame {
            let names = |asked: &ClientFrame| id_of(asked).is_some_and(|id| error.id.as_ref() == Some(&id));
            // Answers come in the order of what was asked.
            let Some(at) = self.0.iter().position(names) else { return Answer::Fine };
            if RETRIED.contains(&error.code.as_str()) {
                return Answer::Again(retry_after(error));
            }
            // What is not there need not be deleted.
            let asked = self.0.remove(at);
            self.settle(&asked, &settled);
            let is_done = matches!(asked, ClientFrame::Delete { .. }) && error.code == "message_not_found";
            // The server has no word of its own for it.
            let is_no_emoji = matches!(asked, ClientFrame::React { .. }) && error.code == "bad_frame";
            let code = if is_no_emoji { NO_EMOJI } else { &error.code };
            return if is_done { Answer::Fine } else { Answer::Refused(code.to_owned(), asked) };
        }
        let done: Vec<_> = self.0.extract_if(.., |asked| is_done(asked, frame, me)).collect();
        done.iter().for_each(|asked| self.settle(asked, &settled));
        Answer::Fine
    }

    /// A message that was changed twice is settled with the second change.
    fn settle(&self, asked: &ClientFrame, settled: &impl Fn(&ClientFrame)) {
        let edited = |frame: &ClientFrame| match frame {
            ClientFrame::Edit { id, .. } => Some(*id),
            _ => None,
        };
        if edited(asked).is_none_or(|id| !self.0.iter().any(|other| edited(other) == Some(id))) {
            settled(asked);
        }
    }
}

fn can_be_sent(frame: &ClientFrame, inside: Option<RoomId>) -> bool {
    inside.is_some() && frame.needs_room().is_none_or(|room| Some(room) == inside)
}

fn is_read(frame: &ClientFrame) -> bool {
    matches!(frame, ClientFrame::Read { .. })
}

fn is_read_of(frame: &ClientFrame, room: RoomId) -> bool {
    matches!(frame, ClientFrame::Read { room_id, .. } if *room_id == room)
}

fn id_of(frame: &ClientFrame) -> Option<String> {
    match frame {
        ClientFrame::Edit { id, .. } | ClientFrame::Delete { id, .. } | ClientFrame::React { id, .. } => {
            Some(id.to_string())
        }
        _ => None,
    }
}

fn is_done(asked: &ClientFrame, frame: &ServerFrame, me: Option<&str>) -> bool {
    match (asked, frame) {
        (ClientFrame::Edit { id, message, .. }, ServerFrame::Talk(talk)) => {
            talk.id == *id && (talk.deleted || talk.message == *message)
        }
        (ClientFrame::Delete { id, .. }, ServerFrame::Talk(talk)) => talk.id == *id && talk.deleted,
        (ClientFrame::React { id, emoji, on, .. }, ServerFrame::Talk(talk)) => {
            let by_me = |by: &[String]| by.iter().any(|name| Some(name.as_str()) == me);
            talk.id == *id && *on == talk.reactions.iter().any(|one| one.emoji == *emoji && by_me(&one.by))
        }
        // Another tab has said so since.
        (asked, ServerFrame::Read(mark)) => is_read_of(asked, mark.room_id),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::MessageId, protocol::ReadMark};

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
        assert_eq!(asked.ask(deletion(here, kept), Some(here)), Some(deletion(here, kept)));
        assert_eq!(asked.ask(deletion(there, gone), Some(here)), None);
        assert_eq!(asked.from_inside(None), []);
        assert_eq!(asked.from_inside(Some(here)), [deletion(here, kept)]);
        assert_eq!(asked.from_inside(Some(here)).len(), 1, "until it is answered");
        assert_eq!(asked.hears(&refused(kept, "rate_limited"), None, |_| {}), Answer::Again(70));
        let refusal = Answer::Refused("not_yours".into(), deletion(here, kept));
        assert_eq!(asked.hears(&refused(kept, "not_yours"), None, |_| {}), refusal);
        assert_eq!(asked.hears(&refused(kept, "not_yours"), None, |_| {}), Answer::Fine, "not asked any more");
        assert_eq!(asked.from_inside(Some(there)), [deletion(there, gone)]);
        assert_eq!((asked.hears(&refused(gone, "message_not_found"), None, |_| {}), asked.0.len()), (Answer::Fine, 0));
    }

    #[test]
    fn what_was_changed_twice_is_settled_once() {
        let (mut asked, room_id, id) = (Requests::default(), RoomId::new(), MessageId::new());
        let edit = |text: &str| ClientFrame::Edit { room_id, id, message: text.into(), if_rev: None };
        for text in ["first", "second"] {
            assert!(asked.ask(edit(text), Some(room_id)).is_some());
        }
        let settled = std::cell::Cell::new(0);
        for times in [0, 1] {
            asked.hears(&refused(id, "not_yours"), None, |_| settled.set(settled.get() + 1));
            assert_eq!(settled.get(), times);
        }
    }

    #[test]
    fn how_far_was_read_is_said_once_as_it_was_last() {
        let (mut asked, room_id) = (Requests::default(), RoomId::new());
        let read = |seq| ClientFrame::Read { room_id, seq, unread: false };
        for seq in 1..=3 {
            assert_eq!(asked.ask(read(seq), None), None);
        }
        assert_eq!((asked.from_inside(Some(room_id)), asked.from_inside(Some(room_id))), (vec![read(3)], vec![]));
        assert_eq!(asked.ask(read(4), Some(RoomId::new())), Some(read(4)), "from any room");
        assert_eq!(asked.ask(read(5), None), None);
        asked.hears(&ServerFrame::Read(ReadMark { room_id, seq: 6, unread: 0, message_count: 6 }), None, |_| {});
        assert_eq!(asked.from_inside(Some(room_id)), [], "another tab has read on");
    }
}
