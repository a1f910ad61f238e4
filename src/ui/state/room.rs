//! The room on screen: what was said there, who is there, and how far the page has got.

use super::Todo;
use crate::{
    domain::{Epoch, MessageId, PersonId, RoomId, Seq, limits},
    protocol::{Member, Presence, RoomState, RoomView, Talk},
};

/// Whoever has missed more changes than these gets the newest messages instead of all of them.
pub(super) const FAR: Seq = 500;
/// Messages that the page holds; beyond that the end that is further away goes.
pub(super) const MESSAGES_HELD: usize = 2_000;
/// Messages that go at once.
pub(super) const PAGE: usize = limits::PAGE_MESSAGES as usize;
/// Comings and goings that the page remembers.
const NOTICES_KEPT: usize = 50;
/// Whoever is back within this many milliseconds was never away.
pub(super) const BACK_WITHIN_MS: f64 = 60_000.0;

/// The room on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRoom {
    /// Which.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Who made it.
    pub created_by: Option<PersonId>,
    /// The history that its numbers belong to.
    pub epoch: Epoch,
    /// Every change up to this number has been applied.
    pub head: Seq,
    /// What was said, by place, without gap …
    pub messages: Vec<Talk>,
    /// … from this place on. What changes before it is loaded with its page.
    pub(super) from: Seq,
    /// Whether they reach the end. Where they do not, what is new is loaded when somebody comes near.
    pub newest: bool,
    /// How many have ever been said here up to the last of them, where they reach the end.
    pub(super) message_count: u64,
    /// What this browser has said and not seen come back.
    pub sending: Vec<Sending>,
    /// The number up to which everything had been read when the room was opened: a line is drawn after it.
    pub divider: Option<Seq>,
    /// Whether they have gone back to it.
    pub went_back: bool,
    /// Whether it stays unread although it is on screen: somebody has said so.
    pub stays_unread: bool,
    /// Messages that are about to be deleted, and until when that can be undone.
    pub going: Vec<(MessageId, f64)>,
    /// Who is here; not all in a crowd.
    pub members: Vec<Member>,
    /// How many are here.
    pub member_count: u32,
    /// Who is writing, and until when to show it.
    pub typing: Vec<(Member, f64)>,
    /// Who came and went while the page was open.
    pub notices: Vec<Notice>,
    /// How many there have been.
    pub(super) noticed: u64,
    /// Whether the replay is complete and changes arrive one by one.
    pub live: bool,
    /// Whether so much was missed that the room is loaded anew: what is replayed meanwhile is passed over.
    pub(super) is_behind: bool,
}

/// What the text in the composer has to do with an earlier message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The message.
    pub id: MessageId,
    /// Whether its text is changed; else it is answered.
    pub edits: bool,
    /// Its author.
    pub sender: String,
    /// Its text: as it was written where it is changed; where it is answered, for the line that says so.
    pub text: String,
}

/// A message that this browser has sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// Kept over every retry.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// When, as RFC 3339.
    pub at: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The code of its refusal.
    pub failed: Option<String>,
}

/// People who came or went at one point of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Counts the notices of this page.
    pub number: u64,
    /// The message after which they did.
    pub after: Seq,
    /// Whether they came; else they went.
    pub came: bool,
    /// Their names.
    pub names: Vec<String>,
    /// When the last of them did (milliseconds, the browser's clock).
    pub at: f64,
}

impl From<RoomView> for OpenRoom {
    fn from(view: RoomView) -> Self {
        Self {
            id: view.room.room_id,
            name: view.room.name,
            topic: view.room.topic,
            created_by: view.room.created_by,
            epoch: view.epoch,
            head: view.room.head,
            from: view.messages.first().map_or(1, |talk| talk.seq),
            newest: view.newest,
            message_count: view.room.message_count,
            messages: view.messages,
            sending: Vec::new(),
            divider: None,
            went_back: false,
            stays_unread: false,
            going: Vec::new(),
            members: view.members,
            member_count: view.room.member_count,
            typing: Vec::new(),
            notices: Vec::new(),
            noticed: 0,
            live: false,
            is_behind: false,
        }
    }
}

impl OpenRoom {
    /// The place of the first message here, if there are older ones.
    #[must_use]
    pub fn older_than(&self) -> Option<Seq> {
        Some(self.from).filter(|seq| *seq > 1)
    }

    /// The message at that place, if it is here.
    #[must_use]
    pub fn message(&self, seq: Seq) -> Option<&Talk> {
        self.messages.binary_search_by_key(&seq, |talk| talk.seq).ok().map(|at| &self.messages[at])
    }

    /// Whether a message is about to be deleted.
    #[must_use]
    pub fn is_going(&self, id: MessageId) -> bool {
        self.going.iter().any(|(going, _)| *going == id)
    }

    /// The first message after that place.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Option<&Talk> {
        self.messages.get(self.messages.partition_point(|talk| talk.seq <= seq))
    }

    /// Whether there is nothing to show yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.messages.is_empty() && self.sending.is_empty() && self.notices.is_empty()
    }

    /// Where somebody left off, if that is above what is here.
    #[must_use]
    pub fn left_off(&self) -> Option<Seq> {
        self.divider.filter(|mark| *mark + 1 < self.from && !self.went_back)
    }

    /// Whether everything after that place is here.
    pub(super) fn is_whole_after(&self, seq: Seq) -> bool {
        self.newest && (self.from <= seq + 1 || self.older_than().is_none())
    }

    /// The place of the last message here, if there are newer ones.
    #[must_use]
    pub fn newer_than(&self) -> Option<Seq> {
        self.messages.last().map(|talk| talk.seq).filter(|_| !self.newest)
    }

    pub(super) fn talk(&mut self, talk: Talk) -> Todo {
        let (rev, author) = (talk.rev, (talk.sender.clone(), talk.person, talk.guest.clone()));
        self.sending.retain(|sending| sending.id != talk.id);
        if talk.deleted {
            self.going.retain(|(id, _)| *id != talk.id);
        }
        self.typing.retain(|(member, _)| (member.sender.clone(), member.person, member.guest.clone()) != author);
        let last = self.messages.last().map_or(0, |last| last.seq);
        if talk.seq >= self.from && (self.newest || talk.seq <= last) {
            self.add(talk);
            if self.messages.len() > MESSAGES_HELD + PAGE {
                self.messages.drain(..PAGE);
                self.from = self.messages.first().map_or(1, |talk| talk.seq);
            }
        }
        if !self.live || rev <= self.head {
            return Todo::Nothing;
        }
        if rev > self.head + 1 {
            self.live = false;
            return Todo::Resync;
        }
        self.head = rev;
        Todo::Nothing
    }

    /// Keeps a message, and counts it if it is new: of those from `from` on all were here.
    pub(super) fn add(&mut self, talk: Talk) {
        self.message_count += u64::from(talk.seq >= self.from && self.message(talk.seq).is_none());
        self.put(talk);
    }

    /// Keeps the state with the highest `rev`, at the message's place.
    pub(super) fn put(&mut self, talk: Talk) {
        match self.messages.binary_search_by_key(&talk.seq, |known| known.seq) {
            Ok(at) if self.messages[at].rev < talk.rev => self.messages[at] = talk,
            Ok(_) => {}
            Err(at) => self.messages.insert(at, talk),
        }
    }

    pub(super) fn entered(&mut self, state: RoomState) -> Todo {
        if state.reset || state.epoch != self.epoch {
            // Not one of them belongs to what is loaded now.
            self.messages.clear();
            return Todo::Reload;
        }
        self.live = false;
        self.is_behind = self.newest && state.head > self.head + FAR;
        if self.is_behind {
            return Todo::Reload;
        }
        self.name = state.name;
        self.topic = state.topic;
        self.members = state.members;
        self.member_count = state.member_count;
        self.typing.clear();
        Todo::Nothing
    }

    pub(super) fn synced(&mut self, head: Seq) -> Todo {
        self.head = self.head.max(head);
        self.live = true;
        Todo::Nothing
    }

    pub(super) fn came(&mut self, presence: Presence, now: f64) -> Todo {
        let member = member_of(&presence);
        self.member_count = presence.member_count;
        if !self.members.contains(&member) {
            let at = self.members.partition_point(|other| other.sender <= member.sender);
            self.members.insert(at, member);
            if !self.is_back(&presence.sender, now) {
                self.notice(true, presence.sender, now);
            }
        }
        Todo::Nothing
    }

    pub(super) fn went(&mut self, presence: Presence, now: f64) -> Todo {
        let member = member_of(&presence);
        self.member_count = presence.member_count;
        self.members.retain(|other| *other != member);
        self.typing.retain(|(other, _)| *other != member);
        self.notice(false, presence.sender, now);
        Todo::Nothing
    }

    /// Whether somebody who comes has just gone: then that they went is said no longer either.
    fn is_back(&mut self, name: &str, now: f64) -> bool {
        let went = |notice: &&mut Notice| !notice.came && notice.at > now - BACK_WITHIN_MS;
        let went = self.notices.iter_mut().rev().filter(went).find_map(|notice| {
            let at = notice.names.iter().position(|known| known == name)?;
            Some(notice.names.remove(at))
        });
        self.notices.retain(|notice| !notice.names.is_empty());
        went.is_some()
    }

    /// One line for all who came, or went, at the same point.
    fn notice(&mut self, came: bool, name: String, at: f64) {
        let after = self.messages.last().map_or(0, |talk| talk.seq);
        match self.notices.last_mut() {
            Some(last) if last.after == after && last.came == came => {
                last.names.retain(|known| *known != name);
                last.names.push(name);
                last.at = at;
            }
            _ => {
                self.noticed += 1;
                self.notices.push(Notice { number: self.noticed, after, came, names: vec![name], at });
            }
        }
        if self.notices.len() > NOTICES_KEPT {
            self.notices.remove(0);
        }
    }
}

fn member_of(presence: &Presence) -> Member {
    Member { sender: presence.sender.clone(), person: presence.person, guest: presence.guest.clone() }
}
