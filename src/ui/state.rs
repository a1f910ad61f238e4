//! What the page knows, as plain structs. [`ChatState::apply`] takes a frame in any order, repeated
//! or late; it is tested here without a browser.

use crate::{
    domain::{Epoch, MessageId, PersonId, RoomId, Seq, limits},
    protocol::{Member, Presence, ReadMark, RoomState, RoomSummary, RoomView, ServerFrame, Talk, Typing},
};

/// How long somebody counts as writing after their last TYPING, in milliseconds.
const TYPING_SHOWN_MS: f64 = 5_000.0;
/// New messages are read out at most once in this many milliseconds.
const SPOKEN_EVERY_MS: f64 = 2_000.0;
/// Whoever has missed more changes than these gets the newest messages instead of all of them.
const FAR: Seq = 500;
/// Messages that the page holds; beyond that the end that is further away goes.
const MESSAGES_HELD: usize = 2_000;
/// Messages that go at once.
const PAGE: usize = limits::PAGE_MESSAGES as usize;
/// Comings and goings that the page remembers.
const NOTICES_KEPT: usize = 50;
/// Whoever is back within this many milliseconds was never away.
const BACK_WITHIN_MS: f64 = 60_000.0;

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
    /// What waits in rooms that are not on screen.
    pub waiting: Vec<(RoomId, Vec<Sending>)>,
    /// What is being written, in each room.
    pub drafts: Vec<(RoomId, String)>,
    /// Whom the text in the composer may be about to name, and which of them is chosen.
    pub naming: Vec<String>,
    /// See there.
    pub chosen: usize,
    /// What the texts are about that were left in rooms not on screen.
    pub abouts: Vec<(RoomId, About)>,
    /// How far this person has read, in each room where they have.
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
    from: Seq,
    /// Whether they reach the end. Where they do not, what is new is loaded when somebody comes near.
    pub newest: bool,
    /// What this browser has said and not seen come back.
    pub sending: Vec<Sending>,
    /// The number up to which everything had been read when the room was opened: a line is drawn after it.
    pub divider: Option<Seq>,
    /// Whether it stays unread although it is on screen: somebody has said so.
    pub stays_unread: bool,
    /// The message that is being answered, or changed.
    pub about: Option<About>,
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
    noticed: u64,
    /// Whether the replay is complete and changes arrive one by one.
    pub live: bool,
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
    /// Its text: as it was written where it is changed, as it is shown where it is answered.
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
    /// Applies one frame. `now` is the browser's clock in milliseconds.
    pub fn apply(&mut self, frame: ServerFrame, now: f64) -> Todo {
        match frame {
            ServerFrame::List(summary) => return self.list(summary),
            ServerFrame::Read(mark) => {
                self.set_mark(mark);
                return Todo::Nothing;
            }
            ServerFrame::Talk(ref talk) => self.hears(talk),
            _ => {}
        }
        let me = self.me.clone();
        let Some(room) = self.room.as_mut() else { return Todo::Nothing };
        match frame {
            ServerFrame::Talk(talk) if talk.room_id == room.id => room.talk(talk),
            ServerFrame::Room(state) if state.room_id == room.id => {
                if me.is_some_and(|me| me != state.you) {
                    // Another tab has signed this browser in as somebody else.
                    return Todo::LoadPage;
                }
                self.was_in = true;
                room.entered(state)
            }
            ServerFrame::Sync(sync) if sync.room_id == room.id => room.synced(sync.head),
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
                    && error.room_id == Some(room.id.to_string())
                    && ["storage_unavailable", "rate_limited", "busy"].contains(&error.code.as_str()) =>
            {
                Todo::ResyncAfter(error.retry_after_ms.and_then(|ms| ms.try_into().ok()).unwrap_or(1_000))
            }
            ServerFrame::Error(error) => {
                let refused =
                    room.sending.iter_mut().find(|sending| error.id.as_deref() == Some(&sending.id.to_string()));
                if let Some(sending) = refused {
                    sending.failed = Some(error.code);
                }
                // It was not deleted.
                room.going.retain(|(id, _)| error.id.as_deref() != Some(&id.to_string()));
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
        self.count(&summary);
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
        if self.room.as_ref().is_some_and(|room| room.id != view.room.room_id) {
            self.close();
        }
        let before = self.room.take();
        let is_new = before.is_none();
        let mut room = OpenRoom::from(view);
        if let Some(at) = self.waiting.iter().position(|(id, _)| *id == room.id) {
            room.sending = self.waiting.swap_remove(at).1;
        }
        if let Some(at) = self.abouts.iter().position(|(id, _)| *id == room.id) {
            room.about = Some(self.abouts.swap_remove(at).1);
        }
        if let Some(before) = before {
            room.sending = before.sending;
            room.divider = before.divider.filter(|_| before.epoch == room.epoch);
            room.stays_unread = before.stays_unread;
            room.about = before.about;
            room.going = before.going;
            room.notices = before.notices;
            room.noticed = before.noticed;
            // Older messages that join on without a gap stay on screen.
            let joins = before.messages.last().is_some_and(|last| last.seq >= room.from);
            let is_near = room.head <= before.head + FAR;
            if room.newest && !joins && before.newest {
                // There is a gap: the line stands where it begins, or where they had left off before.
                room.divider = room.divider.or(before.messages.last().map(|last| last.seq));
            }
            if before.epoch == room.epoch && room.newest && joins && is_near && before.from < room.from {
                room.from = before.from;
                // What became of them meanwhile is still to be asked for.
                if self.me.is_some() {
                    room.head = room.head.min(before.head);
                }
                before.messages.into_iter().for_each(|talk| room.put(talk));
            }
        }
        if is_new {
            room.divider = self.mark(room.id).map(|mark| mark.seq).filter(|_| self.unread(room.id) > 0);
        }
        let here: Vec<MessageId> = room.messages.iter().map(|talk| talk.id).collect();
        room.sending.retain(|sending| !here.contains(&sending.id));
        self.room = Some(room);
    }

    fn close(&mut self) {
        let Some(room) = self.room.take() else { return };
        self.naming.clear();
        let unread = self.unread_of(&room);
        if let Some(mark) = self.marks.iter_mut().find(|mark| mark.room_id == room.id) {
            mark.unread = unread;
        }
        self.abouts.extend(room.about.map(|about| (room.id, about)));
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
            None => {
                unsent.retain(|sending| sending.id != id);
                self.count_one(room);
            }
            Some(code) => {
                if let Some(sending) = unsent.iter_mut().find(|sending| sending.id == id) {
                    sending.failed = Some(code);
                }
            }
        }
        self.waiting.retain(|(_, sending)| !sending.is_empty());
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
        let about = self.room.as_mut().filter(|room| room.id == id).and_then(|room| room.about.as_mut());
        if let Some(about) = about.filter(|about| about.edits) {
            about.text = text;
        }
    }

    /// Whether this person wrote a message.
    #[must_use]
    pub fn is_own(&self, talk: &Talk) -> bool {
        talk.person.is_some() && self.me.as_ref().is_some_and(|me| me.person == talk.person)
    }

    // What this person has read

    fn mark(&self, id: RoomId) -> Option<&ReadMark> {
        self.marks.iter().find(|mark| mark.room_id == id)
    }

    /// How many messages of others there are that this person has not seen; none in a room where they never were.
    #[must_use]
    pub fn unread(&self, id: RoomId) -> u32 {
        match self.room.as_ref().filter(|room| room.id == id) {
            Some(room) => self.unread_of(room),
            None => self.mark(id).map_or(0, |mark| mark.unread),
        }
    }

    fn unread_of(&self, room: &OpenRoom) -> u32 {
        let Some(mark) = self.mark(room.id) else { return 0 };
        let later = &room.messages[room.messages.partition_point(|talk| talk.seq <= mark.seq)..];
        let here = later.iter().filter(|talk| !talk.deleted && !self.is_own(talk)).count() as u32;
        // What is older than the page on screen is known as a number alone.
        let is_partial = !room.newest || (room.from > mark.seq + 1 && room.older_than().is_some());
        if is_partial { here.max(mark.unread) } else { here }
    }

    /// Where this person left off in a room with more unread messages than a page shows.
    #[must_use]
    pub fn left_off(&self, id: RoomId) -> Option<Seq> {
        self.mark(id).filter(|mark| mark.unread >= PAGE as u32).map(|mark| mark.seq)
    }

    /// In all rooms together.
    #[must_use]
    pub fn unread_in_all(&self) -> u32 {
        self.marks.iter().map(|mark| self.unread(mark.room_id)).sum()
    }

    /// Everything in the room on screen was seen up to that place. Says whether that is news.
    pub fn saw(&mut self, seq: Seq) -> Option<(RoomId, Seq)> {
        let room = self.room.as_ref().filter(|room| room.live && !room.stays_unread)?;
        self.me.as_ref()?;
        let id = room.id;
        match self.marks.iter_mut().find(|mark| mark.room_id == id) {
            Some(mark) if mark.seq >= seq => return None,
            Some(mark) => mark.seq = seq,
            None => self.marks.push(ReadMark { room_id: id, seq, unread: 0, message_count: 0 }),
        }
        Some((id, seq))
    }

    /// Everything after that place is unread again, and stays so until the room is opened anew.
    pub fn mark_unread(&mut self, id: RoomId, seq: Seq) {
        if let Some(room) = self.room.as_mut().filter(|room| room.id == id) {
            room.divider = Some(seq);
            room.stays_unread = true;
        }
        let unread = self.mark(id).map_or(0, |mark| mark.unread);
        self.set_mark(ReadMark { room_id: id, seq, unread, message_count: 0 });
    }

    fn set_mark(&mut self, mark: ReadMark) {
        self.counted(mark.room_id, mark.message_count);
        match self.marks.iter_mut().find(|known| known.room_id == mark.room_id) {
            Some(known) => *known = mark,
            None => self.marks.push(mark),
        }
    }

    /// So many messages of a room have been seen or counted: LIST, which comes later, does not bring them anew.
    fn counted(&mut self, id: RoomId, count: u64) {
        if let Some(room) = self.rooms.iter_mut().find(|room| room.room_id == id) {
            room.message_count = room.message_count.max(count);
        }
    }

    /// One message more of a room has been seen.
    fn count_one(&mut self, id: RoomId) {
        if let Some(room) = self.rooms.iter_mut().find(|room| room.room_id == id) {
            room.message_count += 1;
        }
    }

    /// Counts what is new in a room whose end is not on screen.
    fn count(&mut self, summary: &RoomSummary) {
        let known = self.rooms.iter().find(|room| room.room_id == summary.room_id).map(|room| room.message_count);
        let is_open = self.room.as_ref().is_some_and(|room| room.id == summary.room_id && room.newest);
        let mark = self.marks.iter_mut().find(|mark| mark.room_id == summary.room_id);
        if let (Some(known), Some(mark), false) = (known, mark, is_open) {
            mark.unread += summary.message_count.saturating_sub(known) as u32;
        }
    }

    /// Where nobody looks, the first new message is where they will have left off.
    fn hears(&mut self, talk: &Talk) {
        let Some(room) = self.room.as_ref().filter(|room| room.id == talk.room_id && room.live) else { return };
        let is_new = talk.rev == talk.seq && talk.seq > room.head;
        if !is_new {
            return;
        }
        let (id, own) = (room.id, self.is_own(talk));
        if room.newest {
            self.count_one(id);
        }
        let Some(room) = self.room.as_ref().filter(|_| !own) else { return };
        self.unspoken.push(format!("{}: {}", talk.sender, talk.message));
        if self.looking || self.unread_of(room) > 0 {
            return;
        }
        let mark = self.mark(room.id).map(|mark| mark.seq);
        if let (Some(room), Some(mark)) = (self.room.as_mut(), mark) {
            room.divider = Some(mark);
        }
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
        if let Some(room) = self.room.as_mut().filter(belongs) {
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
            messages: view.messages,
            sending: Vec::new(),
            divider: None,
            stays_unread: false,
            about: None,
            going: Vec::new(),
            members: view.members,
            member_count: view.room.member_count,
            typing: Vec::new(),
            notices: Vec::new(),
            noticed: 0,
            live: false,
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
        self.divider.filter(|mark| *mark + 1 < self.from)
    }

    /// The place of the last message here, if there are newer ones.
    #[must_use]
    pub fn newer_than(&self) -> Option<Seq> {
        self.messages.last().map(|talk| talk.seq).filter(|_| !self.newest)
    }

    fn talk(&mut self, talk: Talk) -> Todo {
        let (rev, author) = (talk.rev, (talk.sender.clone(), talk.person, talk.guest.clone()));
        self.sending.retain(|sending| sending.id != talk.id);
        if talk.deleted {
            self.going.retain(|(id, _)| *id != talk.id);
        }
        self.typing.retain(|(member, _)| (member.sender.clone(), member.person, member.guest.clone()) != author);
        let last = self.messages.last().map_or(0, |last| last.seq);
        if talk.seq >= self.from && (self.newest || talk.seq <= last) {
            self.put(talk);
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

    /// Keeps the state with the highest `rev`, at the message's place.
    fn put(&mut self, talk: Talk) {
        match self.messages.binary_search_by_key(&talk.seq, |known| known.seq) {
            Ok(at) if self.messages[at].rev < talk.rev => self.messages[at] = talk,
            Ok(_) => {}
            Err(at) => self.messages.insert(at, talk),
        }
    }

    fn entered(&mut self, state: RoomState) -> Todo {
        if state.reset || state.epoch != self.epoch {
            // Not one of them belongs to what is loaded now.
            self.messages.clear();
            return Todo::Reload;
        }
        if self.newest && state.head > self.head + FAR {
            return Todo::Reload;
        }
        self.name = state.name;
        self.topic = state.topic;
        self.members = state.members;
        self.member_count = state.member_count;
        self.typing.clear();
        self.live = false;
        Todo::Nothing
    }

    fn synced(&mut self, head: Seq) -> Todo {
        self.head = self.head.max(head);
        self.live = true;
        Todo::Nothing
    }

    fn came(&mut self, presence: Presence, now: f64) -> Todo {
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

    fn went(&mut self, presence: Presence, now: f64) -> Todo {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ErrorFrame, Sync};
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn talk(room_id: RoomId, seq: Seq, rev: Seq, message: &str) -> Talk {
        Talk {
            room_id,
            sender: "mina".into(),
            message: message.into(),
            html: None,
            id: MessageId::new(),
            seq,
            rev,
            at: "2026-11-22T00:00:00.000Z".into(),
            person: None,
            guest: Some("ab12".into()),
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: vec![],
        }
    }

    fn state(messages: u64) -> (ChatState, RoomId) {
        let id = RoomId::new();
        let room = RoomSummary {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            head: messages,
            last: None,
            at: None,
            member_count: 0,
            message_count: messages,
            created_by: None,
        };
        let view = RoomView {
            room,
            epoch: Epoch::new(),
            messages: (1..=messages).map(|n| talk(id, n, n, &n.to_string())).collect(),
            newest: true,
            members: vec![],
        };
        let mut state = ChatState::default();
        state.open(view);
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: messages }), 0.0);
        (state, id)
    }

    fn summary(room_id: RoomId, head: Seq) -> RoomSummary {
        RoomSummary {
            room_id,
            name: "b".into(),
            topic: None,
            lobby: false,
            head,
            last: None,
            at: None,
            member_count: 2,
            message_count: head,
            created_by: None,
        }
    }

    fn shown(state: &ChatState) -> Vec<String> {
        state.room.iter().flat_map(|room| &room.messages).map(|talk| talk.message.clone()).collect()
    }

    fn room(state: &ChatState) -> &OpenRoom {
        state.room.as_ref().expect("a room is open")
    }

    #[test]
    fn a_repeat_changes_nothing() {
        let (mut state, id) = state(1);
        let next = talk(id, 2, 2, "둘");
        assert_eq!(state.apply(ServerFrame::Talk(next.clone()), 0.0), Todo::Nothing);
        let before = state.clone();
        assert_eq!(state.apply(ServerFrame::Talk(next), 0.0), Todo::Nothing);
        assert_eq!(state, before);
    }

    #[test]
    fn a_gap_asks_again_and_the_replay_closes_it() {
        let (mut state, id) = state(1);
        let (two, three) = (talk(id, 2, 2, "2"), talk(id, 3, 3, "3"));
        assert_eq!(state.apply(ServerFrame::Talk(three.clone()), 0.0), Todo::Resync);
        assert_eq!(room(&state).head, 1, "what is missing is asked for");
        for frame in [two, three] {
            assert_eq!(state.apply(ServerFrame::Talk(frame), 0.0), Todo::Nothing);
        }
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: 3 }), 0.0);
        assert_eq!(shown(&state), ["1", "2", "3"]);
        assert_eq!((room(&state).head, room(&state).live), (3, true));
    }

    /// A server's side of one room: the present state of each message, and who says what next.
    struct Log {
        room: RoomId,
        messages: Vec<Talk>,
        head: Seq,
        dice: StdRng,
    }

    impl Log {
        /// Something is said, or something said before is changed.
        fn change(&mut self) -> Talk {
            self.head += 1;
            if self.messages.is_empty() || self.dice.random_bool(0.6) {
                self.messages.push(talk(self.room, self.head, self.head, &format!("{}", self.head)));
                return self.messages.last().cloned().expect("just said");
            }
            let at = self.dice.random_range(0..self.messages.len());
            let changed = &mut self.messages[at];
            changed.rev = self.head;
            changed.deleted = self.dice.random_bool(0.2);
            changed.message = if changed.deleted { String::new() } else { format!("changed at {}", self.head) };
            changed.clone()
        }

        /// The answer to ENTER with `since`.
        fn replay(&self, since: Seq) -> Vec<ServerFrame> {
            let mut missed: Vec<Talk> = self.messages.iter().filter(|talk| talk.rev > since).cloned().collect();
            missed.sort_by_key(|talk| talk.rev);
            let sync = ServerFrame::Sync(Sync { room_id: self.room, head: self.head });
            missed.into_iter().map(ServerFrame::Talk).chain([sync]).collect()
        }
    }

    #[test]
    fn whatever_is_lost_doubled_or_swapped_on_the_way_the_page_ends_up_as_the_log() {
        for seed in 0..500 {
            let (mut state, room) = state(0);
            let mut log = Log { room, messages: vec![], head: 0, dice: StdRng::seed_from_u64(seed) };
            let mut late: Option<ServerFrame> = None;
            for _ in 0..60 {
                let mut frames = vec![ServerFrame::Talk(log.change())];
                match log.dice.random_range(0..8) {
                    0 => frames.clear(),
                    1 => frames.push(frames[0].clone()),
                    2 => late = frames.pop(),
                    _ => frames.extend(late.take()),
                }
                for frame in frames {
                    if state.apply(frame, 0.0) == Todo::Resync {
                        let since = state.room.as_ref().expect("open").head;
                        let mut replay = log.replay(since);
                        // What went wrong before may still arrive in the middle of it.
                        replay.splice(0..0, late.take());
                        replay.into_iter().for_each(|frame| assert_eq!(state.apply(frame, 0.0), Todo::Nothing));
                    }
                }
            }
            // The next change shows every hole, and a line that is quiet is entered anew.
            let since = state.room.as_ref().expect("open").head;
            for frame in log.replay(since) {
                state.apply(frame, 0.0);
            }
            let OpenRoom { messages, head, live, .. } = state.room.expect("open");
            assert_eq!((messages, head, live), (log.messages, log.head, true), "seed {seed}");
        }
    }

    #[test]
    fn a_change_of_what_is_not_loaded_leaves_no_hole() {
        let (mut state, id) = state(9);
        let view = RoomView {
            room: RoomSummary { head: 9, ..summary(id, 9) },
            epoch: room(&state).epoch,
            messages: (6..=9).map(|n| talk(id, n, n, &n.to_string())).collect(),
            newest: true,
            members: vec![],
        };
        state.room = Some(view.into());
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: 9 }), 0.0);
        assert_eq!(state.apply(ServerFrame::Talk(talk(id, 3, 10, "changed")), 0.0), Todo::Nothing);
        assert_eq!((shown(&state).len(), room(&state).older_than(), room(&state).head), (4, Some(6), 10));
    }

    /// The messages of those places, as a page of a room.
    fn view(state: &ChatState, places: std::ops::RangeInclusive<Seq>, head: Seq) -> RoomView {
        let OpenRoom { id, epoch, .. } = *room(state);
        let messages = places.map(|n| talk(id, n, n, &n.to_string())).collect::<Vec<_>>();
        let newest = messages.last().is_some_and(|last| last.seq == head);
        RoomView { room: summary(id, head), epoch, messages, newest, members: vec![] }
    }

    #[test]
    fn a_window_further_back_grows_to_both_sides_and_meets_the_present_without_a_hole() {
        let (mut state, id) = state(300);
        let page = view(&state, 101..=150, 300);
        state.room = Some(page.into());
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: 300 }), 0.0);
        assert_eq!(state.apply(ServerFrame::Talk(talk(id, 301, 301, "301")), 0.0), Todo::Nothing);
        assert_eq!((room(&state).messages.len(), room(&state).head), (50, 301), "what is beyond the window waits");
        let mut edited = talk(id, 120, 302, "edited");
        edited.id = room(&state).message(120).expect("here").id;
        state.apply(ServerFrame::Talk(edited), 0.0);
        assert_eq!(room(&state).message(120).expect("here").message, "edited");

        state.prepend(view(&state, 51..=100, 302), 101);
        state.append(view(&state, 151..=200, 302), 150);
        state.append(view(&state, 999..=999, 999), 150);
        assert_eq!((room(&state).older_than(), room(&state).newer_than()), (Some(51), Some(200)));
        // The page was read before 301 came: it looks like the end, and is not.
        state.append(view(&state, 201..=300, 300), 200);
        assert_eq!(room(&state).newer_than(), Some(300));
        state.append(view(&state, 301..=301, 302), 300);
        assert!(!room(&state).newest, "a page of another end");
        let mut end = view(&state, 303..=303, 303);
        state.apply(ServerFrame::Talk(talk(id, 303, 303, "303")), 0.0);
        end.newest = true;
        state.append(end, 301);
        assert_eq!((room(&state).newer_than(), room(&state).messages.last().map(|talk| talk.seq)), (None, Some(303)));
        state.apply(ServerFrame::Talk(talk(id, 304, 304, "304")), 0.0);
        assert_eq!(room(&state).messages.last().map(|talk| talk.seq), Some(304));
        let places: Vec<Seq> = room(&state).messages.iter().map(|talk| talk.seq).collect();
        assert_eq!(places, (51..=304).filter(|seq| *seq != 302).collect::<Vec<_>>());
    }

    #[test]
    fn the_page_holds_so_many_messages_and_lets_go_of_the_far_end() {
        let (mut state, id) = state(MESSAGES_HELD as Seq);
        for n in 1..=PAGE as Seq + 1 {
            let seq = MESSAGES_HELD as Seq + n;
            state.apply(ServerFrame::Talk(talk(id, seq, seq, "new")), 0.0);
        }
        assert_eq!((room(&state).messages.len(), room(&state).older_than()), (MESSAGES_HELD + 1, Some(51)));
        state.prepend(view(&state, 1..=50, 2_051), 51);
        assert_eq!((room(&state).messages.len(), room(&state).older_than()), (MESSAGES_HELD, None));
        assert_eq!(room(&state).newer_than(), Some(MESSAGES_HELD as Seq));
    }

    #[test]
    fn whoever_was_away_for_long_gets_the_newest_messages_and_the_way_back() {
        let (mut state, id) = state(100);
        let entered = |state: &ChatState, head| {
            ServerFrame::Room(RoomState {
                room_id: id,
                name: "방".into(),
                topic: None,
                lobby: false,
                epoch: room(state).epoch,
                head,
                you: Member { sender: "mina".into(), person: None, guest: None },
                members: vec![],
                member_count: 1,
                reset: false,
            })
        };
        let (near, far) = (100 + FAR, 101 + FAR);
        assert_eq!(state.clone().apply(entered(&state, near), 0.0), Todo::Nothing);
        assert_eq!(state.apply(entered(&state, far), 0.0), Todo::Reload);
        state.open(view(&state, far - 49..=far, far));
        assert_eq!((room(&state).messages.len(), room(&state).left_off()), (50, Some(100)));
        assert_eq!(state.apply(entered(&state, far), 0.0), Todo::Nothing, "nor asks again");
        state.open(view(&state, 76..=125, far));
        assert_eq!((room(&state).left_off(), room(&state).divider), (None, Some(100)));
    }

    fn unread(state: &ChatState) -> (u32, Option<Seq>) {
        let room = room(state);
        (state.unread(room.id), room.divider)
    }

    #[test]
    fn what_was_not_seen_is_unread_and_its_own_author_has_read_it() {
        let (mut state, id) = state(3);
        let me = PersonId::new();
        state.me = Some(Member { sender: "jun".into(), person: Some(me), guest: None });
        assert_eq!(unread(&state), (0, None), "never here before");
        assert_eq!(state.saw(3), Some((id, 3)));
        assert_eq!(state.saw(3), None);
        let own = Talk { person: Some(me), guest: None, ..talk(id, 4, 4, "own") };
        state.apply(ServerFrame::Talk(own), 0.0);
        for n in 5..=6 {
            state.apply(ServerFrame::Talk(talk(id, n, n, "new")), 0.0);
        }
        assert_eq!(unread(&state), (2, Some(3)), "a line is drawn where nobody looked any more");
        state.looking = true;
        assert_eq!((state.saw(5), state.unread(id)), (Some((id, 5)), 1));
        state.mark_unread(id, 1);
        assert_eq!((unread(&state), state.saw(6)), ((4, Some(1)), None));
        state.apply(ServerFrame::Read(ReadMark { room_id: id, seq: 6, unread: 0, message_count: 6 }), 0.0);
        assert_eq!(state.unread(id), 0, "read in another tab");
    }

    #[test]
    fn what_is_new_in_other_rooms_is_counted_from_the_list() {
        let (mut state, _) = state(1);
        let (visited, never) = (RoomId::new(), RoomId::new());
        state.rooms = vec![summary(visited, 10), summary(never, 10)];
        state.marks = vec![ReadMark { room_id: visited, seq: 8, unread: 2, message_count: 10 }];
        for id in [visited, never] {
            state.apply(ServerFrame::List(summary(id, 15)), 0.0);
        }
        assert_eq!((state.unread(visited), state.unread(never), state.unread_in_all()), (7, 0, 7));
    }

    #[test]
    fn a_room_that_cannot_let_us_in_is_asked_again_later() {
        let (mut state, id) = state(1);
        let error = |code: &str| ErrorFrame {
            code: code.into(),
            message: String::new(),
            room_id: Some(id.to_string()),
            id: None,
            retry_after_ms: Some(70),
        };
        assert_eq!(state.apply(ServerFrame::Error(error("storage_unavailable")), 0.0), Todo::ResyncAfter(70));
        assert_eq!(state.apply(ServerFrame::Error(error("message_empty")), 0.0), Todo::Nothing);
    }

    #[test]
    fn messages_stand_in_order_and_the_highest_revision_wins() {
        let (mut state, id) = state(1);
        let mut edited = talk(id, 2, 3, "둘째, 고침");
        let mut first = talk(id, 2, 2, "둘째");
        first.id = edited.id;
        state.room.as_mut().expect("open").live = false;
        state.apply(ServerFrame::Talk(edited.clone()), 0.0);
        state.apply(ServerFrame::Talk(first), 0.0);
        assert_eq!(shown(&state), ["1", "둘째, 고침"]);
        edited.rev = 4;
        edited.message = "또 고침".into();
        state.apply(ServerFrame::Talk(edited), 0.0);
        assert_eq!(shown(&state), ["1", "또 고침"]);
    }

    #[test]
    fn ones_own_message_is_sending_until_it_comes_back() {
        let (mut state, id) = state(0);
        let back = talk(id, 1, 1, "안녕");
        state.room.as_mut().expect("open").sending.push(Sending {
            id: back.id,
            text: "안녕".into(),
            at: String::new(),
            reply_to: None,
            failed: None,
        });
        let refusal = ErrorFrame {
            code: "rate_limited".into(),
            message: String::new(),
            room_id: None,
            id: Some(back.id.to_string()),
            retry_after_ms: None,
        };
        state.apply(ServerFrame::Error(refusal), 0.0);
        assert_eq!(room(&state).sending[0].failed.as_deref(), Some("rate_limited"));
        state.apply(ServerFrame::Talk(back), 0.0);
        assert_eq!((room(&state).sending.len(), shown(&state)), (0, vec!["안녕".into()]));
    }

    #[test]
    fn what_waits_in_a_room_is_there_when_it_is_opened_again() {
        let (mut state, _) = state(0);
        let view = |id| {
            let room = RoomSummary {
                room_id: id,
                name: "b".into(),
                topic: None,
                lobby: false,
                head: 0,
                last: None,
                at: None,
                member_count: 0,
                message_count: 0,
                created_by: None,
            };
            RoomView { room, epoch: Epoch::new(), messages: vec![], newest: true, members: vec![] }
        };
        let (first, second) = (room(&state).id, RoomId::new());
        let sending =
            Sending { id: MessageId::new(), text: "안녕".into(), at: String::new(), reply_to: None, failed: None };
        state.room.as_mut().expect("open").sending.push(sending.clone());
        state.open(view(second));
        assert!(room(&state).sending.is_empty());
        let later = Sending { id: MessageId::new(), ..sending.clone() };
        assert!(state.take_back(first, later.clone()));
        state.open(view(first));
        assert_eq!(room(&state).sending, [sending, later]);
    }

    #[test]
    fn what_came_through_before_the_page_was_loaded_is_not_sent_again() {
        let (mut state, id) = state(1);
        let through = room(&state).messages[0].id;
        let sending = |id| Sending { id, text: "안녕".into(), at: String::new(), reply_to: None, failed: None };
        assert!(!state.take_back(id, sending(through)));
        assert!(state.take_back(id, sending(MessageId::new())));
        assert_eq!(room(&state).sending.len(), 1);
    }

    #[test]
    fn whoever_became_somebody_else_in_another_tab_gets_another_page() {
        let (mut state, id) = state(1);
        state.me = Some(Member { sender: "mina".into(), person: Some(PersonId::new()), guest: None });
        let refused = |id: RoomId| {
            ServerFrame::Error(ErrorFrame {
                code: "bad_frame".into(),
                message: String::new(),
                room_id: Some(id.to_string()),
                id: None,
                retry_after_ms: None,
            })
        };
        let mut stranger = state.clone();
        assert_eq!(stranger.apply(refused(id), 0.0), Todo::Reload, "never let in: no page would help");
        let entered = |you| RoomState {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            epoch: room(&state).epoch,
            head: 1,
            you,
            members: vec![],
            member_count: 1,
            reset: false,
        };
        let me = state.me.clone().expect("joined");
        let (as_me, as_other) = (entered(me), entered(Member { sender: "jun".into(), person: None, guest: None }));
        assert_eq!(state.apply(ServerFrame::Room(as_me), 0.0), Todo::Nothing);
        assert_eq!(state.clone().apply(ServerFrame::Room(as_other), 0.0), Todo::LoadPage);
        assert_eq!(state.apply(refused(id), 0.0), Todo::LoadPage);
    }

    #[test]
    fn frames_of_other_rooms_do_not_touch_the_open_one() {
        let (mut state, _) = state(1);
        let before = state.clone();
        state.apply(ServerFrame::Talk(talk(RoomId::new(), 9, 9, "elsewhere")), 0.0);
        state.apply(ServerFrame::Sync(Sync { room_id: RoomId::new(), head: 99 }), 0.0);
        assert_eq!(state, before);
    }

    #[test]
    fn another_history_is_loaded_anew() {
        let (mut state, id) = state(1);
        let you = Member { sender: "mina".into(), person: None, guest: None };
        let entered = RoomState {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            epoch: Epoch::new(),
            head: 1,
            you,
            members: vec![],
            member_count: 1,
            reset: false,
        };
        assert_eq!(state.apply(ServerFrame::Room(entered), 0.0), Todo::Reload);
    }

    #[test]
    fn several_who_come_together_make_one_line() {
        let (mut state, id) = state(1);
        for name in ["가", "나"] {
            let presence = Presence {
                room_id: id,
                sender: name.into(),
                message: String::new(),
                person: None,
                guest: Some(name.into()),
                member_count: 1,
            };
            state.apply(ServerFrame::Enter(presence.clone()), 0.0);
            state.apply(ServerFrame::Enter(presence), 0.0);
        }
        assert_eq!(
            room(&state).notices,
            [Notice { number: 1, after: 1, came: true, names: vec!["가".into(), "나".into()], at: 0.0 }]
        );
    }

    #[test]
    fn whoever_is_back_at_once_was_never_away() {
        let (mut state, id) = state(1);
        let presence = |name: &str| Presence {
            room_id: id,
            sender: name.into(),
            message: String::new(),
            person: None,
            guest: Some(name.into()),
            member_count: 1,
        };
        for name in ["가", "나"] {
            state.apply(ServerFrame::Leave(presence(name)), 0.0);
        }
        state.apply(ServerFrame::Enter(presence("가")), 1_000.0);
        let said = |state: &ChatState| {
            room(state).notices.iter().map(|notice| (notice.came, notice.names.join(","))).collect::<Vec<_>>()
        };
        assert_eq!(said(&state), [(false, "나".into())]);
        state.apply(ServerFrame::Enter(presence("나")), BACK_WITHIN_MS);
        assert_eq!(said(&state), [(false, "나".into()), (true, "나".into())], "that long is away");
    }

    #[test]
    fn typing_fades_and_ends_with_the_message() {
        let (mut state, id) = state(0);
        let typing = Typing { room_id: id, sender: "mina".into(), person: None, guest: Some("ab12".into()) };
        let typing = ServerFrame::Typing(typing);
        state.apply(typing.clone(), 0.0);
        assert!(!state.tick(4_999.0) && state.tick(5_001.0));
        state.apply(typing, 6_000.0);
        state.apply(ServerFrame::Talk(talk(id, 1, 1, "hi")), 6_001.0);
        assert!(room(&state).typing.is_empty());
    }

    #[test]
    fn the_list_brings_new_rooms_and_wakes_a_visitor() {
        let (mut state, id) = state(1);
        assert_eq!(state.apply(ServerFrame::List(summary(RoomId::new(), 9)), 0.0), Todo::Nothing);
        assert_eq!(state.rooms.len(), 1);
        state.partly = true;
        assert_eq!(state.apply(ServerFrame::List(summary(RoomId::new(), 9)), 0.0), Todo::Nothing);
        assert_eq!(state.rooms.len(), 1, "one of another page");
        assert_eq!(state.apply(ServerFrame::List(summary(id, 2)), 0.0), Todo::Reload);
        state.me = Some(Member { sender: "mina".into(), person: None, guest: None });
        assert_eq!(state.apply(ServerFrame::List(summary(id, 3)), 0.0), Todo::Nothing);
    }
}
