"""The queue table, and what is kept in memory of each queue while the server runs.

Memory holds nothing that is not in the file: definitions, counts and the next moments at which something falls
due. Counts are written once per queue and commit, not once per message.
"""

import heapq
import itertools
import json
from collections.abc import Sequence
from typing import Any

import apsw

from stanchion import ids
from stanchion.engine import attributes as queue_attributes
from stanchion.engine.lifecycle import expires_at_ms
from stanchion.model import Counts, Queue, QueueKey
from stanchion.store.base import QueueChange, QueueDraft

NEVER_MS = 1 << 62
STALE_ENTRIES = 64  # entries of the agenda, beyond as many as there are queues, that may be out of date

_COLUMNS = (
    "id, account, region, name, generation, created_at_ms, modified_at_ms, purged_at_ms, attributes, tags, "
    "visible, in_flight, delayed"
)


class QueueState:
    """A queue as this process knows it.

    ``next_due_ms`` is not later than the moment the next hidden message becomes visible, ``next_expiry_ms`` not
    later than the moment the oldest message passes its retention: lower bounds, made exact when they are reached.
    ``crowded`` says that a receive may have come away empty because the in-flight limit was reached: true until
    known better, since one that came before a rollback may still wait.
    """

    __slots__ = (
        "crowded",
        "delayed",
        "in_flight",
        "next_due_ms",
        "next_expiry_ms",
        "queue",
        "scheduled_ms",
        "visible",
    )

    def __init__(self, queue: Queue, counts: Counts) -> None:
        self.queue = queue
        self.visible, self.in_flight, self.delayed = counts
        self.next_due_ms = 0
        self.next_expiry_ms = 0
        self.scheduled_ms = NEVER_MS
        self.crowded = True

    @property
    def counts(self) -> Counts:
        return Counts(self.visible, self.in_flight, self.delayed)

    def note_sent(self, sent_at_ms: int) -> None:
        """A message that may be the oldest has come."""
        expiry_ms = expires_at_ms(sent_at_ms, self.queue.settings) + 1
        self.next_expiry_ms = min(self.next_expiry_ms, expiry_ms)

    def wakes_at_ms(self) -> int:
        return min(self.next_due_ms, self.next_expiry_ms)


_Entry = tuple[int, int, QueueState]  # of the agenda: when (ms), a number that breaks ties, which queue


class QueueTable:
    """Queues by key, id and ARN. Reads through to the file, remembers what it read until a rollback."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()
        self._by_key: dict[QueueKey, QueueState] = {}
        self._touched: set[QueueState] = set()
        self._agenda: list[_Entry] = []
        self._entries = itertools.count()
        self._surveyed_id = 0  # queues up to this id have been entered in the agenda since the last start

    # Finding

    def find(self, key: QueueKey) -> QueueState | None:
        state = self._by_key.get(key)
        if state is None and all(map(str.isascii, key)):  # no queue has another, and SQLite takes no lone surrogates
            row = self._cursor.execute(
                f"SELECT {_COLUMNS} FROM queue WHERE account = ? AND region = ? AND name = ?",  # noqa: S608
                key,
            ).fetchall()
            state = self._remember(row[0]) if row else None
        return state

    def named(self, key: QueueKey) -> QueueState:
        """A queue that is known to be there."""
        state = self.find(key)
        assert state is not None
        return state

    def find_arn(self, arn: str) -> QueueState | None:
        key = ids.read_queue_arn(arn)
        return self.find(key) if key is not None else None

    def _remember(self, row: Sequence[Any]) -> QueueState:
        key = QueueKey(*row[1:4])
        known = self._by_key.get(key)
        if known is not None:
            return known
        state = QueueState(_queue_of(row), Counts(*row[10:13]))
        self._by_key[key] = state
        self.schedule(state)
        return state

    def page(self, account: str, region: str, prefix: str, after: str, limit: int) -> list[Queue]:
        """By name; ``prefix`` is compared byte by byte, so case matters."""
        if not (prefix.isascii() and after.isascii()):
            return []
        rows = self._cursor.execute(
            f"SELECT {_COLUMNS} FROM queue WHERE account = ? AND region = ? AND name > ? AND name >= ? "  # noqa: S608
            "AND name < ? ORDER BY name LIMIT ?",
            (account, region, after, prefix, prefix + "\U0010ffff", limit),
        ).fetchall()
        return [self._remember(row).queue for row in rows]

    def sources_of(self, arn: str, after: str, limit: int) -> list[Queue]:
        rows = self._cursor.execute(
            f"SELECT {_COLUMNS} FROM queue WHERE dead_letter_target_arn = ? AND name > ? ORDER BY name LIMIT ?",  # noqa: S608
            (arn, after, limit),
        ).fetchall()
        return [self._remember(row).queue for row in rows]

    def is_dead_letter_queue(self, arn: str) -> bool:
        return bool(
            self._cursor.execute("SELECT 1 FROM queue WHERE dead_letter_target_arn = ? LIMIT 1", (arn,)).fetchall()
        )

    def deleted_at_ms(self, key: QueueKey) -> int | None:
        rows = self._cursor.execute(
            "SELECT deleted_at_ms FROM deleted_queue WHERE account = ? AND region = ? AND name = ?", key
        ).fetchall()
        return rows[0][0] if rows else None

    # Changing

    def create(self, key: QueueKey, draft: QueueDraft, generation: int, now_ms: int) -> QueueState:
        self._cursor.execute(
            "INSERT INTO queue (account, region, name, generation, created_at_ms, modified_at_ms, attributes, tags, "
            "dead_letter_target_arn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, generation, now_ms, now_ms, _json(draft.attributes), _json(draft.tags), _target(draft.attributes)),
        )
        self._cursor.execute("DELETE FROM deleted_queue WHERE account = ? AND region = ? AND name = ?", key)
        created = self.find(key)
        assert created is not None
        return created

    def change(self, state: QueueState, change: QueueChange, now_ms: int) -> None:
        modified_at_ms = now_ms if change.modified else state.queue.modified_at_ms
        self._cursor.execute(
            "UPDATE queue SET attributes = ?, tags = ?, modified_at_ms = ?, dead_letter_target_arn = ? WHERE id = ?",
            (
                _json(change.attributes),
                _json(change.tags),
                modified_at_ms,
                _target(change.attributes),
                state.queue.id,
            ),
        )
        self._reload(state)

    def purge(self, state: QueueState, generation: int, now_ms: int) -> None:
        """Give the queue an empty generation and leave the old one to upkeep."""
        self._abandon(state.queue.generation)
        state.visible = state.in_flight = state.delayed = 0
        self.touch(state)
        self._cursor.execute(
            "UPDATE queue SET generation = ?, purged_at_ms = ? WHERE id = ?", (generation, now_ms, state.queue.id)
        )
        self._reload(state)

    def delete(self, state: QueueState, now_ms: int) -> None:
        key = state.queue.key
        self._abandon(state.queue.generation)
        self._cursor.execute("DELETE FROM queue WHERE id = ?", (state.queue.id,))
        self._cursor.execute("INSERT OR REPLACE INTO deleted_queue VALUES (?, ?, ?, ?)", (*key, now_ms))
        self._by_key.pop(key, None)
        self._touched.discard(state)

    def _abandon(self, generation: int) -> None:
        self._cursor.execute("INSERT INTO abandoned_generation VALUES (?)", (generation,))

    def _reload(self, state: QueueState) -> None:
        row = self._cursor.execute(f"SELECT {_COLUMNS} FROM queue WHERE id = ?", (state.queue.id,)).fetchall()[0]  # noqa: S608
        state.queue = _queue_of(row)
        state.next_due_ms = state.next_expiry_ms = 0  # attributes move both
        self.schedule(state)

    # Counts

    def touch(self, state: QueueState) -> None:
        """The counts have changed."""
        self._touched.add(state)

    def write_counts(self) -> None:
        for state in self._touched:
            self._cursor.execute(
                "UPDATE queue SET visible = ?, in_flight = ?, delayed = ? WHERE id = ?",
                (state.visible, state.in_flight, state.delayed, state.queue.id),
            )
        self._touched.clear()

    def forget(self) -> None:
        """After a rollback: what memory says may never have been."""
        self._by_key.clear()
        self._touched.clear()
        self._agenda.clear()
        self._surveyed_id = 0

    # The agenda: which queue has something due, and when

    def schedule(self, state: QueueState) -> None:
        when_ms = state.wakes_at_ms()
        if when_ms < state.scheduled_ms:
            state.scheduled_ms = when_ms
            heapq.heappush(self._agenda, (when_ms, next(self._entries), state))
            if len(self._agenda) > 2 * len(self._by_key) + STALE_ENTRIES:
                self._drop_stale_entries()

    def _drop_stale_entries(self) -> None:
        """Entries of deleted queues would stay until their messages had passed retention: days."""
        self._agenda = [entry for entry in self._agenda if self._holds(entry)]
        heapq.heapify(self._agenda)

    def _holds(self, entry: _Entry) -> bool:
        """Whether an entry speaks of a queue that is still there, and was not replaced by an earlier one."""
        when_ms, _, state = entry
        return when_ms == state.scheduled_ms and self._by_key.get(state.queue.key) is state

    def due(self, now_ms: int, limit: int) -> list[QueueState]:
        """Up to ``limit`` queues that have something due, each once; the caller schedules them anew."""
        found: list[QueueState] = []
        while len(found) < limit and self._agenda and self._agenda[0][0] <= now_ms:
            entry = heapq.heappop(self._agenda)
            if self._holds(entry):
                state = entry[2]
                state.scheduled_ms = NEVER_MS
                found.append(state)
        return found

    def next_due_ms(self) -> int:
        return self._agenda[0][0] if self._agenda else NEVER_MS

    def survey(self, limit: int) -> bool:
        """After a start, look into the next few queues so that the agenda learns of them. True: more to see."""
        rows = self._cursor.execute(
            f"SELECT {_COLUMNS} FROM queue WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608
            (self._surveyed_id, limit),
        ).fetchall()
        for row in rows:
            self._remember(row)
            self._surveyed_id = row[0]
        return len(rows) == limit


def _queue_of(row: Sequence[Any]) -> Queue:
    queue_id, account, region, name, generation, created_at_ms, modified_at_ms, purged_at_ms, attributes, tags = row[
        :10
    ]
    key = QueueKey(account, region, name)
    stored: dict[str, str] = json.loads(attributes)
    return Queue(
        id=queue_id,
        key=key,
        generation=generation,
        created_at_ms=created_at_ms,
        modified_at_ms=modified_at_ms,
        purged_at_ms=purged_at_ms,
        attributes=stored,
        tags=json.loads(tags),
        settings=queue_attributes.settings_of(stored),
        arn=ids.queue_arn(key),
    )


def _json(values: dict[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _target(attributes: dict[str, str]) -> str | None:
    redrive = queue_attributes.settings_of(attributes).redrive_policy
    return redrive.dead_letter_target_arn if redrive is not None else None
