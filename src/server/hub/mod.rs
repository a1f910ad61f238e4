//! This node's rooms and who is connected to them: presence, and fan-out that never waits.
//!
//! A frame is serialised once and its bytes are shared; every connection has a bounded queue
//! ([`super::mailbox`]). Changes arrive here from the one writer, in the order of their numbers; each room
//! ([`room`]) passes on its own, and no room waits for another.

mod room;

use super::{
    mailbox::{self, Delivery, Inlet, Outlet},
    presence::{self, Departure, Left, Present},
    recent::News,
    store::TokenHash,
    writer::Settlement,
};
use crate::{
    domain::{PersonId, RoomId, Seq, limits},
    protocol::{Member, Members as MemberCount, ReadMark, Restart, ServerFrame, close},
};
use room::{Hears, Room};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{net::TcpStream, sync::Notify};

pub use room::Said;

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

/// The connection's end of its queue.
#[derive(Debug)]
pub struct Mailbox {
    /// The connection.
    pub id: ConnectionId,
    /// What others said, and the way to the peer.
    pub outlet: Outlet,
}

/// The rooms and connections of this node.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Connections of the open dialect that never entered a room hear it as bare text.
    lobby: RoomId,
    state: Mutex<State>,
    /// Numbers connections and absences.
    next_number: AtomicU64,
    /// Rung when `State::stirred` or `State::crowded` gets a room.
    stirred: Notify,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<ConnectionId, Connection>,
    rooms: HashMap<RoomId, Arc<Room>>,
    /// Connections that follow the list of rooms.
    watchers: HashSet<ConnectionId>,
    /// Rooms that changed since the list was last sent.
    stirred: HashMap<RoomId, Stir>,
    /// Rooms too large to name who comes and goes, whose count changed.
    crowded: HashSet<RoomId>,
    /// Set when the server stops: when connections are to come back, in milliseconds.
    stopping: Option<u32>,
}

/// What became of a room that the list alone does not say, and that changes how much is unread there.
#[derive(Debug, Default)]
pub struct Stir {
    /// The last place where a message was deleted.
    pub deleted: Option<Seq>,
    /// Who spoke: what is new to others is not to them.
    pub spoke: HashSet<PersonId>,
}

#[derive(Debug)]
struct Connection {
    v1: bool,
    session: Option<Box<(TokenHash, PersonId)>>,
    inlet: Inlet,
}

impl Connection {
    fn end(&self, after_ms: u32) {
        if self.v1 {
            self.inlet.put(&Delivery::unnumbered(&ServerFrame::Restart(Restart { after_ms })));
        }
        self.inlet.close(Closing { code: close::RESTART, reason: "restarting" });
    }
}

impl Hub {
    /// Of a node whose lobby is that room.
    #[must_use]
    pub fn new(lobby: RoomId) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared { lobby, state, next_number: AtomicU64::default(), stirred: Notify::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not silence every room: each change below leaves the state whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, id: RoomId) -> Option<Arc<Room>> {
        self.state().rooms.get(&id).cloned()
    }

    /// Does `work` in a room, which is made if nobody is in it.
    fn in_room<T>(&self, id: RoomId, work: impl Fn(&Room) -> Option<T>) -> T {
        loop {
            let room = {
                let mut state = self.state();
                let room = state.rooms.entry(id).or_insert_with(|| Arc::new(Room::new(id)));
                if room.is_over() {
                    *room = Arc::new(Room::new(id));
                }
                room.clone()
            };
            if let Some(done) = work(&room) {
                return done;
            }
        }
    }

    /// Forgets a room that is over.
    fn forget_if_over(&self, id: RoomId) {
        let mut state = self.state();
        if state.rooms.get(&id).is_some_and(|room| room.is_over()) {
            state.rooms.remove(&id);
        }
    }

    // Connections

    /// Opens a connection's queue before its socket.
    #[must_use]
    pub fn connect(&self, kind: Kind, socket: Option<TcpStream>) -> Mailbox {
        let id = self.0.next_number.fetch_add(1, Ordering::Relaxed);
        let (inlet, outlet) = mailbox::queue(socket);
        let connection = Connection { v1: kind.v1, session: kind.session.map(Box::new), inlet };
        {
            let mut state = self.state();
            if let Some(after_ms) = state.stopping {
                // Its handshake ended when all others had been told.
                connection.end(after_ms);
            }
            state.connections.insert(id, connection);
        }
        let mailbox = Mailbox { id, outlet };
        if !kind.v1 {
            mailbox.outlet.take_bare(true);
            mailbox.outlet.follow(self.0.lobby, 0);
            self.listen(&mailbox);
        }
        mailbox
    }

    /// From here on a connection that takes bare text hears the lobby.
    pub fn listen(&self, mailbox: &Mailbox) {
        self.in_room(self.0.lobby, |lobby| lobby.listen(mailbox.id, mailbox.outlet.inlet()));
    }

    /// From here on a connection of the open dialect hears frames, and the lobby no longer as bare text.
    pub fn end_bare(&self, mailbox: &Mailbox) {
        mailbox.outlet.take_bare(false);
        mailbox.outlet.unfollow(self.0.lobby);
        self.end_listening(mailbox.id);
    }

    fn end_listening(&self, id: ConnectionId) {
        if let Some(lobby) = self.room(self.0.lobby) {
            lobby.end_listening(id);
            self.forget_if_over(self.0.lobby);
        }
    }

    /// Forgets a connection; the caller has left its rooms.
    pub fn disconnect(&self, id: ConnectionId) {
        let gone = {
            let mut state = self.state();
            state.watchers.remove(&id);
            state.connections.remove(&id)
        };
        if gone.is_some_and(|connection| !connection.v1) {
            self.end_listening(id);
        }
    }

    /// Closes every connection of a session that has ended.
    pub fn close_session(&self, session: &TokenHash) {
        let why = Closing { code: close::SESSION_CHANGED, reason: "signed out" };
        self.state()
            .connections
            .values()
            .filter(|c| c.session.as_ref().is_some_and(|of| of.0 == *session))
            .for_each(|c| c.inlet.close(why));
    }

    /// Tells every connection that the server stops, and closes it.
    pub fn close_all(&self, after_ms: u32) {
        let mut state = self.state();
        state.stopping = Some(after_ms);
        state.connections.values().for_each(|connection| connection.end(after_ms));
    }

    // Rooms

    /// Puts a connection into a room and tells those who are to know. From here on the room's frames
    /// are in its queue.
    pub fn enter(&self, mailbox: &Mailbox, v1: bool, room_id: RoomId, member: &Member) -> Present {
        let hears = if v1 { Hears::Changes } else { Hears::Messages };
        let entered = self.in_room(room_id, |room| room.enter(mailbox.id, hears, mailbox.outlet.inlet(), member));
        if entered.is_new {
            self.stir_presence(room_id, entered.is_crowded);
        }
        entered.present
    }

    /// Takes a connection out of a room.
    pub fn leave(&self, id: ConnectionId, room_id: RoomId, how: Departure) {
        let Some(room) = self.room(room_id) else { return };
        let absence = self.0.next_number.fetch_add(1, Ordering::Relaxed);
        match room.leave(id, how, absence) {
            Left::Unnoticed => {}
            Left::Gone(_) => self.stir_presence(room_id, room.is_crowded()),
            Left::Missing { person, absence } => self.miss_later(room_id, person, absence),
        }
        self.forget_if_over(room_id);
    }

    /// After the grace, a person who did not come back has left.
    fn miss_later(&self, room_id: RoomId, person: PersonId, absence: u64) {
        let hub = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limits::ABSENCE_GRACE).await;
            let Some(room) = hub.room(room_id) else { return };
            if room.give_up(person, absence) {
                hub.stir_presence(room_id, room.is_crowded());
            }
            hub.forget_if_over(room_id);
        });
    }

    /// Passes on what a commit brought a room. Returns at once; the room tells its members in the order of these
    /// calls.
    pub fn publish(&self, room_id: RoomId, said: Said) {
        let deleted = said.news.iter().filter(|news| news.deleted).map(|news| news.seq).max();
        let spoke = said.news.iter().filter(|news| news.is_new()).filter_map(|news| news.person);
        let room = {
            let mut state = self.state();
            if !said.news.is_empty() && !state.watchers.is_empty() {
                let stir = state.stirred.entry(room_id).or_default();
                stir.deleted = deleted.max(stir.deleted);
                stir.spoke.extend(spoke);
                self.0.stirred.notify_one();
            }
            state.rooms.get(&room_id).cloned()
        };
        match room {
            Some(room) => room.say(said),
            None => said.settlements.into_iter().for_each(Settlement::settle),
        }
    }

    /// What changed in a room after number `since`, and the number reached, where memory has all of it.
    #[must_use]
    pub fn recent(&self, room_id: RoomId, since: Seq) -> Option<(Vec<News>, Seq)> {
        self.room(room_id)?.recent(since)
    }

    /// Tells a person's other connections how far they have read.
    pub fn tell_read(&self, id: ConnectionId, person: PersonId, mark: ReadMark) {
        let delivery = Delivery::unnumbered(&ServerFrame::Read(mark));
        let state = self.state();
        let own = |c: &Connection| c.session.as_ref().is_some_and(|of| of.1 == person);
        let others = state.connections.iter().filter(|(other, c)| **other != id && own(c));
        others.for_each(|(_, c)| c.inlet.put(&delivery));
    }

    /// Tells the others in a room that somebody is writing; only v1 hears of it.
    pub fn typing(&self, id: ConnectionId, room_id: RoomId) {
        let Some(room) = self.room(room_id) else { return };
        let Some(member) = room.member(id) else { return };
        room.tell_v1(&presence::writes(room_id, &member), |other, present| {
            other == id || (present.person.is_some() && present.person == member.person)
        });
    }

    /// How many are in a room.
    #[must_use]
    pub fn member_count(&self, room_id: RoomId) -> u32 {
        self.room(room_id).map_or(0, |room| room.member_count())
    }

    /// Who is in a room.
    #[must_use]
    pub fn present(&self, room_id: RoomId) -> Present {
        self.room(room_id).map_or(Present { members: Vec::new(), count: 0 }, |room| room.present())
    }

    // The list of rooms

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
        self.state().stirred.entry(room_id).or_default();
        self.0.stirred.notify_one();
    }

    fn stir_presence(&self, room_id: RoomId, is_crowded: bool) {
        if is_crowded {
            self.state().crowded.insert(room_id);
        }
        self.stir(room_id);
    }

    /// Waits until rooms have changed and takes them. Empty when nobody follows the list.
    pub async fn stirred(&self) -> Vec<(RoomId, Stir)> {
        self.0.stirred.notified().await;
        let (crowded, stirred) = {
            let mut state = self.state();
            let crowded: Vec<_> = std::mem::take(&mut state.crowded)
                .iter()
                .filter_map(|id| Some((*id, state.rooms.get(id)?.clone())))
                .collect();
            let stirred = std::mem::take(&mut state.stirred);
            (crowded, if state.watchers.is_empty() { HashMap::new() } else { stirred })
        };
        for (room_id, room) in crowded {
            let count = MemberCount { room_id, member_count: room.member_count() };
            room.tell_v1(&ServerFrame::Members(count), |_, _| false);
        }
        stirred.into_iter().collect()
    }

    /// Hands a frame to all who follow the list of rooms.
    pub fn tell_watchers(&self, frame: &ServerFrame) {
        let state = self.state();
        let delivery = Delivery::unnumbered(frame);
        let watchers = state.watchers.iter().filter_map(|id| state.connections.get(id));
        watchers.for_each(|connection| connection.inlet.put(&delivery));
    }

    /// The persons who follow the list of rooms.
    #[must_use]
    pub fn watching(&self) -> HashSet<PersonId> {
        let state = self.state();
        let sessions = state.watchers.iter().filter_map(|id| state.connections.get(id)?.session.as_ref());
        sessions.map(|session| session.1).collect()
    }

    /// Tells those who follow the list of rooms how much is unread to them, where that is known.
    pub fn tell_unread(&self, marks: Vec<(PersonId, ReadMark)>) {
        let frame = |(person, mark)| (person, Delivery::unnumbered(&ServerFrame::Read(mark)));
        let deliveries: HashMap<_, _> = marks.into_iter().map(frame).collect();
        let state = self.state();
        for connection in state.watchers.iter().filter_map(|id| state.connections.get(id)) {
            let own = connection.session.as_ref().and_then(|session| deliveries.get(&session.1));
            own.into_iter().for_each(|delivery| connection.inlet.put(delivery));
        }
    }
}

/// What the plain audience hears of a lobby message: its bare text, unless that could pass for a frame.
#[must_use]
pub fn plain_text(sender: &str, text: &str) -> String {
    if text.trim_start().starts_with('{') { format!("{sender}: {text}") } else { text.to_owned() }
}
