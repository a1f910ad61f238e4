//! This node's rooms and who is connected to them: presence, and fan-out that never waits.
//!
//! A frame is serialised once and its bytes are shared; every connection has a bounded queue
//! ([`super::mailbox`]). Changes arrive here from the one writer, in the order of their numbers.

use super::{
    mailbox::{self, Batch, Delivery, Inlet, Outlet},
    presence::{self, Departure, Left, Members, Present},
    recent::{News, Recent},
    store::TokenHash,
};
use crate::{
    domain::{PersonId, RoomId, Seq, limits},
    protocol::{Member, Members as MemberCount, ReadMark, Restart, ServerFrame, close},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    net::tcp::OwnedWriteHalf,
    sync::{Notify, watch},
};

/// Names a connection as long as the process lives.
pub type ConnectionId = u64;

/// Why we close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The close code.
    pub code: u16,
    /// A word for people.
    pub reason: &'static str,
}

/// What a connection needs to know of itself when it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Whether it speaks v1; else the open dialect.
    pub v1: bool,
    /// The session that it came with, and whose that is.
    pub session: Option<(TokenHash, PersonId)>,
}

/// The receiving end of a connection's queue.
#[derive(Debug)]
pub struct Mailbox {
    /// The connection.
    pub id: ConnectionId,
    /// What others said.
    pub deliveries: Outlet,
    /// Set when the connection is to be closed.
    pub closing: watch::Receiver<Option<Closing>>,
}

/// The rooms and connections of this node.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Numbers connections and absences.
    next_number: AtomicU64,
    /// Rung when `State::stirred` or `State::crowded` gets a room.
    stirred: Notify,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<ConnectionId, Connection>,
    rooms: HashMap<RoomId, Room>,
    /// Connections of the open dialect that never entered a room: they hear the lobby as bare text.
    plain: HashSet<ConnectionId>,
    /// Connections that follow the list of rooms.
    watchers: HashSet<ConnectionId>,
    /// Rooms that changed since the list was last sent.
    stirred: HashSet<RoomId>,
    /// Rooms too large to name who comes and goes, whose count changed.
    crowded: HashSet<RoomId>,
}

/// A room that somebody is in.
#[derive(Debug, Default)]
struct Room {
    members: Members,
    recent: Recent,
    /// Where what is said here goes, and whether there it is v1. In the order in which they were opened, which is
    /// that of the memory that they look at.
    audience: BTreeMap<ConnectionId, (bool, Inlet)>,
}

#[derive(Debug)]
struct Connection {
    kind: Kind,
    queue: Inlet,
    closing: watch::Sender<Option<Closing>>,
}

impl Connection {
    fn deliver(&self, delivery: &Delivery) {
        self.queue.put(delivery);
    }

    fn close(&self, why: Closing) {
        self.closing.send_if_modified(|closing| closing.is_none() && closing.replace(why).is_none());
    }
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not silence every room: each change below leaves the state whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection's queue before its socket.
    #[must_use]
    pub fn connect(&self, kind: Kind, socket: Option<OwnedWriteHalf>) -> Mailbox {
        let id = self.0.next_number.fetch_add(1, Ordering::Relaxed);
        let (queue, deliveries) = mailbox::queue(socket);
        let (closing, closed) = watch::channel(None);
        let mut state = self.state();
        if !kind.v1 {
            state.plain.insert(id);
        }
        state.connections.insert(id, Connection { kind, queue, closing });
        Mailbox { id, deliveries, closing: closed }
    }

    /// Forgets a connection; the caller has left its rooms.
    pub fn disconnect(&self, id: ConnectionId) {
        let mut state = self.state();
        state.connections.remove(&id);
        state.plain.remove(&id);
        state.watchers.remove(&id);
    }

    /// Puts a connection into a room and tells those who are to know. From here on the room's frames
    /// are in its queue.
    pub fn enter(&self, id: ConnectionId, room_id: RoomId, member: &Member) -> Present {
        let mut state = self.state();
        state.plain.remove(&id);
        let State { connections, rooms, .. } = &mut *state;
        let room = rooms.entry(room_id).or_default();
        if let Some(connection) = connections.get(&id) {
            room.audience.insert(id, (connection.kind.v1, connection.queue.clone()));
        }
        let is_new = room.members.enter(id, member);
        let present = room.members.present();
        if is_new {
            self.announce(&mut state, room_id, &presence::came(room_id, member, present.count), Some(id));
        }
        present
    }

    /// Takes a connection out of a room.
    pub fn leave(&self, id: ConnectionId, room_id: RoomId, how: Departure) {
        let mut state = self.state();
        let Some(room) = state.rooms.get_mut(&room_id) else { return };
        room.audience.remove(&id);
        let absence = self.0.next_number.fetch_add(1, Ordering::Relaxed);
        match room.members.leave(id, how, absence) {
            Left::Unnoticed => {}
            Left::Gone(member) => self.tell_departure(&mut state, room_id, &member),
            Left::Missing { person, absence } => self.miss_later(room_id, person, absence),
        }
    }

    /// After the grace, a person who did not come back has left.
    fn miss_later(&self, room_id: RoomId, person: PersonId, absence: u64) {
        let hub = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limits::ABSENCE_GRACE).await;
            let mut state = hub.state();
            let gone = state.rooms.get_mut(&room_id).and_then(|room| room.members.give_up(person, absence));
            if let Some(member) = gone {
                hub.tell_departure(&mut state, room_id, &member);
            }
        });
    }

    fn tell_departure(&self, state: &mut State, room_id: RoomId, member: &Member) {
        let count = state.rooms.get(&room_id).map_or(0, |room| room.members.count());
        self.announce(state, room_id, &presence::went(room_id, member, count), None);
        if count == 0 {
            state.rooms.remove(&room_id);
        }
    }

    /// Tells a room who came or went. In a crowd only the one who enters hears of it, in the open
    /// dialect; v1 gets the count once in a while.
    fn announce(&self, state: &mut State, room_id: RoomId, frame: &ServerFrame, entering: Option<ConnectionId>) {
        let delivery = Delivery::unnumbered(frame);
        let State { connections, rooms, crowded, stirred, .. } = state;
        let Some(Room { members: room, .. }) = rooms.get(&room_id) else { return };
        let crowd = room.is_crowded();
        for (id, _) in room.connections() {
            let Some(connection) = connections.get(&id) else { continue };
            let is_self = entering == Some(id);
            // A v1 connection that enters has its answer in ROOM.
            let hears = if is_self { !connection.kind.v1 } else { !crowd };
            if hears {
                connection.deliver(&delivery);
            }
        }
        if crowd {
            crowded.insert(room_id);
        }
        stirred.insert(room_id);
        self.0.stirred.notify_one();
    }

    /// Hands changes of one room, stored together, to everyone in it. The open dialect knows new messages alone.
    pub fn publish(&self, room_id: RoomId, news: &[News]) {
        let mut state = self.state();
        let State { connections, rooms, plain: audience, stirred, .. } = &mut *state;
        if let Some(room) = rooms.get_mut(&room_id) {
            news.iter().for_each(|news| room.recent.push(news));
            let all = Batch::new(news.iter().map(Delivery::of).collect());
            let has_changes = news.iter().any(|news| !news.is_new());
            let only_new =
                has_changes.then(|| Batch::new(news.iter().filter(|n| n.is_new()).map(Delivery::of).collect()));
            let only_new = only_new.as_ref().unwrap_or(&all);
            for (v1, queue) in room.audience.values() {
                if let Some(batch) = if *v1 { &all } else { only_new } {
                    queue.put_all(batch);
                }
            }
        }
        for bare in news.iter().filter_map(Delivery::bare) {
            audience.iter().filter_map(|id| connections.get(id)).for_each(|connection| connection.deliver(&bare));
        }
        stirred.insert(room_id);
        self.0.stirred.notify_one();
    }

    /// What changed in a room after number `since`, and the number reached, where memory has all of it.
    #[must_use]
    pub fn recent(&self, room_id: RoomId, since: Seq) -> Option<(Vec<News>, Seq)> {
        self.state().rooms.get(&room_id)?.recent.since(since)
    }

    /// Tells a person's other connections how far they have read.
    pub fn tell_read(&self, id: ConnectionId, person: PersonId, mark: ReadMark) {
        let delivery = Delivery::unnumbered(&ServerFrame::Read(mark));
        let state = self.state();
        let own = |c: &Connection| c.kind.session.is_some_and(|(_, whose)| whose == person);
        state.connections.iter().filter(|(other, c)| **other != id && own(c)).for_each(|(_, c)| c.deliver(&delivery));
    }

    /// Tells the others in a room that somebody is writing; only v1 hears of it.
    pub fn typing(&self, id: ConnectionId, room_id: RoomId) {
        let state = self.state();
        let Some(Room { members: room, .. }) = state.rooms.get(&room_id) else { return };
        let Some(member) = room.member(id) else { return };
        let delivery = Delivery::unnumbered(&presence::writes(room_id, member));
        for (other, present) in room.connections() {
            let is_other = other != id && (present.person.is_none() || present.person != member.person);
            if let Some(connection) = state.connections.get(&other).filter(|c| c.kind.v1 && is_other) {
                connection.deliver(&delivery);
            }
        }
    }

    /// Begins or ends to follow the list of rooms.
    pub fn watch(&self, id: ConnectionId, on: bool) {
        let mut state = self.state();
        if on {
            state.watchers.insert(id);
        } else {
            state.watchers.remove(&id);
        }
    }

    /// A room appeared or changed: it is due in the next LIST.
    pub fn stir(&self, room_id: RoomId) {
        self.state().stirred.insert(room_id);
        self.0.stirred.notify_one();
    }

    /// Waits until rooms have changed and takes them. Empty when nobody follows the list.
    pub async fn stirred(&self) -> Vec<RoomId> {
        self.0.stirred.notified().await;
        let mut state = self.state();
        for room_id in std::mem::take(&mut state.crowded) {
            let Some(Room { members: room, .. }) = state.rooms.get(&room_id) else { continue };
            let delivery =
                Delivery::unnumbered(&ServerFrame::Members(MemberCount { room_id, member_count: room.count() }));
            room.connections()
                .filter_map(|(id, _)| state.connections.get(&id))
                .filter(|c| c.kind.v1)
                .for_each(|c| c.deliver(&delivery));
        }
        let stirred = std::mem::take(&mut state.stirred);
        if state.watchers.is_empty() {
            return Vec::new();
        }
        stirred.into_iter().collect()
    }

    /// Hands a frame to all who follow the list of rooms.
    pub fn tell_watchers(&self, frame: &ServerFrame) {
        let state = self.state();
        let delivery = Delivery::unnumbered(frame);
        state
            .watchers
            .iter()
            .filter_map(|id| state.connections.get(id))
            .for_each(|connection| connection.deliver(&delivery));
    }

    /// How many are in a room.
    #[must_use]
    pub fn member_count(&self, room_id: RoomId) -> u32 {
        self.state().rooms.get(&room_id).map_or(0, |room| room.members.count())
    }

    /// Who is in a room.
    #[must_use]
    pub fn present(&self, room_id: RoomId) -> Present {
        let absent = Present { members: Vec::new(), count: 0 };
        self.state().rooms.get(&room_id).map_or(absent, |room| room.members.present())
    }

    /// Closes every connection of a session that has ended.
    pub fn close_session(&self, session: &TokenHash) {
        let why = Closing { code: close::SESSION_CHANGED, reason: "signed out" };
        self.state()
            .connections
            .values()
            .filter(|c| c.kind.session.is_some_and(|(token, _)| token == *session))
            .for_each(|c| c.close(why));
    }

    /// Tells every connection that the server stops, and closes it.
    pub fn close_all(&self, after_ms: u32) {
        let restart = Delivery::unnumbered(&ServerFrame::Restart(Restart { after_ms }));
        for connection in self.state().connections.values() {
            if connection.kind.v1 {
                connection.deliver(&restart);
            }
            connection.close(Closing { code: close::RESTART, reason: "restarting" });
        }
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state().connections.len()
    }
}

/// What the plain audience hears of a lobby message: its bare text, unless that could pass for a frame.
#[must_use]
pub fn plain_text(sender: &str, text: &str) -> String {
    if text.trim_start().starts_with('{') { format!("{sender}: {text}") } else { text.to_owned() }
}
