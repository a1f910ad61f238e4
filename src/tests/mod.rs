//! Madang from outside: each test boots the real server and speaks HTTP and WebSocket to it.
//!
//! | file | what it tries |
//! |---|---|
//! | `harness/` | the server in this process or as a process of its own; the clients; waiting with a bound |
//! | `rest.rs` | the HTTP companions under `/chat`, and `/health` |
//! | `open_dialect.rs` | the tutorial's ENTER, TALK and LEAVE, as any WebSocket client speaks them |
//! | `bad_frames.rs` | what a client may get wrong: an ERROR and go on, or a close code |
//! | `plain_text.rs` | bare text in the lobby |
//! | `v1.rs` | our own dialect: entering, acknowledgement, repeats, replies |
//! | `changes.rs` | editing, deleting, reacting, read marks |
//! | `presence.rs` | who comes, goes and types, in both dialects |
//! | `resume.rs` | coming back without hole or repeat |
//! | `room_list.rs` | WATCH and LIST |
//! | `rooms.rs` | windows of history, another name, the invitation, Markdown |
//! | `rate.rs` | how much one sender may say |
//! | `fan_out.rs` | a busy room: nothing lost, one order, a slow reader hinders nobody |
//! | `names.rs` | a held name and its look-alikes |
//! | `security.rs`, `origins.rs` | headers on every route; foreign pages |
//! | `proofs/` | the promises, tried by faults; large in `make torture` |
//! | `proxy.rs` | that the harness' own bad network is as bad as it should be |
//! | `files.rs` | `madang verify` and `madang backup` |
//! | `startup.rs` | what the program says when it cannot start |
//! | `architecture.rs` | the dependency rule, tried on the source |
//!
//! Tests wait for conditions, never for time to pass. That something did *not* arrive is shown by a
//! marker: what is sent afterwards on the same ordered path is the next thing received.

mod architecture;
mod bad_frames;
mod changes;
mod fan_out;
mod files;
mod harness;
mod names;
mod open_dialect;
mod origins;
mod plain_text;
mod presence;
mod proofs;
mod proxy;
mod rate;
mod rest;
mod resume;
mod room_list;
mod rooms;
mod security;
mod startup;
mod v1;
