//! Any text as a message and as a room's name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use madang::domain::{
    Body, Error, RoomName,
    limits::{MESSAGE_CHARS, ROOM_NAME_CHARS},
};

fuzz_target!(|raw: &str| {
    message(raw);
    room_name(raw);
});

/// A message stays as it was typed, and is refused for nothing but what the error says.
fn message(raw: &str) {
    let count = raw.chars().count();
    let is_blank = raw.chars().all(char::is_whitespace);
    match Body::parse(raw) {
        Ok(body) => {
            assert!(!is_blank && count <= MESSAGE_CHARS, "{count} characters");
            assert_eq!(body.as_str(), raw);
            assert_eq!(Body::parse(body.as_str()), Ok(body));
        }
        Err(Error::MessageEmpty) => assert!(is_blank, "{raw:?}"),
        Err(Error::MessageTooLong) => assert!(count > MESSAGE_CHARS, "{count} characters"),
        Err(other) => panic!("{other:?}"),
    }
}

/// A room's name is fit for one line, and parsing it again changes nothing.
fn room_name(raw: &str) {
    let Ok(name) = RoomName::parse(raw) else { return };
    let text = name.as_str();
    assert!((1..=ROOM_NAME_CHARS).contains(&text.chars().count()), "{text:?}");
    assert!(!text.chars().any(disturbs), "{text:?}");
    assert_eq!(RoomName::parse(text).as_ref(), Ok(&name), "{raw:?}");
}

/// Control characters, line separators, and all that has Unicode's property Bidi_Control: written out here, since
/// the domain's own list is what is tested.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
