//! What is said, and what becomes of it.

use super::{Chat, Sender};
use crate::{
    domain::{Author, AuthorKind, Body, Emoji, Error, MessageId, RoomId, Seq},
    protocol::Talk,
    server::{
        hub::ConnectionId,
        store::{Applied, Change, NewMessage},
        wire,
        writer::Asker,
    },
};
use std::net::IpAddr;
use tokio::sync::oneshot;

/// Who speaks, and from where.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// As whom.
    pub author: Author,
    /// On which connection, for guests; a person's allowance is their own everywhere.
    pub connection: ConnectionId,
    /// From which address.
    pub address: IpAddr,
}

/// What somebody wants to say.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where.
    pub room: RoomId,
    /// Its identity over all retries; one is made for those who bring none.
    pub id: Option<MessageId>,
    /// The text, unchecked.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

/// What somebody wants of a message that is there.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Another text, unchecked; only while its last change is `if_rev`, where that is given.
    Edit {
        /// The text.
        text: String,
        /// The number.
        if_rev: Option<Seq>,
    },
    /// That it is taken back.
    Delete,
    /// An emoji put to it, or taken away.
    React {
        /// The emoji, unchecked.
        emoji: String,
        /// Put, or taken away.
        on: bool,
    },
}

impl Chat {
    /// Hands a message to the writer. Everyone in the room, the speaker included, hears it once it is on
    /// disk; `asker` is told of a repeat or a refusal.
    ///
    /// # Errors
    /// What [`Body::parse`] says, [`Error::NameTaken`] for a guest whose name is held by now,
    /// [`Error::RateLimited`], [`Error::Busy`].
    pub async fn post(&self, speaker: Speaker, draft: Draft, asker: Asker) -> Result<(), Error> {
        let body = Body::parse(draft.text)?;
        if matches!(speaker.author.kind, AuthorKind::Guest(_)) {
            self.0.names.check_free(&speaker.author.name)?;
        }
        self.charge(&speaker)?;
        let message = NewMessage {
            room: draft.room,
            id: draft.id.unwrap_or_default(),
            author: speaker.author,
            body,
            reply_to: draft.reply_to,
            at: (self.0.clock)(),
        };
        self.0.queue.store(message.into(), draft.id, asker).await
    }

    /// Posts and waits until the message is on disk.
    ///
    /// # Errors
    /// Those of [`Chat::post`] and of the writer.
    pub async fn post_and_wait(&self, speaker: Speaker, draft: Draft) -> Result<Talk, Error> {
        let (asker, outcome) = oneshot::channel();
        self.post(speaker, draft, Asker::Caller(asker)).await?;
        match outcome.await.unwrap_or(Err(Error::StorageUnavailable))? {
            Applied::Changed(message) | Applied::Unchanged(message) => Ok(wire::talk(&message)),
        }
    }

    /// Hands a change of a message to the writer; what becomes of it is as with [`Chat::post`].
    ///
    /// # Errors
    /// [`Error::Forbidden`] for guests, what [`Body::parse`] and [`Emoji::parse`] say,
    /// [`Error::RateLimited`], [`Error::Busy`].
    pub async fn change(
        &self,
        speaker: &Speaker,
        room: RoomId,
        id: MessageId,
        wish: Wish,
        asker: Asker,
    ) -> Result<(), Error> {
        let AuthorKind::Person(person) = speaker.author.kind else { return Err(Error::Forbidden) };
        let change = match wish {
            Wish::Edit { text, if_rev } => {
                Change::Edit { room, id, person, body: Body::parse(text)?, if_rev, at: (self.0.clock)() }
            }
            Wish::Delete => Change::Delete { room, id, person },
            Wish::React { emoji, on } => Change::React { room, id, person, emoji: Emoji::parse(&emoji)?, on },
        };
        self.charge(speaker)?;
        self.0.queue.store(change, Some(id), asker).await
    }

    /// Counts one change against what its author and their address may do.
    fn charge(&self, speaker: &Speaker) -> Result<(), Error> {
        self.0.senders.take(match speaker.author.kind {
            AuthorKind::Person(person) => Sender::Person(person),
            AuthorKind::Guest(_) => Sender::Guest(speaker.connection),
        })?;
        self.0.addresses.take(speaker.address)
    }
}
