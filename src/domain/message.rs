//! Messages.

use super::{
    DisplayName, Error, MessageId, PersonId, RoomId,
    limits::{EMOJI_CHARS, MESSAGE_CHARS},
    room::{is_control, is_visible},
};
use unicode_segmentation::UnicodeSegmentation;

/// A number on a room's line: 1, 2, 3 … without gap or reuse; 0 is before the first.
pub type Seq = u64;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// Which of a room's messages a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    #[default]
    Newest,
    /// Those before a place.
    Before(Seq),
    /// Those after a place.
    After(Seq),
    /// Those around a place, half of them before it.
    Around(Seq),
}

impl Window {
    /// The one that an address names; the first of several.
    #[must_use]
    pub fn of(before: Option<Seq>, after: Option<Seq>, at: Option<Seq>) -> Self {
        let windows = [before.map(Self::Before), after.map(Self::After), at.map(Self::Around)];
        windows.into_iter().flatten().next().unwrap_or_default()
    }
}

/// The text of a message: 1 to 8,000 characters, not only white space, otherwise as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Checks `raw`.
    ///
    /// # Errors
    /// [`Error::MessageEmpty`] where there is nothing to see, [`Error::MessageTooLong`] over the limit.
    pub fn parse(raw: impl Into<String>) -> Result<Self, Error> {
        let raw = raw.into();
        if !raw.chars().any(|c| is_visible(c) && !is_control(c)) {
            return Err(Error::MessageEmpty);
        }
        // Counting characters is only needed where the bytes could hold too many.
        if raw.len() > MESSAGE_CHARS && raw.chars().count() > MESSAGE_CHARS {
            return Err(Error::MessageTooLong);
        }
        Ok(Self(raw))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name shown, as it was then.
    pub name: DisplayName,
    /// A person, or a guest of one connection.
    pub kind: AuthorKind,
}

/// Whether the author can be recognised again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorKind {
    /// Somebody with a session, who holds the name.
    Person(PersonId),
    /// An anonymous connection; the short tag tells guests of one name apart.
    Guest(String),
}

impl Author {
    /// The person, unless it is a guest.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self.kind {
            AuthorKind::Person(id) => Some(id),
            AuthorKind::Guest(_) => None,
        }
    }
}

/// What a reply shows of the message that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The message answered.
    pub id: MessageId,
    /// Its place in the room.
    pub seq: Seq,
    /// Its author's name.
    pub sender: String,
    /// The beginning of its text.
    pub excerpt: String,
}

/// The present state of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The room that it is in.
    pub room: RoomId,
    /// Its identity, made by the client.
    pub id: MessageId,
    /// Its place in the room, for ever.
    pub seq: Seq,
    /// The number of its last change; equal to `seq` for a new one.
    pub rev: Seq,
    /// Who wrote it.
    pub author: Author,
    /// Its text; empty when deleted.
    pub body: String,
    /// When it was stored.
    pub at: Timestamp,
    /// When its text was last changed by its author.
    pub edited_at: Option<Timestamp>,
    /// Whether its author took it back: a tombstone, without text, at its place.
    pub deleted: bool,
    /// The message that it answers.
    pub reply_to: Option<Quote>,
    /// What others put to it, by emoji.
    pub reactions: Vec<Reaction>,
}

/// An emoji under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// The names of those who put it there, in order.
    pub by: Vec<String>,
}

/// One emoji, as a reaction: a symbol or a sequence that draws one, no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emoji(String);

impl Emoji {
    /// Checks `raw`.
    ///
    /// # Errors
    /// [`Error::BadFrame`] for letters, blanks, control characters, more than one emoji, or more than [`EMOJI_CHARS`]
    /// characters.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        // A keycap is a digit (or # or *) with two marks; any other ASCII, letter or blank is text.
        let is_keycap = raw.ends_with('\u{20e3}');
        let is_text = |c: char| {
            let in_keycap = is_keycap && (c.is_ascii_digit() || matches!(c, '#' | '*'));
            let joins = matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}');
            (!is_visible(c) && !joins)
                || is_control(c)
                || c.is_whitespace()
                || c.is_alphabetic()
                || (c.is_ascii() && !in_keycap)
        };
        let is_one = raw.chars().count() <= EMOJI_CHARS && raw.graphemes(true).count() == 1;
        if !is_one || raw.chars().any(is_text) || !raw.chars().any(is_visible) {
            return Err(Error::bad_frame("emoji: must be one emoji"));
        }
        Ok(Self(raw.to_owned()))
    }

    /// The emoji as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_1_to_8000_characters_and_not_only_white_space() {
        assert!(Body::parse("안녕").is_ok());
        assert!(Body::parse("가".repeat(8_000)).is_ok());
        assert_eq!(Body::parse("가".repeat(8_001)), Err(Error::MessageTooLong));
        for blank in
            ["", " ", "\n\t\u{3000}", "\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}\u{202e}", "\u{feff} \u{115f}"]
        {
            assert_eq!(Body::parse(blank), Err(Error::MessageEmpty));
        }
    }

    #[test]
    fn a_body_stays_as_it_was_typed() {
        assert_eq!(Body::parse("  a\n  b ").map(|b| b.as_str().to_owned()), Ok("  a\n  b ".into()));
    }

    #[test]
    fn a_reaction_is_an_emoji_and_no_text() {
        for good in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇰🇷", "1️⃣", "👍🏽", "🫶", "☕"] {
            assert!(Emoji::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "a",
            "좋아요",
            "1",
            "👍 ",
            "👍🎉",
            "🇰🇷🇺🇸",
            "👍👍👍👍👍👍👍👍👍👍👍👍👍",
            "\u{200d}",
            "\u{202e}👍",
            "\u{200b}👍",
            "<",
            "#",
        ] {
            assert!(Emoji::parse(bad).is_err(), "{bad:?}");
        }
    }
}
