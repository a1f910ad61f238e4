//! Times on the page: UTC in what the server renders, the browser's own zone once the page is live.

use super::{Ui, parts::text, text::Text};
use leptos::prelude::*;

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
        if local {
            let date = js_sys::Date::new(&at.into());
            return Self {
                year: date.get_full_year(),
                month: date.get_month() + 1,
                day: date.get_date(),
                weekday: date.get_day(),
                hour: date.get_hours(),
                minute: date.get_minutes(),
            };
        }
        let part = |range| at.get(range).and_then(|digits: &str| digits.parse().ok()).unwrap_or(0);
        let (year, month, day) = (part(0..4), part(5..7), part(8..10));
        Self { year, month, day, weekday: weekday(year, month, day), hour: part(11..13), minute: part(14..16) }
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
}

/// Sakamoto's method; 0 is Sunday.
fn weekday(year: u32, month: u32, day: u32) -> u32 {
    const SHIFTS: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let year = if month < 3 { year.saturating_sub(1) } else { year };
    (year + year / 4 - year / 100 + year / 400 + SHIFTS[(month as usize + 11) % 12] + day) % 7
}

/// The time of day, in the reader's zone once the page is live.
#[component]
pub fn Clock(
    /// RFC 3339, UTC.
    at: String,
    /// The class of the element.
    class: &'static str,
) -> impl IntoView {
    let ui = Ui::get();
    let when = at.clone();
    view! { <time class=class datetime=at>{text(move || Moment::new(&when, ui.awake.get()).clock(ui.text))}</time> }
}

/// The time of day today, else the day, in the reader's zone once the page is live.
#[component]
pub fn When(
    /// RFC 3339, UTC.
    at: String,
    /// The class of the element.
    class: &'static str,
) -> impl IntoView {
    let ui = Ui::get();
    let when = at.clone();
    let shown = move || {
        let moment = Moment::new(&when, ui.awake.get());
        if ui.awake.get() && moment.date() == Moment::new(&now_rfc3339(), true).date() {
            moment.clock(ui.text)
        } else {
            (ui.text.short_day)(moment.month, moment.day)
        }
    };
    view! { <time class=class datetime=at>{text(shown)}</time> }
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
}
