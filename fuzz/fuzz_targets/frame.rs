//! Any text as a frame of either dialect: it is read or refused, and never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use madang::protocol::{ClientFrame, Refusal};

/// Bytes of a field that a refusal may repeat, so that an answer is never much longer than what it answers.
const REPEATED_BYTES: usize = 64;

fuzz_target!(|text: &str| {
    for v1 in [true, false] {
        match ClientFrame::parse(text, v1) {
            Ok(frame) => assert_survives(&frame, v1),
            Err(refusal) => assert_short(&refusal),
        }
    }
});

/// What was read is the same when it is written and read again. Exactly the same, since fields are text, whole
/// numbers, truths and UUIDs: there is no fraction to lose, and a UUID is the same in all of its spellings.
fn assert_survives(frame: &ClientFrame, v1: bool) {
    let json = serde_json::to_string(frame).expect("a frame serialises");
    // v1 has all that the open dialect has, and so reads its frames too.
    assert_eq!(ClientFrame::parse(&json, true).as_ref(), Ok(frame), "{json}");
    if !v1 {
        assert_eq!(ClientFrame::parse(&json, false).as_ref(), Ok(frame), "{json}");
    }
}

fn assert_short(refusal: &Refusal) {
    for repeated in [&refusal.room_id, &refusal.id].into_iter().flatten() {
        assert!(repeated.len() <= REPEATED_BYTES, "{repeated:?}");
    }
}
