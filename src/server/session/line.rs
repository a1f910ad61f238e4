//! How far a connection has followed one room's line of numbers.

use crate::{
    domain::{Seq, limits},
    server::mailbox::Passed,
};
use std::sync::atomic::Ordering;

/// A replay may rest this many times as long as its last part took; each effort halves it.
const RESTS: u32 = 10;
/// The effort from which there is no rest, and parts grow instead.
const RESTLESS: u32 = 4;
/// The most effort.
const UTMOST: u32 = 8;

/// How far a connection has followed one room's line of numbers.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Changes up to this number were passed on, or need not be. Shared with those who write to the socket.
    passed: Passed,
    /// Set during a replay: the number after which its next part begins.
    replay: Option<Seq>,
    /// How many numbers were still to come after the last part of it.
    behind: Option<Seq>,
    /// How often more the room moved on by over half of what a part brought, than by less.
    effort: u32,
    /// The room's number in the last ROOM: a replay reaches it at least.
    told: Seq,
    /// Whether the room's state is to be told before that.
    state_due: bool,
}

impl Line {
    /// Changes up to `number` are not this connection's concern.
    pub(super) fn skip_to(&mut self, number: Seq) {
        self.passed.store(number, Ordering::Relaxed);
    }

    /// The number up to which it has followed, as it moves.
    pub(super) fn passed(&self) -> Passed {
        self.passed.clone()
    }

    /// The peer was told that the room is at `head`.
    pub(super) fn tell(&mut self, head: Seq) {
        self.told = head;
    }

    /// The number that a replay must reach.
    pub(super) fn told(&self) -> Seq {
        self.told
    }

    /// Whether a live change is to be passed on now.
    pub(super) fn passes(&mut self, number: Seq) -> bool {
        self.replay.is_none() && self.passed.fetch_max(number, Ordering::Relaxed) < number
    }

    /// Everything after number `since` is to be read from the log.
    pub(super) fn replay_after(&mut self, since: Seq) {
        self.replay = Some(self.replay.map_or(since, |next| next.min(since)));
    }

    /// Live changes from number `lowest` on did not come through. A replay under way reads them from the log, and
    /// what was passed on needs no repeat.
    pub(super) fn missed_from(&mut self, lowest: Seq) {
        if self.replay.is_none() {
            self.replay_after(self.passed.load(Ordering::Relaxed).max(lowest - 1));
        }
    }

    /// The room's state is to be told, and then everything that was not passed on yet.
    pub(super) fn tell_anew(&mut self) {
        self.state_due = true;
        if self.replay.is_none() {
            self.replay_after(self.passed.load(Ordering::Relaxed));
        }
    }

    /// Whether the room's state is to be told now, once.
    pub(super) fn takes_state(&mut self) -> bool {
        std::mem::take(&mut self.state_due)
    }

    /// The number after which a replay under way goes on.
    pub(super) fn replaying(&self) -> Option<Seq> {
        self.replay
    }

    /// How many times as long as its last part took a replay may rest. Somebody a long way behind takes no more
    /// than a tenth of the time: those who talk come first. But it must arrive, however much they talk.
    pub(super) fn rests(&self) -> u32 {
        RESTS >> self.effort
    }

    /// How many changes its next part may bring: up to 16 times the usual.
    pub(super) fn part(&self) -> u32 {
        limits::REPLAY_CHANGES << self.effort.saturating_sub(RESTLESS)
    }

    /// A part was passed on; the room was at `head` then. The next part begins after `next`, if that was not all.
    pub(super) fn replayed(&mut self, head: Seq, next: Option<Seq>) {
        let from = self.replay.unwrap_or(head);
        let (to, behind) = (next.unwrap_or(head), next.map_or(0, |next| head.saturating_sub(next)));
        // A step of effort halves a lap or doubles a part: where one gains half a part, the one below still holds.
        let falls_back = self.behind.is_some_and(|before| before < behind + to.saturating_sub(from) / 2);
        self.effort = if falls_back { UTMOST.min(self.effort + 1) } else { self.effort.saturating_sub(1) };
        self.behind = next.is_some().then_some(behind);
        self.skip_to(head);
        self.replay = next;
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
        line.replayed(10, Some(6));
        assert_eq!(line.replaying(), Some(6));
        assert!(!line.passes(11));
        line.replayed(11, None);
        assert_eq!((line.passes(11), line.passes(12)), (false, true));
    }

    #[test]
    fn a_replay_takes_its_time_unless_the_room_moves_as_fast() {
        let mut line = Line::default();
        line.replay_after(0);
        line.replayed(1_000, Some(50));
        line.replayed(1_010, Some(100));
        assert_eq!((line.rests(), line.part()), (10, 50));
        line.replayed(1_050, Some(150));
        assert_eq!((line.rests(), line.part()), (5, 50));
        for number in 4..9 {
            line.replayed(number * 1_000, Some(number * 50));
        }
        assert_eq!((line.rests(), line.part()), (0, 200), "no rest, and more at a time");
        line.replayed(8_010, Some(600));
        assert_eq!((line.rests(), line.part()), (0, 100));
    }

    #[test]
    fn what_was_passed_on_is_not_repeated_for_what_was_missed_later() {
        let mut line = Line::default();
        line.missed_from(70);
        assert_eq!(line.replaying(), Some(69), "what came before the first one was never its concern");
        line.replayed(90, Some(80));
        line.missed_from(75);
        assert_eq!(line.replaying(), Some(80));
        line.replayed(90, None);
        line.missed_from(85);
        assert_eq!(line.replaying(), Some(90));
    }

    #[test]
    fn a_replay_that_is_asked_for_begins_at_the_earliest_number() {
        let mut line = Line::default();
        line.replay_after(5);
        line.replay_after(8);
        assert_eq!(line.replaying(), Some(5));
        line.tell_anew();
        assert_eq!((line.replaying(), line.takes_state(), line.takes_state()), (Some(5), true, false));
    }
}
