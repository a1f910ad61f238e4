//! What the page knows, as plain structs. [`ChatState::apply`] takes a frame in any order, repeated
//! or late; it is tested here without a browser.

mod reading;
mod room;
#[cfg(test)]
pub(super) mod tests;

pub use room::{About, Notice, OpenRoom, Sending};

use super::requests::{LATER, RETRIED, Requests};
use crate::{
    domain::{Epoch, MessageId, RoomId, Seq},
    protocol::{Member, ReadMark, RoomSummary, RoomView, ServerFrame, Talk, Typing},
};
use room::{FAR, MESSAGES_HELD};

/// How long somebody counts as writing after their last TYPING, in milliseconds.
const TYPING_SHOWN_MS: f64 = 5_000.0;
/// New messages are read out at most once in this many milliseconds.
const SPOKEN_EVERY_MS: f64 = 2_000.0;

/// Everything the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatState {
    /// Who this browser is; `None` before joining.
    pub me: Option<Member>,
    /// Every room, in the order in which they were made.
    pub rooms: Vec<RoomSummary>,
    /// Whether those are a page of them only.
    pub partly: bool,
    /// The room on screen.
    pub room: Option<OpenRoom>,
    /// What this browser has asked for and not had an answer to.
    pub requests: Requests,
    /// What waits in rooms that are not on screen.
    pub waiting: Vec<(RoomId, Vec<Sending>)>,
    /// What is being written, in each room.
    pub drafts: Vec<(RoomId, String)>,
    /// Whom the text in the composer may be about to name, and which of them is chosen.
    pub naming: Vec<String>,
    /// See there.
    pub chosen: usize,
    /// What the texts are about that are being written, in each room.
    pub abouts: Vec<(RoomId, About)>,
    /// Which history this page knows.
    pub epoch: Option<Epoch>,
    /// How far this person has read in it, in each room where they have.
    pub marks: Vec<ReadMark>,
    /// The name, or a part of it, of the room that is looked for.
    pub filter: String,
    /// What was said since it was last read out to who does not see, and what is read out now.
    pub unspoken: Vec<String>,
    /// See there.
    pub spoken: String,
    spoken_at: f64,
    /// Whether somebody looks: the window is visible and has the focus.
    pub looking: bool,
    /// The connection.
    pub link: Link,
    /// Whether a room has let this browser in since the page was loaded.
    pub was_in: bool,
    /// Since when there is no connection (milliseconds, the browser's clock).
    pub down_since: Option<f64>,
}

/// The connection, as people see it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Link {
    /// Opening.
    #[default]
    Connecting,
    /// Open, and the server has spoken.
    Live,
    /// Lost; the next try is at this time (milliseconds, the browser's clock).
    Waiting {
        /// When.
        until: f64,
    },
}

/// What a frame makes necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Nothing further.
    Nothing,
    /// Ask for what changed after `head`: something was missed.
    Resync,
    /// The same, but only after so many milliseconds: the server could not let us in.
    ResyncAfter(u32),
    /// Load the room anew: what is here belongs to another history, or to a visitor who has not joined.
    Reload,
    /// Load the whole page anew: this browser is no longer who it was.
    LoadPage,
}

impl ChatState {
    /// The room on screen.
    #[must_use]
    pub fn here(&self) -> Option<RoomId> {
        self.room.as_ref().map(|room| room.id)
    }

    /// Applies one frame. `now` is the browser's clock in milliseconds.
    pub fn apply(&mut self, frame: ServerFrame, now: f64) -> Todo {
        match frame {
            ServerFrame::List(summary) => return self.list(summary),
            ServerFrame::Read(mark) => {
                if self.knows_more_than(&mark) {
                    return Todo::Nothing;
                }
                // Read on in another tab, it is unread no longer.
                let has_moved = self.mark(mark.room_id).is_none_or(|known| known.seq < mark.seq);
                if let Some(room) = self.room.as_mut().filter(|room| has_moved && room.id == mark.room_id) {
                    room.stays_unread = false;
                }
                self.set_mark(mark);
                return Todo::Nothing;
            }
            ServerFrame::Talk(ref talk) => self.hears(talk),
            ServerFrame::Room(ref state) => self.belongs_to(state.epoch),
            _ => {}
        }
        let me = self.me.clone();
        let Some(room) = self.room.as_mut() else { return Todo::Nothing };
        match frame {
            ServerFrame::Talk(talk) if talk.room_id == room.id && !room.is_behind => room.talk(talk),
            ServerFrame::Room(state) if state.room_id == room.id => {
                if me.is_some_and(|me| me != state.you) {
                    // Another tab has signed this browser in as somebody else.
                    return Todo::LoadPage;
                }
                self.was_in = true;
                room.entered(state)
            }
            ServerFrame::Sync(sync) if sync.room_id == room.id && !room.is_behind => room.synced(sync.head),
            ServerFrame::Enter(presence) if presence.room_id == room.id => room.came(presence, now),
            ServerFrame::Leave(presence) if presence.room_id == room.id => room.went(presence, now),
            ServerFrame::Members(members) if members.room_id == room.id => {
                room.member_count = members.member_count;
                Todo::Nothing
            }
            ServerFrame::Typing(Typing { room_id, sender, person, guest }) if room_id == room.id => {
                let member = Member { sender, person, guest };
                if Some(&member) == me.as_ref() {
                    return Todo::Nothing;
                }
                room.typing.retain(|(other, _)| *other != member);
                room.typing.push((member, now + TYPING_SHOWN_MS));
                Todo::Nothing
            }
            ServerFrame::Error(error)
                if error.code == "bad_frame" && error.id.is_none() && error.room_id == Some(room.id.to_string()) =>
            {
                // ENTER wants a name: another tab has signed this browser out. Where it never had one on
                // the socket (a proxy that hides where we are), loading again would never end.
                self.me = None;
                if self.was_in { Todo::LoadPage } else { Todo::Reload }
            }
            // Neither is the room gone nor are we: the server cannot at the moment.
            ServerFrame::Error(error)
                if error.id.is_none()
                    && error.seq.is_none()
                    && error.room_id == Some(room.id.to_string())
                    && RETRIED.contains(&error.code.as_str()) =>
            {
                Todo::ResyncAfter(error.retry_after())
            }
            ServerFrame::Error(error) => {
                let refused = room.sending.iter_mut().find(|sending| error.names(sending.id));
                // What passes by itself is only waited for.
                if let Some(sending) = refused.filter(|_| !LATER.contains(&error.code.as_str())) {
                    sending.failed = Some(error.code.clone());
                }
                Todo::Nothing
            }
            _ => Todo::Nothing,
        }
    }

    fn list(&mut self, summary: RoomSummary) -> Todo {
        let is_new = |room: &OpenRoom| room.id == summary.room_id && summary.head > room.head && room.newest;
        // Whoever has not joined is told of new messages by the list alone.
        let todo =
            if self.me.is_none() && self.room.as_ref().is_some_and(is_new) { Todo::Reload } else { Todo::Nothing };
        if let Some(room) = self.room.as_mut().filter(|room| room.id == summary.room_id && !room.live) {
            room.member_count = summary.member_count;
        }
        if let Some(room) = self.room.as_mut().filter(|room| room.id == summary.room_id) {
            room.name.clone_from(&summary.name);
            room.topic.clone_from(&summary.topic);
        }
        match self.rooms.iter_mut().find(|room| room.room_id == summary.room_id) {
            Some(known) => {
                *known = RoomSummary { message_count: known.message_count.max(summary.message_count), ..summary }
            }
            None if self.partly => {}
            None => self.rooms.push(summary),
        }
        todo
    }

    /// Notes how the connection is.
    pub fn set_link(&mut self, link: Link, now: f64) {
        self.link = link;
        self.down_since = if link == Link::Live { None } else { self.down_since.or(Some(now)) };
    }

    /// Shows another room, or the same one anew; what is being sent there stays.
    pub fn open(&mut self, view: RoomView) {
        if self.here().is_some_and(|id| id != view.room.room_id) {
            self.close();
        }
        self.belongs_to(view.epoch);
        let before = self.room.take();
        let is_new = before.is_none();
        self.counted(view.room.room_id, view.room.message_count);
        let mut room = OpenRoom::from(view);
        if let Some(at) = self.waiting.iter().position(|(id, _)| *id == room.id) {
            room.sending = self.waiting.swap_remove(at).1;
        }
        if let Some(before) = before {
            room.sending = before.sending;
            room.divider = before.divider.filter(|_| before.epoch == room.epoch);
            room.went_back = before.went_back;
            room.stays_unread = before.stays_unread;
            room.going = before.going;
            room.notices = before.notices;
            room.noticed = before.noticed;
            // Older messages that join on without a gap stay on screen.
            let joins = before.messages.last().is_some_and(|last| last.seq >= room.from);
            let is_near = room.head <= before.head + FAR;
            if room.newest && before.newest && !joins {
                // There is a gap: the line stands where it begins, or where they had left off before.
                room.divider = room.divider.or(before.messages.last().map(|last| last.seq));
                room.went_back = false;
            }
            if before.epoch == room.epoch && room.newest && joins && is_near && before.from < room.from {
                let from = before.from;
                // What became of them meanwhile is still to be asked for.
                if self.me.is_some() {
                    room.head = room.head.min(before.head);
                }
                before.messages.into_iter().for_each(|talk| room.add(talk));
                room.from = from;
            }
        }
        if is_new {
            room.divider = self.mark(room.id).map(|mark| mark.seq).filter(|_| self.unread_of(&room) > 0);
        }
        let here: Vec<MessageId> = room.messages.iter().map(|talk| talk.id).collect();
        room.sending.retain(|sending| !here.contains(&sending.id));
        self.room = Some(room);
    }

    fn close(&mut self) {
        let Some(room) = self.room.take() else { return };
        self.naming.clear();
        self.chosen = 0;
        let (unread, counted) = (self.unread_of(&room), self.message_count(room.id));
        let is_whole = self.mark(room.id).is_some_and(|mark| room.is_whole_after(mark.seq));
        if let Some(mark) = self.marks.iter_mut().find(|mark| mark.room_id == room.id) {
            mark.unread = unread;
            mark.message_count = if is_whole { room.message_count } else { counted };
        }
        if !room.sending.is_empty() {
            self.waiting.push((room.id, room.sending));
        }
    }

    /// Whether this person made the room on screen, and may give it another name.
    #[must_use]
    pub fn may_rename(&self) -> bool {
        let me = self.me.as_ref().and_then(|me| me.person);
        me.is_some() && self.room.as_ref().is_some_and(|room| room.created_by == me)
    }

    /// How many are in the room on screen.
    #[must_use]
    pub fn member_count(&self) -> u32 {
        self.room.as_ref().map_or(0, |room| room.member_count)
    }

    // What this browser says

    /// Where what is said in a room waits until it has come back.
    pub fn unsent(&mut self, id: RoomId) -> &mut Vec<Sending> {
        match self.room.as_mut().filter(|room| room.id == id) {
            Some(room) => &mut room.sending,
            None => {
                let at = self.waiting.iter().position(|(room, _)| *room == id).unwrap_or_else(|| {
                    self.waiting.push((id, Vec::new()));
                    self.waiting.len() - 1
                });
                &mut self.waiting[at].1
            }
        }
    }

    /// What was said in a room that was not on screen has come through, or was refused for good.
    pub fn posted(&mut self, room: RoomId, id: MessageId, refused: Option<String>) {
        let unsent = self.unsent(room);
        match refused {
            None => unsent.retain(|sending| sending.id != id),
            Some(code) => {
                if let Some(sending) = unsent.iter_mut().find(|sending| sending.id == id) {
                    sending.failed = Some(code);
                }
            }
        }
        self.waiting.retain(|(_, sending)| !sending.is_empty());
    }

    /// What waits longest in a room that is not on screen.
    #[must_use]
    pub fn next_waiting(&self, room: RoomId) -> Option<&Sending> {
        let (_, waiting) = self.waiting.iter().find(|(at, _)| *at == room)?;
        waiting.iter().find(|sending| sending.failed.is_none())
    }

    /// Whether something said in a room that is not on screen waits there.
    #[must_use]
    pub fn has_unsent(&self, id: RoomId) -> bool {
        let failed = |room: &OpenRoom| room.id == id && room.sending.iter().any(|sending| sending.failed.is_some());
        self.waiting.iter().any(|(room, sending)| *room == id && !sending.is_empty())
            || self.room.as_ref().is_some_and(failed)
    }

    /// What is being written in a room.
    #[must_use]
    pub fn draft(&self, id: RoomId) -> Option<&str> {
        self.drafts.iter().find(|(room, _)| *room == id).map(|(_, text)| text.as_str())
    }

    /// Keeps what is being written in a room. Says whether there is one now where there was none, or the reverse.
    pub fn set_draft(&mut self, id: RoomId, text: &str) -> bool {
        let before = self.drafts.len();
        match self.drafts.iter().position(|(room, _)| *room == id) {
            Some(at) if text.is_empty() => drop(self.drafts.swap_remove(at)),
            Some(at) => text.clone_into(&mut self.drafts[at].1),
            None if text.is_empty() => {}
            None => self.drafts.push((id, text.to_owned())),
        }
        before != self.drafts.len()
    }

    /// Keeps the new text of a message that is being changed.
    pub fn set_edit(&mut self, id: RoomId, text: String) {
        let about = self.abouts.iter_mut().find(|(room, about)| *room == id && about.edits);
        if let Some((_, about)) = about {
            about.text = text;
        }
    }

    /// What the text that is being written in a room is about. What was deleted is not answered any more.
    #[must_use]
    pub fn about(&self, id: RoomId) -> Option<&About> {
        let (_, about) = self.abouts.iter().find(|(room, _)| *room == id)?;
        let mut messages = self.room.iter().flat_map(|room| &room.messages);
        Some(about).filter(|about| about.edits || !messages.any(|talk| talk.id == about.id && talk.deleted))
    }

    /// Sets what the text that is being written in a room is about.
    pub fn set_about(&mut self, id: RoomId, about: Option<About>) {
        self.abouts.retain(|(room, _)| *room != id);
        self.abouts.extend(about.map(|about| (id, about)));
    }

    /// Whether what is being written answers that message.
    #[must_use]
    pub fn answers(&self, id: MessageId) -> bool {
        let about = self.here().and_then(|here| self.about(here));
        about.is_some_and(|about| about.id == id && !about.edits)
    }

    /// A message as it will be once all that this browser has asked of it is done; `None` where nothing was.
    #[must_use]
    pub fn preview(&self, talk: &Talk) -> Option<Talk> {
        self.requests.preview(talk, self.me.as_ref().map(|me| me.sender.as_str()))
    }

    /// Whether this person wrote a message.
    #[must_use]
    pub fn is_own(&self, talk: &Talk) -> bool {
        talk.person.is_some() && self.me.as_ref().is_some_and(|me| me.person == talk.person)
    }

    /// Takes back what an earlier page of this browser left unsent; says whether it had not come through.
    pub fn take_back(&mut self, id: RoomId, sending: Sending) -> bool {
        let is_here = |room: &OpenRoom| room.id == id && room.messages.iter().any(|talk| talk.id == sending.id);
        if self.room.as_ref().is_some_and(is_here) {
            return false;
        }
        self.unsent(id).push(sending);
        true
    }

    /// Puts a page of the messages before `seq` in front, if that is still where it belongs.
    pub fn prepend(&mut self, view: RoomView, seq: Seq) {
        let belongs = |room: &&mut OpenRoom| {
            let same_room = room.id == view.room.room_id && room.epoch == view.epoch;
            same_room && room.messages.first().is_some_and(|first| first.seq == seq)
        };
        if let Some(room) = self.room.as_mut().filter(belongs) {
            room.from = view.messages.first().map_or(1, |talk| talk.seq);
            for talk in view.messages {
                room.put(talk);
            }
            if room.messages.len() > MESSAGES_HELD {
                room.messages.truncate(MESSAGES_HELD);
                room.newest = false;
            }
        }
    }

    /// Puts a page of the messages after `seq` behind the others, if that is still where it belongs.
    pub fn append(&mut self, view: RoomView, seq: Seq) {
        let belongs = |room: &&mut OpenRoom| {
            let same_room = room.id == view.room.room_id && room.epoch == view.epoch;
            same_room && room.newer_than() == Some(seq)
        };
        self.counted(view.room.room_id, view.room.message_count);
        if let Some(room) = self.room.as_mut().filter(belongs) {
            room.message_count = view.room.message_count;
            // What came while the page was on its way was not kept: then there is more to load.
            room.newest = view.newest && view.room.head >= room.head;
            view.messages.into_iter().for_each(|talk| room.put(talk));
            let beyond = room.messages.len().saturating_sub(MESSAGES_HELD);
            room.messages.drain(..beyond);
            room.from = room.messages.first().map_or(1, |talk| talk.seq);
        }
    }

    /// Forgets who has stopped writing, and reads out what was said; says whether that changed anything.
    pub fn tick(&mut self, now: f64) -> bool {
        let Some(room) = self.room.as_mut() else { return false };
        let before = room.typing.len();
        room.typing.retain(|(_, until)| *until > now);
        let mut changed = room.typing.len() != before;
        // One announcement in two seconds, with all of it.
        if !self.unspoken.is_empty() && now - self.spoken_at >= SPOKEN_EVERY_MS {
            self.spoken_at = now;
            let mut words = std::mem::take(&mut self.unspoken).join("\n");
            if words == self.spoken {
                // The same again: only what changes in the page is read out.
                words.push('\u{a0}');
            }
            self.spoken = words;
            changed = true;
        }
        changed
    }
}
