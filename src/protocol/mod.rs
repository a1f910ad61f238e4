//! The frames of `/ws/chat` and the JSON of its HTTP companions, as they look on the wire.
//!
//! One JSON object per text frame, with a `type` in capitals and camelCase fields; unknown fields
//! are ignored both ways. A client that asks for the subprotocol [`V1`] gets acknowledgement, resume
//! and presence; any other speaks the open dialect of the classic tutorial.

mod client;
mod server;

pub use client::{ClientFrame, Refusal};
pub use server::{
    ErrorFrame, LastLine, Member, Members, MessagesPage, Presence, Reaction, ReadMark, ReplyTo, Restart, RoomState,
    RoomSummary, RoomView, ServerFrame, Sync, Talk, Typing,
};

/// The WebSocket subprotocol of the v1 dialect.
pub const V1: &str = "madang.v1";

/// Close codes of ours, beside 1000, 1001 and the two of RFC 6455 for bad input (1007, 1009).
pub mod close {
    /// A binary frame; both dialects are text.
    pub const BINARY: u16 = 1003;
    /// Text that is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A message over the size limit.
    pub const TOO_BIG: u16 = 1009;
    /// A breach of the WebSocket protocol itself.
    pub const PROTOCOL: u16 = 1002;
    /// The server stops or restarts: come back.
    pub const RESTART: u16 = 1012;
    /// This socket's session was signed in or out elsewhere: come back as who you are now.
    pub const SESSION_CHANGED: u16 = 4001;
    /// No progress in reading: come back with `since`.
    pub const TOO_SLOW: u16 = 4008;
    /// Kept flooding after many refusals.
    pub const FLOODING: u16 = 4029;
}
