//! Every limit, each with its unit, in one place. `Config` can lift those that it names.

use std::time::Duration;

/// Characters (Unicode scalar values) in one message.
pub const MESSAGE_CHARS: usize = 8_000;
/// Characters of one reaction: the longest emoji are sequences of about ten.
pub const EMOJI_CHARS: usize = 12;
/// Different emoji under one message.
pub const EMOJI_PER_MESSAGE: u32 = 20;
/// Reactions to one message: TALK names everyone behind them, and must stay a frame that can be written.
pub const REACTIONS_PER_MESSAGE: u32 = 300;
/// Bytes of one WebSocket message, all fragments included.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Characters in a display name, after normalising.
pub const NAME_CHARS: usize = 40;
/// Characters in a room's name, after normalising.
pub const ROOM_NAME_CHARS: usize = 80;
/// Characters in the line on what a room is about.
pub const TOPIC_CHARS: usize = 200;
/// Bytes of an HTTP request body: a form writes one character of a message in up to twelve.
pub const REQUEST_BYTES: usize = 128 * 1024;

/// Rooms that one connection may be in.
pub const ROOMS_PER_CONNECTION: usize = 100;
/// Members that ROOM lists, and above which MEMBERS replaces ENTER and LEAVE.
pub const MEMBERS_LISTED: usize = 200;
/// Rooms that one page of the list shows, and WATCH names at first.
pub const ROOMS_LISTED: u32 = 200;
/// Rooms that one `GET /chat` gives, where the caller does not want fewer.
pub const PAGE_ROOMS: u32 = 1_000;
/// Messages on a history page, where the caller does not say.
pub const PAGE_MESSAGES: u32 = 50;
/// The most messages that one history page may have.
pub const PAGE_MESSAGES_MAX: u32 = 200;
/// Unread messages are counted up to this many; it stands for more.
pub const UNREAD_COUNTED: u32 = 100;
/// Characters of a quoted message that a reply carries.
pub const EXCERPT_CHARS: usize = 120;

/// Messages per second and sender, sustained.
pub const MESSAGES_PER_SECOND: u32 = 10;
/// Messages that a sender may send at once after a pause.
pub const MESSAGES_BURST: u32 = 30;
/// One address may send this many times what one sender may.
pub const SENDERS_PER_ADDRESS: u32 = 50;
/// Rooms created per minute and address.
pub const ROOMS_PER_MINUTE: u32 = 10;
/// Sign-ins per minute and address.
pub const SIGN_INS_PER_MINUTE: u32 = 10;
/// Sign-ins, or rooms, that an address may make at once after a pause.
pub const PER_MINUTE_BURST: u32 = 30;
/// Connections from one address.
pub const CONNECTIONS_PER_ADDRESS: usize = 1_000;
/// File descriptors kept free for the database, the site and the log.
pub const DESCRIPTORS_RESERVED: u64 = 256;
/// Frames refused for their rate after which a flooding socket is closed (4029), if each came within …
pub const REFUSALS_BEFORE_CLOSE: u32 = 300;
/// … this time after the one before.
pub const FLOODING_WITHIN: Duration = Duration::from_secs(1);

/// Frames waiting for one connection, and their bytes. Whoever is further behind is fed from the log.
pub const FRAMES_QUEUED: usize = 1_024;
/// See [`FRAMES_QUEUED`].
pub const FRAMES_QUEUED_BYTES: usize = 1024 * 1024;
/// Bytes of a room's changes that are written to a member at once; a longer frame goes whole.
pub const BATCH_BYTES: usize = 128 * 1024;
/// Bytes taken from the queue that wait for the socket; a page of a replay may come on top.
pub const OUTBOX_BYTES: usize = 256 * 1024;
/// A room's latest changes kept in memory while somebody is in it, and their bytes: who was away for a
/// moment needs no disk.
pub const RECENT_CHANGES: usize = 128;
/// See [`RECENT_CHANGES`].
pub const RECENT_BYTES: usize = 64 * 1024;
/// Changes of one connection whose outcome is not known yet; beyond it the socket is not read.
pub const CHANGES_IN_FLIGHT: u32 = 64;
/// Changes of all connections waiting for the writer.
pub const CHANGES_QUEUED: usize = 4_096;
/// Changes that one transaction stores at most.
pub const BATCH_CHANGES: usize = 1_024;
/// Text that was deleted or edited away is off the disk, the write-ahead log included, about this much later.
pub const ERASE_AFTER: Duration = Duration::from_secs(1);
/// Changes that one step of a replay reads from the store, and bytes that it passes on; the next waits until
/// the peer has them. In a room that moves on as fast, up to 16 times as many changes.
pub const REPLAY_CHANGES: u32 = 50;
/// See [`REPLAY_CHANGES`].
pub const REPLAY_BYTES: usize = 128 * 1024;

/// A request's header, an upgrade's included, must be complete within this.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a WebSocket is pinged.
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// A WebSocket from which nothing came for this long is dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(25);
/// A reader that takes nothing for this long is closed (4008).
pub const STALLED_AFTER: Duration = Duration::from_secs(60);
/// How long a closed socket is read on, so that the peer sees our close code and not a reset.
pub const LINGER: Duration = Duration::from_secs(1);
/// A person whose connection was lost is still present for this long.
pub const ABSENCE_GRACE: Duration = Duration::from_secs(10);
/// A connection's TYPING is passed on at most once in this time.
pub const TYPING_EVERY: Duration = Duration::from_secs(2);
/// LIST for one room, and MEMBERS of a large one, go out at most once in this time.
pub const LIST_EVERY: Duration = Duration::from_secs(1);
/// A change waits this long for a place in the writer's queue before it is told `busy`.
pub const BUSY_AFTER: Duration = Duration::from_secs(2);
/// A request, its body included, must be answered within this.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A request that is under way when the server stops has this long to end.
pub const REQUEST_ENDS_WITHIN: Duration = Duration::from_secs(2);
/// Everything must have ended this long after the signal to stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(8);
/// A held name that nobody used for this long is free again.
pub const NAME_UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// The life of the session cookie in the browser (browsers allow no more than 400 days).
pub const SESSION_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
