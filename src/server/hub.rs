//! This node's rooms and who is connected to them: presence, and fan-out that never waits.
//!
//! Every connection has a bounded queue. A frame is serialised once and its bytes are shared; a
//! queue that is full means a reader that does not read, and that connection is closed (4008), so
//! that nobody else waits for it. Numbered frames arrive here from the one writer, in order.

use super::store::TokenHash;
use crate::{
    domain::{PersonId, RoomId, Seq, limits},
    protocol::{Member, Members, Presence, Restart, ServerFrame, Typing, close},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{Notify, mpsc, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Names a connection as long as the process lives.
pub type ConnectionId = u64;

/// A frame on its way to one connection.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The bytes, shared by all who get them.
    pub text: Utf8Bytes,
    /// A numbered frame's room and number, so that a replay and the live stream meet without repeat.
    pub number: Option<(RoomId, Seq)>,
}

impl Delivery {
    /// A frame without a number.
    #[must_use]
    pub fn unnumbered(frame: &ServerFrame) -> Self {
        Self { text: frame.to_json().into(), number: None }
    }
}

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
    /// The session that it came with.
    pub session: Option<TokenHash>,
}

/// The receiving end of a connection's queue.
#[derive(Debug)]
pub struct Mailbox {
    /// The connection.
    pub id: ConnectionId,
    /// What others said.
    pub deliveries: mpsc::Receiver<Delivery>,
    /// Set when the connection is to be closed.
    pub closing: watch::Receiver<Option<Closing>>,
}

/// What somebody who enters finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// At most [`limits::MEMBERS_LISTED`] of those present.
    pub members: Vec<Member>,
    /// How many are present.
    pub count: u32,
}

/// How a connection left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// On purpose: told at once.
    Meant,
    /// The line broke: a person is missed only after a while.
    Abrupt,
}

/// The rooms and connections of this node.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    next_connection: AtomicU64,
    /// Rung when `State::stirred` or `State::crowded` gets its first room.
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

#[derive(Debug)]
struct Connection {
    kind: Kind,
    queue: mpsc::Sender<Delivery>,
    closing: watch::Sender<Option<Closing>>,
}

#[derive(Debug, Default)]
struct Room {
    /// Who is here, by connection.
    connections: HashMap<ConnectionId, Member>,
    /// Persons here, counted by their connections.
    persons: HashMap<PersonId, PersonHere>,
    /// Connections of guests.
    guests: u32,
}

#[derive(Debug)]
struct PersonHere {
    member: Member,
    connections: u32,
    /// Counts how often the last connection was lost, so that an old alarm does not ring for a new absence.
    absences: u64,
}

impl Connection {
    /// Hands over a frame, or gives the connection up when its queue is full.
    fn deliver(&self, delivery: &Delivery) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(delivery.clone()) {
            self.close(Closing { code: close::TOO_SLOW, reason: "reading too slowly" });
        }
    }

    fn close(&self, why: Closing) {
        self.closing.send_if_modified(|closing| closing.is_none() && closing.replace(why).is_none());
    }
}

impl Room {
    fn count(&self) -> u32 {
        self.guests + u32::try_from(self.persons.len()).unwrap_or(u32::MAX)
    }

    fn is_crowded(&self) -> bool {
        self.count() as usize > limits::MEMBERS_LISTED
    }

    fn present(&self) -> Present {
        let guests = self.connections.values().filter(|member| member.person.is_none());
        let mut members: Vec<Member> = self
            .persons
            .values()
            .map(|here| &here.member)
            .chain(guests)
            .take(limits::MEMBERS_LISTED)
            .cloned()
            .collect();
        members.sort_by(|a, b| (&a.sender, &a.guest).cmp(&(&b.sender, &b.guest)));
        Present { members, count: self.count() }
    }
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not silence every room: each change below leaves the state whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection's queue.
    #[must_use]
    pub fn connect(&self, kind: Kind) -> Mailbox {
        let id = self.0.next_connection.fetch_add(1, Ordering::Relaxed);
        let (queue, deliveries) = mpsc::channel(limits::FRAMES_QUEUED);
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
        let room = state.rooms.entry(room_id).or_default();
        let known = room.connections.insert(id, member.clone()).is_some();
        let mut came = !known;
        if let (false, Some(person)) = (known, member.person) {
            let here = room.persons.entry(person).or_insert_with(|| PersonHere {
                member: member.clone(),
                connections: 0,
                absences: 0,
            });
            // Whoever is within the grace of a lost connection has not been missed yet.
            came = here.connections == 0 && here.absences == 0;
            here.connections += 1;
            here.absences = 0;
        } else if !known {
            room.guests += 1;
        }
        let present = room.present();
        if came {
            self.announce(&mut state, room_id, &presence(room_id, member, present.count, Arrival::Enter), Some(id));
        }
        present
    }

    /// Takes a connection out of a room.
    pub fn leave(&self, id: ConnectionId, room_id: RoomId, how: Departure) {
        let mut state = self.state();
        let Some(room) = state.rooms.get_mut(&room_id) else { return };
        let Some(member) = room.connections.remove(&id) else { return };
        match member.person {
            None => room.guests -= 1,
            Some(person) => {
                let Some(here) = room.persons.get_mut(&person) else { return };
                here.connections -= 1;
                if here.connections > 0 {
                    return;
                }
                if how == Departure::Abrupt {
                    here.absences = self.0.next_connection.fetch_add(1, Ordering::Relaxed) + 1;
                    self.miss_later(room_id, person, here.absences);
                    return;
                }
                room.persons.remove(&person);
            }
        }
        self.tell_departure(&mut state, room_id, &member);
    }

    /// After the grace, a person who did not come back has left.
    fn miss_later(&self, room_id: RoomId, person: PersonId, absence: u64) {
        let hub = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limits::ABSENCE_GRACE).await;
            let mut state = hub.state();
            let Some(room) = state.rooms.get_mut(&room_id) else { return };
            let missed = |here: &PersonHere| here.connections == 0 && here.absences == absence;
            if room.persons.get(&person).is_some_and(missed)
                && let Some(here) = room.persons.remove(&person)
            {
                hub.tell_departure(&mut state, room_id, &here.member);
            }
        });
    }

    fn tell_departure(&self, state: &mut State, room_id: RoomId, member: &Member) {
        let count = state.rooms.get(&room_id).map_or(0, Room::count);
        self.announce(state, room_id, &presence(room_id, member, count, Arrival::Leave), None);
        if count == 0 {
            state.rooms.remove(&room_id);
        }
    }

    /// Tells a room who came or went. In a crowd only the one who enters hears of it, in the open
    /// dialect; v1 gets the count once in a while.
    fn announce(&self, state: &mut State, room_id: RoomId, frame: &ServerFrame, entering: Option<ConnectionId>) {
        let delivery = Delivery::unnumbered(frame);
        let State { connections, rooms, crowded, stirred, .. } = state;
        let Some(room) = rooms.get(&room_id) else { return };
        let crowd = room.is_crowded();
        for id in room.connections.keys() {
            let Some(connection) = connections.get(id) else { continue };
            let is_self = entering == Some(*id);
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

    /// Hands a numbered frame to everyone in its room. `plain` is what the plain audience of the lobby gets.
    pub fn publish(&self, room_id: RoomId, delivery: &Delivery, plain: Option<String>) {
        let mut state = self.state();
        let State { connections, rooms, plain: audience, stirred, .. } = &mut *state;
        for id in rooms.get(&room_id).iter().flat_map(|room| room.connections.keys()) {
            if let Some(connection) = connections.get(id) {
                connection.deliver(delivery);
            }
        }
        if let Some(text) = plain {
            let bare = Delivery { text: text.into(), number: None };
            audience.iter().filter_map(|id| connections.get(id)).for_each(|connection| connection.deliver(&bare));
        }
        stirred.insert(room_id);
        self.0.stirred.notify_one();
    }

    /// Tells the others in a room that somebody is writing; only v1 hears of it.
    pub fn typing(&self, id: ConnectionId, room_id: RoomId) {
        let state = self.state();
        let Some(room) = state.rooms.get(&room_id) else { return };
        let Some(member) = room.connections.get(&id) else { return };
        let delivery = Delivery::unnumbered(&ServerFrame::Typing(typing(room_id, member)));
        for (other, present) in &room.connections {
            let same_person = present.person.is_some() && present.person == member.person;
            if let Some(connection) = state.connections.get(other).filter(|c| c.kind.v1 && *other != id && !same_person)
            {
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
            let Some(room) = state.rooms.get(&room_id) else { continue };
            let delivery = Delivery::unnumbered(&ServerFrame::Members(Members { room_id, member_count: room.count() }));
            room.connections
                .keys()
                .filter_map(|id| state.connections.get(id))
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
        self.state().rooms.get(&room_id).map_or(0, Room::count)
    }

    /// Who is in a room.
    #[must_use]
    pub fn present(&self, room_id: RoomId) -> Present {
        self.state().rooms.get(&room_id).map_or(Present { members: Vec::new(), count: 0 }, Room::present)
    }

    /// Closes every connection of a session that has ended.
    pub fn close_session(&self, session: &TokenHash) {
        let why = Closing { code: close::SESSION_CHANGED, reason: "signed out" };
        self.state()
            .connections
            .values()
            .filter(|c| c.kind.session.as_ref() == Some(session))
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

#[derive(Clone, Copy)]
pub(super) enum Arrival {
    Enter,
    Leave,
}

pub(super) fn presence(room_id: RoomId, member: &Member, member_count: u32, what: Arrival) -> ServerFrame {
    let Member { sender, person, guest } = member.clone();
    let verb = match what {
        Arrival::Enter => "입장",
        Arrival::Leave => "퇴장",
    };
    let message = format!("{sender}님이 {verb}했습니다.");
    let presence = Presence { room_id, sender, message, person, guest, member_count };
    match what {
        Arrival::Enter => ServerFrame::Enter(presence),
        Arrival::Leave => ServerFrame::Leave(presence),
    }
}

fn typing(room_id: RoomId, member: &Member) -> Typing {
    let Member { sender, person, guest } = member.clone();
    Typing { room_id, sender, person, guest }
}

/// What the plain audience hears of a lobby message: its bare text, unless that could pass for a frame.
#[must_use]
pub fn plain_text(sender: &str, text: &str) -> String {
    if text.trim_start().starts_with('{') { format!("{sender}: {text}") } else { text.to_owned() }
}
