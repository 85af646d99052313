"""A server in this process, on a thread of its own, and the hands to work it with. Any thread may call them."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from stanchion import ids
from stanchion.cli.loop import new_event_loop
from stanchion.errors import QueueDoesNotExist, SQSError
from stanchion.model import QueueKey
from stanchion.settings import Settings
from stanchion.testing.application import ApplicationForTests
from stanchion.testing.faults import Faults, Rule
from stanchion.testing.journal import Event
from stanchion.testing.mistakes import Mistake

T = TypeVar("T")

ANSWER_SECONDS: Final = 30.0  # the server's thread is there to do nothing else
_FIRST_ACCOUNT: Final = 100_000_000_001


class SqsClock:
    """The server's clock. It runs as the wall clock does, from wherever it was turned to."""

    def __init__(self, server: "SqsServer") -> None:
        self._server = server

    def now(self) -> datetime:
        """The server's time, in UTC."""
        now_ms = self._server.call(self._server.works.clock.now_ms)
        return datetime.fromtimestamp(now_ms / 1000, UTC)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass. When it returns, the server has done all that is due by then.

        Raises Mistake for a time that is not ahead.
        """
        __tracebackhide__ = True
        self._turn(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)

    def set(self, moment: datetime) -> None:
        """Let time pass until ``moment``, which needs a timezone. Raises Mistake for one that is not ahead."""
        __tracebackhide__ = True
        if moment.tzinfo is None:
            raise Mistake(f"{moment.isoformat()} has no timezone; give one, such as datetime.UTC")
        self._turn((moment - self.now()).total_seconds())

    def _turn(self, seconds: float) -> None:
        __tracebackhide__ = True
        self._server.run(self._server.works.turn(seconds))


class SqsServer:
    """A server for tests, in memory, on a free port of this machine. Use it as a context manager, or ``stop`` it.

    ``account`` owns the queues of clients from ``client``; ``reset`` empties the server and takes another.
    """

    def __init__(self) -> None:
        self._settings = Settings(
            port=0, store="memory", console=False, auth="off", log_format="text", test_clock=True
        )
        self._accounts = itertools.count(_FIRST_ACCOUNT)
        self.account = str(next(self._accounts))
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stanchion for tests", daemon=True)
        self._thread.start()
        try:
            self.application = self.run(ApplicationForTests.start(self._settings))
        except BaseException:
            self._end_loop()
            raise
        self.works = self.application.works
        self.clock = SqsClock(self)

    def __enter__(self) -> "SqsServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint: http://127.0.0.1:PORT."""
        return self.application.sqs_url

    @property
    def region(self) -> str:
        return self._settings.region

    def environment(self) -> dict[str, str]:
        """Environment variables that lead AWS SDKs to this server, and to its account."""
        return {
            "AWS_ENDPOINT_URL_SQS": self.url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def reset(self) -> None:
        """Forget every queue and message, the journal and the faults; the clock is back at the wall clock's time. The
        account is another, so that who still works for the old one disturbs nobody."""
        self.run(self.works.reset())
        self.account = str(next(self._accounts))

    def stop(self) -> None:
        self.run(self.application.stop())
        self._end_loop()

    def journal(self, queue_url: str | None = None, message_id: str | None = None) -> list[Event]:
        """What happened to the messages of a queue, to one message, or to all since the last reset, oldest first."""
        __tracebackhide__ = True
        queue = self._queue_key(queue_url) if queue_url is not None else None
        return self.call(lambda: self.works.store.journal.of(queue, message_id))

    @contextmanager
    def faults(
        self,
        queue: str | None = None,
        *,
        actions: Sequence[str] = (),
        seed: int | str = 0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        delay: float = 0.0,
        delay_seconds: int = 5,
        throttle: float = 0.0,
        error: float = 0.0,
        drop_request: float = 0.0,
        drop_answer: float = 0.0,
        latency_seconds: float = 0.0,
    ) -> Iterator[Rule]:
        """Let things go wrong while the context lasts. What each argument means, see `Faults`.

        Gives the rule, whose ``struck`` counts how often each fault has struck. Raises Mistake.
        """
        __tracebackhide__ = True
        wanted = Faults.read(
            {
                "queue": queue,
                "actions": actions,
                "seed": seed,
                "duplicate": duplicate,
                "reorder": reorder,
                "delay": delay,
                "delay_seconds": delay_seconds,
                "throttle": throttle,
                "error": error,
                "drop_request": drop_request,
                "drop_answer": drop_answer,
                "latency_seconds": latency_seconds,
            }
        )
        book = self.works.store.faults
        number = self.call(lambda: book.add(wanted))
        try:
            yield self.call(lambda: book[number])
        finally:
            self.call(lambda: book.remove(number))

    def wait_until_empty(self, queue_url: str, *, timeout: float = 10.0) -> None:
        """Wait until a queue has no messages left: none visible, none in flight, none delayed.

        ``timeout`` is in seconds of the wall clock, and may be 0 to only look. Raises AssertionError when they are
        over.
        """
        __tracebackhide__ = True
        queue = self._queue_key(queue_url)
        try:
            counts = self.run(self.works.emptied(queue, timeout), timeout + ANSWER_SECONDS)
        except QueueDoesNotExist:
            raise Mistake(f"there is no queue {queue.name} in account {queue.account}") from None
        if any(counts):
            raise AssertionError(
                f"after {timeout:g} seconds, {queue.name} still has {counts.visible} visible messages, "
                f"{counts.in_flight} in flight and {counts.delayed} delayed"
            )

    def expect_message(
        self, queue_url: str, *, body: str | Callable[[str], bool] | None = None, timeout: float = 10.0
    ) -> Event:
        """Wait until a message has come into a queue since the last reset, whatever has become of it; its event.

        ``body`` is the whole body, or a function that says whether a body is meant; without it any will do.
        ``timeout`` is in seconds of the wall clock. Raises AssertionError when they are over.
        """
        __tracebackhide__ = True
        queue = self._queue_key(queue_url)
        wanted = body if callable(body) else lambda came: body is None or came == body
        found = self.run(self.works.came(queue, wanted, timeout), timeout + ANSWER_SECONDS)
        if isinstance(found, Event):
            return found
        meant = f" with the body {body!r}" if isinstance(body, str) else " that is meant" if body else ""
        raise AssertionError(f"in {timeout:g} seconds, no message{meant} came to {queue.name}; {_what_came(found)}")

    def _queue_key(self, queue_url: str) -> QueueKey:
        __tracebackhide__ = True
        try:
            account, name = ids.read_queue_url(queue_url)
        except SQSError:
            raise Mistake(f"{queue_url!r} is no queue's URL; give the QueueUrl that create_queue answered") from None
        return QueueKey(account or self.account, self.region, name)

    # The server's thread

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float = ANSWER_SECONDS) -> T:
        """The result of a coroutine on the server's loop."""
        __tracebackhide__ = True
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)
        except Mistake as mistake:
            raise Mistake(str(mistake)) from None  # without the way that it came

    def call(self, function: Callable[[], T]) -> T:
        """The result of a function on the server's thread."""
        __tracebackhide__ = True

        async def calling() -> T:
            return function()

        return self.run(calling())

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_SHOWN: Final = 5


def _what_came(events: Sequence[Event]) -> str:
    if not events:
        return "none came at all"
    bodies = ", ".join(_shortened(repr(event.body)) for event in events[-_SHOWN:])
    more = f" and {len(events) - _SHOWN} before" if len(events) > _SHOWN else ""
    return f"what came: {bodies}{more}"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
