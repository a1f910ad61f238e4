//! What this person has read, and what is new to them.

use super::{ChatState, OpenRoom, room::PAGE};
use crate::{
    domain::{Epoch, RoomId, Seq, limits},
    protocol::{ClientFrame, ReadMark, Talk},
};

impl ChatState {
    pub(super) fn mark(&self, id: RoomId) -> Option<&ReadMark> {
        self.marks.iter().find(|mark| mark.room_id == id)
    }

    /// How many messages of others there are that this person has not seen; none in a room where they never were. From
    /// [`limits::UNREAD_COUNTED`] on there may be more.
    #[must_use]
    pub fn unread(&self, id: RoomId) -> u32 {
        match self.room.as_ref().filter(|room| room.id == id) {
            Some(room) => self.unread_of(room),
            None => self.unread_elsewhere(id),
        }
    }

    pub(super) fn unread_of(&self, room: &OpenRoom) -> u32 {
        let Some(mark) = self.mark(room.id) else { return 0 };
        let here = self.of_others(room, mark.seq, Seq::MAX);
        // What is not on the page is known as a number alone.
        if room.is_whole_after(mark.seq) { here } else { here.max(self.unread_elsewhere(room.id)) }
    }

    /// Those that were counted with the mark, and those that the list has had since.
    fn unread_elsewhere(&self, id: RoomId) -> u32 {
        let since = |mark: &ReadMark| self.message_count(id).saturating_sub(mark.message_count) as u32;
        self.mark(id).map_or(0, |mark| mark.unread + since(mark))
    }

    /// How many messages of others are here after one place, up to another.
    fn of_others(&self, room: &OpenRoom, after: Seq, up_to: Seq) -> u32 {
        let place = |seq| room.messages.partition_point(|talk| talk.seq <= seq);
        let between = &room.messages[place(after)..place(up_to)];
        between.iter().filter(|talk| !talk.deleted && !self.is_own(talk)).count() as u32
    }

    /// Where this person left off in a room with more unread messages than a page shows.
    #[must_use]
    pub fn left_off(&self, id: RoomId) -> Option<Seq> {
        self.mark(id).filter(|_| self.unread(id) >= PAGE as u32).map(|mark| mark.seq)
    }

    /// In all rooms together.
    #[must_use]
    pub fn unread_in_all(&self) -> u32 {
        self.marks.iter().map(|mark| self.unread(mark.room_id)).sum()
    }

    /// Everything in the room on screen was seen up to that place; up to 0 where nothing is said yet. Says whether that is
    /// news.
    pub fn saw(&mut self, seq: Seq) -> Option<(RoomId, Seq)> {
        // While a replay is coming in, what came with the page alone is known to be whole.
        let room = self.room.as_ref().filter(|room| (room.live || seq <= room.head) && !room.stays_unread)?;
        self.me.as_ref()?;
        let id = room.id;
        let before = self.mark(id).map(|mark| mark.seq);
        if before >= Some(seq) {
            return None;
        }
        let read = self.of_others(room, before.unwrap_or(0), seq);
        let (unread, message_count) = (self.unread_elsewhere(id), self.message_count(id));
        let mark = |unread| ReadMark { room_id: id, seq, unread, message_count, recounted: false };
        let mark = match self.mark(id) {
            None if room.newest => mark(0),
            // On the first visit, by a link into the middle, no more is known than how much was said.
            None => mark(message_count.saturating_sub(seq) as u32),
            // Of so many or more the server's answer says how many are left.
            Some(known) if known.unread == limits::UNREAD_COUNTED => ReadMark { seq, ..*known },
            Some(_) => mark(unread.saturating_sub(read)),
        };
        self.set_mark(mark);
        self.requests.ask(ClientFrame::Read { room_id: id, seq, unread: false, count: true });
        Some((id, seq))
    }

    /// Everything after that place is unread again, and stays so until the room is opened anew.
    pub fn mark_unread(&mut self, id: RoomId, seq: Seq) {
        if let Some(room) = self.room.as_mut().filter(|room| room.id == id) {
            room.divider = Some(seq);
            room.stays_unread = true;
        }
        let (unread, message_count) = (self.unread_elsewhere(id), self.message_count(id));
        self.set_mark(ReadMark { room_id: id, seq, unread, message_count, recounted: false });
    }

    /// Whether that mark says nothing that is not known better here.
    pub(super) fn knows_more_than(&self, mark: &ReadMark) -> bool {
        // How far was read here meanwhile is what counts, and 100 stands for more.
        let is_late = self.mark(mark.room_id).is_none_or(|known| known.seq != mark.seq);
        let is_cut = mark.unread >= limits::UNREAD_COUNTED && self.unread_elsewhere(mark.room_id) > mark.unread;
        mark.recounted && (is_late || is_cut) || self.requests.outdo(mark)
    }

    pub(super) fn set_mark(&mut self, mark: ReadMark) {
        match self.marks.iter_mut().find(|known| known.room_id == mark.room_id) {
            Some(known) => *known = mark,
            None => self.marks.push(mark),
        }
    }

    /// How far was read in another history, and how much was said, says nothing of this one.
    pub(super) fn belongs_to(&mut self, epoch: Epoch) {
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            self.requests.forget_reads();
            self.marks.clear();
            self.rooms.iter_mut().for_each(|room| room.message_count = 0);
        }
    }

    /// How many messages have ever been said in a room, as the list has it.
    pub(super) fn message_count(&self, id: RoomId) -> u64 {
        self.rooms.iter().find(|room| room.room_id == id).map_or(0, |room| room.message_count)
    }

    /// So many have been counted in a room.
    pub(super) fn counted(&mut self, id: RoomId, count: u64) {
        if let Some(room) = self.rooms.iter_mut().find(|room| room.room_id == id) {
            room.message_count = room.message_count.max(count);
        }
    }

    /// Where nobody looks, the first new message is where they will have left off.
    pub(super) fn hears(&mut self, talk: &Talk) {
        let Some(room) = self.room.as_ref().filter(|room| room.id == talk.room_id && room.live) else { return };
        let is_new = talk.rev == talk.seq && talk.seq > room.head;
        if !is_new || self.is_own(talk) {
            return;
        }
        self.unspoken.push(format!("{}: {}", talk.sender, talk.message));
        if self.looking || self.unread_of(room) > 0 {
            return;
        }
        let mark = self.mark(room.id).map(|mark| mark.seq);
        if let (Some(room), Some(mark)) = (self.room.as_mut(), mark) {
            room.divider = Some(mark);
        }
    }
}
