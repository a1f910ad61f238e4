//! The rooms, and who made them.

use super::{Chat, Sender};
use crate::{
    domain::{Error, PersonId, RoomId, RoomName, Topic},
    protocol::RoomSummary,
    server::{hub::ConnectionId, wire},
};
use std::net::IpAddr;

impl Chat {
    /// The first `limit` rooms that were made after the room `after`, in that order.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn rooms(&self, after: Option<RoomId>, limit: u32) -> Result<Vec<RoomSummary>, Error> {
        let rooms = self.0.store.rooms(after, limit).await?;
        Ok(rooms.iter().map(|room| wire::summary(room, self.0.hub.member_count(room.id))).collect())
    }

    /// One room.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn room(&self, id: RoomId) -> Result<RoomSummary, Error> {
        Ok(wire::summary(&self.0.store.room(id).await?, self.0.hub.member_count(id)))
    }

    /// Makes a room, and tells those who follow the list.
    ///
    /// # Errors
    /// [`Error::RoomNameInvalid`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn create_room(&self, name: &str, by: Option<PersonId>, address: IpAddr) -> Result<RoomSummary, Error> {
        let name = RoomName::parse(name)?;
        self.0.new_rooms.take(address)?;
        let room = self.0.store.create_room(RoomId::new(), &name, by, (self.0.clock)()).await?;
        self.0.hub.stir(room.id);
        Ok(wire::summary(&room, 0))
    }

    /// Gives a room another name and topic, and tells those who follow the list.
    ///
    /// # Errors
    /// [`Error::RoomNameInvalid`], [`Error::BadFrame`] for the topic, [`Error::RoomNotFound`], [`Error::Forbidden`],
    /// [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn change_room(&self, id: RoomId, by: PersonId, name: &str, topic: &str) -> Result<RoomSummary, Error> {
        let (name, topic) = (RoomName::parse(name)?, Topic::parse(topic)?);
        self.0.senders.take(Sender::Person(by))?;
        let room = self.0.store.change_room(id, by, &name, topic.as_ref()).await?;
        self.0.hub.stir(id);
        Ok(wire::summary(&room, self.0.hub.member_count(id)))
    }

    /// Counts a request for the whole list against what a connection may ask for.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn may_list(&self, connection: ConnectionId) -> Result<(), Error> {
        self.0.entries.take(connection)
    }

    /// What a browser without a name carries to show that it made this room; `shown` is what it carries already.
    #[must_use]
    pub fn made(&self, shown: &str, room: RoomId) -> String {
        self.0.makers.add(shown, room)
    }

    /// Gives the rooms that a browser shows to be its own to the person that it has become.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn adopt_rooms(&self, shown: &str, by: PersonId) -> Result<(), Error> {
        for room in self.0.makers.rooms(shown) {
            if self.0.store.adopt_room(room, by).await? {
                self.0.hub.stir(room);
            }
        }
        Ok(())
    }
}
