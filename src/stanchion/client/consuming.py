"""A consumer: what everybody writes around ``get_messages`` and ``delete_message``, once and for all."""

import logging
import queue as queues
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stanchion.client import plans
from stanchion.client.exceptions import BotoClientError, SQSError
from stanchion.client.messages import RawMessage
from stanchion.client.work import DEFAULTS, Backoff, Consuming, Outcome, Work

if TYPE_CHECKING:
    from stanchion.client.queue import Queue

LONGEST_PAUSE_SECONDS = 30.0  # between two tries to reach a server that is away

_log = logging.getLogger("stanchion.client")

_Change = tuple[RawMessage, int | None]  # None: delete; else seconds to hide


class Consumer:
    """Hands the messages of a queue to a handler.

    ``concurrency`` handlers run at once, each in a thread. A message is deleted when its handler has returned. When
    it raised, the message is hidden for ``backoff(receives)`` seconds and then comes again, until the queue's redrive
    policy takes it away. While a handler works, the message's ``visibility_timeout`` is extended, so it may be short.
    On a FIFO queue the messages of a group are handled one after the other. A message that its class cannot decode
    counts as failed, without the handler.

    ``stop``, SIGTERM and SIGINT end it: handlers that run are waited for, what has not begun is given back. That may
    take ``wait_time_seconds``, because the last long poll is let end. An error of the service that will not go away
    by itself (no such queue, no permission) is raised from ``run``; others are tried again.
    """

    def __init__(
        self,
        queue: "Queue",
        handler: Callable[[Any], object],
        *,
        concurrency: int = DEFAULTS.concurrency,
        visibility_timeout: int = DEFAULTS.visibility_timeout,
        wait_time_seconds: int = DEFAULTS.wait_time_seconds,
        backoff: Backoff = DEFAULTS.backoff,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._how = Consuming(concurrency, visibility_timeout, wait_time_seconds, backoff).checked()
        self._queue = queue
        self._handler = handler
        self._now = now
        self._work = Work(self._how, fifo=queue.is_fifo)
        self._changed = threading.Condition()  # guards the work
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._changes: queues.SimpleQueue[_Change | None] = queues.SimpleQueue()

    def stop(self) -> None:
        """End ``run``, from any thread, a handler or a signal."""
        self._stopping.set()

    def run(self, *, handle_signals: bool = True) -> None:
        """Consume until stopped. ``handle_signals`` has no effect outside the main thread."""
        heart = threading.Thread(target=self._extend, name="stanchion-extend", daemon=True)
        changer = threading.Thread(target=self._change, name="stanchion-change", daemon=True)
        heart.start()
        changer.start()
        try:
            with self._signals(handle_signals), ThreadPoolExecutor(self._how.concurrency) as pool:
                try:
                    self._poll(pool)
                finally:
                    with self._changed:
                        self._apply(self._work.stop())
                # Leaving the pool waits for the handlers that run.
        finally:
            self._ended.set()
            self._changes.put(None)
            changer.join()
            heart.join()

    # Receiving

    def _poll(self, pool: ThreadPoolExecutor) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            room = self._wait_for_room()
            if not room:
                continue
            try:
                messages = self._receive(room)
                pause = 1.0
            except (SQSError, BotoClientError) as problem:
                if isinstance(problem, SQSError) and 400 <= problem.status < 500 and not _passes(problem):
                    raise
                _log.warning("cannot receive, trying again in %.0f s: %s", pause, problem)
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                continue
            with self._changed:
                if self._stopping.is_set():
                    self._apply(self._work.stop())
                self._apply(self._work.take(messages, self._now()))
                self._start(pool)

    def _wait_for_room(self) -> int:
        with self._changed:
            room = self._work.room()
            if not room:
                self._changed.wait(1.0)  # not for ever: a signal handler cannot notify
            return room

    def _receive(self, room: int) -> list[Any]:
        found = self._queue.connection.run(
            plans.get_messages(
                self._queue,
                room,
                self._how.visibility_timeout,
                "All",
                self._how.wait_time_seconds,
                ["All"],
                strict=False,
            )
        )
        return list(found)

    # Handling

    def _start(self, pool: ThreadPoolExecutor) -> None:
        for message in self._work.start():
            pool.submit(self._handle, message, pool)

    def _handle(self, message: Any, pool: ThreadPoolExecutor) -> None:
        failed = not handled(self._handler, message)
        with self._changed:
            self._apply(self._work.finish(message, failed=failed))
            if not self._stopping.is_set():
                self._start(pool)
            self._changed.notify_all()

    # What becomes of messages: in batches of what has come together

    def _apply(self, outcome: Outcome) -> None:
        for message in outcome.delete:
            self._changes.put((message, None))
        for change in outcome.release:
            self._changes.put(change)

    def _change(self) -> None:
        while (first := self._changes.get()) is not None:
            together = [first]
            while len(together) < plans.BATCH and not self._changes.empty():
                change = self._changes.get()
                if change is None:
                    self._changes.put(None)
                    break
                together.append(change)
            change_all(together, self._queue)

    def _extend(self) -> None:
        while not self._ended.wait(self._how.visibility_timeout / 8):
            with self._changed:
                due = self._work.due(self._now())
            changes: list[_Change] = [(message, self._how.visibility_timeout) for message in due]
            for start in range(0, len(changes), plans.BATCH):
                change_all(changes[start : start + plans.BATCH], self._queue)

    # Signals

    @contextmanager
    def _signals(self, wanted: bool) -> Iterator[None]:
        if not wanted or threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(number, lambda *_: self.stop()) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


def handled(handler: Callable[[Any], object], message: Any) -> bool:
    """Whether the handler took the message without raising."""
    if message.decode_error is not None:
        _log.error("message %s cannot be read: %s", message.id, message.decode_error)
        return False
    try:
        handler(message)
    except Exception:
        _log.exception("the handler failed with message %s", message.id)
        return False
    return True


def change_all(changes: list[_Change], queue: "Queue") -> None:
    """Delete and hide messages, ten at most. What fails is logged: such a message comes again by itself."""
    deleted = [message for message, seconds in changes if seconds is None]
    hidden = [(message, seconds) for message, seconds in changes if seconds is not None]
    try:
        if deleted:
            tell_failures("delete", queue.delete_message_batch(deleted).errors)
        if hidden:
            tell_failures("hide", queue.change_message_visibility_batch(hidden).errors)
    except (SQSError, BotoClientError) as problem:
        _log.warning("%d messages come again, for they could not be deleted or hidden: %s", len(changes), problem)


def tell_failures(what: str, errors: list[Any]) -> None:
    for error in errors:
        _log.warning("could not %s a message: %s %s", what, error["error_code"], error["error_message"])


def _passes(error: SQSError) -> bool:
    """Whether a refusal goes away by itself."""
    return error.error_code in ("RequestThrottled", "ThrottlingException", "OverLimit", "RequestTimeout")
