//! The one writer: it takes the changes that are queued, stores them in one transaction, and only then
//! delivers and acknowledges. There is no timer: the disk's own sync sets the size of a batch.

use super::{
    hub::Hub,
    recent::News,
    store::{Applied, Change, Store},
};
use crate::domain::{Error, RoomId, limits};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::{JoinHandle, yield_now},
    time::{Instant, sleep_until},
};

/// Tells what became of one change, once it is on disk or refused.
pub type Receipt = oneshot::Receiver<Result<Applied, Error>>;

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
    receipt: oneshot::Sender<Result<Applied, Error>>,
}

impl Queue {
    /// Hands a change to the writer. Those of one caller are stored in the order of these calls.
    ///
    /// # Errors
    /// [`Error::Busy`] when there was no place for [`limits::BUSY_AFTER`]; [`Error::StorageUnavailable`]
    /// once the writer has stopped. In both cases nothing is stored.
    pub async fn store(&self, change: Change) -> Result<Receipt, Error> {
        let (receipt, outcome) = oneshot::channel();
        match self.orders.send_timeout(Order { change, receipt }, limits::BUSY_AFTER).await {
            Ok(()) => Ok(outcome),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Error::Busy { retry_after_ms: 1_000 }),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Error::StorageUnavailable),
        }
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
    let writer = Writer { store, hub, orders, erase_at: Some(Instant::now()) };
    (Queue { orders: sender, stop: stop.clone() }, tokio::spawn(writer.run(stop)))
}

struct Writer {
    store: Arc<dyn Store>,
    hub: Hub,
    orders: mpsc::Receiver<Order>,
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
                        return;
                    }
                    self.gather(&mut batch).await;
                    self.write(batch.drain(..)).await;
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

    async fn write(&mut self, batch: impl Iterator<Item = Order>) {
        let (changes, receipts): (Vec<_>, Vec<_>) = batch.map(|order| (order.change, order.receipt)).unzip();
        let outcomes = self.store.apply(&changes).await.unwrap_or_else(|error| vec![Err(error); changes.len()]);
        let mut news: HashMap<RoomId, Vec<News>> = HashMap::new();
        for (change, outcome) in changes.iter().zip(&outcomes) {
            if let Ok(Applied::Changed(message)) = outcome {
                news.entry(message.room).or_default().push(News::of(message, self.store.lobby()));
                if change.erases() {
                    self.erase_at.get_or_insert_with(|| Instant::now() + limits::ERASE_AFTER);
                }
            }
        }
        // In each room in the order of its numbers; between rooms there is none.
        news.iter().for_each(|(room, news)| self.hub.publish(*room, news));
        for (outcome, receipt) in outcomes.into_iter().zip(receipts) {
            // Whoever asked may have gone; the change is stored all the same.
            let _ = receipt.send(outcome);
        }
    }

    async fn erase(&mut self) {
        let done = self.store.erase().await;
        self.erase_at = if done == Ok(true) { None } else { Some(Instant::now() + limits::ERASE_AFTER) };
    }
}
