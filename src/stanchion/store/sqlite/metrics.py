"""Readings of queues and of the server, minute by minute, for two weeks and within a bounded size.

A reading of a queue takes 54 bytes, so the most that are kept take 110 MB: two weeks of a hundred queues that
always have something, or three hours of ten thousand. Beyond that the oldest minutes go first.

A deleted queue's readings stay until their time, but nobody finds them: a new queue of the name has another id.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import apsw

from stanchion.model import QueueKey, Reading, ServerReading, Tally
from stanchion.store.base import METRICS_DAYS
from stanchion.store.sqlite.gauges import GaugeReader
from stanchion.store.sqlite.queues import QueueState, QueueTable

MINUTE_MS: Final = 60_000
KEPT_MINUTES: Final = METRICS_DAYS * 24 * 60
MOST_ROWS: Final = 2_000_000
QUEUES_PER_STEP: Final = 100  # that are looked at
ROWS_PER_STEP: Final = 500  # that are read and written: about a millisecond of work
READING_EFFORT: Final = 10  # what it takes to write a reading, in rows that are only read
PRUNED_PER_STEP: Final = 200

_QUEUES: Final = "SELECT id, account, region, name FROM queue WHERE id > ? ORDER BY id LIMIT ?"
_NOTHING: Final = Tally()

_GAUGES: Final = (
    "visible",
    "in_flight",
    "delayed",
    "oldest_age_seconds",
    "groups_in_flight",
    "noisy_groups",
    "visible_in_quiet_groups",
)
_EVENTS: Final = ("sent", "sent_bytes", "received", "empty_receives", "deleted", "deduplicated")


def _later(*columns: str) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


def _later_if_known(*columns: str) -> str:
    return ", ".join(f"{column} = coalesce(excluded.{column}, {column})" for column in columns)


def _added(*columns: str) -> str:
    return ", ".join(f"{column} = {column} + excluded.{column}" for column in columns)


def _extreme(function: str, column: str) -> str:
    return f"{column} = coalesce({function}({column}, excluded.{column}), {column}, excluded.{column})"


def _places(count: int) -> str:
    return ", ".join("?" * count)


_RECORD: Final = (
    f"INSERT INTO metric VALUES (?, {_places(len(Reading._fields))}) ON CONFLICT DO UPDATE SET "  # noqa: S608
    f"{_later(*_GAUGES)}, {_added(*_EVENTS)}, "
    f"{_extreme('min', 'smallest_bytes')}, {_extreme('max', 'largest_bytes')}"
)
_RECORD_SERVER: Final = (
    f"INSERT INTO server_metric VALUES ({_places(len(ServerReading._fields))}) ON CONFLICT DO UPDATE SET "  # noqa: S608
    f"{_added('requests', 'errors', 'commits', 'operations')}, "
    f"{_later_if_known('p50_ms', 'p99_ms', 'commit_p50_ms', 'commit_p99_ms')}, "
    f"{_later('connections', 'store_bytes', 'free_bytes')}"
)
# One seek for each pair of minute and queue. (BETWEEN, for the minutes, would walk through all queues of each.)
READINGS: Final = (
    f"SELECT queue_id, {', '.join(Reading._fields)} FROM metric "  # noqa: S608
    "WHERE minute IN (SELECT value FROM json_each(?)) AND queue_id IN (SELECT value FROM json_each(?))"
)
_OLDEST_MINUTE: Final = (
    "SELECT minute, readings FROM metric_minute WHERE minute = (SELECT min(minute) FROM metric_minute)"
)


class MetricTable:
    def __init__(self, connection: apsw.Connection, queues: QueueTable) -> None:
        self._cursor = connection.cursor()
        self._queues = queues
        self._gauges = GaugeReader(connection, queues)
        self._rows: int | None = self._counted_rows()  # in all; None: not known

    def forget(self) -> None:
        """After a rollback."""
        self._rows = None

    # Recording

    def record(self, minute: int, tallies: Mapping[QueueKey, Tally], after_id: int, now_ms: int) -> int | None:
        """The next few queues. Answers after which to go on, None at the end."""
        queues = self._cursor.execute(_QUEUES, (after_id, QUEUES_PER_STEP)).fetchall()
        readings: list[tuple[int | None, ...]] = []
        spent = passed = 0
        for _, *names in queues:
            passed += 1
            key = QueueKey(*names)
            state, tally = self._queues.named(key), tallies.get(key)
            if tally is None and not any(state.counts):
                continue
            reading, looked_at = self._read(state, minute, tally or _NOTHING, now_ms)
            readings.append(reading)
            spent += READING_EFFORT + looked_at
            if spent >= ROWS_PER_STEP:
                break
        if not passed:
            return None
        last_id: int = queues[passed - 1][0]
        self._write(minute, readings, after_id, last_id)
        return last_id if passed < len(queues) or passed == QUEUES_PER_STEP else None

    def _read(self, state: QueueState, minute: int, tally: Tally, now_ms: int) -> tuple[tuple[int | None, ...], int]:
        """A row, and how many others it took to know it."""
        age, groups, noisy, quiet, looked_at = self._gauges.read(state, now_ms)
        reading = Reading(
            minute,
            *state.counts,
            age,
            groups,
            noisy,
            quiet,
            tally.sent,
            tally.sent_bytes,
            tally.smallest_bytes,
            tally.largest_bytes,
            tally.received,
            tally.empty_receives,
            tally.deleted,
            tally.deduplicated,
        )
        return (minute, state.queue.id, *reading[1:]), looked_at

    def _write(self, minute: int, readings: list[tuple[int | None, ...]], after_id: int, last_id: int) -> None:
        if not readings:
            return
        before = self._rows_of(minute, after_id, last_id)
        self._cursor.executemany(_RECORD, readings)
        new = self._rows_of(minute, after_id, last_id) - before
        self._cursor.execute(
            f"INSERT INTO metric_minute VALUES (?, ?) ON CONFLICT DO UPDATE SET {_added('readings')}",  # noqa: S608
            (minute, new),
        )
        self._rows = None if self._rows is None else self._rows + new

    def _rows_of(self, minute: int, after_id: int, last_id: int) -> int:
        """Readings of the minute, of the queues that one step came by."""
        rows = self._cursor.execute(
            "SELECT count(*) FROM metric WHERE minute = ? AND queue_id > ? AND queue_id <= ?",
            (minute, after_id, last_id),
        ).fetchall()
        return int(rows[0][0])

    def record_server(self, reading: ServerReading) -> None:
        self._cursor.execute(_RECORD_SERVER, reading)

    # Reading

    def readings(
        self, keys: Sequence[QueueKey], first_minute: int, last_minute: int
    ) -> Mapping[QueueKey, Sequence[Reading]]:
        found: dict[int, list[Reading]] = {}
        answer: dict[QueueKey, list[Reading]] = {}
        for key in keys:
            state = self._queues.find(key)
            if state is not None:
                answer[key] = found[state.queue.id] = []
        minutes = list(range(first_minute, last_minute + 1))
        for queue_id, *reading in self._cursor.execute(READINGS, (json.dumps(minutes), json.dumps(list(found)))):
            found[queue_id].append(Reading(*reading))
        for readings in answer.values():
            readings.sort()
        return answer

    def server_readings(self, first_minute: int, last_minute: int) -> list[ServerReading]:
        rows = self._cursor.execute(
            f"SELECT {', '.join(ServerReading._fields)} FROM server_metric "  # noqa: S608
            "WHERE minute BETWEEN ? AND ? ORDER BY minute",
            (first_minute, last_minute),
        )
        return [ServerReading(*row) for row in rows]

    # Forgetting

    def prune(self, now_ms: int) -> bool:
        """Remove a few readings that are too old, or too many. True: there is more to remove."""
        oldest_kept = now_ms // MINUTE_MS - KEPT_MINUTES
        self._cursor.execute(
            "DELETE FROM server_metric WHERE minute IN "
            "(SELECT minute FROM server_metric WHERE minute < ? ORDER BY minute LIMIT ?)",
            (oldest_kept, PRUNED_PER_STEP),
        )
        rows = self._cursor.execute(_OLDEST_MINUTE).fetchall()
        if not rows or (rows[0][0] >= oldest_kept and self._rows_in_all() <= MOST_ROWS):
            return False
        self._prune(*rows[0])
        return True

    def _prune(self, minute: int, readings: int) -> None:
        self._cursor.execute(
            "DELETE FROM metric WHERE minute = ?1 AND queue_id IN "
            "(SELECT queue_id FROM metric WHERE minute = ?1 ORDER BY queue_id LIMIT ?2)",
            (minute, PRUNED_PER_STEP),
        )
        removed = int(self._cursor.connection.changes())
        if removed < PRUNED_PER_STEP:
            self._cursor.execute("DELETE FROM metric_minute WHERE minute = ?", (minute,))
        else:
            self._cursor.execute(
                "UPDATE metric_minute SET readings = ? WHERE minute = ?", (readings - removed, minute)
            )
        self._rows = None if self._rows is None else self._rows - removed

    def _rows_in_all(self) -> int:
        if self._rows is None:
            self._rows = self._counted_rows()
        return self._rows

    def _counted_rows(self) -> int:
        """One row for each minute: a millisecond, at a start and after a rollback."""
        return int(self._cursor.execute("SELECT ifnull(sum(readings), 0) FROM metric_minute").fetchall()[0][0])
