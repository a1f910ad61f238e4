//! The chart for the README: what a delivery costs, with a bare loop as 1, on a logarithmic scale.

use std::{fmt::Write as _, fs, path::Path};

/// One row of the table.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Who, and how many times what the floor costs.
    pub(crate) bars: Vec<(&'static str, f64)>,
}

const WIDTH: f64 = 760.0;
/// Where the bars begin and end.
const LEFT: f64 = 130.0;
const RIGHT: f64 = 680.0;
const BAR: f64 = 16.0;
const TITLE: f64 = 34.0;
/// The scale's ends.
const LEAST: f64 = 0.7;
const MOST: f64 = 150.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#2b2723}.title{font-weight:600}\
.bar{fill:#a79f92}.own{fill:#1f7a5c}.line{stroke:#cfc8bb}\
@media(prefers-color-scheme:dark){text{fill:#ece6da}.bar{fill:#6f695f}.own{fill:#4fbf95}.line{stroke:#4a463f}}";

fn x(ratio: f64) -> f64 {
    let share = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + share * (RIGHT - LEFT)
}

/// Draws it into a file.
pub(crate) fn draw(file: &Path, groups: &[Group]) -> Result<(), String> {
    let mut body = String::new();
    let mut y = 8.0;
    for group in groups {
        y += TITLE;
        let _ = write!(body, r#"<text class="title" x="4" y="{:.0}">{}</text>"#, y - 8.0, group.title);
        for (name, ratio) in &group.bars {
            let class = if name.starts_with("madang") { "own" } else { "bar" };
            let (text, width) = (y + BAR - 4.0, x(*ratio) - LEFT);
            let _ = write!(
                body,
                r#"<text x="{:.0}" y="{text:.0}" text-anchor="end">{name}</text><rect class="{class}" x="{LEFT}" y="{:.0}" width="{width:.1}" height="{:.0}" rx="2"/><text x="{:.1}" y="{text:.0}">{ratio:.2} ×</text>"#,
                LEFT - 8.0,
                y + 2.0,
                BAR - 4.0,
                LEFT + width + 6.0,
            );
            y += BAR;
        }
    }
    let (below, height) = (y + 8.0, y + 28.0);
    let mut lines = String::new();
    for mark in [1.0, 10.0, 100.0] {
        let at = x(mark);
        let _ = write!(
            lines,
            r#"<line class="line" x1="{at:.1}" x2="{at:.1}" y1="8" y2="{below:.0}"/><text x="{at:.1}" y="{:.0}" text-anchor="middle">{mark} ×</text>"#,
            below + 14.0
        );
    }
    let title = "CPU time per delivered message, a bare epoll loop being 1; logarithmic";
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{title}"><style>{STYLE}</style>{lines}{body}</svg>"#
    );
    fs::write(file, svg + "\n").map_err(|error| format!("{}: {error}", file.display()))
}
