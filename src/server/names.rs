//! The held names, in memory: a guest's every word is checked against them.

use crate::domain::{DisplayName, Error, NameKey, PersonId};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// Who holds which name.
#[derive(Debug, Default)]
pub struct Names(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    folded: HashMap<String, PersonId>,
    seen: HashMap<String, PersonId>,
}

impl Names {
    /// Starts from what the store knows.
    #[must_use]
    pub fn new(held: Vec<(PersonId, NameKey)>) -> Self {
        let names = Self::default();
        held.into_iter().for_each(|(person, key)| names.hold(person, key));
        names
    }

    /// Refuses a name that somebody holds, or a look-alike of one.
    ///
    /// # Errors
    /// [`Error::NameTaken`].
    pub fn check_free(&self, name: &DisplayName) -> Result<(), Error> {
        let key = name.key();
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if held.folded.contains_key(&key.folded) || held.seen.contains_key(&key.seen) {
            return Err(Error::NameTaken);
        }
        Ok(())
    }

    /// Notes that a person holds a name, and nobody else any more.
    pub fn hold(&self, person: PersonId, key: NameKey) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = [held.folded.insert(key.folded, person), held.seen.insert(key.seen, person)];
        for other in earlier.into_iter().flatten().filter(|other| *other != person) {
            held.release(other);
        }
    }

    /// Frees what a person held.
    pub fn release(&self, person: PersonId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).release(person);
    }
}

impl Held {
    fn release(&mut self, person: PersonId) {
        self.folded.retain(|_, holder| *holder != person);
        self.seen.retain(|_, holder| *holder != person);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DisplayName {
        DisplayName::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn a_held_name_and_its_twins_are_taken_until_released() {
        let (names, mina) = (Names::default(), PersonId::new());
        names.hold(mina, name("mina").key().clone());
        assert_eq!(names.check_free(&name("ＭＩＮＡ")), Err(Error::NameTaken));
        assert_eq!(names.check_free(&name("mino")), Ok(()));
        names.release(mina);
        assert_eq!(names.check_free(&name("mina")), Ok(()));
    }
}
