"""A server whose clock turns: the composition root for tests."""

import math
from typing import Final, cast

from stanchion.app import Application
from stanchion.clock import Clock, TurnableClock
from stanchion.settings import Settings
from stanchion.store.base import Store
from stanchion.testing.mistakes import Mistake
from stanchion.testing.store import WatchedStore

_LATEST_MS: Final = 221_845_392_000_000  # the first day of the year 9000: dates have four digits


class ApplicationForTests(Application):
    """All parts of a server that keeps its queues in memory and turns its clock.

    Its methods are for the event loop's thread.
    """

    store: WatchedStore

    @classmethod
    async def start(cls, settings: Settings, _clock: Clock | None = None) -> "ApplicationForTests":
        return cast(ApplicationForTests, await super().start(settings, TurnableClock()))

    @staticmethod
    def _open_store(_settings: Settings, clock: Clock) -> Store:
        return WatchedStore.open_for_tests(clock)

    @property
    def clock(self) -> TurnableClock:
        return cast(TurnableClock, self._clock)

    # Time

    async def turn(self, seconds: float) -> None:
        """Let time pass at once, and do all that has come due: when it returns, messages are where they belong, and
        receives that waited have been answered if there was something for them or their wait is over.

        Nothing happens in between: who waits for a message gets it at the moment to which the clock was turned.

        Raises Mistake for a time that is not ahead.
        """
        # And a moment on: what is to go *after* so much time must not still be there in the same millisecond.
        self.clock.turn(self._ahead_ms(seconds) + 1)
        await self._settle()
        self.clock.fire_due()
        await self._settle()

    def _ahead_ms(self, seconds: float) -> int:
        if math.isnan(seconds):
            raise Mistake("the clock cannot turn by seconds that are no number")
        if self.clock.now_ms() + seconds * 1000 > _LATEST_MS:
            raise Mistake(f"the clock turns as far as the year 9000, not by {seconds:g} seconds")
        if (milliseconds := round(seconds * 1000)) <= 0:
            raise Mistake(f"the clock only turns forward, not by {seconds:g} seconds")
        return milliseconds

    async def _settle(self) -> None:
        """Do what is due, until there is nothing left of it and no receive is being tried."""
        now_ms = self.clock.now_ms()
        while await self.store.tidy(now_ms) <= now_ms or self.broker.polls.trying:
            continue
        await self.broker.recorder.settle()

    async def reset(self) -> None:
        """Be as after the start: no queues, no faults, no journal, the time that it is."""
        await self.store.empty()
        self.clock.turn_back()
        await self._settle()
        self.store.journal.clear()
