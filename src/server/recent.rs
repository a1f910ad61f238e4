//! A room's latest changes in memory, so that who was away for a moment needs no disk.

use super::{frames, hub::plain_text, wire};
use crate::{
    domain::{Message, PersonId, RoomId, Seq, limits},
    protocol::ServerFrame,
};
use bytes::Bytes;
use std::collections::VecDeque;

/// The state of one message, ready to be passed on; clones share the bytes.
#[derive(Clone, Debug)]
pub struct News {
    /// The room.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// The number of its last change.
    pub rev: Seq,
    /// Who said it, unless a guest did.
    pub person: Option<PersonId>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// The TALK, as everyone in the room gets it.
    pub frame: Bytes,
    /// What the plain audience of the lobby hears.
    pub plain: Option<Bytes>,
}

impl News {
    /// The news of a message.
    #[must_use]
    pub fn of(message: &Message, lobby: RoomId) -> Self {
        let plain = message.room == lobby && !message.deleted;
        Self {
            room: message.room,
            seq: message.seq,
            rev: message.rev,
            person: message.author.person(),
            deleted: message.deleted,
            frame: frames::text(ServerFrame::Talk(wire::talk(message)).to_json().as_bytes()),
            plain: plain.then(|| frames::text(plain_text(message.author.name.as_str(), &message.body).as_bytes())),
        }
    }

    /// Whether it is a message that was not there before, not a change of one.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.rev == self.seq
    }

    fn bytes(&self) -> usize {
        self.frame.len() + self.plain.as_ref().map_or(0, Bytes::len)
    }
}

/// The latest changes of one room, by ascending `rev`: new messages, after at most one change of an older one.
#[derive(Debug, Default)]
pub struct Recent {
    news: VecDeque<News>,
    bytes: usize,
    /// Every change from this number on is in here; 0 before the first.
    from: Seq,
    head: Seq,
}

impl Recent {
    /// Adds the next change, and lets go of the oldest over the limits.
    pub fn push(&mut self, news: &News) {
        // What replies quote may be another text after a change: all before it is left to the log.
        if self.from == 0 || news.rev != self.head + 1 || !news.is_new() {
            *self = Self { from: news.rev, ..Self::default() };
        }
        self.head = news.rev;
        self.bytes += news.bytes();
        self.news.push_back(news.clone());
        while self.news.len() > limits::RECENT_CHANGES || self.bytes > limits::RECENT_BYTES {
            let Some(oldest) = self.news.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.from = oldest.rev + 1;
        }
    }

    /// What changed after number `since`, and the number reached; `None` where that is not all in here.
    #[must_use]
    pub fn since(&self, since: Seq) -> Option<(Vec<News>, Seq)> {
        let is_known = self.from > 0 && self.from <= since.saturating_add(1) && since <= self.head;
        is_known.then(|| (self.news.iter().filter(|news| news.rev > since).cloned().collect(), self.head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(seq: Seq, rev: Seq, length: usize) -> News {
        let room = uuid::Uuid::nil().into();
        News { room, seq, rev, person: None, deleted: false, frame: vec![b'x'; length].into(), plain: None }
    }

    fn revs(recent: &Recent, since: Seq) -> Option<Vec<Seq>> {
        recent.since(since).map(|(news, _)| news.iter().map(|news| news.rev).collect())
    }

    #[test]
    fn what_is_in_here_is_whole() {
        let mut recent = Recent::default();
        assert_eq!(revs(&recent, 0), None);
        for n in [news(1, 1, 1), news(2, 2, 1)] {
            recent.push(&n);
        }
        assert_eq!((revs(&recent, 0), revs(&recent, 2), revs(&recent, 3)), (Some(vec![1, 2]), Some(vec![]), None));
    }

    #[test]
    fn a_change_begins_anew_since_replies_may_quote_what_changed() {
        let mut recent = Recent::default();
        for n in [news(7, 7, 1), news(8, 8, 1), news(7, 9, 1), news(10, 10, 1)] {
            recent.push(&n);
        }
        assert_eq!((revs(&recent, 7), revs(&recent, 8), revs(&recent, 9)), (None, Some(vec![9, 10]), Some(vec![10])));
    }

    #[test]
    fn a_hole_begins_anew() {
        let mut recent = Recent::default();
        recent.push(&news(1, 1, 1));
        recent.push(&news(3, 3, 1));
        assert_eq!((revs(&recent, 1), revs(&recent, 2)), (None, Some(vec![3])));
    }

    #[test]
    fn the_oldest_go_first_by_number_and_by_size() {
        let mut recent = Recent::default();
        let most = limits::RECENT_CHANGES as Seq;
        (1..=most + 2).for_each(|n| recent.push(&news(n, n, 1)));
        assert_eq!((revs(&recent, 1), revs(&recent, 2).map(|revs| revs.len())), (None, Some(limits::RECENT_CHANGES)));
        recent.push(&news(most + 3, most + 3, limits::RECENT_BYTES));
        assert_eq!(revs(&recent, most + 2), Some(vec![most + 3]));
        recent.push(&news(most + 4, most + 4, limits::RECENT_BYTES + 1));
        assert_eq!((revs(&recent, most + 3), revs(&recent, most + 4)), (None, Some(vec![])));
    }
}
