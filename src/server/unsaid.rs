//! What somebody said by a plain form that was refused: it is put back into the field of the page that says why.

use crate::domain::{PersonId, RoomId};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Texts that are kept at once; what is older is gone.
const MOST: usize = 100;

/// One text for each person, until it is asked for.
#[derive(Debug, Default)]
pub struct Unsaid(Mutex<VecDeque<(PersonId, RoomId, String)>>);

impl Unsaid {
    /// Keeps what a person could not say in a room.
    pub fn keep(&self, person: PersonId, room: RoomId, text: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, ..)| *other != person);
        kept.push_back((person, room, text));
        if kept.len() > MOST {
            kept.pop_front();
        }
    }

    /// Gives it back, once.
    pub fn take(&self, person: PersonId, room: RoomId) -> Option<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(by, place, _)| (*by, *place) == (person, room))?;
        kept.remove(at).map(|(.., text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_once_to_who_said_it_where_they_did() {
        let (unsaid, mina, room) = (Unsaid::default(), PersonId::new(), RoomId::new());
        unsaid.keep(mina, room, "first".into());
        unsaid.keep(mina, room, "second".into());
        assert_eq!(unsaid.take(PersonId::new(), room), None);
        assert_eq!(unsaid.take(mina, RoomId::new()), None);
        assert_eq!(unsaid.take(mina, room).as_deref(), Some("second"));
        assert_eq!(unsaid.take(mina, room), None);
        unsaid.keep(mina, room, "old".into());
        (0..MOST).for_each(|_| unsaid.keep(PersonId::new(), room, String::new()));
        assert_eq!(unsaid.take(mina, room), None);
    }
}
