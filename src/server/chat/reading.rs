//! What was said before, and how far each person has read it.

use super::{Chat, Sender};
use crate::{
    domain::{Error, PersonId, RoomId, Seq, Window, limits},
    protocol::{MessagesPage, ReadMark, RoomSummary},
    server::{
        hub::{ConnectionId, Stir},
        store::Mark,
        wire,
    },
};

impl Chat {
    /// A page of a room's messages, and whether the newest are among them.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn history(
        &self,
        room: RoomId,
        window: Window,
        limit: u32,
    ) -> Result<(RoomSummary, MessagesPage, bool), Error> {
        let slice = self.0.store.page(room, window, limit.clamp(1, limits::PAGE_MESSAGES_MAX)).await?;
        let summary = wire::summary(&slice.room, self.0.hub.member_count(room));
        let page = MessagesPage {
            room_id: room,
            epoch: self.epoch(),
            head: slice.room.head,
            messages: slice.messages.iter().map(wire::talk).collect(),
        };
        let newest = page.messages.last().is_none_or(|talk| talk.seq >= slice.last);
        Ok((summary, page, newest))
    }

    /// Notes how far a person has read, and tells their other connections if that moved. Only `unread`
    /// moves it back. Gives how much is unread now, if that is to be counted and they have ever read there.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn read(
        &self,
        connection: ConnectionId,
        person: PersonId,
        room: RoomId,
        seq: Seq,
        unread: bool,
        count: bool,
    ) -> Result<Option<ReadMark>, Error> {
        self.0.senders.take(Sender::Person(person))?;
        let mut mark = self.0.store.read(person, room, seq, unread).await?;
        if let Some(moved) = mark {
            self.0.hub.tell_read(connection, person, wire::mark(moved));
        } else if count {
            mark = self.0.store.reads_before(room, Seq::MAX, &[person]).await?.pop();
        }
        Ok(mark.filter(|_| count).map(recounted))
    }

    /// Tells those who follow the list how much is unread in a room where LIST alone would have them count wrong: who
    /// had not read as far as a message that was deleted, and who has just spoken there, wherever they did.
    pub(super) async fn recount(&self, room: RoomId, stir: &Stir) {
        if stir.deleted.is_none() && stir.spoke.is_empty() {
            return;
        }
        let watching = self.0.hub.watching();
        let spoke: Vec<_> = stir.spoke.intersection(&watching).copied().collect();
        // Without the disk the old number stays, until one comes back or reads on.
        let before = async |seq, persons: &[PersonId]| match persons {
            [] => Vec::new(),
            persons => self.0.store.reads_before(room, seq, persons).await.unwrap_or_default(),
        };
        let mut marks = before(Seq::MAX, &spoke).await;
        if let Some(seq) = stir.deleted {
            marks.extend(before(seq, &watching.into_iter().collect::<Vec<_>>()).await);
        }
        self.0.hub.tell_unread(marks.into_iter().map(|mark| (mark.person, recounted(mark))).collect());
    }

    /// How far a person has read, in each room where they have.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn reads(&self, person: PersonId) -> Result<Vec<ReadMark>, Error> {
        let reads = self.0.store.reads(person).await?;
        Ok(reads.into_iter().map(wire::mark).collect())
    }
}

fn recounted(mark: Mark) -> ReadMark {
    ReadMark { recounted: true, ..wire::mark(mark) }
}
