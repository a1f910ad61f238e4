//! The table: ratios of pairs, never absolute times.

use std::fmt::Write as _;

/// Ratios of one row, over the repeats.
#[derive(Clone, Debug)]
pub struct Ratios(Vec<f64>);

impl Ratios {
    /// Of each repeat, one number of Madang to the same of a peer.
    #[must_use]
    pub fn new(mut ratios: Vec<f64>) -> Self {
        ratios.sort_by(f64::total_cmp);
        Self(ratios)
    }

    /// The one in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The greatest to the least.
    #[must_use]
    pub fn spread(&self) -> f64 {
        self.0.last().zip(self.0.first()).map_or(f64::NAN, |(most, least)| most / least)
    }

    /// "1.07 (1.02 … 1.11)".
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{:.2}", self.median());
        if let [least, .., most] = self.0.as_slice() {
            let _ = write!(text, " ({least:.2} … {most:.2})");
        }
        text
    }
}
