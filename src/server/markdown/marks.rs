//! Which marks are meant: in a chat 2026., 3*4*5 and ^_^ are a date, a sum and a face, and no list, no emphasis.

use std::borrow::Cow;

/// A larger number begins no list: it is a year.
const LIST_NUMBERS: u64 = 999;

/// What begins and ends code of several lines.
const FENCE: &str = "```";
/// Faces that hold a mark, and how they are written so that it is none.
const FACES: [(&str, &str); 8] = [
    ("^_^", r"^\_^"),
    ("-_-", r"-\_-"),
    (">_<", r">\_<"),
    ("=_=", r"=\_="),
    (";_;", r";\_;"),
    ("._.", r".\_."),
    ("@_@", r"@\_@"),
    ("*^^*", r"\*^^\*"),
];

/// Whether a text has any sign of a mark: most of what people say has none, and costs nothing more.
#[must_use]
pub fn are_likely(text: &str) -> bool {
    let begins = |line: &str| line.trim_start().starts_with(['>', '-', '+']) || number_of(line).is_some();
    text.contains(['*', '_', '`', '~', '[', '@'])
        || text.contains("://")
        || text.contains("www.")
        || text.split('\n').any(begins)
}

/// A text in which what only looks like a mark has a backslash before it (dates, faces and sums), and in which fences and
/// quotes end where people mean them to.
#[must_use]
pub fn without_false(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut shielded: Vec<Cow<'_, str>> = Vec::with_capacity(lines.len());
    // Of the code that has begun: how long its fence is, and whether it is a plain one at the margin, which is mended.
    let mut fence: Option<(usize, bool)> = None;
    let mut is_quote = false;
    for (at, &line) in lines.iter().enumerate() {
        let begun = line.trim_start();
        let said = begun.trim_start_matches('`');
        let length = begun.len() - said.len();
        match fence {
            None if length >= FENCE.len() && !said.contains('`') => {
                let is_plain = length == FENCE.len() && begun.len() == line.len();
                fence = Some((length, is_plain));
                if is_plain && !is_language(said) {
                    // Words behind it are the first of the code.
                    shielded.extend([FENCE.into(), said.into()]);
                } else {
                    shielded.push(line.into());
                }
            }
            None => {
                let line = without_signs(without_date(&lines, at));
                // What follows a quote without its mark is one's own.
                let was_quote = std::mem::replace(&mut is_quote, line.starts_with('>'));
                shielded.extend((was_quote && !is_quote).then_some(Cow::Borrowed("")));
                shielded.push(line);
            }
            Some((least, _)) if length >= least && said.trim().is_empty() => {
                fence = None;
                shielded.push(line.into());
            }
            Some((_, true)) if length == FENCE.len() && begun.len() == line.len() => {
                fence = None;
                shielded.extend([FENCE.into(), said.into()]);
            }
            Some((_, true)) if line.ends_with(FENCE) => {
                fence = None;
                shielded.extend([line[..line.len() - FENCE.len()].into(), FENCE.into()]);
            }
            Some(_) => shielded.push(line.into()),
        }
    }
    shielded.join("\n")
}

/// Whether what stands behind a fence names a language, or is nothing.
fn is_language(said: &str) -> bool {
    said.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+#-_.,".contains(&byte))
}

/// The line at that place. A date ("11. 25. 모임") is no list: one that does not begin at 1 has at least two lines.
fn without_date<'a>(lines: &[&'a str], at: usize) -> Cow<'a, str> {
    let line = lines[at];
    let Some(number) = number_of(line) else { return line.into() };
    let number_at = |at: Option<usize>| at.and_then(|at| number_of(lines.get(at)?));
    let follows = number_at(at.checked_sub(1)).is_some_and(|before| before.checked_add(1) == Some(number));
    let goes_on = number_at(Some(at + 1)).is_some_and(|after| after.checked_sub(1) == Some(number));
    if number <= LIST_NUMBERS && (number == 1 || follows || goes_on) {
        return line.into();
    }
    let digits = line.len() - line.trim_start_matches(|letter: char| letter == ' ' || letter.is_ascii_digit()).len();
    format!("{}\\{}", &line[..digits], &line[digits..]).into()
}

/// A line in which faces and sums (3*4*5) are only text, and in which nothing is quoted without a blank.
fn without_signs(mut line: Cow<'_, str>) -> Cow<'_, str> {
    // In code a backslash would be seen, and in an address it would be another.
    if ["`", "://", "www."].iter().any(|sign| line.contains(sign)) {
        return line;
    }
    let begun = line.trim_start();
    let quoted = begun.trim_start_matches('>');
    if quoted.len() < begun.len() && !quoted.is_empty() && !quoted.starts_with(' ') {
        line = format!("\\{begun}").into();
    }
    for (face, shielded) in FACES {
        if line.contains(face) {
            line = line.replace(face, shielded).into();
        }
    }
    let bytes = line.as_bytes();
    let is_times = |at: &usize| {
        let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        bytes[*at] == b'*' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
    };
    let times: Vec<usize> = (0..bytes.len()).filter(is_times).collect();
    for at in times.into_iter().rev() {
        line.to_mut().insert(at, '\\');
    }
    line
}

/// The number that a line of a list begins with.
fn number_of(line: &str) -> Option<u64> {
    let line = line.trim_start_matches(' ');
    let (number, rest) = line.split_at(line.bytes().take_while(u8::is_ascii_digit).count());
    rest.starts_with(['.', ')']).then(|| number.parse().ok())?
}
