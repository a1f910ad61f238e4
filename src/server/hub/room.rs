//! One room that somebody is in, and the one task that tells it what is said there. The task runs only while
//! something is to be told: an idle room has none.

use super::ConnectionId;
use crate::{
    domain::{PersonId, RoomId, Seq},
    protocol::{Member, ServerFrame},
    server::{
        mailbox::{Batch, Delivery, Inlet},
        presence::{self, Departure, Left, Members, Present},
        recent::{News, Recent},
        writer::Settlement,
    },
};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::OwnedSemaphorePermit, task::yield_now};

/// Connections that are told before other tasks have their turn.
const TOLD_AT_ONCE: usize = 256;

/// What one commit brought a room.
#[derive(Debug, Default)]
pub struct Said {
    /// What changed, by ascending number.
    pub news: Vec<News>,
    /// Told when everybody heard of it.
    pub settlements: Vec<Settlement>,
    /// Its share of what the writer may have under way here.
    pub place: Option<OwnedSemaphorePermit>,
}

/// A room that somebody is in.
#[derive(Debug)]
pub(super) struct Room {
    id: RoomId,
    here: Mutex<Here>,
    due: Mutex<Due>,
    /// Nobody is in it any more, and nobody will be: the next who comes makes another.
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct Here {
    members: Members,
    recent: Recent,
    /// Who hears what is said, by ascending connection: in the order in which they were opened, which is that of
    /// the memory that they look at.
    audience: Vec<Hearer>,
}

#[derive(Debug)]
struct Hearer {
    id: ConnectionId,
    hears: Hears,
    inlet: Inlet,
}

/// What is said here, as somebody hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hears {
    /// Every change.
    Changes,
    /// New messages: the open dialect knows no others.
    Messages,
    /// Bare text, without being here.
    Bare,
}

/// What is to be told.
#[derive(Debug, Default)]
struct Due {
    said: Vec<Said>,
    /// Whether the task is there that tells it.
    is_telling: bool,
}

/// What some commits brought, ready to be written.
struct Telling {
    changes: Vec<Batch>,
    /// `None` where there are no other changes.
    messages: Option<Vec<Batch>>,
    bare: Vec<Delivery>,
}

impl Telling {
    fn of(said: &[Said]) -> Self {
        let news = || said.iter().flat_map(|said| &said.news);
        let has_changes = news().any(|news| !news.is_new());
        Self {
            changes: Batch::of(news().map(Delivery::of)),
            messages: has_changes.then(|| Batch::of(news().filter(|news| news.is_new()).map(Delivery::of))),
            bare: news().filter_map(Delivery::bare).collect(),
        }
    }

    fn tell(&self, hearer: &Hearer) {
        let batches = match hearer.hears {
            Hears::Bare => return self.bare.iter().for_each(|bare| hearer.inlet.put(bare)),
            Hears::Messages => self.messages.as_ref().unwrap_or(&self.changes),
            Hears::Changes => &self.changes,
        };
        batches.iter().for_each(|batch| hearer.inlet.put_all(batch));
    }
}

impl Room {
    pub(super) fn new(id: RoomId) -> Self {
        Self { id, here: Mutex::default(), due: Mutex::default(), is_over: AtomicBool::new(false) }
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        // A panic elsewhere must not silence the room: each change leaves it whole.
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    // Who is here

    /// Adds somebody who only listens, to bare text; `None` if the room is over.
    pub(super) fn listen(&self, id: ConnectionId, inlet: Inlet) -> Option<()> {
        let mut here = self.here();
        (!self.is_over()).then(|| here.hear(Hearer { id, hears: Hears::Bare, inlet }))
    }

    /// Takes out somebody who only listened.
    pub(super) fn end_listening(&self, id: ConnectionId) {
        let mut here = self.here();
        if here.hearer(id).is_some_and(|at| here.audience[at].hears == Hears::Bare) {
            here.unhear(id);
        }
        self.end_if_empty(&here);
    }

    /// Adds somebody and tells those who are to know; `None` if the room is over.
    pub(super) fn enter(&self, id: ConnectionId, hears: Hears, inlet: Inlet, member: &Member) -> Option<Entered> {
        let mut here = self.here();
        if self.is_over() {
            return None;
        }
        here.hear(Hearer { id, hears, inlet });
        let is_new = here.members.enter(id, member);
        let present = here.members.present();
        if is_new {
            here.announce(&presence::came(self.id, member, present.count), Some(id));
        }
        Some(Entered { present, is_new, is_crowded: here.members.is_crowded() })
    }

    /// Takes a connection out.
    pub(super) fn leave(&self, id: ConnectionId, how: Departure, absence: u64) -> Left {
        let mut here = self.here();
        here.unhear(id);
        let left = here.members.leave(id, how, absence);
        if let Left::Gone(member) = &left {
            self.tell_departure(&mut here, member);
        }
        self.end_if_empty(&here);
        left
    }

    /// The grace of an absence is over. Says whether somebody has gone.
    pub(super) fn give_up(&self, person: PersonId, absence: u64) -> bool {
        let mut here = self.here();
        let gone = here.members.give_up(person, absence);
        if let Some(member) = &gone {
            self.tell_departure(&mut here, member);
        }
        self.end_if_empty(&here);
        gone.is_some()
    }

    fn tell_departure(&self, here: &mut Here, member: &Member) {
        let count = here.members.count();
        here.announce(&presence::went(self.id, member, count), None);
    }

    fn end_if_empty(&self, here: &Here) {
        if here.audience.is_empty() && here.members.count() == 0 {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn present(&self) -> Present {
        self.here().members.present()
    }

    pub(super) fn member_count(&self) -> u32 {
        self.here().members.count()
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.here().members.is_crowded()
    }

    // What they hear

    /// What changed after number `since`, and the number reached, where memory has all of it.
    pub(super) fn recent(&self, since: Seq) -> Option<(Vec<News>, Seq)> {
        self.here().recent.since(since)
    }

    /// Hands a frame to everyone who speaks v1, but for those whose member `but` picks.
    pub(super) fn tell_v1(&self, frame: &ServerFrame, but: impl Fn(ConnectionId, &Member) -> bool) {
        let here = self.here();
        let delivery = Delivery::unnumbered(frame);
        for hearer in here.audience.iter().filter(|hearer| hearer.hears == Hears::Changes) {
            if here.members.member(hearer.id).is_some_and(|member| !but(hearer.id, member)) {
                hearer.inlet.put(&delivery);
            }
        }
    }

    /// The member that a connection is here as.
    pub(super) fn member(&self, id: ConnectionId) -> Option<Member> {
        self.here().members.member(id).cloned()
    }

    /// Has everybody told, in the order of these calls, by a task that this starts where there is none.
    pub(super) fn say(self: &Arc<Self>, said: Said) {
        let mut due = self.due();
        due.said.push(said);
        if !std::mem::replace(&mut due.is_telling, true) {
            tokio::spawn(Teller(self.clone()).run());
        }
    }

    /// Tells some of those whose connection is after `after`; the last of them, if that was not everybody.
    fn tell_some(&self, telling: &Telling, after: Option<ConnectionId>) -> Option<ConnectionId> {
        let here = self.here();
        let from = after.map_or(0, |after| here.audience.partition_point(|hearer| hearer.id <= after));
        let rest = &here.audience[from..];
        let some = &rest[..rest.len().min(TOLD_AT_ONCE)];
        some.iter().for_each(|hearer| telling.tell(hearer));
        some.last().filter(|_| some.len() < rest.len()).map(|last| last.id)
    }
}

/// What somebody who enters finds.
pub(super) struct Entered {
    pub(super) present: Present,
    /// Whether they were not there before.
    pub(super) is_new: bool,
    pub(super) is_crowded: bool,
}

impl Here {
    fn hearer(&self, id: ConnectionId) -> Option<usize> {
        self.audience.binary_search_by_key(&id, |hearer| hearer.id).ok()
    }

    fn unhear(&mut self, id: ConnectionId) {
        if let Some(at) = self.hearer(id) {
            self.audience.remove(at);
        }
    }

    fn hear(&mut self, hearer: Hearer) {
        match self.audience.binary_search_by_key(&hearer.id, |hearer| hearer.id) {
            Ok(at) => self.audience[at] = hearer,
            Err(at) => self.audience.insert(at, hearer),
        }
    }

    /// Tells who came or went. In a crowd only the one who enters hears of it, in the open dialect; v1 gets the
    /// count once in a while.
    fn announce(&self, frame: &ServerFrame, entering: Option<ConnectionId>) {
        let delivery = Delivery::unnumbered(frame);
        let crowd = self.members.is_crowded();
        let only = if crowd {
            entering.and_then(|id| self.hearer(id)).map_or(0..0, |at| at..at + 1)
        } else {
            0..self.audience.len()
        };
        for hearer in &self.audience[only] {
            let is_self = entering == Some(hearer.id);
            // A v1 connection that enters has its answer in ROOM; a listener knows nothing of presence.
            let hears = if is_self { hearer.hears == Hears::Messages } else { !crowd && hearer.hears != Hears::Bare };
            if hears {
                hearer.inlet.put(&delivery);
            }
        }
    }
}

/// Tells a room what is due, as long as something is.
struct Teller(Arc<Room>);

impl Teller {
    async fn run(self) {
        // Should a panic silence one telling, what came meanwhile has to be told all the same.
        while AssertUnwindSafe(self.tell_all()).catch_unwind().await.is_err() {}
    }

    async fn tell_all(&self) {
        while let Some(said) = self.take() {
            let telling = Telling::of(&said);
            {
                let mut here = self.0.here();
                said.iter().flat_map(|said| &said.news).for_each(|news| here.recent.push(news));
            }
            let mut after = self.0.tell_some(&telling, None);
            while after.is_some() {
                yield_now().await;
                after = self.0.tell_some(&telling, after);
            }
            for Said { settlements, place, .. } in said {
                settlements.into_iter().for_each(Settlement::settle);
                drop(place);
            }
            // A room where much is said must not keep others from their turn.
            yield_now().await;
        }
    }

    fn take(&self) -> Option<Vec<Said>> {
        let mut due = self.0.due();
        let said = std::mem::take(&mut due.said);
        due.is_telling = !said.is_empty();
        due.is_telling.then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::mailbox::queue;

    #[tokio::test]
    async fn one_task_at_a_time_tells_a_room() {
        let room = Arc::new(Room::new(RoomId::new()));
        for id in 0..=TOLD_AT_ONCE as ConnectionId {
            room.listen(id, queue(None).0).expect("the room is not over");
        }
        room.say(Said::default());
        // The task has told some, and lets others have their turn.
        yield_now().await;
        room.say(Said::default());
        assert_eq!(Arc::strong_count(&room), 2, "the room is held here, and by the one task");
        while Arc::strong_count(&room) > 1 {
            yield_now().await;
        }
        assert!(room.due().said.is_empty());
    }
}
