"""Counting what happens to queues, and recording it once a minute.

The broker counts when the store has answered: only then is it on disk, and only here is a receive that waited and
got nothing one request (the store was asked many times). Automatic dead-letter moves and move tasks are no sends,
and never come by here.
"""

from collections.abc import Iterator
from typing import Final

from stanchion.model import QueueKey, Tally

_NOTHING: Final = Tally()


class Meters:
    """A tally for each queue since the last reading, and its totals since the start. On every request's path."""

    def __init__(self) -> None:
        self._running: dict[QueueKey, Tally] = {}
        self._taken: dict[QueueKey, Tally] = {}  # of the last reading, not yet in the totals
        self._totals: dict[QueueKey, Tally] = {}

    def sent(self, key: QueueKey, size_bytes: int) -> None:
        """A message was stored."""
        tally = self._running.get(key) or self._begin(key)
        tally.sent += 1
        tally.sent_bytes += size_bytes
        if tally.largest_bytes is None or size_bytes > tally.largest_bytes:
            tally.largest_bytes = size_bytes
        if tally.smallest_bytes is None or size_bytes < tally.smallest_bytes:
            tally.smallest_bytes = size_bytes

    def deduplicated(self, key: QueueKey) -> None:
        """A message was not stored, being a duplicate."""
        (self._running.get(key) or self._begin(key)).deduplicated += 1

    def received(self, key: QueueKey, messages: int) -> None:
        """A receive was answered."""
        tally = self._running.get(key) or self._begin(key)
        if messages:
            tally.received += messages
        else:
            tally.empty_receives += 1

    def deleted(self, key: QueueKey, messages: int) -> None:
        (self._running.get(key) or self._begin(key)).deleted += messages

    def _begin(self, key: QueueKey) -> Tally:
        tally = self._running[key] = Tally()
        return tally

    def take(self) -> dict[QueueKey, Tally]:
        """What has happened since the last time; counting begins anew."""
        self.add_up(len(self._taken))
        taken, self._running = self._running, {}
        self._taken = dict(taken)
        return taken

    def add_up(self, most: int) -> None:
        """Enter a few of the tallies that were taken into the totals: all at once would hold up the loop."""
        for _ in range(min(most, len(self._taken))):
            key, tally = self._taken.popitem()
            self._totals[key] = _sum(self._totals.get(key, _NOTHING), tally)

    def total(self, key: QueueKey) -> Tally:
        """What has happened to a queue since the start."""
        before = _sum(self._totals.get(key, _NOTHING), self._taken.get(key, _NOTHING))
        return _sum(before, self._running.get(key, _NOTHING))

    def __iter__(self) -> Iterator[QueueKey]:
        """The queues that anything has happened to since the start."""
        return iter({**self._totals, **self._taken, **self._running})

    def forget(self, key: QueueKey) -> None:
        """The queue was deleted."""
        for tallies in (self._running, self._taken, self._totals):
            tallies.pop(key, None)


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(
        sent=one.sent + other.sent,
        sent_bytes=one.sent_bytes + other.sent_bytes,
        smallest_bytes=min(
            (size for size in (one.smallest_bytes, other.smallest_bytes) if size is not None), default=None
        ),
        largest_bytes=max(
            (size for size in (one.largest_bytes, other.largest_bytes) if size is not None), default=None
        ),
        received=one.received + other.received,
        empty_receives=one.empty_receives + other.empty_receives,
        deleted=one.deleted + other.deleted,
        deduplicated=one.deduplicated + other.deduplicated,
    )
