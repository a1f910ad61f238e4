//! What a chat is: rooms, messages, names, limits and the one [`Error`].
//!
//! Nothing here knows a framework, a database, a socket or the clock, so all of it compiles for
//! the server and the browser alike, and every rule can be tested by calling it.

mod error;
mod id;
pub mod limits;
mod message;
mod name;
mod preferences;
mod room;

pub use error::Error;
pub use id::{Epoch, MessageId, PersonId, RoomId};
pub use message::{Author, AuthorKind, Body, Emoji, Message, Quote, Reaction, Seq, Timestamp, Window};
pub use name::{DisplayName, NameKey};
pub use preferences::{Lang, Theme};
pub use room::{Room, RoomName, Topic};
