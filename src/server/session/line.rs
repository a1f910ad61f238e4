//! How far a connection has followed one room's line of numbers.

use crate::domain::Seq;

/// A replay under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replay {
    /// Its next part begins after this number.
    pub(super) next: Seq,
    /// It began after this one.
    pub(super) after: Seq,
}

/// How far a connection has followed one room's line of numbers.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Changes up to this number were passed on, or need not be.
    passed: Seq,
    replay: Option<Replay>,
}

impl Line {
    /// Changes up to `number` are not this connection's concern.
    pub(super) fn skip_to(&mut self, number: Seq) {
        self.passed = number;
    }

    /// Whether a live change is to be passed on now.
    pub(super) fn passes(&mut self, number: Seq) -> bool {
        let passes = self.replay.is_none() && number > self.passed;
        if passes {
            self.passed = number;
        }
        passes
    }

    /// Everything after number `since` is to be read from the log.
    pub(super) fn replay_after(&mut self, since: Seq) {
        let next = self.replay.map_or(since, |replay| replay.next.min(since));
        self.replay = Some(Replay { next, after: next });
    }

    /// Everything that was not passed on yet is to be read from the log.
    pub(super) fn replay_the_rest(&mut self) {
        if self.replay.is_none() {
            self.replay_after(self.passed);
        }
    }

    /// The replay under way.
    pub(super) fn replaying(&self) -> Option<Replay> {
        self.replay
    }

    /// A part was passed on, up to the change `last`; the room was at `head` then.
    pub(super) fn replayed(&mut self, last: Option<Seq>, head: Seq, complete: bool) {
        self.passed = head;
        self.replay = match self.replay {
            Some(replay) if !complete => Some(Replay { next: last.unwrap_or(replay.next), ..replay }),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_passes_once() {
        let mut line = Line::default();
        line.skip_to(3);
        assert_eq!([3, 4, 4, 5].map(|number| line.passes(number)), [false, true, false, true]);
    }

    #[test]
    fn a_replay_and_the_live_changes_meet_without_hole_or_repeat() {
        let mut line = Line::default();
        line.skip_to(9);
        line.replay_after(2);
        assert!(!line.passes(10), "the log will have it");
        line.replayed(Some(6), 10, false);
        assert_eq!(line.replaying(), Some(Replay { next: 6, after: 2 }));
        assert!(!line.passes(11));
        line.replayed(Some(11), 11, true);
        assert_eq!((line.passes(11), line.passes(12)), (false, true));
    }

    #[test]
    fn what_is_missed_during_a_replay_begins_it_earlier_at_most() {
        let mut line = Line::default();
        line.replay_after(5);
        line.replay_after(8);
        assert_eq!(line.replaying().map(|replay| replay.next), Some(5));
        line.replay_the_rest();
        assert_eq!(line.replaying().map(|replay| replay.next), Some(5));
    }
}
