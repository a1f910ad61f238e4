//! As much of RFC 6455 as a load generator and a floor need: they look at raw bytes.

/// The mask of everything that we send as a client.
const MASK: [u8; 4] = [0x12, 0x9a, 0x5c, 0x7e];

/// One frame at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is: 1 text, 8 close, 9 ping.
    pub opcode: u8,
    /// Where the payload begins, after header and mask.
    pub begins: usize,
    /// Where the payload ends, and the next frame begins.
    pub ends: usize,
    /// Its mask, if it comes from a client.
    pub mask: Option<[u8; 4]>,
}

/// The frame at the start of `bytes`; `None` while it is not complete.
#[must_use]
pub fn first(bytes: &[u8]) -> Option<Frame> {
    let opcode = bytes.first()? & 0x0f;
    let second = *bytes.get(1)?;
    let (length, mut begins) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        short => (usize::from(short), 2),
    };
    let mask = if second & 0x80 == 0 {
        None
    } else {
        begins += 4;
        Some(bytes.get(begins - 4..begins)?.try_into().ok()?)
    };
    let ends = begins + length;
    (bytes.len() >= ends).then_some(Frame { opcode, begins, ends, mask })
}

/// A frame as a client sends it.
#[must_use]
pub fn from_client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(opcode, payload.len(), 0x80);
    bytes.extend(MASK);
    bytes.extend(masked(payload, MASK));
    bytes
}

/// A text frame as a server sends it.
#[must_use]
pub fn from_server(payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(1, payload.len(), 0);
    bytes.extend(payload);
    bytes
}

fn header(opcode: u8, length: usize, masked: u8) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match u16::try_from(length) {
        Ok(short) if short < 126 => bytes.push(masked | short.to_be_bytes()[1]),
        Ok(middle) => {
            bytes.push(masked | 126);
            bytes.extend(middle.to_be_bytes());
        }
        Err(_) => {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes
}

/// Masking twice gives the same again.
pub fn masked(payload: &[u8], mask: [u8; 4]) -> impl Iterator<Item = u8> {
    payload.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|n: usize| n.to_le_bytes()[0]).collect();
            for bytes in [from_client(1, &payload), from_server(&payload)] {
                assert_eq!(first(&bytes[..bytes.len() - 1]), None);
                let frame = first(&bytes).expect("a whole frame");
                assert_eq!((frame.opcode, frame.ends), (1, bytes.len()));
                let found = &bytes[frame.begins..frame.ends];
                let plain: Vec<u8> = frame.mask.map_or_else(|| found.to_vec(), |mask| masked(found, mask).collect());
                assert_eq!(plain, payload);
            }
        }
    }
}
