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


class _TurnableTimer:
    """A timer of a clock that may be turned: ``arm`` it again when it was."""

    __slots__ = ("_callback", "_clock", "_handle", "when_ms")

    def __init__(self, clock: "TurnableClock", when_ms: int, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self.when_ms = when_ms
        self.arm()

    def arm(self) -> None:
        """Wait for what is left of its time."""
        if self._handle is not None:
            self._handle.cancel()
        delay_s = max(0, self.when_ms - self._clock.now_ms()) / 1000
        self._handle = asyncio.get_running_loop().call_later(delay_s, self.fire)

    def fire(self) -> None:
        if self in self._clock.timers:
            self.cancel()
            self._callback()

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._clock.timers.discard(self)


class TurnableClock:
    """A clock that runs as the wall clock does, and can be turned ahead of it.

    Turning fires no timers: whoever turns it does first what has come due, and then calls ``fire_due``. For the event
    loop's thread.
    """

    wall = SystemClock()
    """For what must agree with the clocks of other programs: signatures, the Date of an answer."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self.timers: set[_TurnableTimer] = set()

    def now_ms(self) -> int:
        return self.wall.now_ms() + self.ahead_ms

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> Timer:
        timer = _TurnableTimer(self, when_ms, callback)
        self.timers.add(timer)
        return timer

    def turn(self, milliseconds: int) -> None:
        """Let so much time have passed."""
        self.ahead_ms += milliseconds

    def fire_due(self) -> None:
        """Fire the timers whose time has come, in order; the others wait for what is left of theirs."""
        now_ms = self.now_ms()
        for timer in sorted(self.timers, key=lambda each: each.when_ms):
            if timer.when_ms <= now_ms:
                timer.fire()
        for timer in self.timers:
            timer.arm()

    def turn_back(self) -> None:
        """Agree with the wall clock again. Every timer fires: what it was set for is no longer ahead."""
        self.ahead_ms = 0
        for timer in sorted(self.timers, key=lambda each: each.when_ms):
            timer.fire()
