//! Who is in one room: guests by connection, persons for as long as any of their connections is there,
//! and for a while after the last one was lost.

use super::hub::ConnectionId;
use crate::{
    domain::{PersonId, RoomId, limits},
    protocol::{Member, Presence, ServerFrame, Typing},
};
use std::collections::HashMap;

/// How a connection left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// On purpose: told at once.
    Meant,
    /// The line broke: a person is missed only after a while.
    Abrupt,
}

/// What somebody who enters finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// At most [`limits::MEMBERS_LISTED`] of those present.
    pub members: Vec<Member>,
    /// How many are present.
    pub count: u32,
}

/// What a departure means to those who stay.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: another connection of the same person is still there, or it was not in the room.
    Unnoticed,
    /// This one has gone.
    Gone(Member),
    /// This person may come back; if not, see [`Members::give_up`].
    Missing {
        /// Who.
        person: PersonId,
        /// Which absence of theirs it is.
        absence: u64,
    },
}

/// The members of one room.
#[derive(Debug, Default)]
pub struct Members {
    /// Who is here, by connection.
    connections: HashMap<ConnectionId, Member>,
    /// Persons here, or missing for less than the grace.
    persons: HashMap<PersonId, PersonHere>,
    /// Connections of guests.
    guests: u32,
}

#[derive(Debug)]
struct PersonHere {
    member: Member,
    connections: u32,
    /// Set while the last connection is lost.
    absence: Option<u64>,
}

impl Members {
    /// Adds a connection; says whether somebody came who was not there.
    pub fn enter(&mut self, id: ConnectionId, member: &Member) -> bool {
        if self.connections.insert(id, member.clone()).is_some() {
            return false;
        }
        let Some(person) = member.person else {
            self.guests += 1;
            return true;
        };
        let here = self.persons.entry(person).or_insert_with(|| PersonHere {
            member: member.clone(),
            connections: 0,
            absence: None,
        });
        here.connections += 1;
        here.connections == 1 && here.absence.take().is_none()
    }

    /// Removes a connection. `absence` is a number not used before, should one begin: an old alarm must
    /// not ring for a new absence, even if the room was empty in between.
    pub fn leave(&mut self, id: ConnectionId, how: Departure, absence: u64) -> Left {
        let Some(member) = self.connections.remove(&id) else { return Left::Unnoticed };
        let Some(person) = member.person else {
            self.guests -= 1;
            return Left::Gone(member);
        };
        let Some(here) = self.persons.get_mut(&person) else { return Left::Unnoticed };
        here.connections -= 1;
        if here.connections > 0 {
            return Left::Unnoticed;
        }
        if how == Departure::Abrupt {
            here.absence = Some(absence);
            return Left::Missing { person, absence };
        }
        self.persons.remove(&person);
        Left::Gone(member)
    }

    /// The grace of an absence is over: who has gone, unless they came back.
    pub fn give_up(&mut self, person: PersonId, absence: u64) -> Option<Member> {
        let is_missing = self.persons.get(&person).is_some_and(|here| here.absence == Some(absence));
        if is_missing { self.persons.remove(&person).map(|here| here.member) } else { None }
    }

    /// How many are here, persons within the grace included.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.guests + u32::try_from(self.persons.len()).unwrap_or(u32::MAX)
    }

    /// Whether there are too many to name each who comes and goes.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.count() as usize > limits::MEMBERS_LISTED
    }

    /// Whose connection that is.
    #[must_use]
    pub fn member(&self, id: ConnectionId) -> Option<&Member> {
        self.connections.get(&id)
    }

    /// Who is here, by name.
    #[must_use]
    pub fn present(&self) -> Present {
        let persons = self.persons.values().map(|here| &here.member);
        let guests = self.connections.values().filter(|member| member.person.is_none());
        let mut members: Vec<Member> = persons.chain(guests).take(limits::MEMBERS_LISTED).cloned().collect();
        members.sort_by(|a, b| (&a.sender, &a.guest).cmp(&(&b.sender, &b.guest)));
        Present { members, count: self.count() }
    }
}

/// The frame that says who came.
#[must_use]
pub fn came(room_id: RoomId, member: &Member, member_count: u32) -> ServerFrame {
    ServerFrame::Enter(presence(room_id, member, member_count, "입장"))
}

/// The frame that says who went.
#[must_use]
pub fn went(room_id: RoomId, member: &Member, member_count: u32) -> ServerFrame {
    ServerFrame::Leave(presence(room_id, member, member_count, "퇴장"))
}

/// The frame that says who is writing.
#[must_use]
pub fn writes(room_id: RoomId, member: &Member) -> ServerFrame {
    let Member { sender, person, guest } = member.clone();
    ServerFrame::Typing(Typing { room_id, sender, person, guest })
}

fn presence(room_id: RoomId, member: &Member, member_count: u32, verb: &str) -> Presence {
    let Member { sender, person, guest } = member.clone();
    let message = format!("{sender}님이 {verb}했습니다.");
    Presence { room_id, sender, message, person, guest, member_count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Member {
        Member { sender: name.into(), person: Some(PersonId::new()), guest: None }
    }

    fn guest(tag: &str) -> Member {
        Member { sender: "mina".into(), person: None, guest: Some(tag.into()) }
    }

    #[test]
    fn a_person_is_there_while_any_connection_is() {
        let (mut room, jun) = (Members::default(), person("jun"));
        assert!(room.enter(1, &jun));
        assert!(!room.enter(2, &jun), "a second tab is not a second person");
        assert_eq!(room.leave(1, Departure::Meant, 1), Left::Unnoticed);
        assert_eq!(room.count(), 1);
        assert_eq!(room.leave(2, Departure::Meant, 2), Left::Gone(jun));
        assert_eq!(room.count(), 0);
    }

    #[test]
    fn a_lost_person_who_comes_back_was_never_gone() {
        let (mut room, jun) = (Members::default(), person("jun"));
        room.enter(1, &jun);
        let Left::Missing { person, absence } = room.leave(1, Departure::Abrupt, 1) else { panic!("not missed") };
        assert!(!room.enter(2, &jun), "nobody is told");
        assert_eq!(room.give_up(person, absence), None, "the alarm of the first absence is void");
        let Left::Missing { absence: second, .. } = room.leave(2, Departure::Abrupt, 2) else { panic!("not missed") };
        assert_eq!(room.give_up(person, absence), None, "an old alarm does not ring for a new absence");
        assert_eq!(room.give_up(person, second), Some(jun));
    }

    #[test]
    fn a_guest_is_a_connection() {
        let mut room = Members::default();
        assert!(room.enter(1, &guest("aaaa")) && room.enter(2, &guest("bbbb")));
        assert!(!room.enter(1, &guest("aaaa")), "entering again only resynchronises");
        assert_eq!(room.leave(1, Departure::Abrupt, 1), Left::Gone(guest("aaaa")));
        assert_eq!(room.leave(1, Departure::Abrupt, 2), Left::Unnoticed);
        assert_eq!(room.present(), Present { members: vec![guest("bbbb")], count: 1 });
    }

    #[test]
    fn a_crowd_is_listed_in_part_and_counted_whole() {
        let mut room = Members::default();
        for id in 0..=limits::MEMBERS_LISTED as u64 {
            assert!(!room.is_crowded());
            room.enter(id, &guest(&id.to_string()));
        }
        let present = room.present();
        assert!(room.is_crowded());
        assert_eq!(
            (present.members.len(), present.count as usize),
            (limits::MEMBERS_LISTED, limits::MEMBERS_LISTED + 1)
        );
    }
}
