//! Where a connection's queue and the log meet: what was heard live, and what is read again.

use super::{Arrival, Line, Session};
use crate::{
    domain::{Error, RoomId, Seq, limits},
    protocol::{ServerFrame, Sync},
    server::{
        mailbox::{Delivery, Missed, Taken},
        presence::Departure,
    },
};
use tokio::time::Instant;

impl Session {
    /// What waited in the queue. What was stored before an outcome is said before it.
    pub(super) async fn take_in(&mut self, taken: Taken) {
        taken.deliveries.into_iter().for_each(|delivery| self.hear(delivery));
        if let Some(missed) = taken.missed {
            Box::pin(self.catch_up(missed)).await;
        }
        taken.outcomes.into_iter().for_each(|outcome| self.learn(outcome));
    }

    pub(super) fn line(&mut self, room: RoomId) -> Option<&mut Line> {
        match &mut self.plain {
            Some(line) if room == self.chat.lobby() => Some(line),
            _ => self.rooms.iter_mut().find(|here| here.room == room).map(|here| &mut here.line),
        }
    }

    /// Others said something. What a replay covers, or will, is not said twice.
    fn hear(&mut self, delivery: Delivery) {
        let room = delivery.number.map(|(room, _)| room);
        let is_replayed = room.and_then(|room| self.line(room)).is_some_and(|line| line.replaying().is_some());
        if !is_replayed && self.mailbox.outlet.passes(&delivery) {
            self.outbox.push(delivery.frame);
        }
    }

    /// The queue was not long enough for this reader: what it lost comes from the log, and in v1 the
    /// present state of everything else.
    async fn catch_up(&mut self, missed: Missed) {
        for (room, lowest) in missed {
            let since = self.mailbox.outlet.passed(room).max(lowest - 1);
            if let Some(line) = self.line(room) {
                line.missed_after(since);
            }
        }
        if !self.opened.v1 {
            return;
        }
        if self.watching {
            self.list_rooms().await;
        }
        // ROOM ends in SYNC, even where only presence was missed.
        for here in &mut self.rooms {
            here.line.tell_anew(self.mailbox.outlet.passed(here.room));
        }
    }

    /// The room whose replay is to go on, and the number after which.
    fn replaying(&self) -> Option<(RoomId, Seq)> {
        let plain = self.plain.as_ref().and_then(Line::replaying).map(|since| (self.chat.lobby(), since));
        plain.or_else(|| self.rooms.iter().find_map(|here| Some((here.room, here.line.replaying()?))))
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.replaying().is_some()
    }

    /// Sends the next part of a replay, if one is under way, and says whether it did. Live changes of that
    /// room are dropped meanwhile: they were stored before this reads, so it finds them.
    pub(super) async fn replay(&mut self) -> bool {
        let Some((room_id, since)) = self.replaying() else { return false };
        let begun = Instant::now();
        if let Err(error) = self.replay_part(room_id, since).await {
            self.plain = self.plain.as_ref().map(|_| Line::default());
            self.leave(room_id, Departure::Abrupt);
            self.refuse(error, Some(room_id), None);
        }
        let rests = self.line(room_id).map_or(0, |line| line.rests());
        self.rest_until = begun + begun.elapsed() * rests;
        true
    }

    async fn replay_part(&mut self, room_id: RoomId, since: Seq) -> Result<(), Error> {
        if self.line(room_id).is_some_and(Line::takes_state) {
            let room = self.chat.room(room_id).await?;
            self.send_room(room, false);
        }
        let (told, most) = self.line(room_id).map_or((0, limits::REPLAY_CHANGES), |line| (line.told(), line.part()));
        // The open dialect knows messages, not their changes: it gets each once, in its place.
        let missed = if self.opened.v1 {
            self.chat.missed(room_id, since, told, most).await?
        } else {
            self.chat.missed_messages(room_id, since, most).await?
        };
        for news in missed.news {
            self.outbox.push(if self.plain.is_some() { news.plain.unwrap_or_default() } else { news.frame });
        }
        self.mailbox.outlet.follow(room_id, missed.head);
        if let Some(line) = self.line(room_id) {
            line.replayed(missed.head, missed.next);
        }
        if missed.next.is_some() {
            self.arrival = Arrival::ToAsk;
        }
        if missed.next.is_none() && self.opened.v1 {
            self.send(&ServerFrame::Sync(Sync { room_id, head: missed.head }));
        }
        Ok(())
    }
}
