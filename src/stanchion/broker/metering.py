"""Counting what happens to queues, and recording it once a minute.

The broker counts when the store has answered: only then is it on disk, and only here is a receive that waited and
got nothing one request (the store was asked many times). Automatic dead-letter moves and move tasks are no sends,
and never come by here. Nor is it counted when a client hangs up between its request and the answer.

What a crash loses is the minute that runs. A store that fails loses nothing: what it did not take is offered again
when the next minute has ended.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

import msgspec

from stanchion.clock import Clock, Timer
from stanchion.errors import SQSError
from stanchion.model import QueueKey, Tally
from stanchion.store.base import Store

MINUTE_MS: Final = 60_000
ADDED_UP_PER_STEP: Final = 100  # tallies: a tenth of a millisecond
FINISH_SECONDS: Final = 0.5  # of the five that a stop may take

_log = logging.getLogger(__name__)

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


class _Recording(msgspec.Struct):
    """A minute on its way into the store; ``after_id`` says how far it has come."""

    minute: int
    tallies: dict[QueueKey, Tally]
    after_id: int = 0


class Recorder:
    """Hands the store what the meters counted, each time a minute has ended, a few queues at a time.

    A minute that is not through when the next one ends goes on first, from where it was; what happened meanwhile is
    recorded with the minute that has ended by then.
    """

    def __init__(self, store: Store, clock: Clock, meters: Meters) -> None:
        self._store = store
        self._clock = clock
        self._meters = meters
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._unfinished: _Recording | None = None
        self._stopped = False

    def start(self) -> None:
        self._timer = self._clock.call_at((self._running_minute() + 1) * MINUTE_MS, self._minute_ended)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    async def settle(self) -> None:
        """Wait for the recording that is under way, if there is one."""
        if self._task is not None:
            await self._task

    async def finish(self) -> None:
        """After ``stop``, record what the minute that runs has so far; if the server starts again within it, the
        rest is added. Takes half a second at most: what is not recorded then is lost."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self.settle()
                await self._record_until(self._running_minute())
        except TimeoutError:
            _log.warning("the last minute's metrics are not complete: the store takes too long")

    def _running_minute(self) -> int:
        return self._clock.now_ms() // MINUTE_MS

    def _minute_ended(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._record())

    async def _record(self) -> None:
        """The minute that has ended, and those that end meanwhile."""
        recorded = None
        while (ended := self._running_minute() - 1) != recorded:
            if not await self._record_until(ended):
                break
            recorded = ended
        if not self._stopped:
            self.start()

    async def _record_until(self, minute: int) -> bool:
        """Record what was left, then this minute. False: the store failed."""
        if self._unfinished is not None and not await self._put(self._unfinished):
            return False
        self._unfinished = _Recording(minute, self._meters.take())
        return await self._put(self._unfinished)

    async def _put(self, recording: _Recording) -> bool:
        after_id: int | None = recording.after_id
        while after_id is not None:
            recording.after_id = after_id
            self._meters.add_up(ADDED_UP_PER_STEP)
            try:
                after_id = await self._store.record(
                    recording.minute, recording.tallies, recording.after_id, self._clock.now_ms()
                )
            except SQSError:  # the disk is full, say: the store has logged it
                return False
        self._unfinished = None
        return True
