//! What this browser has asked of the server and not had an answer to: it is asked again on the next connection.

use crate::{
    domain::{MessageId, RoomId},
    protocol::{ClientFrame, Reaction, ReadMark, ServerFrame, Talk},
};

/// Refusals that say nothing of what was asked: it may be asked again.
pub const RETRIED: [&str; 4] = ["busy", "rate_limited", "storage_unavailable", "internal"];

/// Those of them that pass by themselves: a message waits.
pub const LATER: [&str; 2] = ["busy", "rate_limited"];

/// What the page calls the refusal of a reaction: it is no emoji, or one too many.
pub const NO_EMOJI: &str = "no_emoji";

/// Changes of messages, and how far was read, in the order in which they were asked for; of each only what was asked last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests(Vec<ClientFrame>);

/// What a frame says of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// That these are settled.
    Done(Vec<ClientFrame>),
    /// That one is to be asked again, after so many milliseconds.
    Again(u32),
    /// That one was refused, with this code.
    Refused(String, ClientFrame),
}

impl Requests {
    /// Keeps one until it is answered.
    pub fn ask(&mut self, frame: ClientFrame) {
        self.0.retain(|known| !is_same(known, &frame));
        self.0.push(frame);
    }

    /// Forgets how far was read.
    pub fn forget_reads(&mut self) {
        self.0.retain(|asked| !matches!(asked, ClientFrame::Read { .. }));
    }

    /// Whether that is asked for and not answered.
    #[must_use]
    pub fn contains(&self, frame: &ClientFrame) -> bool {
        self.0.contains(frame)
    }

    /// Whether somebody in that room, or in none, can send one now.
    #[must_use]
    pub fn can_send(frame: &ClientFrame, inside: Option<RoomId>) -> bool {
        inside.is_some() && frame.needs_room().is_none_or(|room| Some(room) == inside)
    }

    /// Those that somebody in that room can send.
    #[must_use]
    pub fn from_inside(&self, inside: Option<RoomId>) -> Vec<ClientFrame> {
        self.0.iter().filter(|frame| Self::can_send(frame, inside)).cloned().collect()
    }

    /// Forgets what a frame answers. `me` is this person's name, by which reactions are known.
    pub fn hears(&mut self, frame: &ServerFrame, me: Option<&str>) -> Answer {
        let ServerFrame::Error(error) = frame else {
            return Answer::Done(self.0.extract_if(.., |asked| is_done(asked, frame, me)).collect());
        };
        // Answers come in the order of what was asked.
        let named = |asked: &ClientFrame| match asked {
            ClientFrame::Read { room_id, seq, .. } => {
                error.seq == Some(*seq) && error.room_id == Some(room_id.to_string())
            }
            _ => message_of(asked).is_some_and(|id| error.names(id)),
        };
        let Some(at) = self.0.iter().position(named) else { return Answer::Done(Vec::new()) };
        if RETRIED.contains(&error.code.as_str()) {
            return Answer::Again(error.retry_after());
        }
        let asked = self.0.remove(at);
        match (&asked, error.code.as_str()) {
            // What is not there need not be deleted.
            (ClientFrame::Delete { .. }, "message_not_found") | (ClientFrame::Read { .. }, _) => {
                Answer::Done(vec![asked])
            }
            // The server has no word of its own for it.
            (ClientFrame::React { .. }, "bad_frame") => Answer::Refused(NO_EMOJI.into(), asked),
            (_, code) => Answer::Refused(code.into(), asked),
        }
    }

    /// Whether what is to be said of how far was read counts for more than that mark.
    #[must_use]
    pub fn outdo(&self, mark: &ReadMark) -> bool {
        self.0.iter().any(|asked| match asked {
            ClientFrame::Read { room_id, seq, unread, .. } if *room_id == mark.room_id => *unread || *seq > mark.seq,
            _ => false,
        })
    }

    /// A message as it will be once all that was asked of it is done; `None` where nothing was.
    #[must_use]
    pub fn preview(&self, talk: &Talk, me: Option<&str>) -> Option<Talk> {
        let mut asked = self.0.iter().filter(|asked| message_of(asked) == Some(talk.id)).peekable();
        asked.peek()?;
        let mut preview = talk.clone();
        for asked in asked {
            match asked {
                ClientFrame::Edit { message, .. } if *message != talk.message => {
                    preview.message.clone_from(message);
                    preview.html = None;
                }
                ClientFrame::Delete { .. } => preview.deleted = true,
                ClientFrame::React { emoji, on, .. } => {
                    react(&mut preview.reactions, emoji, *on, me.unwrap_or_default())
                }
                _ => {}
            }
        }
        Some(preview)
    }
}

fn react(reactions: &mut Vec<Reaction>, emoji: &str, on: bool, me: &str) {
    let at = reactions.partition_point(|one| one.emoji.as_str() < emoji);
    if reactions.get(at).is_none_or(|one| one.emoji != emoji) {
        reactions.insert(at, Reaction { emoji: emoji.into(), by: Vec::new() });
    }
    let by = &mut reactions[at].by;
    by.retain(|name| name != me);
    if on {
        by.push(me.into());
    } else if by.is_empty() {
        reactions.remove(at);
    }
}

/// Whether the second says anew what the first has asked.
fn is_same(one: &ClientFrame, other: &ClientFrame) -> bool {
    match (one, other) {
        (ClientFrame::Read { room_id: one, .. }, ClientFrame::Read { room_id: other, .. }) => one == other,
        (ClientFrame::React { id: one, emoji: sign, .. }, ClientFrame::React { id: other, emoji, .. }) => {
            one == other && sign == emoji
        }
        (ClientFrame::Edit { id: one, .. }, ClientFrame::Edit { id: other, .. })
        | (ClientFrame::Delete { id: one, .. }, ClientFrame::Delete { id: other, .. }) => one == other,
        _ => false,
    }
}

fn message_of(frame: &ClientFrame) -> Option<MessageId> {
    match frame {
        ClientFrame::Edit { id, .. } | ClientFrame::Delete { id, .. } | ClientFrame::React { id, .. } => Some(*id),
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
            talk.id == *id
                && (talk.deleted || *on == talk.reactions.iter().any(|one| one.emoji == *emoji && by_me(&one.by)))
        }
        (ClientFrame::Read { room_id, seq, unread, .. }, ServerFrame::Read(mark)) => {
            mark.recounted && *room_id == mark.room_id && if *unread { mark.seq == *seq } else { mark.seq >= *seq }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{protocol::ErrorFrame, ui::state::tests::talk};

    const DONE: Answer = Answer::Done(Vec::new());

    fn refused(id: MessageId, code: &str) -> ServerFrame {
        ServerFrame::Error(ErrorFrame {
            code: code.into(),
            message: String::new(),
            room_id: None,
            id: Some(id.to_string()),
            seq: None,
            retry_after_ms: Some(70),
        })
    }

    #[test]
    fn what_is_asked_waits_for_its_room_and_for_its_answer() {
        let (mut asked, here, there) = (Requests::default(), RoomId::new(), RoomId::new());
        let (kept, gone) = (MessageId::new(), MessageId::new());
        let deletion = |room_id, id| ClientFrame::Delete { room_id, id };
        asked.ask(deletion(here, kept));
        assert!(Requests::can_send(&deletion(here, kept), Some(here)));
        asked.ask(deletion(there, gone));
        assert!(!Requests::can_send(&deletion(there, gone), Some(here)));
        assert_eq!(asked.from_inside(None), []);
        assert_eq!(asked.from_inside(Some(here)), [deletion(here, kept)]);
        assert_eq!(asked.from_inside(Some(here)).len(), 1, "until it is answered");
        assert_eq!(asked.hears(&refused(kept, "rate_limited"), None), Answer::Again(70));
        let refusal = Answer::Refused("not_yours".into(), deletion(here, kept));
        assert_eq!(asked.hears(&refused(kept, "not_yours"), None), refusal);
        assert_eq!(asked.hears(&refused(kept, "not_yours"), None), DONE, "not asked any more");
        assert_eq!(asked.from_inside(Some(there)), [deletion(there, gone)]);
        assert_eq!(asked.hears(&refused(gone, "message_not_found"), None), Answer::Done(vec![deletion(there, gone)]));
        assert_eq!(asked, Requests::default());
    }

    #[test]
    fn what_is_asked_anew_is_asked_once() {
        let (mut asked, room_id, id) = (Requests::default(), RoomId::new(), MessageId::new());
        let edit = |text: &str| ClientFrame::Edit { room_id, id, message: text.into(), if_rev: None };
        let react = |emoji: &str, on| ClientFrame::React { room_id, id, emoji: emoji.into(), on };
        for frame in [edit("first"), react("👍", true), react("🎉", true), edit("second"), react("👍", false)] {
            asked.ask(frame);
        }
        assert_eq!(asked.from_inside(Some(room_id)), [react("🎉", true), edit("second"), react("👍", false)]);
    }

    #[test]
    fn of_a_message_that_is_gone_nothing_is_asked_any_more() {
        let (mut asked, room_id) = (Requests::default(), RoomId::new());
        let gone = Talk { deleted: true, ..talk(room_id, 1, 2, "") };
        let id = gone.id;
        let of_it = [
            ClientFrame::Edit { room_id, id, message: "late".into(), if_rev: None },
            ClientFrame::React { room_id, id, emoji: "👍".into(), on: true },
            ClientFrame::Delete { room_id, id },
        ];
        of_it.iter().for_each(|frame| asked.ask(frame.clone()));
        assert_eq!(asked.hears(&ServerFrame::Talk(gone), Some("mina")), Answer::Done(of_it.into()));
    }

    #[test]
    fn what_is_asked_is_shown_as_if_it_were_done() {
        let (mut asked, room_id, id) = (Requests::default(), RoomId::new(), MessageId::new());
        let reaction = |emoji: &str, by: &[&str]| Reaction {
            emoji: emoji.into(),
            by: by.iter().map(|name| (*name).into()).collect(),
        };
        let talk = Talk {
            id,
            html: Some("<em>before</em>".into()),
            reactions: vec![reaction("🎉", &["mina"]), reaction("👍", &["jun", "mina"])],
            ..talk(room_id, 1, 1, "before")
        };
        assert_eq!(asked.preview(&talk, Some("mina")), None);
        for (emoji, on) in [("👍", false), ("🎉", false), ("✅", true)] {
            asked.ask(ClientFrame::React { room_id, id, emoji: emoji.into(), on });
        }
        let Some(preview) = asked.preview(&talk, Some("mina")) else { panic!("nothing was asked") };
        assert_eq!(preview.reactions, [reaction("✅", &["mina"]), reaction("👍", &["jun"])]);
        assert_eq!((&preview.message, &preview.html), (&talk.message, &talk.html));
        asked.ask(ClientFrame::Edit { room_id, id, message: "after".into(), if_rev: None });
        let Some(preview) = asked.preview(&talk, Some("mina")) else { panic!("nothing was asked") };
        assert_eq!((preview.message.as_str(), preview.html, preview.deleted), ("after", None, false));
        asked.ask(ClientFrame::Delete { room_id, id });
        assert!(asked.preview(&talk, None).is_some_and(|preview| preview.deleted));
        assert_eq!(asked.preview(&Talk { id: MessageId::new(), ..talk }, None), None);
    }

    #[test]
    fn how_far_was_read_is_said_again_when_the_server_could_not_keep_it() {
        let (mut asked, room_id) = (Requests::default(), RoomId::new());
        let refused = |code: &str| {
            let room_id = Some(room_id.to_string());
            ServerFrame::Error(ErrorFrame {
                code: code.into(),
                message: String::new(),
                room_id,
                id: None,
                seq: Some(3),
                retry_after_ms: Some(70),
            })
        };
        assert_eq!(asked.hears(&refused("storage_unavailable"), None), DONE, "it is of something else");
        let read = ClientFrame::Read { room_id, seq: 3, unread: false, count: true };
        asked.ask(read.clone());
        assert_eq!(asked.hears(&refused("storage_unavailable"), None), Answer::Again(70));
        assert_eq!(asked.from_inside(Some(room_id)).first(), Some(&read));
        assert_eq!(asked.hears(&refused("room_not_found"), None), Answer::Done(vec![read]));
        assert_eq!(asked.from_inside(Some(room_id)), []);
    }

    #[test]
    fn how_far_was_read_is_said_once_as_it_was_last() {
        let (mut asked, room_id) = (Requests::default(), RoomId::new());
        let read = |seq| ClientFrame::Read { room_id, seq, unread: false, count: true };
        for seq in 1..=3 {
            asked.ask(read(seq));
            assert!(!Requests::can_send(&read(seq), None));
        }
        assert!(Requests::can_send(&read(3), Some(RoomId::new())), "from any room");
        assert_eq!(asked.from_inside(Some(room_id)), [read(3)]);
        let mark = |seq| ReadMark { room_id, seq, unread: 0, message_count: 6, recounted: false };
        assert_eq!([2, 3, 4].map(|seq| asked.outdo(&mark(seq))), [true, false, false], "another tab has read on");
        let answers = |seq| ServerFrame::Read(ReadMark { recounted: true, ..mark(seq) });
        for (frame, left) in [(ServerFrame::Read(mark(3)), 1), (answers(2), 1), (answers(3), 0)] {
            asked.hears(&frame, None);
            assert_eq!(asked.0.len(), left, "{frame:?}");
        }
        asked.ask(ClientFrame::Read { room_id, seq: 2, unread: true, count: true });
        asked.hears(&answers(3), None);
        assert!(asked.outdo(&mark(6)) && !asked.outdo(&ReadMark { room_id: RoomId::new(), ..mark(1) }));
    }
}
