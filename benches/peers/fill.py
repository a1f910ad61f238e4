"""Fills an empty Madang database: fill.py FILE ROOMS MESSAGES."""

import sqlite3, sys, uuid

file, rooms, messages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
each = messages // rooms
database = sqlite3.connect(file)
database.execute("PRAGMA synchronous = OFF")


def name(*parts):
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))).bytes


first = database.execute("SELECT max(number) FROM rooms").fetchone()[0] + 1
numbers = range(first, first + rooms)
database.executemany(
    "INSERT INTO rooms (number, id, name, created_at) VALUES (?, ?, ?, 0)",
    ((n, name(n), f"room {n}") for n in numbers),
)
# A trigger adds their changes.
database.executemany(
    "INSERT INTO messages (room, seq, rev, id, digest, guest, sender, body, at) VALUES (?, ?, ?, ?, ?, 'abcd', 'mina', ?, 0)",
    (
        (n, seq, seq, name(n, seq), name(seq), f"message {seq} of room {n}")
        for n in numbers
        for seq in range(1, each + 1)
    ),
)
database.commit()
