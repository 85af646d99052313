"""A whole server inside the test's process, on real sockets, with a clock that the test turns."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from stanchion.app import Application
from stanchion.clock import Clock, ManualClock
from stanchion.settings import load

T = TypeVar("T")


class InProcessServer:
    """Started on a thread of its own; every method may be called from the test's thread.

    ``clock`` is one for tests unless another is given; then there is none to turn.
    """

    def __init__(self, folder: Path, clock: Clock | None = None, **flags: object) -> None:
        flags = {"port": "0", "store": "memory", "console": False} | flags
        self._settings = load(flags, {}, folder=folder)
        self.clock = clock if isinstance(clock, ManualClock) else ManualClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server under test")
        self._thread.start()
        try:
            self.application = self.run(Application.start(self._settings, clock or self.clock))
        except BaseException:
            self._end_loop()
            raise

    @property
    def url(self) -> str:
        return self.application.sqs_url

    def run(self, coroutine: Any) -> Any:
        """The result of a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def call(self, function: Callable[[], T]) -> T:
        """The result of a plain function, called on the server's loop."""
        done: Future[T] = Future()

        def work() -> None:
            try:
                done.set_result(function())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(work)
        return done.result(timeout=30)

    @contextmanager
    def in_background(self, work: Callable[[], object]) -> Iterator[None]:
        """Do something that waits, in a thread; at the end of the block it must come to an end."""
        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(work)
            yield
            done.result(timeout=30)

    def advance(self, seconds: float) -> None:
        """Turn the clock, and let what falls due happen: timers, ended timeouts, a tick of housekeeping."""
        self.call(lambda: self.clock.advance(round(seconds * 1000)))
        self.settle()

    def settle(self) -> None:
        """Wait until the store has nothing more to do at this moment, and the minutes that ended are recorded."""
        self.run(self.application.broker.recorder.settle())
        while self.run(self._tidy()) <= self.clock.now_ms():
            continue

    async def _tidy(self) -> int:
        return await self.application.store.tidy(self.clock.now_ms())

    def waiting(self, receives: int) -> None:
        """Wait until exactly so many receives are long-polling."""
        give_up_at = time.monotonic() + 30
        while (found := self.call(lambda: self.application.broker.polls.waiting)) != receives:
            assert time.monotonic() < give_up_at, f"{found} receives wait, not {receives}"

    def stop(self) -> None:
        self.run(self.application.stop())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
