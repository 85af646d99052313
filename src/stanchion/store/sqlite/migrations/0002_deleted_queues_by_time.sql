-- Forgetting the names of deleted queues must not look at all of them.

CREATE INDEX deleted_queue_by_time ON deleted_queue (deleted_at_ms);
