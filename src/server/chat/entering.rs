//! Coming into a room, and what was missed.

use super::Chat;
use crate::{
    domain::{Epoch, Error, RoomId, Seq, limits},
    protocol::{Member, RoomSummary},
    server::{
        hub::Mailbox,
        presence::{Departure, Present},
        recent::News,
        store::Slice,
        wire,
    },
};

/// Some of what came after a number.
#[derive(Debug)]
pub struct ReplayPart {
    /// The present state of each message, by ascending number.
    pub news: Vec<News>,
    /// The room's number at that moment.
    pub head: Seq,
    /// The number after which the next part begins; `None` if that was all.
    pub next: Option<Seq>,
}

impl ReplayPart {
    /// Of what the store gave when asked for `most` messages, as much as one connection may hold.
    fn of(slice: &Slice, most: u32, lobby: RoomId, number: impl Fn(&News) -> Seq) -> Self {
        let (mut news, mut bytes) = (Vec::new(), 0);
        for message in &slice.messages {
            if bytes >= limits::REPLAY_BYTES {
                break;
            }
            let one = News::of(message, lobby);
            bytes += one.frame.len();
            news.push(one);
        }
        let is_all = news.len() == slice.messages.len() && news.len() < most as usize;
        let next = news.last().filter(|_| !is_all).map(number);
        Self { news, head: slice.room.head, next }
    }
}

/// What somebody who enters already has.
#[derive(Clone, Copy, Debug)]
pub struct Resume {
    /// The last number seen.
    pub since: Seq,
    /// The history that it belongs to, where the client said so.
    pub epoch: Option<Epoch>,
}

/// What somebody who enters finds.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The room, as of a moment after its changes began to be queued.
    pub room: RoomSummary,
    /// Who is there.
    pub present: Present,
    /// What the client has does not belong to this history.
    pub reset: bool,
}

impl Chat {
    /// Puts a connection into a room. Its queue gets every change from then on, and the answer covers every
    /// change up to the number of the room in it: between the two there is no hole, and what is in
    /// both can be told by its number.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn enter(
        &self,
        mailbox: &Mailbox,
        v1: bool,
        room: RoomId,
        member: &Member,
        resume: Option<Resume>,
    ) -> Result<Entered, Error> {
        self.0.entries.take(mailbox.id)?;
        self.0.store.room(room).await?;
        let present = self.0.hub.enter(mailbox, v1, room, member);
        // Read after subscribing: what is committed in between is in both, never in neither.
        let room =
            self.0.store.room(room).await.inspect_err(|_| self.0.hub.leave(mailbox.id, room, Departure::Meant))?;
        let reset = resume
            .is_some_and(|resume| resume.epoch.is_some_and(|epoch| epoch != self.epoch()) || resume.since > room.head);
        Ok(Entered { room: wire::summary(&room, present.count), present, reset })
    }

    /// The next part of what changed after number `since`: from memory if that has all of it and reaches number
    /// `told` (what is stored is published a moment later), else at most
    /// `most` messages from the store.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn missed(&self, room: RoomId, since: Seq, told: Seq, most: u32) -> Result<ReplayPart, Error> {
        if let Some((news, head)) = self.0.hub.recent(room, since).filter(|(_, head)| *head >= told) {
            return Ok(ReplayPart { news, head, next: None });
        }
        let slice = self.0.store.changed_since(room, since, most).await?;
        Ok(ReplayPart::of(&slice, most, self.lobby(), |news| news.rev))
    }

    /// The next messages, at most `most`, after place `since`, as they are now and without those that were taken back: for
    /// listeners who know messages and not their changes.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn missed_messages(&self, room: RoomId, since: Seq, most: u32) -> Result<ReplayPart, Error> {
        let slice = self.0.store.said_since(room, since, most).await?;
        Ok(ReplayPart::of(&slice, most, self.lobby(), |news| news.seq))
    }
}
