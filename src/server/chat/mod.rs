//! The use cases of Madang: everything that REST, the server functions and the sockets can do, each
//! once. Those three are thin; this is where rules are kept.

mod entering;
mod messages;
mod people;
mod reading;
mod rooms;

pub use entering::{Entered, ReplayPart, Resume};
pub use messages::{Draft, Speaker, Wish};
pub use people::{GUEST_PREFIX, SignedIn, hex, token_hash};

use super::{
    clock::Clock,
    config::Limits,
    hub::{ConnectionId, Hub},
    makers::Makers,
    names::Names,
    rate::{self, Rate},
    store::Store,
    writer::{self, Queue},
};
use crate::{
    domain::{Epoch, Error, PersonId, RoomId, limits},
    protocol::ServerFrame,
};
use futures_util::future::OptionFuture;
use std::{net::IpAddr, sync::Arc};
use tokio::{sync::Mutex, task::JoinHandle};

/// A handle to the chat; clones share everything.
#[derive(Clone)]
pub struct Chat(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    hub: Hub,
    queue: Queue,
    writer: Mutex<Option<JoinHandle<()>>>,
    names: Names,
    makers: Makers,
    clock: Clock,
    senders: Rate<Sender>,
    entries: Rate<ConnectionId>,
    addresses: Rate<IpAddr>,
    new_rooms: Rate<IpAddr>,
    sign_ins: Rate<IpAddr>,
}

/// Whose allowance a message is counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Person(PersonId),
    Guest(ConnectionId),
}

impl Chat {
    /// Opens the chat on a store and starts its writer.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] when the held names cannot be read.
    pub async fn open(store: Arc<dyn Store>, allowed: &Limits, clock: Clock) -> Result<Self, Error> {
        let hub = Hub::new(store.lobby());
        let names = Names::new(store.held_names().await?);
        let (queue, writer) = writer::start(store.clone(), hub.clone());
        let chat = Self(Arc::new(Shared {
            store,
            hub,
            queue,
            writer: Mutex::new(Some(writer)),
            names,
            makers: Makers::default(),
            clock,
            senders: rate::messages(allowed.messages_per_second, 1),
            entries: rate::entries(allowed.messages_per_second),
            addresses: rate::messages(allowed.messages_per_second, limits::SENDERS_PER_ADDRESS),
            new_rooms: rate::per_minute(allowed.rooms_per_minute),
            sign_ins: rate::per_minute(allowed.sign_ins_per_minute),
        }));
        tokio::spawn(chat.clone().send_lists());
        Ok(chat)
    }

    /// This node's connections.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Which history the numbers belong to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.store.epoch()
    }

    /// The room that always exists.
    #[must_use]
    pub fn lobby(&self) -> RoomId {
        self.0.store.lobby()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn check(&self) -> Result<(), Error> {
        self.0.store.check().await
    }

    /// Tells those who follow the list what changed, once in a while, for as long as the process lives.
    async fn send_lists(self) {
        loop {
            for (room, stir) in self.0.hub.stirred().await {
                // First, or what is new would be unread for a moment.
                self.recount(room, &stir).await;
                if let Ok(summary) = self.room(room).await {
                    self.0.hub.tell_watchers(&ServerFrame::List(summary));
                }
            }
            tokio::time::sleep(limits::LIST_EVERY).await;
        }
    }

    /// Waits until nothing can be stored any more, whatever the disk does.
    pub async fn failed(&self) {
        self.0.queue.closed().await;
    }

    /// Stores what is queued, then closes the store. Posts are refused from here on.
    pub async fn close(&self) {
        self.0.queue.close();
        let writer = self.0.writer.lock().await.take();
        if let Some(Err(error)) = OptionFuture::from(writer).await {
            tracing::error!(%error, "the writer failed");
        }
        self.0.store.close().await;
    }
}
