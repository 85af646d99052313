"""One tick: do what is due, learn when there is more."""

import logging

from stanchion.clock import Clock, Timer
from stanchion.errors import SQSError
from stanchion.promise import Promise
from stanchion.store.base import Store

LONGEST_PAUSE_MS = 1_000  # retention is kept to the second, whatever nobody told us of

_log = logging.getLogger(__name__)


class Housekeeping:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._timer: Timer | None = None
        self._running: Promise[int] | None = None
        self._stopped = False
        self._hurried = False  # asked to hurry while a tick was under way

    def hurry(self) -> None:
        """Something new is on disk that may be due: tick now, or again after the tick that is under way."""
        if self._stopped or self._running is not None:
            self._hurried = True
            return
        self._hurried = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._running = self._store.tidy(self._clock.now_ms())
        self._running.add_done_callback(self._ticked)

    start = hurry

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _ticked(self, tick: Promise[int]) -> None:
        self._running = None
        if self._stopped:
            return
        now_ms = self._clock.now_ms()
        error = tick.exception()
        if isinstance(error, SQSError):  # the disk is full, say: the store has logged it, and we try again
            next_ms = now_ms + LONGEST_PAUSE_MS
        elif error is not None:
            raise error
        else:
            next_ms = now_ms if self._hurried else min(tick.result(), now_ms + LONGEST_PAUSE_MS)
        self._timer = self._clock.call_at(next_ms, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.hurry()
