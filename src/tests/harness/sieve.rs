//! WebSocket frames in a stream of bytes, and chance that takes some out.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::mem;
use tokio::sync::watch;

/// Bytes of the longest frame that is held back to be judged. A longer one is passed on as it comes.
const HELD: usize = 256 * 1024;
/// How the answer to a WebSocket handshake begins. After any other beginning there are no frames.
const UPGRADED: &[u8] = b"HTTP/1.1 101";
/// The first byte of a frame that is a whole text: FIN, no extension, opcode 1.
const WHOLE_TEXT: u8 = 0x81;

/// Which texts are lost.
pub struct Rule {
    /// Of each text that the rule concerns.
    pub probability: f64,
    /// The same seed, the same luck.
    pub seed: u64,
    /// Whether the rule concerns a text.
    pub which: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Counts what was lost.
    pub dropped: watch::Sender<u64>,
}

impl Rule {
    fn concerns(&self, payload: &[u8]) -> bool {
        str::from_utf8(payload).is_ok_and(|text| (self.which)(text))
    }

    /// Whether the `nth` text of this connection that the rule concerns is lost. Takes no state from
    /// one text to the next, so that connections which run at the same time do not share their luck.
    fn drops(&self, connection: u64, nth: u64) -> bool {
        let mut seed = [0; 32];
        for (part, number) in seed.chunks_mut(8).zip([self.seed, connection, nth]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        let drops = StdRng::from_seed(seed).random_bool(self.probability);
        if drops {
            self.dropped.send_modify(|dropped| *dropped += 1);
        }
        drops
    }
}

/// Where in its stream of bytes a connection is.
enum Stage {
    /// In the answer to the handshake, of which so much has passed.
    Head(Vec<u8>),
    /// In WebSocket frames.
    Frames,
    /// In something else.
    Other,
}

/// Finds the frames in what a server says, wherever reads split them, and takes some out.
pub struct Sieve {
    connection: u64,
    stage: Stage,
    /// The beginning of a frame that is not to be passed on yet.
    held: Vec<u8>,
    /// Bytes of the present frame that pass unseen.
    passing: u64,
    /// Texts that a rule concerned.
    judged: u64,
}

impl Sieve {
    /// For what the server says on the connection of that number.
    pub fn new(connection: u64) -> Self {
        Self { connection, stage: Stage::Head(Vec::new()), held: Vec::new(), passing: 0, judged: 0 }
    }

    /// Through which everything falls.
    pub fn open() -> Self {
        Self { stage: Stage::Other, ..Self::new(0) }
    }

    /// What of these bytes, and of those held back before, is to be passed on now. No bytes are the
    /// end: nobody will finish the frame that is held back.
    pub fn sift(&mut self, bytes: &[u8], rule: Option<&Rule>) -> Vec<u8> {
        if bytes.is_empty() {
            return mem::take(&mut self.held);
        }
        let (head, frames) = bytes.split_at(self.pass_head(bytes));
        let mut passed = head.to_vec();
        let unseen = [&mem::take(&mut self.held), frames].concat();
        self.held = self.sift_frames(&unseen, rule, &mut passed).to_vec();
        passed
    }

    /// How many of these bytes come before the first frame.
    fn pass_head(&mut self, bytes: &[u8]) -> usize {
        let head = match &mut self.stage {
            Stage::Head(head) => head,
            Stage::Frames => return 0,
            Stage::Other => return bytes.len(),
        };
        let before = head.len();
        head.extend_from_slice(bytes);
        if head.len() > HELD || head.iter().zip(UPGRADED).any(|(one, other)| one != other) {
            self.stage = Stage::Other;
            return bytes.len();
        }
        let Some(blank_line) = head.windows(4).position(|four| four == b"\r\n\r\n") else {
            return bytes.len();
        };
        self.stage = Stage::Frames;
        blank_line + 4 - before
    }

    /// Gives the beginning of a frame that is not to be passed on yet.
    fn sift_frames<'a>(&mut self, mut bytes: &'a [u8], rule: Option<&Rule>, passed: &mut Vec<u8>) -> &'a [u8] {
        loop {
            let passing = usize::try_from(self.passing).unwrap_or(usize::MAX).min(bytes.len());
            passed.extend_from_slice(&bytes[..passing]);
            self.passing -= passing as u64;
            bytes = &bytes[passing..];
            let Some((header, length)) = measure(bytes) else {
                return bytes;
            };
            let whole = length.saturating_add(header as u64);
            if let Some(rule) = rule.filter(|_| bytes[0] == WHOLE_TEXT && whole <= HELD as u64) {
                let whole = whole as usize;
                if bytes.len() < whole {
                    return bytes;
                }
                if self.is_lost(&bytes[header..whole], rule) {
                    bytes = &bytes[whole..];
                    continue;
                }
            }
            self.passing = whole;
        }
    }

    fn is_lost(&mut self, payload: &[u8], rule: &Rule) -> bool {
        if !rule.concerns(payload) {
            return false;
        }
        self.judged += 1;
        rule.drops(self.connection, self.judged)
    }
}

/// The lengths of a frame's header and of its payload, once enough is there to tell (RFC 6455, 5.2).
/// A server does not mask.
fn measure(bytes: &[u8]) -> Option<(usize, u64)> {
    let [_, short, rest @ ..] = bytes else {
        return None;
    };
    match short & 0x7f {
        126 => rest.first_chunk().map(|long| (4, u16::from_be_bytes(*long).into())),
        127 => rest.first_chunk().map(|long| (10, u64::from_be_bytes(*long))),
        short => Some((2, short.into())),
    }
}
