//! Display names: what may be one, and when two of them are the same to a reader.
//!
//! A name is prepared by the nickname profile of PRECIS (RFC 8266) and compared by the skeleton of
//! UTS 39, so that full-width, decomposed, Cyrillic or differently spaced twins count as one name.

use super::{
    Error,
    limits::NAME_CHARS,
    room::{is_control, is_visible},
};
use precis_core::profile::Profile;
use precis_profiles::Nickname;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

/// Turns the digit before it into an emoji.
const KEYCAP: char = '\u{20e3}';
/// Combining marks in a row that real scripts need; more only serves to paint over other lines.
const MARKS_IN_A_ROW: usize = 4;

/// A name that a person or guest may show: 1 to 40 characters, normalised, every one visible.
#[derive(Clone, Debug)]
pub struct DisplayName(Arc<Named>);

#[derive(Debug)]
struct Named {
    text: String,
    /// Made when it is first asked for: a guest's every word is checked by it.
    key: OnceLock<NameKey>,
}

impl DisplayName {
    /// Checks and normalises `raw`; doing so twice changes nothing more.
    ///
    /// # Errors
    /// [`Error::NameInvalid`] says what is wrong with it.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        if raw.len() > NAME_CHARS * 32 {
            return Err(too_long());
        }
        let name = normalise(raw);
        let count = name.chars().count();
        if count == 0 {
            return Err(Error::name_invalid("a name must not be empty"));
        }
        if count > NAME_CHARS {
            return Err(too_long());
        }
        let bare = without_emoji_joiners(&name);
        if bare.chars().any(|c| is_control(c) || !(is_visible(c) || c == ' ')) || !bare.chars().any(is_base) {
            return Err(Error::name_invalid("a name must not hold invisible characters"));
        }
        if has_piled_marks(&bare) {
            return Err(Error::name_invalid("a name must not pile up combining marks"));
        }
        Nickname::new()
            .enforce(with_stand_ins(&bare))
            .map_err(|_| Error::name_invalid("a name must consist of letters, digits, marks, symbols and spaces"))?;
        Ok(Self::stored(name))
    }

    /// A name that was checked before it was stored: rules that came later do not lock anybody out.
    #[must_use]
    pub fn stored(name: String) -> Self {
        Self(Arc::new(Named { text: name, key: OnceLock::new() }))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// What the name is compared by.
    #[must_use]
    pub fn key(&self) -> &NameKey {
        self.0.key.get_or_init(|| {
            let bare: String = without_emoji_joiners(self.as_str()).nfkc().collect();
            let lower: String = bare.to_lowercase().nfkc().collect();
            NameKey { folded: skeleton(&lower).collect(), seen: skeleton(&bare).collect() }
        })
    }
}

impl PartialEq for DisplayName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for DisplayName {}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two names are the same to a reader if either half is equal: `folded` is blind to case,
/// `seen` keeps it and so also catches a capital I in the place of a small l.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameKey {
    /// The skeleton of the lower-case name.
    pub folded: String,
    /// The skeleton of the name as written.
    pub seen: String,
}

impl NameKey {
    /// Whether a reader could take one name for the other.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.folded == other.folded || self.seen == other.seen
    }
}

fn too_long() -> Error {
    Error::name_invalid(format!("a name has at most {NAME_CHARS} characters"))
}

/// Compatibility-composed, with single inner spaces and none around. Single Hangul letters
/// (ㅋㅋ, ㅇㅇ) stay what they are: NFKC would make conjoining jamo of them, which RFC 8266 refuses.
fn normalise(raw: &str) -> String {
    let composed: String = raw.nfc().collect();
    let mut name = String::with_capacity(composed.len());
    for run in composed.split_inclusive(is_compatibility_jamo) {
        let letters = run.trim_end_matches(is_compatibility_jamo);
        name.extend(letters.nfkc());
        name.push_str(&run[letters.len()..]);
    }
    name.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

fn is_compatibility_jamo(c: char) -> bool {
    matches!(c, '\u{3131}'..='\u{3163}' | '\u{3165}'..='\u{318e}')
}

/// For the check against RFC 8266 alone, a syllable stands in for each single Hangul letter, and a star
/// for symbols: the tables of the check are older than many of them.
fn with_stand_ins(name: &str) -> String {
    let stand_in = |c| match c {
        _ if is_compatibility_jamo(c) => '가',
        _ if is_emoji(c) || is_newer_symbol(c) => '☆',
        _ => c,
    };
    name.chars().map(stand_in).collect()
}

/// Currency signs, and the keycap that makes an emoji of a digit.
fn is_newer_symbol(c: char) -> bool {
    matches!(c, '\u{20a0}'..='\u{20cf}' | KEYCAP)
}

/// Drops zero-width joiners and variation selectors that are part of an emoji sequence, and only those.
fn without_emoji_joiners(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let joined = |i: usize| {
        let before = chars[..i].iter().rev().find(|c| !matches!(c, '\u{fe0f}')).is_some_and(|c| is_emoji(*c));
        match chars[i] {
            '\u{200d}' => before && chars.get(i + 1).is_some_and(|c| is_emoji(*c)),
            '\u{fe0e}' | '\u{fe0f}' => i > 0 && (is_emoji(chars[i - 1]) || chars.get(i + 1) == Some(&KEYCAP)),
            _ => false,
        }
    };
    (0..chars.len()).filter(|&i| !joined(i)).map(|i| chars[i]).collect()
}

/// The blocks that emoji live in; exact properties are not needed to tell them from letters.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}') && !c.is_alphabetic() && is_visible(c)
}

fn is_base(c: char) -> bool {
    is_visible(c) && !is_combining_mark(c)
}

fn has_piled_marks(name: &str) -> bool {
    let mut marks = 0;
    name.nfd().any(|c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks > MARKS_IN_A_ROW
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(raw: &str) -> DisplayName {
        DisplayName::parse(raw).unwrap_or_else(|e| panic!("{raw:?}: {e}"))
    }

    fn alike(a: &str, b: &str) -> bool {
        name(a).key().is_like(name(b).key())
    }

    const HONEST: &[&str] = &[
        "mina",
        "김민수",
        "さくら",
        "ليلى",
        "O'Brien",
        "민수😀",
        "ㅇㅇ",
        "ㅋㅋ왕",
        "李小龍",
        "Zoë",
        "Łukasz",
        "Дмитрий",
        "Νίκος",
        "דוד",
        "गीता",
        "สมชาย",
        "Nguyễn Văn A",
        "x_1-2.3",
        "👩‍💻",
        "👨‍👩‍👧‍👦 가족",
        "❤️",
        "🏳️‍🌈",
        "🇰🇷",
        "ＡＢＣ",
        "ㄱ",
        "민수🤣",
        "민수🥰",
        "🫠",
        "민수👍🏽",
        "₿",
        "1️⃣",
    ];

    #[test]
    fn honest_names_of_all_scripts_are_accepted() {
        for raw in HONEST {
            name(raw);
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once() {
        for raw in HONEST.iter().chain(&["  a   b ", "ﬁn", "\u{1112}\u{1161}\u{11ab}", "①", "ｍｉｎａ"]) {
            let once = name(raw);
            assert_eq!(name(once.as_str()), once, "{raw:?}");
            assert_eq!(name(once.as_str()).key(), once.key(), "{raw:?}");
        }
    }

    #[test]
    fn invisible_and_direction_turning_characters_are_refused() {
        let bad = [
            "",
            " ",
            "\u{3000}",
            "a\u{200b}b",
            "a\u{200c}b",
            "a\u{200d}b",
            "김\u{200d}민수",
            "a\u{2060}b",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{202e}b",
            "\u{2066}a\u{2069}",
            "a\u{200e}",
            "a\u{61c}b",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "a\u{3164}b",
            "\u{2800}",
            "a\u{2800}b",
            "a\0b",
            "a\u{7f}",
            "a\u{fe0f}b",
            "a\u{180e}b",
            "\u{e0001}a",
            "a\u{1b}[31m",
            "\u{301}",
            "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
            "\u{fffe}",
            "a\u{e000}",
            "a\u{fff9}b",
            "\u{200d}😀",
        ];
        for raw in bad {
            assert!(matches!(DisplayName::parse(raw), Err(Error::NameInvalid { .. })), "{raw:?}");
        }
    }

    #[test]
    fn twins_of_a_name_share_its_key() {
        for twin in ["MINA", "ｍｉｎａ", " mina ", "m\u{456}na", "min\u{430}", "mina\u{3000}"] {
            assert!(alike("mina", twin), "{twin:?}");
        }
        assert!(alike("김민수", "\u{1100}\u{1175}\u{11b7}\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}"));
        assert!(alike("Bill", "BiIl"));
        assert!(alike("paypal", "pаypаl"));
        assert!(alike("👩‍💻", "👩💻"));
    }

    #[test]
    fn different_names_have_different_keys() {
        for (a, b) in [("mina", "mino"), ("김민수", "김민서"), ("Ian", "Lan"), ("さくら", "サクラ"), ("a b", "ab")]
        {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_name_has_at_most_40_characters() {
        assert!(DisplayName::parse(&"가".repeat(40)).is_ok());
        assert!(DisplayName::parse(&"가".repeat(41)).is_err());
        assert!(DisplayName::parse(&"a".repeat(100_000)).is_err());
    }
}
