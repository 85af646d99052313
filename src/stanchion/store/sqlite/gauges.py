"""How a queue is at this moment, beyond its counts: the age of its oldest message, and its groups.

Each look is bounded; what lies beyond a bound is left out. Counts lag by as much as upkeep does.
"""

from typing import Any, Final, NamedTuple

import apsw

from stanchion.engine import fairness
from stanchion.limits import NOISY_GROUP_MIN_IN_FLIGHT
from stanchion.store.sqlite.queues import QueueState, QueueTable

POISON_RECEIVES: Final = 3  # a message that was received so often is not one that the queue falls behind with
MOST_POISON: Final = 100  # messages that are looked at to find the oldest
MOST_IN_FLIGHT: Final = 1_000  # messages whose groups are counted; groups whose messages in flight are
MOST_VISIBLE: Final = 1_000  # messages of one noisy group

_OLDEST: Final = "SELECT sent_at_ms, receives FROM message WHERE generation = ? ORDER BY sequence LIMIT ?"
_IN_FLIGHT: Final = (
    "SELECT fifo_group FROM message WHERE generation = ? AND due_at_ms >= 0 ORDER BY due_at_ms LIMIT ?"
)
_FAIR_GROUPS: Final = "SELECT group_id, in_flight FROM fair_group WHERE generation = ? ORDER BY group_id LIMIT ?"
_BEHIND: Final = (
    "SELECT sequence FROM message INDEXED BY message_behind_fair_group WHERE generation = ? AND fair_group = ? "
    "AND turn IS NULL AND due_at_ms IS NULL ORDER BY sequence LIMIT ?"
)
_HEAD: Final = (
    "SELECT sequence FROM message INDEXED BY message_heading_fair_group WHERE generation = ? AND fair_group = ? "
    "AND turn IS NOT NULL ORDER BY sequence LIMIT ?"
)


class Gauges(NamedTuple):
    """``looked_at``: rows that it took."""

    oldest_age_seconds: int | None
    groups_in_flight: int
    noisy_groups: int
    visible_in_quiet_groups: int
    looked_at: int


class GaugeReader:
    def __init__(self, connection: apsw.Connection, queues: QueueTable) -> None:
        self._cursor = connection.cursor()
        self._queues = queues
        self._looked_at = 0

    def read(self, state: QueueState, now_ms: int) -> Gauges:
        self._looked_at = 0
        age = self._oldest_age_seconds(state, now_ms)
        if state.queue.settings.fifo:
            return Gauges(age, self._groups_in_flight(state), 0, 0, self._looked_at)
        noisy = self._noisy_groups(state)
        visible_in_noisy = sum(self._visible_in(state, group) for group in noisy)
        return Gauges(age, 0, len(noisy), max(0, state.visible - visible_in_noisy), self._looked_at)

    def _oldest_age_seconds(self, state: QueueState, now_ms: int) -> int | None:
        """Since the message was sent, in a dead-letter queue too: when it arrived there is not known.

        There every message has been received often, and is what the queue is for.
        """
        if not any(state.counts):
            return None
        rows = self._rows(_OLDEST, state, 1)
        if rows and rows[0][1] >= POISON_RECEIVES and not self._queues.is_dead_letter_queue(state.queue.arn):
            rows = [row for row in self._rows(_OLDEST, state, MOST_POISON) if row[1] < POISON_RECEIVES]
        return max(0, now_ms - rows[0][0]) // 1000 if rows else None

    def _groups_in_flight(self, state: QueueState) -> int:
        if not state.in_flight:
            return 0
        return len({group for (group,) in self._rows(_IN_FLIGHT, state, MOST_IN_FLIGHT)})

    def _noisy_groups(self, state: QueueState) -> list[str]:
        if state.in_flight < NOISY_GROUP_MIN_IN_FLIGHT:
            return []
        return [
            group
            for group, in_flight in self._rows(_FAIR_GROUPS, state, MOST_IN_FLIGHT)
            if fairness.is_noisy(group_in_flight=in_flight, all_in_flight=state.in_flight)
        ]

    def _visible_in(self, state: QueueState, group: str) -> int:
        """The group's messages behind its first, and that one, which stands in line if there is any."""
        behind = self._rows(_BEHIND, state, group, MOST_VISIBLE)
        return len(behind) + len(self._rows(_HEAD, state, group, 1))

    def _rows(self, statement: str, state: QueueState, *given: object) -> list[Any]:
        rows: list[Any] = self._cursor.execute(statement, (state.queue.generation, *given)).fetchall()
        self._looked_at += len(rows)
        return rows
