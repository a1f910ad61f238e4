//! The one writer: it takes the changes that are queued, stores them in one transaction, and only then
//! lets the rooms deliver and acknowledge. There is no timer: the disk's own sync sets the size of a batch.

use super::{
    hub::{Hub, Said},
    mailbox::Inlet,
    recent::News,
    store::{Applied, Change, Store},
};
use crate::domain::{Error, MessageId, RoomId, limits};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{
        Notify, OwnedSemaphorePermit, Semaphore,
        mpsc::{
            self,
            error::{SendTimeoutError, TrySendError},
        },
        oneshot,
    },
    task::{JoinHandle, yield_now},
    time::{Instant, sleep_until},
};

/// As many permits as there may be changes that are stored and not told yet.
const TELLING: u32 = limits::CHANGES_QUEUED as u32;

/// What became of one change.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The room.
    pub room: RoomId,
    /// The message, where whoever asked named it.
    pub id: Option<MessageId>,
    /// Its present state, or why not.
    pub result: Result<Applied, Error>,
}

impl Outcome {
    /// Whether something changed, so that the room hears of it.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self.result, Ok(Applied::Changed(_)))
    }
}

/// Who wants to know what becomes of a change.
#[derive(Debug)]
pub enum Asker {
    /// A connection, by [`Inlet::settle`].
    Connection(Inlet),
    /// Somebody who waits for nothing else.
    Caller(oneshot::Sender<Result<Applied, Error>>),
}

/// What is to be told to whoever asked for a change, once the room knows of it. They are told when this is
/// dropped, so that they hear of a panic too: then that the storage is not available, and may ask again.
#[derive(Debug)]
pub struct Settlement {
    asker: Option<Asker>,
    room: RoomId,
    id: Option<MessageId>,
    result: Result<Applied, Error>,
}

impl Settlement {
    /// Tells it. Whoever asked may have gone; the change is stored all the same.
    pub fn settle(self) {}
}

impl Drop for Settlement {
    fn drop(&mut self) {
        let result = std::mem::replace(&mut self.result, Err(Error::StorageUnavailable));
        match self.asker.take() {
            Some(Asker::Connection(inlet)) => inlet.settle(Outcome { room: self.room, id: self.id, result }),
            Some(Asker::Caller(waits)) => drop(waits.send(result)),
            None => {}
        }
    }
}

/// Where changes wait for the writer.
#[derive(Clone, Debug)]
pub struct Queue {
    orders: mpsc::Sender<Order>,
    /// Set when the writer is to end.
    stop: Arc<Notify>,
}

#[derive(Debug)]
struct Order {
    change: Change,
    settlement: Settlement,
}

impl Order {
    /// Nothing is stored, and whoever asked is told by other means.
    fn withdraw(mut self) {
        self.settlement.asker = None;
    }
}

impl Queue {
    /// Hands a change to the writer, who tells `asker` what becomes of it; `id` is what they know it by. Those of
    /// one caller are stored in the order of these calls.
    ///
    /// # Errors
    /// [`Error::Busy`] when there was no place for [`limits::BUSY_AFTER`]; [`Error::StorageUnavailable`]
    /// once the writer has stopped. In both cases nothing is stored.
    pub async fn store(&self, change: Change, id: Option<MessageId>, asker: Asker) -> Result<(), Error> {
        let settlement =
            Settlement { asker: Some(asker), room: change.room(), id, result: Err(Error::StorageUnavailable) };
        match self.orders.try_send(Order { change, settlement }) {
            Ok(()) => Ok(()),
            // Boxed, since it is rare and has a timer.
            Err(TrySendError::Full(order)) => Box::pin(self.wait_and_store(order)).await,
            Err(TrySendError::Closed(order)) => {
                order.withdraw();
                Err(Error::StorageUnavailable)
            }
        }
    }

    async fn wait_and_store(&self, order: Order) -> Result<(), Error> {
        let (order, error) = match self.orders.send_timeout(order, limits::BUSY_AFTER).await {
            Ok(()) => return Ok(()),
            Err(SendTimeoutError::Timeout(order)) => (order, Error::Busy { retry_after_ms: 1_000 }),
            Err(SendTimeoutError::Closed(order)) => (order, Error::StorageUnavailable),
        };
        order.withdraw();
        Err(error)
    }

    /// Waits until the writer takes no more changes: it was told to, or it has failed.
    pub async fn closed(&self) {
        self.orders.closed().await;
    }

    /// Refuses further changes; the writer ends once it has stored those it has.
    pub fn close(&self) {
        self.stop.notify_one();
    }
}

/// Starts the writer.
pub fn start(store: Arc<dyn Store>, hub: Hub) -> (Queue, JoinHandle<()>) {
    let (sender, orders) = mpsc::channel(limits::CHANGES_QUEUED);
    let stop = Arc::new(Notify::new());
    let telling = Arc::new(Semaphore::new(TELLING as usize));
    let writer = Writer { store, hub, orders, telling, erase_at: Some(Instant::now()) };
    (Queue { orders: sender, stop: stop.clone() }, tokio::spawn(writer.run(stop)))
}

struct Writer {
    store: Arc<dyn Store>,
    hub: Hub,
    orders: mpsc::Receiver<Order>,
    /// Rooms that do not keep up make the writer wait, and memory stays bounded.
    telling: Arc<Semaphore>,
    /// When what is left of erased texts is to be removed from the disk; at first, what a crash has left.
    erase_at: Option<Instant>,
}

impl Writer {
    async fn run(mut self, stop: Arc<Notify>) {
        let mut batch = Vec::new();
        loop {
            let erase_at = self.erase_at;
            tokio::select! {
                taken = self.orders.recv_many(&mut batch, limits::BATCH_CHANGES) => {
                    if taken == 0 {
                        // What is stored is told before anybody hears that the server stops.
                        let _ = self.telling.acquire_many(TELLING).await;
                        return;
                    }
                    self.gather(&mut batch).await;
                    self.write(&mut batch).await;
                }
                // A closed channel still gives what it holds, and then 0.
                () = stop.notified() => self.orders.close(),
                () = sleep_until(erase_at.unwrap_or_else(Instant::now)), if erase_at.is_some() => self.erase().await,
            }
        }
    }

    /// Lets in everything that can be said at this moment: a batch is written to each member at once.
    async fn gather(&mut self, batch: &mut Vec<Order>) {
        let mut before = 0;
        while before < batch.len() && batch.len() < limits::BATCH_CHANGES {
            before = batch.len();
            yield_now().await;
            while batch.len() < limits::BATCH_CHANGES
                && let Ok(order) = self.orders.try_recv()
            {
                batch.push(order);
            }
        }
    }

    async fn write(&mut self, batch: &mut Vec<Order>) {
        let mut changes = Vec::with_capacity(batch.len());
        let mut settlements = Vec::with_capacity(batch.len());
        for Order { change, settlement } in batch.drain(..) {
            settlements.push(settlement);
            changes.push(change);
        }
        let outcomes = self.store.apply(&changes).await.unwrap_or_else(|error| vec![Err(error); changes.len()]);
        if changes
            .iter()
            .zip(&outcomes)
            .any(|(change, outcome)| change.erases() && matches!(outcome, Ok(Applied::Changed(_))))
        {
            self.erase_at.get_or_insert_with(|| Instant::now() + limits::ERASE_AFTER);
        }
        let count = u32::try_from(changes.len()).unwrap_or(TELLING);
        let mut places = self.telling.clone().acquire_many_owned(count).await.ok();
        // In each room in the order of its numbers; between rooms there is none.
        let mut said: HashMap<RoomId, Said> = HashMap::new();
        for (mut settlement, result) in settlements.into_iter().zip(outcomes) {
            let said = said.entry(settlement.room).or_default();
            if let Ok(Applied::Changed(message)) = &result {
                said.news.push(News::of(message, self.store.lobby()));
            }
            settlement.result = result;
            said.settlements.push(settlement);
        }
        for (room, mut said) in said {
            let share = said.settlements.len();
            said.place = places.as_mut().and_then(|places: &mut OwnedSemaphorePermit| places.split(share));
            self.hub.publish(room, said);
        }
    }

    async fn erase(&mut self) {
        let done = self.store.erase().await;
        self.erase_at = if done == Ok(true) { None } else { Some(Instant::now() + limits::ERASE_AFTER) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asked_hears_of_it_even_when_it_is_lost_on_the_way() {
        let (asker, mut waits) = oneshot::channel();
        let (room, result) = (RoomId::new(), Err(Error::StorageUnavailable));
        drop(Settlement { asker: Some(Asker::Caller(asker)), room, id: None, result });
        assert_eq!(waits.try_recv(), Ok(Err(Error::StorageUnavailable)));
    }
}
