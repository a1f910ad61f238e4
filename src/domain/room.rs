//! Rooms.

use super::{
    Error, PersonId, RoomId, Seq, Timestamp,
    limits::{ROOM_NAME_CHARS, TOPIC_CHARS},
};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// A room's name: 1 to 80 characters, composed (NFC), without control characters, single spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// Checks and normalises `raw`.
    ///
    /// # Errors
    /// [`Error::RoomNameInvalid`] when it is blank, too long, or holds control characters,
    /// direction overrides included.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let name = one_line(raw, ROOM_NAME_CHARS).filter(|name| name.chars().any(is_visible));
        name.map(Self).ok_or(Error::RoomNameInvalid)
    }

    /// A name that was checked before it was stored.
    #[must_use]
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a room is about: one line of at most 200 characters, composed (NFC), without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// Checks and normalises `raw`; a blank one is none.
    ///
    /// # Errors
    /// [`Error::BadFrame`] when it is too long or holds control characters.
    pub fn parse(raw: &str) -> Result<Option<Self>, Error> {
        let topic =
            one_line(raw, TOPIC_CHARS).ok_or_else(|| Error::bad_frame("topic: one line of at most 200 characters"))?;
        Ok(topic.chars().any(is_visible).then_some(Self(topic)))
    }

    /// The line as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text on one line, with single blanks; `None` if it is too long or holds control characters.
fn one_line(raw: &str, most: usize) -> Option<String> {
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>();
    (line.chars().count() <= most && !line.chars().any(is_control)).then_some(line)
}

/// Control characters, line separators, and what turns the direction of the text around it.
pub(super) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Whether a character leaves a mark on the screen: blanks in disguise and joiners do not.
pub(super) fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// A room as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its identity, for ever.
    pub id: RoomId,
    /// Its present name.
    pub name: RoomName,
    /// One line on what it is about.
    pub topic: Option<String>,
    /// Who made it: they may give it another name and topic.
    pub created_by: Option<PersonId>,
    /// When: milliseconds since 1970.
    pub created_at: Timestamp,
    /// The room that always exists, and that plain text goes to.
    pub lobby: bool,
    /// The number of its last change; 0 before the first.
    pub head: Seq,
    /// How many messages were ever said in it.
    pub messages: u64,
    /// The last message's author and text, and its time.
    pub last: Option<(String, String, Timestamp)>,
}

impl Room {
    /// A room in which nothing was said yet.
    #[must_use]
    pub const fn new(id: RoomId, name: RoomName, created_by: Option<PersonId>, created_at: Timestamp) -> Self {
        Self { id, name, topic: None, created_by, created_at, lobby: false, head: 0, messages: 0, last: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_one_line_or_none() {
        let parsed = |raw: &str| Topic::parse(raw).map(|topic| topic.map(|topic| topic.as_str().to_owned()));
        assert_eq!(parsed(" 토요일\n10시 "), Ok(Some("토요일 10시".into())));
        assert_eq!((parsed("  "), parsed("\u{200b}")), (Ok(None), Ok(None)));
        assert!(parsed(&"가".repeat(201)).is_err() && parsed("a\u{202e}b").is_err());
    }

    #[test]
    fn a_room_name_is_trimmed_composed_and_single_spaced() {
        assert_eq!(RoomName::parse("  책\t 모임 \n").map(|n| n.to_string()), Ok("책 모임".into()));
        assert_eq!(RoomName::parse("\u{1112}\u{1161}\u{11ab}").map(|n| n.to_string()), Ok("한".into()));
    }

    #[test]
    fn a_room_name_has_1_to_80_characters() {
        assert!(RoomName::parse(&"가".repeat(80)).is_ok());
        for bad in ["", " \u{3000}\t", &"가".repeat(81), "a\u{202e}b", "a\u{0}b", "\u{200b}", "\u{3164}"] {
            assert_eq!(RoomName::parse(bad), Err(Error::RoomNameInvalid), "{bad:?}");
        }
    }
}
