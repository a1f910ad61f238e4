//! What is put into a mailbox: one frame, or those that were stored together.

use crate::{
    domain::{RoomId, Seq, limits},
    protocol::ServerFrame,
    server::{frames, recent::News},
};
use bytes::Bytes;

/// What one frame costs beside its bytes.
const FRAME_OVERHEAD: usize = 64;

/// A frame on its way to one connection. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The WebSocket frame; a server's frames are the same for everyone.
    pub frame: Bytes,
    /// What it is a change of, so that a replay and the live stream meet without repeat.
    pub number: Option<(RoomId, Seq)>,
    /// Whether it is bare text, for those who have entered no room.
    pub bare: bool,
}

impl Delivery {
    /// A frame without a number: of presence, of the list. Best effort.
    #[must_use]
    pub fn unnumbered(frame: &ServerFrame) -> Self {
        Self { frame: frames::text(frame.to_json().as_bytes()), number: None, bare: false }
    }

    /// A change, as members get it.
    #[must_use]
    pub fn of(news: &News) -> Self {
        Self { frame: news.frame.clone(), number: Some((news.room, news.rev)), bare: false }
    }

    /// The same as bare text; `None` unless it is a new message of the lobby.
    #[must_use]
    pub fn bare(news: &News) -> Option<Self> {
        let frame = news.plain.clone().filter(|_| news.is_new())?;
        Some(Self { frame, number: Some((news.room, news.rev)), bare: true })
    }

    pub(super) fn bytes(&self) -> usize {
        self.frame.len() + FRAME_OVERHEAD
    }
}

/// Changes of one room that were stored together, to be written together.
#[derive(Debug)]
pub struct Batch {
    pub(super) deliveries: Vec<Delivery>,
    /// Their frames, one behind the other.
    pub(super) joined: Bytes,
    pub(super) room: RoomId,
    pub(super) first: Seq,
    pub(super) last: Seq,
}

impl Batch {
    /// Of deliveries that carry the numbers of one room, ascending; as few as [`limits::BATCH_BYTES`] allows.
    #[must_use]
    pub fn of(deliveries: impl Iterator<Item = Delivery>) -> Vec<Self> {
        let (mut batches, mut some, mut bytes) = (Vec::new(), Vec::new(), 0);
        for delivery in deliveries {
            if bytes > 0 && bytes + delivery.frame.len() > limits::BATCH_BYTES {
                batches.extend(Self::new(std::mem::take(&mut some)));
                bytes = 0;
            }
            bytes += delivery.frame.len();
            some.push(delivery);
        }
        batches.extend(Self::new(some));
        batches
    }

    fn new(deliveries: Vec<Delivery>) -> Option<Self> {
        let ((room, first), (_, last)) = deliveries.first()?.number.zip(deliveries.last()?.number)?;
        let joined = match deliveries.as_slice() {
            [only] => only.frame.clone(),
            all => all.iter().map(|delivery| delivery.frame.as_ref()).collect::<Vec<_>>().concat().into(),
        };
        Some(Self { deliveries, joined, room, first, last })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn change(room: RoomId, number: Seq, length: usize) -> Delivery {
        Delivery { frame: frames::text(&vec![b'x'; length]), number: Some((room, number)), bare: false }
    }

    #[test]
    fn a_batch_is_no_longer_than_its_limit() {
        let room = RoomId::new();
        let batches = Batch::of((1..=10).map(|n| change(room, n, limits::BATCH_BYTES / 3)));
        let ends: Vec<_> = batches.iter().map(|batch| (batch.first, batch.last)).collect();
        assert_eq!(ends, [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]);
        assert_eq!(Batch::of([change(room, 7, limits::BATCH_BYTES * 2)].into_iter()).len(), 1);
        assert!(Batch::of(std::iter::empty()).is_empty());
    }
}
