-- What happened to queues and to the server, minute by minute.
--
-- Readings of a minute come together and go together, so they lie by time: recording appends to one page after the
-- other, and the oldest are at one end. By queue, each minute would write into as many pages as there are queues.

CREATE TABLE metric (
    minute INTEGER NOT NULL,                -- since the epoch
    queue_id INTEGER NOT NULL,
    visible INTEGER NOT NULL,               -- how it was at the end of the minute ...
    in_flight INTEGER NOT NULL,
    delayed INTEGER NOT NULL,
    oldest_age_seconds INTEGER,
    groups_in_flight INTEGER NOT NULL,
    noisy_groups INTEGER NOT NULL,
    visible_in_quiet_groups INTEGER NOT NULL,
    sent INTEGER NOT NULL,                  -- ... and what happened in it
    sent_bytes INTEGER NOT NULL,
    smallest_bytes INTEGER,
    largest_bytes INTEGER,
    received INTEGER NOT NULL,
    empty_receives INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    deduplicated INTEGER NOT NULL,
    PRIMARY KEY (minute, queue_id)
) STRICT, WITHOUT ROWID;

-- How many readings each minute has: the size of the table, without counting it.
CREATE TABLE metric_minute (
    minute INTEGER PRIMARY KEY,
    readings INTEGER NOT NULL
) STRICT;

CREATE TABLE server_metric (
    minute INTEGER PRIMARY KEY,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    p50_ms REAL,
    p99_ms REAL,
    commits INTEGER NOT NULL,
    commit_p50_ms REAL,
    commit_p99_ms REAL,
    operations INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    store_bytes INTEGER NOT NULL,
    free_bytes INTEGER
) STRICT;
