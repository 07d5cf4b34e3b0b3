-- +goose Up
-- The first released schema. SCHEMA.md describes every table and view, and a test compares the two.
-- Never edit this file after a release: add a numbered one, and raise user_version at its end.
--
-- Outside readers (Debian's sqlite3 3.40.1, and 3.38 at the oldest) open this file, so nothing here may be newer.
-- Times are Unix milliseconds, UTC. A REAL that is NULL in points.value is NaN: SQLite has no other way to hold one.

PRAGMA application_id = 1196641867; -- 0x47534E4B, "GSNK"

CREATE TABLE experiments (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    note       TEXT    NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;

CREATE TABLE experiment_tags (
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    key_id        INTEGER NOT NULL REFERENCES keys (id),
    value         TEXT    NOT NULL,
    PRIMARY KEY (experiment_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_groups (
    id            INTEGER PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL CHECK (name <> ''),
    created_ms    INTEGER NOT NULL,
    UNIQUE (experiment_id, name)
) STRICT;

CREATE TABLE configs (
    id         INTEGER PRIMARY KEY,
    sha256     TEXT NOT NULL UNIQUE,
    arm_sha256 TEXT NOT NULL,
    json       TEXT NOT NULL
) STRICT;

CREATE INDEX configs_by_arm ON configs (arm_sha256);

CREATE TABLE environments (
    id         INTEGER PRIMARY KEY,
    sha256     TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE environment_values (
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    key            TEXT    NOT NULL,
    value          TEXT    NOT NULL,
    PRIMARY KEY (environment_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id             INTEGER PRIMARY KEY,
    uid            TEXT    NOT NULL UNIQUE,
    experiment_id  INTEGER NOT NULL REFERENCES experiments (id),
    group_id       INTEGER REFERENCES run_groups (id) ON DELETE SET NULL,
    parent_id      INTEGER REFERENCES runs (id) ON DELETE SET NULL,
    config_id      INTEGER REFERENCES configs (id),
    environment_id INTEGER REFERENCES environments (id),
    name           TEXT    NOT NULL CHECK (name <> ''),
    status         TEXT    NOT NULL
                   CHECK (status IN ('running', 'finished', 'failed', 'diverged', 'interrupted', 'crashed')),
    status_detail  TEXT    NOT NULL DEFAULT '',
    seed           INTEGER,
    note           TEXT    NOT NULL DEFAULT '',
    resumes        INTEGER NOT NULL DEFAULT 0,
    created_ms     INTEGER NOT NULL,
    started_ms     INTEGER NOT NULL,
    finished_ms    INTEGER,
    deleted_ms     INTEGER
) STRICT;

CREATE INDEX runs_by_experiment ON runs (experiment_id, created_ms);
CREATE INDEX runs_by_created ON runs (created_ms);
CREATE INDEX runs_by_status ON runs (status);
CREATE INDEX runs_by_name ON runs (name);
CREATE INDEX runs_by_group ON runs (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_by_config ON runs (config_id);
CREATE INDEX runs_by_environment ON runs (environment_id);

-- What changes every second or two lives apart from runs, so that a heartbeat rewrites a few bytes.
CREATE TABLE heartbeats (
    run_id        INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    host          TEXT    NOT NULL,
    pid           INTEGER NOT NULL,
    process_start TEXT    NOT NULL,
    beat_ms       INTEGER NOT NULL,
    journal_seq   INTEGER NOT NULL DEFAULT 0,
    last_step     INTEGER
) STRICT;

CREATE TABLE keys (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE contexts (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO contexts (id, name) VALUES (0, '');

CREATE TABLE params (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key_id INTEGER NOT NULL REFERENCES keys (id),
    type   TEXT    NOT NULL CHECK (type IN ('string', 'int', 'float', 'bool', 'null', 'json')),
    value  ANY,
    PRIMARY KEY (run_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX params_by_value ON params (key_id, value, run_id);

CREATE TABLE tags (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key_id INTEGER NOT NULL REFERENCES keys (id),
    value  TEXT    NOT NULL,
    PRIMARY KEY (run_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_value ON tags (key_id, value, run_id);

CREATE TABLE series (
    id         INTEGER PRIMARY KEY,
    run_id     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key_id     INTEGER NOT NULL REFERENCES keys (id),
    context_id INTEGER NOT NULL DEFAULT 0 REFERENCES contexts (id),
    UNIQUE (run_id, key_id, context_id)
) STRICT;

CREATE INDEX series_by_key ON series (key_id, context_id, run_id);

-- seq tells apart several values at one step and millisecond; it is 0 (and takes no byte) for the first.
CREATE TABLE points (
    series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL,
    ts_ms     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    value     REAL,
    PRIMARY KEY (series_id, step, ts_ms, seq)
) STRICT, WITHOUT ROWID;

-- One row per series, kept by the writer in the transaction that adds the points.
CREATE TABLE latest (
    series_id  INTEGER PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
    run_id     INTEGER NOT NULL,
    key_id     INTEGER NOT NULL,
    context_id INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    nan_count  INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,
    last_ts_ms INTEGER NOT NULL,
    last_value REAL,
    min_step   INTEGER,
    min_value  REAL,
    max_step   INTEGER,
    max_value  REAL,
    sum_value  REAL
) STRICT;

CREATE INDEX latest_by_last ON latest (key_id, last_value, run_id);
CREATE INDEX latest_by_min ON latest (key_id, min_value, run_id);
CREATE INDEX latest_by_max ON latest (key_id, max_value, run_id);

-- Values that are no numbers (text, histograms, small images): same addressing as points.
CREATE TABLE objects (
    series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL,
    ts_ms     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind <> ''),
    data      BLOB    NOT NULL,
    PRIMARY KEY (series_id, step, ts_ms, seq)
) STRICT;

CREATE TABLE blobs (
    id         INTEGER PRIMARY KEY,
    sha256     TEXT    NOT NULL UNIQUE,
    size       INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE artifacts (
    id         INTEGER PRIMARY KEY,
    run_id     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL CHECK (name <> ''),
    version    INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    media_type TEXT    NOT NULL DEFAULT '',
    step       INTEGER,
    ts_ms      INTEGER NOT NULL,
    blob_id    INTEGER NOT NULL REFERENCES blobs (id),
    UNIQUE (run_id, name, version)
) STRICT;

CREATE INDEX artifacts_by_blob ON artifacts (blob_id);

CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    run_id  INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    ts_ms   INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    message TEXT    NOT NULL DEFAULT '',
    data    TEXT    NOT NULL DEFAULT '{}'
) STRICT;

CREATE INDEX events_by_run ON events (run_id, ts_ms);

CREATE VIEW v_runs AS
SELECT r.id                                                                 AS run,
       r.uid                                                                AS uid,
       r.name                                                               AS name,
       e.name                                                               AS experiment,
       g.name                                                               AS run_group,
       p.uid                                                                AS parent_uid,
       r.status                                                             AS status,
       r.status_detail                                                      AS status_detail,
       r.seed                                                               AS seed,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.created_ms / 1000.0, 'unixepoch')   AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.started_ms / 1000.0, 'unixepoch')   AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.finished_ms / 1000.0, 'unixepoch')  AS finished_at,
       (coalesce(r.finished_ms, h.beat_ms) - r.created_ms) / 1000.0         AS elapsed_s,
       h.last_step                                                          AS last_step,
       strftime('%Y-%m-%dT%H:%M:%fZ', h.beat_ms / 1000.0, 'unixepoch')      AS heartbeat_at,
       h.host                                                               AS host,
       h.pid                                                                AS pid,
       r.resumes                                                            AS resumes,
       c.json                                                               AS config,
       c.sha256                                                             AS config_sha256,
       c.arm_sha256                                                         AS arm_sha256,
       n.sha256                                                             AS environment_sha256,
       r.note                                                               AS note,
       r.deleted_ms IS NOT NULL                                             AS deleted
FROM runs r
         JOIN experiments e ON e.id = r.experiment_id
         LEFT JOIN run_groups g ON g.id = r.group_id
         LEFT JOIN runs p ON p.id = r.parent_id
         LEFT JOIN heartbeats h ON h.run_id = r.id
         LEFT JOIN configs c ON c.id = r.config_id
         LEFT JOIN environments n ON n.id = r.environment_id;

CREATE VIEW v_metrics AS
SELECT r.id                                                            AS run,
       r.uid                                                           AS uid,
       r.name                                                          AS name,
       k.name                                                          AS key,
       x.name                                                          AS context,
       p.step                                                          AS step,
       p.ts_ms                                                         AS ts_ms,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.ts_ms / 1000.0, 'unixepoch')   AS time,
       p.seq                                                           AS seq,
       p.value                                                         AS value,
       p.value IS NULL                                                 AS is_nan
FROM points p
         JOIN series s ON s.id = p.series_id
         JOIN runs r ON r.id = s.run_id
         JOIN keys k ON k.id = s.key_id
         JOIN contexts x ON x.id = s.context_id;

CREATE VIEW v_latest AS
SELECT r.id                                                                  AS run,
       r.uid                                                                 AS uid,
       r.name                                                                AS name,
       k.name                                                                AS key,
       x.name                                                                AS context,
       l.count                                                               AS count,
       l.nan_count                                                           AS nan_count,
       l.last_step                                                           AS last_step,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.last_ts_ms / 1000.0, 'unixepoch')    AS last_time,
       l.last_value                                                          AS last_value,
       l.min_step                                                            AS min_step,
       l.min_value                                                           AS min_value,
       l.max_step                                                            AS max_step,
       l.max_value                                                           AS max_value,
       CASE WHEN l.count > l.nan_count
            THEN l.sum_value / (l.count - l.nan_count) END                   AS mean_value
FROM latest l
         JOIN runs r ON r.id = l.run_id
         JOIN keys k ON k.id = l.key_id
         JOIN contexts x ON x.id = l.context_id;

CREATE VIEW v_params AS
SELECT r.id AS run, r.uid AS uid, r.name AS name, k.name AS key, p.type AS type, p.value AS value
FROM params p
         JOIN runs r ON r.id = p.run_id
         JOIN keys k ON k.id = p.key_id;

CREATE VIEW v_tags AS
SELECT r.id AS run, r.uid AS uid, r.name AS name, k.name AS key, t.value AS value
FROM tags t
         JOIN runs r ON r.id = t.run_id
         JOIN keys k ON k.id = t.key_id;

CREATE VIEW v_artifacts AS
SELECT r.id         AS run,
       r.uid        AS uid,
       a.name       AS name,
       a.version    AS version,
       a.kind       AS kind,
       a.media_type AS media_type,
       a.step       AS step,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.ts_ms / 1000.0, 'unixepoch') AS time,
       b.size       AS size,
       b.sha256     AS sha256
FROM artifacts a
         JOIN runs r ON r.id = a.run_id
         JOIN blobs b ON b.id = a.blob_id;

PRAGMA user_version = 1;
