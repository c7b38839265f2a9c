"""The tables of the event log."""

SQL = """
-- One row per stream that was ever written or given metadata. `last` is the number of its newest event:
-- -1 for none, 2^63-1 once it has a tombstone. The three limits are those of its newest metadata event.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL,
    max_count INTEGER,
    max_age INTEGER,
    truncate_before INTEGER
);

-- The log. `frame` is the whole response message that a reader of this record gets, framed for gRPC.
CREATE TABLE records (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    created INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    frame BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_number ON records (stream, number);
CREATE INDEX records_by_id ON records (id);
"""
