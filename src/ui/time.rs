//! Times on the page: UTC in what the server renders, the browser's own zone once the page is live.

use super::text::Text;
use std::cell::RefCell;

/// A point in time, as a calendar and a clock show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The year.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
}

impl Moment {
    /// Reads RFC 3339 in UTC, as the protocol has it; `local` turns it into the browser's zone.
    #[must_use]
    pub fn new(at: &str, local: bool) -> Self {
        Self::shifted(at, if local { offset(at) } else { 0 })
    }

    /// The same in a zone that is ahead of UTC by so many minutes.
    fn shifted(at: &str, ahead: i64) -> Self {
        let part = |range| at.get(range).and_then(|digits: &str| digits.parse().ok()).unwrap_or(0);
        let minutes = days(part(0..4), part(5..7), part(8..10)) * DAY + part(11..13) * 60 + part(14..16) + ahead;
        let (day, minute) = (minutes.div_euclid(DAY), minutes.rem_euclid(DAY));
        let (year, month, date) = date(day);
        // 1970-01-01 was a Thursday.
        let weekday = (day + 4).rem_euclid(7);
        let [year, month, day, weekday, hour, minute] =
            [year, month, date, weekday, minute / 60, minute % 60].map(|number| number as u32);
        Self { year, month, day, weekday, hour, minute }
    }

    /// The date alone.
    #[must_use]
    pub fn date(&self) -> (u32, u32, u32) {
        (self.year, self.month, self.day)
    }

    /// The clock alone.
    #[must_use]
    pub fn clock(&self, text: &Text) -> String {
        (text.time)(self.hour, self.minute)
    }

    /// The clock today, else the day; `today` is the browser's date, once the page is live.
    #[must_use]
    pub fn short(&self, today: Option<(u32, u32, u32)>, text: &Text) -> String {
        match today {
            Some(today) if today == self.date() => self.clock(text),
            _ => (text.short_day)(self, today.is_some_and(|(year, _, _)| year != self.year)),
        }
    }
}

/// Minutes of a day.
const DAY: i64 = 24 * 60;

thread_local! {
    /// How far the browser's zone is ahead of UTC in the hour of this name: asking it is slow, and messages come in
    /// the order of their times.
    static OFFSET: RefCell<(String, i64)> = RefCell::default();
}

fn offset(at: &str) -> i64 {
    let hour = at.get(..13).unwrap_or_default();
    OFFSET.with_borrow_mut(|(known, minutes)| {
        if known != hour {
            let behind = js_sys::Date::new(&at.into()).get_timezone_offset();
            (*known, *minutes) = (hour.to_owned(), if behind.is_nan() { 0 } else { -behind as i64 });
        }
        *minutes
    })
}

/// Days since 1970-01-01. Years begin with March here, so that the leap day is the last: then the months before
/// one take 153 days for every five.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month < 3);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The year, month and day of a day since 1970-01-01: the reverse of [`days`].
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (shown, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, shown, of_year - (153 * month + 2) / 5 + 1)
}

/// The browser's clock as RFC 3339 in UTC.
#[must_use]
pub fn now_rfc3339() -> String {
    js_sys::Date::new_0().to_iso_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_protocol_is_read() {
        let moment = Moment::new("2026-11-22T19:17:23.042Z", false);
        assert_eq!(moment, Moment { year: 2026, month: 11, day: 22, weekday: 0, hour: 19, minute: 17 });
        assert_eq!(Moment::new("2024-02-29T00:00:00.000Z", false).weekday, 4);
        assert_eq!(Moment::new("nonsense", false).hour, 0);
    }

    #[test]
    fn in_another_zone_it_may_be_another_day() {
        let seoul = Moment::shifted("2024-02-29T19:17:23.042Z", 9 * 60);
        assert_eq!((seoul.date(), seoul.hour, seoul.minute, seoul.weekday), ((2024, 3, 1), 4, 17, 5));
        let west = Moment::shifted("2026-01-01T01:30:00.000Z", -210);
        assert_eq!((west.date(), west.hour, west.minute, west.weekday), ((2025, 12, 31), 22, 0, 3));
    }

    #[test]
    fn every_day_of_four_centuries_is_found_again() {
        let mut last = 0;
        for day in days(1970, 1, 1)..days(2370, 1, 1) {
            let (year, month, date) = date(day);
            assert_eq!(days(year, month, date), day);
            let number = year * 10_000 + month * 100 + date;
            assert!(number > last, "{number} after {last}");
            last = number;
        }
        assert_eq!(last, 23_691_231);
    }
}
