"""The only place that reads the time.

Everything above gets a clock handed in; everything pure gets ``now_ms`` handed in. So a test turns a
``ManualClock`` instead of sleeping.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

stopwatch = time.perf_counter
"""Seconds since some moment, for how long work takes. It never goes back."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """Milliseconds since the epoch, and timers in the same unit."""

    def now_ms(self) -> int: ...

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> Timer:
        """Call back from the event loop, not before ``when_ms``."""
        ...


class SystemClock:
    """The wall clock, for a process that runs an event loop."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> Timer:
        delay_s = max(0, when_ms - self.now_ms()) / 1000
        return asyncio.get_running_loop().call_later(delay_s, callback)


class _ManualTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """A clock that stands still until it is turned; ``advance`` fires the timers that come due, in order."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._timers: list[tuple[int, int, _ManualTimer]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        return self._now_ms

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> Timer:
        timer = _ManualTimer(callback)
        heapq.heappush(self._timers, (when_ms, next(self._order), timer))
        return timer

    def advance(self, milliseconds: int) -> None:
        """Turn the clock; call it on the event loop's thread. Timers see the moment they were set for."""
        target = self._now_ms + milliseconds
        while self._timers and self._timers[0][0] <= target:
            when_ms, _, timer = heapq.heappop(self._timers)
            self._now_ms = max(self._now_ms, when_ms)
            if timer.callback is not None:
                timer.callback()
        self._now_ms = target
