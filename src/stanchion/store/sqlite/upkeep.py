"""What must be done without anybody asking, in steps small enough that nobody notices.

One step is one operation of a batch, a millisecond or two; whoever calls comes back at the time it answers.
"""

import apsw

from stanchion.store.sqlite.memory_of_fifo import FifoMemory
from stanchion.store.sqlite.messages import LARGE_BODY_EFFORT
from stanchion.store.sqlite.metrics import MetricTable
from stanchion.store.sqlite.move_tasks import Mover
from stanchion.store.sqlite.queues import QueueTable
from stanchion.store.sqlite.receiving import Receiver

STEP = 50  # rows: half a millisecond of work, in every batch while there is more
QUEUES_PER_STEP = 50
TOMBSTONE_MS = 3_600_000  # a deleted queue's name is remembered this long; the rule itself needs a minute
FORGETTING_PAUSE_MS = 5_000


class Upkeep:
    def __init__(
        self,
        connection: apsw.Connection,
        queues: QueueTable,
        receiver: Receiver,
        memory: FifoMemory,
        mover: Mover,
        metrics: MetricTable,
    ) -> None:
        self._cursor = connection.cursor()
        self._queues = queues
        self._receiver = receiver
        self._memory = memory
        self._mover = mover
        self._metrics = metrics
        self._next_forgetting_ms = 0

    def step(self, now_ms: int) -> int:
        """Do a little of all that is due. Answers when (ms) there is more; ``now_ms`` itself for at once."""
        more = self._settle_due(now_ms)
        more |= self._queues.survey(QUEUES_PER_STEP)
        more |= self._clear_abandoned()
        next_move_ms = self._mover.step(now_ms)
        if self._next_forgetting_ms <= now_ms:
            more |= self._forget(now_ms)
        if more:
            return now_ms
        return max(now_ms, min(self._queues.next_due_ms(), next_move_ms, self._next_forgetting_ms))

    def _settle_due(self, now_ms: int) -> bool:
        """The queues that have something due share the rows of the step."""
        due = self._queues.due(now_ms, QUEUES_PER_STEP)
        more = len(due) == QUEUES_PER_STEP
        for state in due:
            more |= self._receiver.settle(state, now_ms, STEP // len(due))
        return more

    def _clear_abandoned(self) -> bool:
        """Remove a few rows of what purges and queue deletions left."""
        ((generation,),) = self._cursor.execute("SELECT min(generation) FROM abandoned_generation").fetchall()
        if generation is None:
            return False
        removed = sum(self._clear(table, key, generation, rows) for table, key, rows in _TABLES_BY_GENERATION)
        if not removed:
            self._cursor.execute("DELETE FROM abandoned_generation WHERE generation = ?", (generation,))
        return True

    def _clear(self, table: str, key: str, generation: int, rows: int) -> int:
        self._cursor.execute(
            f"DELETE FROM {table} WHERE generation = ?1 AND {key} IN "  # noqa: S608
            f"(SELECT {key} FROM {table} WHERE generation = ?1 ORDER BY {key} LIMIT ?2)",
            (generation, rows),
        )
        return int(self._cursor.connection.changes())

    def _forget(self, now_ms: int) -> bool:
        """Forget a few deduplication ids, receive attempts, names of deleted queues and readings that are too old."""
        more = self._memory.forget_old(now_ms, STEP)
        more |= self._metrics.prune(now_ms)
        self._cursor.execute(
            "DELETE FROM deleted_queue WHERE (account, region, name) IN (SELECT account, region, name "
            "FROM deleted_queue WHERE deleted_at_ms <= ? ORDER BY deleted_at_ms LIMIT ?)",
            (now_ms - TOMBSTONE_MS, STEP),
        )
        more |= int(self._cursor.connection.changes()) == STEP
        if not more:
            self._next_forgetting_ms = now_ms + FORGETTING_PAUSE_MS
        return more


_TABLES_BY_GENERATION = (
    ("message", "sequence", STEP),
    ("large_body", "sequence", STEP // LARGE_BODY_EFFORT),
    ("deduplication", "key", STEP),
    ("receive_attempt", "attempt_id", STEP),
    ("fair_group", "group_id", STEP),
)
