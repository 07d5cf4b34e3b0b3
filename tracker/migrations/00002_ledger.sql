-- +goose Up
-- Counts what was committed. The same numbers stand in <db>.lock, written after each commit: if the database has fewer,
-- commits were lost, to a damaged WAL or to an older copy in the database's place.

CREATE TABLE ledger (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    uid     TEXT    NOT NULL,
    commits INTEGER NOT NULL,
    records INTEGER NOT NULL
) STRICT;

INSERT INTO ledger (id, uid, commits, records) VALUES (1, lower(hex(randomblob(8))), 0, 0);

PRAGMA user_version = 2;
