//! A connection's queue: what others said and its peer has not taken yet. It never makes anybody wait:
//! whoever is too far behind loses its place in it and is fed from the log.

use super::recent::News;
use crate::{
    domain::{RoomId, Seq, limits},
    protocol::ServerFrame,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What one frame costs beside its text.
const FRAME_OVERHEAD: usize = 64;

/// A frame on its way to one connection.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The bytes, shared by all who get them.
    pub text: Utf8Bytes,
    /// What it is a change of, so that a replay and the live stream meet without repeat.
    pub number: Option<(RoomId, Seq)>,
    /// Whether it is bare text, for those who have entered no room.
    pub bare: bool,
}

impl Delivery {
    /// A frame without a number: of presence, of the list. Best effort.
    #[must_use]
    pub fn unnumbered(frame: &ServerFrame) -> Self {
        Self { text: frame.to_json().into(), number: None, bare: false }
    }

    /// A change, as members get it.
    #[must_use]
    pub fn of(news: &News) -> Self {
        Self { text: news.text.clone(), number: Some((news.room, news.rev)), bare: false }
    }

    /// The same as bare text; `None` unless it is a new message of the lobby.
    #[must_use]
    pub fn bare(news: &News) -> Option<Self> {
        let text = news.plain.clone().filter(|_| news.is_new())?;
        Some(Self { text, number: Some((news.room, news.rev)), bare: true })
    }

    fn bytes(&self) -> usize {
        self.text.len() + FRAME_OVERHEAD
    }
}

/// The rooms in which changes were not kept for a connection, with the lowest number of each.
pub type Missed = HashMap<RoomId, Seq>;

#[derive(Debug, Default)]
struct Waiting {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
    /// Set from the moment that it was too much until the connection asks.
    missed: Option<Missed>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    rung: Notify,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change below leaves it whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end where frames are put in.
#[derive(Debug)]
pub struct Inlet(Arc<Shared>);

/// The end where the connection takes them out.
#[derive(Debug)]
pub struct Outlet(Arc<Shared>);

/// An empty queue.
#[must_use]
pub fn queue() -> (Inlet, Outlet) {
    let shared = Arc::new(Shared::default());
    (Inlet(shared.clone()), Outlet(shared))
}

impl Inlet {
    /// Puts a frame in, or notes that it was missed.
    pub fn put(&self, delivery: &Delivery) {
        let mut waiting = self.0.waiting();
        let is_full = waiting.deliveries.len() >= limits::FRAMES_QUEUED
            || waiting.bytes + delivery.bytes() > limits::FRAMES_QUEUED_BYTES;
        if waiting.missed.is_none() && !is_full {
            waiting.bytes += delivery.bytes();
            waiting.deliveries.push_back(delivery.clone());
        } else {
            // All of it goes: the log has it, and memory is bounded.
            let dropped = std::mem::take(&mut waiting.deliveries);
            waiting.bytes = 0;
            let missed = waiting.missed.get_or_insert_default();
            for (room, number) in dropped.iter().chain([delivery]).filter_map(|delivery| delivery.number) {
                missed.entry(room).and_modify(|lowest| *lowest = number.min(*lowest)).or_insert(number);
            }
        }
        drop(waiting);
        self.0.rung.notify_one();
    }
}

impl Outlet {
    /// Waits for frames and takes up to `most` of them; or says what was missed.
    /// Nothing is lost when the wait is given up.
    pub async fn take(&self, most: usize, into: &mut Vec<Delivery>) -> Option<Missed> {
        loop {
            if let Some(missed) = self.try_take(most, into) {
                return Some(missed);
            }
            if !into.is_empty() {
                return None;
            }
            self.0.rung.notified().await;
        }
    }

    /// The same without waiting.
    pub fn try_take(&self, most: usize, into: &mut Vec<Delivery>) -> Option<Missed> {
        let mut waiting = self.0.waiting();
        let count = most.min(waiting.deliveries.len());
        into.extend(waiting.deliveries.drain(..count));
        waiting.bytes -= into[into.len() - count..].iter().map(Delivery::bytes).sum::<usize>();
        waiting.missed.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(room: RoomId, number: Seq, length: usize) -> Delivery {
        Delivery { text: "x".repeat(length).into(), number: Some((room, number)), bare: false }
    }

    fn numbers(batch: &[Delivery]) -> Vec<Seq> {
        batch.iter().filter_map(|delivery| delivery.number).map(|(_, number)| number).collect()
    }

    #[tokio::test]
    async fn frames_come_out_in_order_as_many_as_asked_for() {
        let (inlet, outlet) = queue();
        let room = RoomId::new();
        (1..=3).for_each(|n| inlet.put(&change(room, n, 1)));
        let mut batch = Vec::new();
        assert_eq!(outlet.take(2, &mut batch).await, None);
        assert_eq!(numbers(&batch), [1, 2]);
        assert_eq!(outlet.take(2, &mut batch).await, None);
        assert_eq!(numbers(&batch), [1, 2, 3]);
    }

    #[tokio::test]
    async fn whoever_is_too_far_behind_is_told_from_where_in_each_room() {
        for (count, length) in [(limits::FRAMES_QUEUED, 1), (2, limits::FRAMES_QUEUED_BYTES / 3)] {
            let (inlet, outlet) = queue();
            let (room, other) = (RoomId::new(), RoomId::new());
            inlet.put(&change(other, 70, length));
            (5..5 + count as Seq).for_each(|n| inlet.put(&change(room, n, length)));
            inlet.put(&change(room, 9_999, length));
            let mut batch = Vec::new();
            assert_eq!(outlet.take(9, &mut batch).await, Some(HashMap::from([(room, 5), (other, 70)])));
            assert!(batch.is_empty());
            inlet.put(&change(room, 10_000, 1));
            assert_eq!(outlet.take(9, &mut batch).await, None, "and then it goes on");
            assert_eq!(numbers(&batch), [10_000]);
        }
    }
}
