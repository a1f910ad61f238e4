-- Times are milliseconds since 1970-01-01T00:00:00Z; identifiers and keys are raw bytes.

-- One row each: 'epoch' (16 bytes, names this history) and 'content_key' (32 bytes, keys messages.digest).
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A person owns words; the name is only held. Releasing it sets both keys to NULL.
CREATE TABLE persons (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT UNIQUE,
    name_seen TEXT UNIQUE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A browser session; the token itself is only in the browser's cookie.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    person BLOB NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_person ON sessions (person);

CREATE TABLE rooms (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- creation order, and the short key of the tables below
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    topic TEXT,
    lobby INTEGER NOT NULL DEFAULT 0 CHECK (lobby IN (0, 1)),
    created_by BLOB REFERENCES persons (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    head INTEGER NOT NULL DEFAULT 0 -- the number of the last change
) STRICT;
CREATE UNIQUE INDEX rooms_one_lobby ON rooms (lobby) WHERE lobby = 1;

-- The present state of each message.
CREATE TABLE messages (
    room INTEGER NOT NULL REFERENCES rooms (number) ON DELETE CASCADE,
    seq INTEGER NOT NULL, -- its place, for ever
    rev INTEGER NOT NULL, -- the number of its last change
    id BLOB NOT NULL,
    digest BLOB NOT NULL, -- keyed hash of author, first text and what it answers: tells a repeat from a conflict
    person BLOB REFERENCES persons (id) ON DELETE SET NULL,
    guest TEXT, -- the tag of an anonymous author
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    reply_seq INTEGER,
    at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
    PRIMARY KEY (room, seq),
    UNIQUE (room, rev),
    UNIQUE (room, id)
) STRICT, WITHOUT ROWID;

-- A room's line of numbers: every change, in order, without its text.
CREATE TABLE changes (
    room INTEGER NOT NULL REFERENCES rooms (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('new', 'edit', 'delete', 'react')),
    PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    person BLOB NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    PRIMARY KEY (room, seq, emoji, person),
    FOREIGN KEY (room, seq) REFERENCES messages (room, seq) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- How far a person has really read.
CREATE TABLE reads (
    person BLOB NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    room INTEGER NOT NULL REFERENCES rooms (number) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    PRIMARY KEY (person, room)
) STRICT, WITHOUT ROWID;
