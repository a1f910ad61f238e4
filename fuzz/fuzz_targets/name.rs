//! Any text as a display name: what is accepted is fit to be shown, and parsing it again changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use madang::domain::{DisplayName, limits::NAME_CHARS};

fuzz_target!(|raw: &str| {
    let Ok(name) = DisplayName::parse(raw) else { return };
    let text = name.as_str();
    assert!((1..=NAME_CHARS).contains(&text.chars().count()), "{text:?}");
    assert!(!text.chars().any(disturbs), "{text:?}");

    // A name is parsed again when it comes back in a frame: it must then still be its holder's.
    let again = DisplayName::parse(text);
    assert_eq!(again.as_ref(), Ok(&name), "{raw:?}");
    assert_eq!(again.map(|name| name.key()), Ok(name.key()), "{raw:?}");
});

/// Control characters, line separators, and all that has Unicode's property Bidi_Control: written out here, since
/// the domain's own list is what is tested.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
