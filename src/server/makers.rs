//! Who made a room before they had a name: their browser carries what shows it in a cookie, until they take one.

use super::chat::hex;
use crate::domain::RoomId;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// Rooms that one browser can show to be its own.
const MOST: usize = 8;

/// The key of this process: what was shown before a restart says nothing after it.
pub struct Makers([u8; 32]);

impl Default for Makers {
    fn default() -> Self {
        Self(rand::random())
    }
}

impl Makers {
    /// What a browser carries that has now made `room` too, and carried `known` before.
    #[must_use]
    pub fn add(&self, known: &str, room: RoomId) -> String {
        let earlier = self.rooms(known);
        let tokens: Vec<_> = [room].iter().chain(&earlier).take(MOST).map(|room| self.token(*room)).collect();
        tokens.join("~")
    }

    /// The rooms that a browser shows to be its own.
    #[must_use]
    pub fn rooms(&self, shown: &str) -> Vec<RoomId> {
        let own = |token: &str| {
            let room: RoomId = token.split_once('.')?.0.parse().ok()?;
            // Hashed, so that the time it takes says nothing of how much is right.
            (Sha256::digest(token) == Sha256::digest(self.token(room))).then_some(room)
        };
        shown.split('~').take(MOST).filter_map(own).collect()
    }

    fn token(&self, room: RoomId) -> String {
        // A key of any length will do for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(room.as_bytes());
        format!("{room}.{}", hex(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_shows_the_rooms_that_it_made_and_no_others() {
        let (ours, others) = (Makers::default(), Makers::default());
        let (first, second) = (RoomId::new(), RoomId::new());
        let shown = ours.add(&ours.add("", first), second);
        assert_eq!(ours.rooms(&shown), [second, first]);
        assert_eq!(others.rooms(&shown), []);
        let forged = shown.replace(&first.to_string(), &RoomId::new().to_string());
        assert_eq!(ours.rooms(&forged), [second]);
        for bad in ["", "~", ".", "nonsense", &format!("{first}."), &format!("{first}")] {
            assert_eq!(ours.rooms(bad), [], "{bad}");
        }
        let many = (0..20).fold(String::new(), |shown, _| ours.add(&shown, RoomId::new()));
        assert_eq!(ours.rooms(&many).len(), MOST);
    }
}
