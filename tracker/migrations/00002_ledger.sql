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

-- With the context in them the indexes answer a comparison without a look at the table.
DROP INDEX latest_by_last;
DROP INDEX latest_by_min;
DROP INDEX latest_by_max;
CREATE INDEX latest_by_last ON latest (key_id, last_value, run_id, context_id);
CREATE INDEX latest_by_min ON latest (key_id, min_value, run_id, context_id);
CREATE INDEX latest_by_max ON latest (key_id, max_value, run_id, context_id);

PRAGMA user_version = 2;
