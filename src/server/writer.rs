//! The one writer of messages: it takes what is queued, stores it in one transaction, and only then
//! delivers and acknowledges. There is no timer: the disk's own sync sets the size of a batch.

use super::{
    hub::{Delivery, Hub, plain_text},
    store::{Appended, NewMessage, Store},
    wire,
};
use crate::{
    domain::{Error, Message, RoomId, limits},
    protocol::ServerFrame,
};
use std::sync::Arc;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

/// Tells what became of one post, once it is on disk or refused.
pub type Receipt = oneshot::Receiver<Result<Appended, Error>>;

/// Where posts wait for the writer.
#[derive(Clone, Debug)]
pub struct Queue {
    posts: mpsc::Sender<Post>,
    /// Set when the writer is to end.
    stop: Arc<Notify>,
}

#[derive(Debug)]
struct Post {
    message: NewMessage,
    receipt: oneshot::Sender<Result<Appended, Error>>,
}

impl Queue {
    /// Hands a message to the writer. Posts of one caller are stored in the order of these calls.
    ///
    /// # Errors
    /// [`Error::Busy`] when there was no place for [`limits::BUSY_AFTER`]; [`Error::StorageUnavailable`]
    /// once the writer has stopped. In both cases nothing is stored.
    pub async fn post(&self, message: NewMessage) -> Result<Receipt, Error> {
        let (receipt, outcome) = oneshot::channel();
        match self.posts.send_timeout(Post { message, receipt }, limits::BUSY_AFTER).await {
            Ok(()) => Ok(outcome),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Error::Busy { retry_after_ms: 1_000 }),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Error::StorageUnavailable),
        }
    }

    /// Refuses further posts; the writer ends once it has stored those it has.
    pub fn close(&self) {
        self.stop.notify_one();
    }
}

/// Starts the writer.
pub fn start(store: Arc<dyn Store>, hub: Hub) -> (Queue, JoinHandle<()>) {
    let (sender, posts) = mpsc::channel(limits::POSTS_QUEUED);
    let stop = Arc::new(Notify::new());
    (Queue { posts: sender, stop: stop.clone() }, tokio::spawn(write(store, hub, posts, stop)))
}

async fn write(store: Arc<dyn Store>, hub: Hub, mut posts: mpsc::Receiver<Post>, stop: Arc<Notify>) {
    let lobby = store.lobby();
    let mut batch = Vec::new();
    loop {
        let taken = tokio::select! {
            taken = posts.recv_many(&mut batch, limits::BATCH_MESSAGES) => taken,
            () = stop.notified() => {
                // A closed channel still gives what it holds, and then 0.
                posts.close();
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        let (messages, receipts): (Vec<_>, Vec<_>) = batch.drain(..).map(|post| (post.message, post.receipt)).unzip();
        let outcomes = store.append(&messages).await.unwrap_or_else(|error| vec![Err(error); messages.len()]);
        for (outcome, receipt) in outcomes.into_iter().zip(receipts) {
            if let Ok(Appended::New(message)) = &outcome {
                publish(&hub, lobby, message);
            }
            // Whoever asked may have gone; the message is stored all the same.
            let _ = receipt.send(outcome);
        }
    }
}

fn publish(hub: &Hub, lobby: RoomId, message: &Message) {
    let text = ServerFrame::Talk(wire::talk(message)).to_json();
    let plain = (message.room == lobby).then(|| plain_text(message.author.name.as_str(), &message.body));
    hub.publish(message.room, &Delivery { text: text.into(), number: Some((message.room, message.rev)) }, plain);
}
