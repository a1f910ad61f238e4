//! Any bytes as what a client says on its WebSocket, cut anywhere: never a panic, and the same wherever they are cut.

#![no_main]

use frames::{Decoder, Incoming, Violation};
use libfuzzer_sys::fuzz_target;

/// The server's own, which knows nothing else of the server.
#[allow(dead_code)]
#[path = "../../src/server/frames.rs"]
mod frames;

/// Bytes of the longest message: short, so that it is reached.
const MOST: usize = 1_000;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let whole = all(bytes, bytes.len());
    assert_eq!(all(bytes, cut.into()), whole);
    for incoming in whole.0 {
        if let Incoming::Text(text) = incoming {
            assert!(text.len() <= MOST);
        }
    }
});

fn all(bytes: &[u8], cut: usize) -> (Vec<Incoming>, Option<Violation>) {
    let (mut decoder, mut all) = (Decoder::new(MOST), Vec::new());
    for mut piece in bytes.chunks(cut.max(1)) {
        loop {
            match decoder.take(&mut piece) {
                Ok(Some(incoming)) => all.push(incoming),
                Ok(None) => break,
                Err(violation) => return (all, Some(violation)),
            }
        }
    }
    (all, None)
}
