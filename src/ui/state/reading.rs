//! What this person has read, and what is new to them.

use super::{ChatState, OpenRoom, room::PAGE};
use crate::{
    domain::{RoomId, Seq},
    protocol::{ReadMark, RoomSummary, Talk},
};

impl ChatState {
    pub(super) fn mark(&self, id: RoomId) -> Option<&ReadMark> {
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

    pub(super) fn unread_of(&self, room: &OpenRoom) -> u32 {
        let Some(mark) = self.mark(room.id) else { return 0 };
        let here = self.of_others(room, mark.seq, Seq::MAX);
        // What is older than the page on screen is known as a number alone.
        let is_partial = !room.newest || (room.from > mark.seq + 1 && room.older_than().is_some());
        if is_partial { here.max(mark.unread) } else { here }
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
        self.mark(id).filter(|mark| mark.unread >= PAGE as u32).map(|mark| mark.seq)
    }

    /// In all rooms together.
    #[must_use]
    pub fn unread_in_all(&self) -> u32 {
        self.marks.iter().map(|mark| self.unread(mark.room_id)).sum()
    }

    /// Everything in the room on screen was seen up to that place. Says whether that is news.
    pub fn saw(&mut self, seq: Seq) -> Option<(RoomId, Seq)> {
        // While a replay is coming in, what came with the page alone is known to be whole.
        let room = self.room.as_ref().filter(|room| (room.live || seq <= room.head) && !room.stays_unread)?;
        self.me.as_ref()?;
        let id = room.id;
        let before = self.mark(id).map_or(0, |mark| mark.seq);
        if before >= seq {
            return None;
        }
        let (read, newest) = (self.of_others(room, before, seq), room.newest);
        if let Some(mark) = self.marks.iter_mut().find(|mark| mark.room_id == id) {
            mark.seq = seq;
            // What is not here yet is known as a number alone.
            mark.unread = mark.unread.saturating_sub(read);
        } else {
            // On the first visit, by a link into the middle, no more is known than how much was said.
            let said = self.rooms.iter().find(|room| room.room_id == id).map_or(0, |room| room.message_count);
            let unread = if newest { 0 } else { said.saturating_sub(seq) as u32 };
            self.marks.push(ReadMark { room_id: id, seq, unread, message_count: 0, recounted: false });
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
        self.set_mark(ReadMark { room_id: id, seq, unread, message_count: 0, recounted: false });
    }

    pub(super) fn set_mark(&mut self, mark: ReadMark) {
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
    pub(super) fn count_one(&mut self, id: RoomId) {
        if let Some(room) = self.rooms.iter_mut().find(|room| room.room_id == id) {
            room.message_count += 1;
        }
    }

    /// Counts what is new in a room whose end is not on screen.
    pub(super) fn count(&mut self, summary: &RoomSummary) {
        let known = self.rooms.iter().find(|room| room.room_id == summary.room_id).map(|room| room.message_count);
        let is_open = self.room.as_ref().is_some_and(|room| room.id == summary.room_id && room.newest);
        let mark = self.marks.iter_mut().find(|mark| mark.room_id == summary.room_id);
        if let (Some(known), Some(mark), false) = (known, mark, is_open) {
            mark.unread += summary.message_count.saturating_sub(known) as u32;
        }
    }

    /// Where nobody looks, the first new message is where they will have left off.
    pub(super) fn hears(&mut self, talk: &Talk) {
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
}
