//! What a connection still has to be told of one room's line of numbers. How far it was followed is in its
//! mailbox, since others write to the socket too.

use crate::domain::{Seq, limits};

/// A replay may rest this many times as long as its last part took; each effort halves it.
const RESTS: u32 = 10;
/// The effort from which there is no rest, and parts grow instead.
const RESTLESS: u32 = 4;
/// The most effort.
const UTMOST: u32 = 8;

/// What a connection still has to be told of one room's line of numbers.
#[derive(Debug, Default)]
pub(super) struct Line {
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
    /// The peer was told that the room is at `head`.
    pub(super) fn tell(&mut self, head: Seq) {
        self.told = head;
    }

    /// The number that a replay must reach.
    pub(super) fn told(&self) -> Seq {
        self.told
    }

    /// Everything after number `since` is to be read from the log.
    pub(super) fn replay_after(&mut self, since: Seq) {
        self.replay = Some(self.replay.map_or(since, |next| next.min(since)));
    }

    /// Live changes after number `since` did not come through. A replay under way reads them from the log.
    pub(super) fn missed_after(&mut self, since: Seq) {
        self.replay.get_or_insert(since);
    }

    /// The room's state is to be told, and then everything after number `passed`.
    pub(super) fn tell_anew(&mut self, passed: Seq) {
        self.state_due = true;
        self.missed_after(passed);
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
        self.replay = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_goes_on_until_there_is_no_more() {
        let mut line = Line::default();
        line.replay_after(2);
        line.replayed(10, Some(6));
        assert_eq!(line.replaying(), Some(6));
        line.replayed(11, None);
        assert_eq!(line.replaying(), None);
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
    fn a_replay_under_way_finds_what_was_missed_meanwhile() {
        let mut line = Line::default();
        line.missed_after(69);
        line.replayed(90, Some(80));
        line.missed_after(74);
        assert_eq!(line.replaying(), Some(80));
        line.replayed(90, None);
        line.missed_after(90);
        assert_eq!(line.replaying(), Some(90));
    }

    #[test]
    fn a_replay_that_is_asked_for_begins_at_the_earliest_number() {
        let mut line = Line::default();
        line.replay_after(5);
        line.replay_after(8);
        assert_eq!(line.replaying(), Some(5));
        line.tell_anew(9);
        assert_eq!((line.replaying(), line.takes_state(), line.takes_state()), (Some(5), true, false));
    }
}
