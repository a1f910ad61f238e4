//! WebSocket frames as RFC 6455 has them: what a client says is taken apart, and what we say is put together.
//! Knows no socket. A connection that has said everything it began keeps no memory here.

use bytes::Bytes;

/// What a client said, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text.
    Text(String),
    /// A message that is no text.
    Binary(Vec<u8>),
    /// A ping; its payload goes back in a pong.
    Ping(Vec<u8>),
    /// An answer to a ping, or a word of life without one.
    Pong(Vec<u8>),
    /// The client closes, with this code if it said one.
    Close(Option<u16>),
}

/// Why a client is not understood any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A message is longer than allowed.
    TooBig,
    /// A text is not UTF-8.
    NotUtf8,
    /// Something else is not as RFC 6455 has it.
    Protocol,
}

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The most bytes that a control frame carries (section 5.5).
const CONTROL_BYTES: usize = 125;
const MASK_BYTES: usize = 4;

/// Takes apart what one client says, in pieces of any size.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes of the longest message, all fragments included.
    most: usize,
    /// The beginning of a frame that has not come whole.
    partial: Vec<u8>,
    /// The fragments of a message that has not come whole, and whether it is a text.
    fragments: Option<(bool, Vec<u8>)>,
}

struct Header {
    is_last: bool,
    opcode: u8,
    mask: [u8; MASK_BYTES],
    /// Where the payload begins and ends.
    begins: usize,
    ends: usize,
}

struct Frame {
    is_last: bool,
    opcode: u8,
    payload: Vec<u8>,
}

impl Decoder {
    /// For messages of at most `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, partial: Vec::new(), fragments: None }
    }

    /// Takes the next message off `input`; `None` when all of that is used up and the message is not whole.
    ///
    /// # Errors
    /// What is wrong; nothing after it means anything.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, Violation> {
        while let Some(frame) = self.frame(input)? {
            if let Some(incoming) = self.join(frame)? {
                return Ok(Some(incoming));
            }
        }
        Ok(None)
    }

    fn frame(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        if self.partial.is_empty() {
            if let Some(header) = self.header(input)?
                && header.ends <= input.len()
            {
                let (now, later) = input.split_at(header.ends);
                *input = later;
                return Ok(Some(header.frame(now)));
            }
            self.partial.extend_from_slice(std::mem::take(input));
            return Ok(None);
        }
        loop {
            let header = self.header(&self.partial)?;
            let whole = header.as_ref().map_or_else(|| header_length(&self.partial), |header| header.ends);
            let lacking = whole - self.partial.len();
            if let Some(header) = header.filter(|_| lacking == 0) {
                return Ok(Some(header.frame(&std::mem::take(&mut self.partial))));
            }
            if input.is_empty() {
                return Ok(None);
            }
            let (now, later) = input.split_at(lacking.min(input.len()));
            self.partial.extend_from_slice(now);
            *input = later;
        }
    }

    /// The header at the start of `bytes`, checked; `None` while it is not whole.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let &[first, second, ..] = bytes else { return Ok(None) };
        let (is_last, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let is_known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        let is_masked = second & 0x80 != 0;
        let begins = header_length(bytes);
        // Sections 5.2 and 5.1: no extension was agreed on, and clients mask.
        if reserved != 0 || !is_known || !is_masked {
            return Err(Violation::Protocol);
        }
        let Some(header) = bytes.get(..begins) else { return Ok(None) };
        let (length, mask) = header[2..].split_at(begins - 2 - MASK_BYTES);
        let length = match length {
            [] => u64::from(second & 0x7f),
            bytes => bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if opcode >= CLOSE {
            if !is_last || length > CONTROL_BYTES as u64 {
                return Err(Violation::Protocol);
            }
        } else if length > self.room() as u64 {
            return Err(Violation::TooBig);
        }
        let ends =
            usize::try_from(length).ok().and_then(|length| begins.checked_add(length)).ok_or(Violation::TooBig)?;
        let mask = mask.try_into().unwrap_or_default();
        Ok(Some(Header { is_last, opcode, mask, begins, ends }))
    }

    /// How many bytes more the message under way may have.
    fn room(&self) -> usize {
        self.most - self.fragments.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }

    /// What the frame completes, if anything.
    fn join(&mut self, frame: Frame) -> Result<Option<Incoming>, Violation> {
        let (is_text, bytes) = match (frame.opcode, self.fragments.take()) {
            (CONTINUATION, Some((is_text, mut bytes))) => {
                bytes.extend_from_slice(&frame.payload);
                (is_text, bytes)
            }
            (TEXT | BINARY, None) => (frame.opcode == TEXT, frame.payload),
            (CONTINUATION, None) | (TEXT | BINARY, Some(_)) => return Err(Violation::Protocol),
            // Control frames may come between fragments.
            (control, fragments) => {
                self.fragments = fragments;
                return Ok(Some(match control {
                    PING => Incoming::Ping(frame.payload),
                    PONG => Incoming::Pong(frame.payload),
                    _ => Incoming::Close(close_code(&frame.payload)?),
                }));
            }
        };
        if !frame.is_last {
            self.fragments = Some((is_text, bytes));
            return Ok(None);
        }
        if !is_text {
            return Ok(Some(Incoming::Binary(bytes)));
        }
        String::from_utf8(bytes).map(|text| Some(Incoming::Text(text))).map_err(|_| Violation::NotUtf8)
    }
}

/// Of a client's frame; at least 2 where not even the length is known.
fn header_length(bytes: &[u8]) -> usize {
    match bytes.get(1).map(|second| second & 0x7f) {
        None => 2,
        Some(126) => 2 + 2 + MASK_BYTES,
        Some(127) => 2 + 8 + MASK_BYTES,
        Some(_) => 2 + MASK_BYTES,
    }
}

impl Header {
    fn frame(&self, bytes: &[u8]) -> Frame {
        let mut payload = bytes[self.begins..self.ends].to_vec();
        let (words, rest) = payload.as_chunks_mut::<MASK_BYTES>();
        for word in words {
            *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(self.mask)).to_ne_bytes();
        }
        rest.iter_mut().zip(self.mask).for_each(|(byte, mask)| *byte ^= mask);
        Frame { is_last: self.is_last, opcode: self.opcode, payload }
    }
}

/// The code in a close frame (section 7.4), which may have none.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::Protocol) };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol);
    }
    str::from_utf8(reason).map(|_| Some(code)).map_err(|_| Violation::NotUtf8)
}

/// A text. A server's frames carry no mask: the same bytes are for everyone.
#[must_use]
pub fn text(text: &[u8]) -> Bytes {
    frame(TEXT, text)
}

/// A message that is no text: Madang says none, but Autobahn's echo does.
#[must_use]
pub fn binary(bytes: &[u8]) -> Bytes {
    frame(BINARY, bytes)
}

/// A ping, with at most 125 bytes.
#[must_use]
pub fn ping(payload: &[u8]) -> Bytes {
    frame(PING, payload)
}

/// The answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    frame(PONG, payload)
}

/// The end, with its code and a word for people of at most 123 bytes.
#[must_use]
pub fn close(why: Option<(u16, &str)>) -> Bytes {
    let payload = why.map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
    frame(CLOSE, &payload.unwrap_or_default())
}

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..=125), _) => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
    use std::io::{self, Cursor, Read};
    use tokio_tungstenite::tungstenite::{
        Error, Message,
        error::ProtocolError,
        protocol::{Role, WebSocket, WebSocketConfig, frame::coding::CloseCode},
    };

    const MOST: usize = 300;

    /// A frame as a client sends it.
    fn from_client(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut bytes = frame(0, payload).to_vec();
        let header = bytes.len() - payload.len();
        bytes[0] = first;
        bytes[1] |= 0x80;
        bytes[header..].iter_mut().zip(mask.into_iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        bytes.splice(header..header, mask);
        bytes
    }

    fn all(bytes: &[u8], cut: usize) -> (Vec<Incoming>, Option<Violation>) {
        let (mut decoder, mut all) = (Decoder::new(MOST), Vec::new());
        for mut piece in bytes.chunks(cut) {
            loop {
                match decoder.take(&mut piece) {
                    Ok(Some(incoming)) => all.push(incoming),
                    Ok(None) => break,
                    Err(violation) => return (all, Some(violation)),
                }
            }
            assert!(piece.is_empty(), "all of it was taken");
        }
        (all, None)
    }

    #[test]
    fn messages_come_out_whole_wherever_reads_cut_them() {
        let mask = [1, 2, 3, 250];
        let long = "마당".repeat(40);
        let bytes = [
            from_client(0x81, b"hello", mask),
            from_client(0x01, &long.as_bytes()[..100], mask),
            from_client(0x89, b"there?", mask),
            from_client(0x00, b"", mask),
            from_client(0x80, &long.as_bytes()[100..], mask),
            from_client(0x82, &[0, 255], mask),
            from_client(0x8a, b"", mask),
            from_client(0x88, &[3, 232, b'x'], mask),
        ]
        .concat();
        let expected = [
            Incoming::Text("hello".into()),
            Incoming::Ping(b"there?".to_vec()),
            Incoming::Text(long),
            Incoming::Binary(vec![0, 255]),
            Incoming::Pong(Vec::new()),
            Incoming::Close(Some(1000)),
        ];
        for cut in 1..=bytes.len() {
            assert_eq!(all(&bytes, cut), (expected.to_vec(), None), "in pieces of {cut}");
        }
    }

    #[test]
    fn nothing_is_kept_between_messages() {
        let mut decoder = Decoder::new(MOST);
        for mut piece in from_client(0x81, b"hello", [9; 4]).chunks(3) {
            decoder.take(&mut piece).expect("a message");
        }
        assert_eq!((decoder.partial.capacity(), decoder.fragments), (0, None));
    }

    #[test]
    fn what_the_standard_forbids_is_told_apart() {
        let of = |first, payload: &[u8]| from_client(first, payload, [7; 4]);
        let big = vec![b'x'; MOST + 1];
        for (bytes, violation) in [
            (of(0xc1, b""), Violation::Protocol), // a reserved bit
            (of(0x83, b""), Violation::Protocol), // an unknown opcode
            (text(b"unmasked").to_vec(), Violation::Protocol),
            (of(0x09, b""), Violation::Protocol),       // a ping in fragments
            (of(0x89, &[0; 126]), Violation::Protocol), // a long ping
            (of(0x80, b""), Violation::Protocol),       // it continues nothing
            ([of(0x01, b""), of(0x81, b"")].concat(), Violation::Protocol), // nor is it continued
            (of(0x88, &[3]), Violation::Protocol),      // half a code
            (of(0x88, &[3, 237]), Violation::Protocol), // 1005
            (of(0x88, &[3, 232, 0xff]), Violation::NotUtf8),
            (of(0x81, &[0xc3]), Violation::NotUtf8),
            (of(0x81, &big), Violation::TooBig),
            ([of(0x01, &big[1..]), of(0x80, b"x")].concat(), Violation::TooBig),
            (vec![0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], Violation::TooBig),
        ] {
            assert_eq!(all(&bytes, bytes.len()).1, Some(violation), "{bytes:x?}");
        }
    }

    #[test]
    fn a_frame_says_its_length_as_the_standard_has_it() {
        for (length, header) in [
            (125, &[0x81, 125][..]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 255, 255]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = text(&vec![b'x'; length]);
            assert_eq!((&frame[..header.len()], frame.len()), (header, header.len() + length));
        }
        assert_eq!(close(Some((1000, "x")))[..], [0x88, 3, 3, 232, b'x']);
    }

    /// Bytes to read, and nowhere to write.
    struct OneWay<'a>(Cursor<&'a [u8]>);

    impl Read for OneWay<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl io::Write for OneWay<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What tungstenite makes of the same bytes, and what it does not like about them.
    fn all_by_tungstenite(bytes: &[u8]) -> (Vec<Incoming>, Option<Error>) {
        let settings = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        let mut socket = WebSocket::from_raw_socket(OneWay(Cursor::new(bytes)), Role::Server, Some(settings));
        let mut all = Vec::new();
        loop {
            all.push(match socket.read() {
                Ok(Message::Text(text)) => Incoming::Text(text.to_string()),
                Ok(Message::Binary(bytes)) => Incoming::Binary(bytes.to_vec()),
                Ok(Message::Ping(bytes)) => Incoming::Ping(bytes.to_vec()),
                Ok(Message::Pong(bytes)) => Incoming::Pong(bytes.to_vec()),
                // What it says of a close frame that it does not like; no client here says that.
                Ok(Message::Close(Some(frame))) if frame.code == CloseCode::Protocol => {
                    return (all, Some(Error::ConnectionClosed));
                }
                Ok(Message::Close(frame)) => {
                    all.push(Incoming::Close(frame.map(|frame| frame.code.into())));
                    return (all, None);
                }
                Ok(Message::Frame(_)) => unreachable!("only where raw frames are written"),
                // The bytes are at their end.
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => return (all, None),
                Err(error) => return (all, Some(error)),
            });
        }
    }

    #[test]
    fn random_frames_mean_what_they_mean_to_tungstenite() {
        let mut chance = StdRng::seed_from_u64(20_261_125);
        let texts: [&[u8]; 8] =
            [b"", b"hello", "마당".as_bytes(), &[0xc3], &[0xa9], &[3, 232], &[3, 237], &[b'x'; MOST - 10]];
        let firsts = [0x81, 0x81, 0x01, 0x01, 0x00, 0x80, 0x80, 0x82, 0x02, 0x88, 0x89, 0x89, 0x8a, 0x09, 0x91, 0x8b];
        for _ in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..chance.random_range(1..6) {
                let first = *firsts.choose(&mut chance).expect("one");
                bytes.extend(from_client(first, texts.choose(&mut chance).expect("one"), chance.random()));
            }
            if chance.random_bool(0.1) {
                bytes[1] ^= 0x80;
            }
            let is_cut = chance.random_bool(0.1);
            if is_cut {
                bytes.truncate(chance.random_range(0..bytes.len()));
            }
            let (mut ours, violation) = all(&bytes, chance.random_range(1..=bytes.len().max(1)));
            let (theirs, fault) = all_by_tungstenite(&bytes);
            match fault {
                // It reads nothing behind a close frame.
                None if matches!(theirs.last(), Some(Incoming::Close(_))) => ours.truncate(theirs.len()),
                // It waits for a whole header before it looks at one.
                None => assert!(is_cut || violation.is_none(), "{bytes:x?}"),
                // It looks at a text before that is whole: others may come between.
                Some(Error::Utf8(_)) => ours.truncate(theirs.len()),
                Some(_) => assert!(violation.is_some(), "{bytes:x?}"),
            }
            assert_eq!(theirs, ours, "{bytes:x?}");
        }
    }
}
