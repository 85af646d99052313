"""What a test asks of a server: turn the clock, wait for something, be as new. For the event loop's thread."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from stanchion.broker.broker import Broker
from stanchion.clock import TurnableClock
from stanchion.engine import moving
from stanchion.model import Counts, QueueKey
from stanchion.testing.journal import ARRIVALS, Event
from stanchion.testing.mistakes import Mistake
from stanchion.testing.store import WatchedStore

_LATEST_MS: Final = 221_845_392_000_000  # the first day of the year 9000: dates have four digits

# Requests that were there have been answered long before; those that keep on coming are not waited for.
_MOST_ROUNDS: Final = 1_000


class Works:
    def __init__(self, clock: TurnableClock, store: WatchedStore, broker: Broker) -> None:
        self.clock = clock
        self.store = store
        self._broker = broker

    # Time

    async def turn(self, seconds: float) -> None:
        """Let time pass at once, and do all that has come due: when it returns, messages are where they belong, and
        receives that waited have been answered if there was something for them or their wait is over.

        Nothing happens in between: who waits for a message gets it at the moment to which the clock was turned.

        Raises Mistake for a time that is not ahead.
        """
        ahead_ms = self._ahead_ms(seconds)
        # A receive under way has the time at which it came: it must wait in line before time jumps, or it would look
        # with the old time, find nothing, and see that its wait is over.
        await self._settle()
        # And a moment on: what is to go *after* so much time must not still be there in the same millisecond.
        self.clock.turn(ahead_ms + 1)
        await self._settle()
        self.clock.fire_due()
        await self._settle()
        await self._broker.recorder.settle()

    def _ahead_ms(self, seconds: float) -> int:
        if math.isnan(seconds):
            raise Mistake("the clock cannot turn by seconds that are no number")
        if self.clock.now_ms() + seconds * 1000 > _LATEST_MS:
            raise Mistake(f"the clock turns as far as the year 9000, not by {seconds:g} seconds")
        if (milliseconds := round(seconds * 1000)) <= 0:
            raise Mistake(f"the clock only turns forward, not by {seconds:g} seconds")
        return milliseconds

    async def _settle(self) -> None:
        """Do what is due, until there is nothing left of it and no request is under way in the store."""
        rounds = 0  # in which there was nothing to do but to wait for requests
        while (due_in_ms := await self._tidy()) <= moving.PAUSE_MS or (self._is_busy and rounds < _MOST_ROUNDS):
            if due_in_ms > moving.PAUSE_MS:
                rounds += 1
            elif due_in_ms > 0:
                self.clock.turn(due_in_ms)  # a move task as fast as can be: it pauses only to let others have a turn

    @property
    def _is_busy(self) -> bool:
        return self.store.waiting > 0 or self._broker.polls.trying > 0

    async def _tidy(self) -> int:
        now_ms = self.clock.now_ms()
        return await self.store.tidy(now_ms) - now_ms

    # Waiting

    async def emptied(self, queue: QueueKey, timeout_seconds: float) -> Counts:
        """Wait until a queue has no messages, be they visible, in flight or delayed; answers what it has after so
        many seconds of the wall clock. Raises QueueDoesNotExist."""
        deadline = self._deadline(timeout_seconds)
        while True:
            news = self.store.journal.news
            status = await self.store.queue_status(queue, lambda _queue: None, self.clock.now_ms())
            if not any(status.counts) or not await _in_time(news, deadline):
                return status.counts

    async def came(
        self, queue: QueueKey, wanted: Callable[[str], bool], timeout_seconds: float
    ) -> Event | list[Event]:
        """Wait until a message with a ``wanted`` body has come into a queue, since the last reset; answers that
        event, or, after so many seconds of the wall clock, the events of those that came instead."""
        deadline = self._deadline(timeout_seconds)
        others: list[Event] = []
        place = 0
        while True:
            news = self.store.journal.news
            events, place = self.store.journal.since(place)
            for event in events:
                if event.queue == queue and event.what in ARRIVALS:
                    if wanted(event.body or ""):
                        return event
                    others.append(event)
            if not await _in_time(news, deadline):
                return others

    def _deadline(self, timeout_seconds: float) -> float:
        return asyncio.get_running_loop().time() + timeout_seconds

    async def reset(self) -> None:
        """Be as after the start: no queues, no faults, no journal, the time that it is."""
        await self.store.empty()
        self.clock.turn_back()
        await self._settle()
        self.store.journal.clear()


async def _in_time(news: asyncio.Event, deadline: float) -> bool:
    """Wait for something until a moment of the loop's time; False when it did not come."""
    try:
        async with asyncio.timeout_at(deadline):
            await news.wait()
    except TimeoutError:
        return False
    return True
