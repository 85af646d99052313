-- The first schema.
--
-- A queue's messages are clustered by (generation, sequence), that is by age, so that the oldest message, the
-- end of retention and the removal of a purged backlog are all found at one end of a range. A message is in
-- exactly one of three places:
--
--   in line    turn is set: a receive may take it; lowest turn first
--   hidden     due_at_ms is set: delayed (never received) or in flight
--   behind     neither: visible, but another message of its group stands in line before it
--
-- The partial indexes hold just the messages they are for, so a hidden message costs nothing in the line and
-- the other way round.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: receipt handles name it
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    purged_at_ms INTEGER,
    attributes TEXT NOT NULL,               -- JSON object of what was set
    tags TEXT NOT NULL,                     -- JSON object
    dead_letter_target_arn TEXT,
    visible INTEGER NOT NULL DEFAULT 0,
    in_flight INTEGER NOT NULL DEFAULT 0,
    delayed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, region, name)
) STRICT;

CREATE INDEX queue_by_dead_letter_target ON queue (dead_letter_target_arn, name)
    WHERE dead_letter_target_arn IS NOT NULL;

CREATE TABLE deleted_queue (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    turn INTEGER,
    due_at_ms INTEGER,
    receives INTEGER NOT NULL,
    first_received_at_ms INTEGER,
    sent_at_ms INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body_md5 TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    fifo_group TEXT,                        -- MessageGroupId on a FIFO queue
    fair_group TEXT,                        -- MessageGroupId on a standard queue
    body TEXT,                              -- NULL: in large_body
    extra BLOB,                             -- msgpack of what few messages have; NULL: nothing
    PRIMARY KEY (generation, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_in_line ON message (generation, turn) WHERE turn IS NOT NULL;
CREATE INDEX message_hidden ON message (generation, due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX message_by_fifo_group ON message (generation, fifo_group, sequence) WHERE fifo_group IS NOT NULL;
CREATE INDEX message_behind_fair_group ON message (generation, fair_group, sequence)
    WHERE fair_group IS NOT NULL AND turn IS NULL AND due_at_ms IS NULL;
CREATE INDEX message_heading_fair_group ON message (generation, fair_group, sequence)
    WHERE fair_group IS NOT NULL AND turn IS NOT NULL;

-- A receive rewrites its message's row; a large body stays out of that.
CREATE TABLE large_body (
    generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (generation, sequence)
) STRICT;

CREATE TABLE fair_group (
    generation INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    in_flight INTEGER NOT NULL,
    PRIMARY KEY (generation, group_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE deduplication (
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    remembered_until_ms INTEGER NOT NULL,
    PRIMARY KEY (generation, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX deduplication_by_end ON deduplication (remembered_until_ms);

CREATE TABLE receive_attempt (
    generation INTEGER NOT NULL,
    attempt_id TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    attempt BLOB NOT NULL,                  -- msgpack
    PRIMARY KEY (generation, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX receive_attempt_by_time ON receive_attempt (received_at_ms);

-- Generations that were purged or whose queue was deleted: their messages are removed bit by bit.
CREATE TABLE abandoned_generation (
    generation INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE move_task (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    source_arn TEXT NOT NULL,
    destination_arn TEXT,
    max_per_second INTEGER,
    status TEXT NOT NULL,
    moved INTEGER NOT NULL,
    to_move INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    failure_reason TEXT
) STRICT;

CREATE INDEX move_task_by_source ON move_task (source_arn, number);
CREATE INDEX move_task_active ON move_task (account) WHERE status IN ('RUNNING', 'CANCELLING');
