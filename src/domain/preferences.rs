//! What a browser prefers: its language and its theme. Chosen on the server, so that the first
//! paint is right and the browser goes on in the same words.

use serde::{Deserialize, Serialize};

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

impl Lang {
    /// The language tag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// From a language tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default().trim();
        [Self::Ko, Self::En].into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.as_str()))
    }

    /// The first language of an `Accept-Language` header, by its weights, that the page has.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let weighted = header.split(',').filter_map(|part| {
            let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
            Some((Self::parse(tag.trim())?, weight.trim().parse::<f32>().unwrap_or(0.0)))
        });
        // Of equal weights the first counts.
        weighted.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(lang, _)| lang)
    }
}

/// Light or dark; without either the page follows the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Paper by day.
    Light,
    /// The yard at night.
    Dark,
}

impl Theme {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the word for it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_accepted_language_that_the_page_has_wins() {
        assert_eq!(Lang::accepted("fr,en;q=0.8,ko;q=0.9"), Some(Lang::Ko));
        assert_eq!(Lang::accepted("en-GB,en;q=0.9"), Some(Lang::En));
        assert_eq!(Lang::accepted("fr, de;q=0.5"), None);
        assert_eq!(Lang::accepted(""), None);
    }
}
