"""A consumer: what everybody writes around ``get_messages`` and ``delete_message``, once and for all."""

import queue as queues
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stanchion.client import plans, told
from stanchion.client.exceptions import BotoClientError, SQSError
from stanchion.client.work import (
    DEFAULTS,
    FIRST_PAUSE_SECONDS,
    Backoff,
    Change,
    Consuming,
    Work,
    longer,
    passes,
    settled,
)

if TYPE_CHECKING:
    from stanchion.client.queue import Queue

Tokens = queues.SimpleQueue[None]


def wait_for(tokens: Tokens, seconds: float | None) -> bool:
    """Whether a token came before so many seconds were over."""
    try:
        tokens.get(timeout=seconds)
    except queues.Empty:
        return False
    return True


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
        wait: Callable[[Tokens, float | None], bool] = wait_for,
    ) -> None:
        self._how = Consuming(concurrency, visibility_timeout, wait_time_seconds, backoff).checked()
        self._queue = queue
        self._handler = handler
        self._now = now
        self._wait = wait
        self._work = Work(self._how, fifo=queue.is_fifo)
        self._lock = threading.Lock()  # guards the work, and the order of its changes
        self._changes: queues.SimpleQueue[Change | None] = queues.SimpleQueue()
        # Tokens and a plain flag, not an Event: a signal may come while the main thread holds an Event's lock, and a
        # SimpleQueue is the one thing to which its handler may safely write.
        self._stopping = False
        self._awake: Tokens = queues.SimpleQueue()
        self._ended: Tokens = queues.SimpleQueue()

    def stop(self) -> None:
        """End ``run``, from any thread, a handler or a signal."""
        self._stopping = True
        self._awake.put(None)

    def run(self) -> None:
        """Consume until stopped. Signals are minded in the main thread only."""
        heart = threading.Thread(target=self._extend, name="stanchion-extend")
        changer = threading.Thread(target=self._change, name="stanchion-change")
        heart.start()
        changer.start()
        try:
            with self._signals(), ThreadPoolExecutor(self._how.concurrency) as pool:
                try:
                    self._poll(pool)
                finally:
                    with self._lock:
                        self._put(self._work.stop().changes())
                # Leaving the pool waits for the handlers that run.
        finally:
            self._ended.put(None)
            heart.join()
            self._changes.put(None)
            changer.join()

    # Receiving

    def _poll(self, pool: ThreadPoolExecutor) -> None:
        pause = FIRST_PAUSE_SECONDS
        while self._room_came():
            try:
                messages = self._queue.connection.run(self._work.asking(self._queue))
                pause = FIRST_PAUSE_SECONDS
            except (SQSError, BotoClientError) as problem:
                if not passes(problem):
                    raise
                told.pause(pause, problem)
                self._wait(self._awake, pause)
                pause = longer(pause)
                continue
            with self._lock:
                if self._stopping:
                    self._put(self._work.stop().changes())
                self._put(self._work.take(messages, self._now()).changes())
                self._start(pool)

    def _room_came(self) -> bool:
        """Wait until there is room for messages; False when the consumer was stopped."""
        while not self._stopping:
            while not self._awake.empty():
                self._awake.get()
            with self._lock:
                if self._work.room():
                    return not self._stopping
            if not self._stopping:
                self._wait(self._awake, None)
        return False

    # Handling

    def _start(self, pool: ThreadPoolExecutor) -> None:
        for message in self._work.start():
            pool.submit(self._handle, message, pool)

    def _handle(self, message: Any, pool: ThreadPoolExecutor) -> None:
        failed = not self._handled(message)
        with self._lock:
            try:
                self._put(self._work.finish(message, failed=failed).changes())
            except Exception:  # of the backoff, which is the user's too: the message comes again after its timeout
                told.failed(message)
            self._start(pool)
        self._awake.put(None)

    def _handled(self, message: Any) -> bool:
        if message.decode_error is not None:
            told.undecoded(message)
            return False
        try:
            self._handler(message)
        except BaseException:  # also SystemExit, which would only end a thread of the pool
            told.failed(message)
            return False
        return True

    # What becomes of messages: in batches of what has come together

    def _put(self, changes: list[Change]) -> None:
        for change in changes:
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
            self._change_all(together)

    def _change_all(self, changes: list[Change]) -> None:
        """What fails is told, and no more: such a message comes again by itself."""
        deleted, hidden = settled(changes)
        try:
            if deleted:
                told.refused("delete", self._queue.delete_message_batch(deleted))
            if hidden:
                told.refused("hide", self._queue.change_message_visibility_batch(hidden))
        except (SQSError, BotoClientError) as problem:
            told.lost(len(changes), problem)

    def _extend(self) -> None:
        # Eight looks in a timeout: a message is hidden anew when between a half and five eighths of it are over.
        while not self._wait(self._ended, self._how.visibility_timeout / 8):
            with self._lock:
                self._put(self._work.due(self._now()))

    # Signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first signal stops; a second one does what it did before, so that an impatient Ctrl-C still ends."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def minded(*_: object) -> None:
            restore()
            self.stop()

        for number in before:
            signal.signal(number, minded)
        try:
            yield
        finally:
            restore()
