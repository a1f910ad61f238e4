//! Who people are: a name that nobody else has, and a session for each of their browsers.

use super::Chat;
use crate::{
    domain::{DisplayName, Error, PersonId, limits},
    server::store::{Person, TokenHash},
};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Names that guests of the plain dialect are given begin with this; nobody can hold such a name.
pub const GUEST_PREFIX: &str = "손님-";

/// A person who has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The session token, in hexadecimal, for the cookie alone.
    pub token: String,
}

impl Chat {
    /// Makes a person who holds `name` from now on, with a session for this browser. Whoever comes with a
    /// session already gets a new token for it, or ends it by taking another name.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::NameTaken`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn sign_in(&self, name: &str, present: Option<&TokenHash>, address: IpAddr) -> Result<SignedIn, Error> {
        let name = DisplayName::parse(name)?;
        if name.as_str().starts_with(GUEST_PREFIX) {
            return Err(Error::name_invalid("that beginning is kept for guests"));
        }
        self.0.sign_ins.take(address)?;
        let token: [u8; 32] = rand::random();
        let hash = Sha256::digest(token).into();
        let now = (self.0.clock)();
        let key = name.key().clone();

        let person = match self.who(present).await? {
            Some(person) if person.name.key().is_like(&key) => {
                self.0.store.add_session(person.id, &hash, now).await?;
                person
            }
            _ => {
                let person = Person { id: PersonId::new(), name };
                let unused_since = now - i64::try_from(limits::NAME_UNUSED.as_millis()).unwrap_or(i64::MAX);
                self.0.store.sign_in(&person, &hash, now, unused_since).await?;
                self.0.names.hold(person.id, key);
                person
            }
        };
        if let Some(old) = present {
            self.sign_out(old).await?;
        }
        Ok(SignedIn { person, token: hex(&token) })
    }

    /// Ends a session and closes its sockets; the name is free unless another session has it.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn sign_out(&self, session: &TokenHash) -> Result<(), Error> {
        if let Some(person) = self.0.store.sign_out(session).await? {
            self.0.names.release(person);
        }
        self.0.hub.close_session(session);
        Ok(())
    }

    /// Whose session that is.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn who(&self, session: Option<&TokenHash>) -> Result<Option<Person>, Error> {
        match session {
            None => Ok(None),
            Some(session) => self.0.store.session(session, (self.0.clock)()).await,
        }
    }

    /// A name under which a guest may speak.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::NameTaken`].
    pub fn guest_name(&self, name: &str) -> Result<DisplayName, Error> {
        let name = DisplayName::parse(name)?;
        self.0.names.check_free(&name)?;
        Ok(name)
    }
}

/// Bytes as small hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash under which a session token is stored; `None` for what cannot be one.
#[must_use]
pub fn token_hash(token: &str) -> Option<TokenHash> {
    let digit = |range| u8::from_str_radix(token.get(range)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(|i| digit(i * 2..i * 2 + 2)).collect();
    (token.len() == 64).then_some(Sha256::digest(bytes?).into())
}
