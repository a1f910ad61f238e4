//! What a connection has to write.

use crate::domain::limits;
use bytes::Bytes;
use std::collections::VecDeque;

/// Bytes that go into one write; a longer frame goes whole.
const WRITE_AT_ONCE: usize = 16 * 1024;
/// With more than this to write, a connection takes no more from its queue.
pub(super) const FRAMES_AT_ONCE: usize = 64;

/// What is to be written next, as frames.
#[derive(Default)]
pub(super) struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// A control frame goes first: behind everything that a slow reader has to take, it would come too late.
    pub(super) fn push_first(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_front(frame);
    }

    /// Takes some of it; nothing if there is nothing.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let first = self.frames.pop_front()?;
        let mut some = vec![first];
        let mut bytes = some[0].len();
        while let Some(next) = self.frames.front().filter(|next| bytes + next.len() <= WRITE_AT_ONCE) {
            bytes += next.len();
            some.extend(self.frames.pop_front());
        }
        self.bytes -= bytes;
        if self.frames.is_empty() {
            // A connection that has nothing to write keeps no room for it.
            self.frames = VecDeque::new();
        }
        Some(if some.len() == 1 { some.remove(0) } else { some.concat().into() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES_AT_ONCE || self.bytes >= limits::OUTBOX_BYTES
    }
}
