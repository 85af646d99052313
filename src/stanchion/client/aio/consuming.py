"""A consumer on an event loop. What it does with a message is decided in ``stanchion.client.work``."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
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
    from stanchion.client.aio.queue import Queue


class Consumer:
    """As `stanchion.client.Consumer`, with handlers that are awaited: ``concurrency`` tasks at once.

    When ``run`` is cancelled, handlers are cancelled too, and their messages count as failed.
    """

    def __init__(
        self,
        queue: "Queue",
        handler: Callable[[Any], Awaitable[object]],
        *,
        concurrency: int = DEFAULTS.concurrency,
        visibility_timeout: int = DEFAULTS.visibility_timeout,
        wait_time_seconds: int = DEFAULTS.wait_time_seconds,
        backoff: Backoff = DEFAULTS.backoff,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._how = Consuming(concurrency, visibility_timeout, wait_time_seconds, backoff).checked()
        self._queue = queue
        self._handler = handler
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._work = Work(self._how, fifo=queue.is_fifo)
        self._handling: set[asyncio.Task[None]] = set()
        self._changes: asyncio.Queue[Change | None] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()  # a handler has ended, or the consumer was stopped

    def stop(self) -> None:
        """End ``run``; to be called on the event loop, such as from a handler."""
        self._stopping.set()
        self._room.set()

    async def run(self) -> None:
        """Consume until stopped. Signals are minded on the main thread only."""
        changer = asyncio.create_task(self._change())
        heart = asyncio.create_task(self._extend())
        try:
            with self._signals():
                try:
                    await self._poll()
                except asyncio.CancelledError:
                    self._cancel_handlers()
                    raise
                finally:
                    self._put(self._work.stop().changes())
                    await self._handlers()
        finally:
            heart.cancel()
            self._changes.put_nowait(None)
            await changer

    async def _handlers(self) -> None:
        """Wait for those that run; a cancellation is theirs too."""
        try:
            while self._handling:
                await asyncio.wait(self._handling)
        except asyncio.CancelledError:
            self._cancel_handlers()
            await asyncio.gather(*self._handling, return_exceptions=True)
            raise

    def _cancel_handlers(self) -> None:
        for task in self._handling:
            task.cancel()

    # Receiving

    async def _poll(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while await self._room_came():
            try:
                messages = await self._queue.connection.run(self._work.asking(self._queue))
                pause = FIRST_PAUSE_SECONDS
            except (SQSError, BotoClientError) as problem:
                if not passes(problem):
                    raise
                told.pause(pause, problem)
                await self._unless_stopped(self._sleep(pause))
                pause = longer(pause)
                continue
            if self._stopping.is_set():
                self._put(self._work.stop().changes())
            self._put(self._work.take(messages, self._now()).changes())
            self._start()

    async def _room_came(self) -> bool:
        """Wait until there is room for messages; False when the consumer was stopped."""
        while not self._stopping.is_set():
            if self._work.room():
                return True
            self._room.clear()
            await self._room.wait()
        return False

    async def _unless_stopped(self, sleeping: Awaitable[object]) -> None:
        both = {asyncio.ensure_future(sleeping), asyncio.ensure_future(self._stopping.wait())}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()

    # Handling

    def _start(self) -> None:
        for message in self._work.start():
            task = asyncio.create_task(self._handle(message))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    async def _handle(self, message: Any) -> None:
        failed = True
        try:
            failed = not await self._handled(message)
        finally:  # also when it is cancelled
            try:
                self._put(self._work.finish(message, failed=failed).changes())
            except Exception:  # of the backoff, which is the user's too: the message comes again after its timeout
                told.failed(message)
            self._start()
            self._room.set()

    async def _handled(self, message: Any) -> bool:
        if message.decode_error is not None:
            told.undecoded(message)
            return False
        try:
            await self._handler(message)
        except Exception:
            told.failed(message)
            return False
        return True

    # What becomes of messages: in batches of what has come together

    def _put(self, changes: list[Change]) -> None:
        for change in changes:
            self._changes.put_nowait(change)

    async def _change(self) -> None:
        while (first := await self._changes.get()) is not None:
            together = [first]
            while len(together) < plans.BATCH and not self._changes.empty():
                change = self._changes.get_nowait()
                if change is None:
                    self._changes.put_nowait(None)
                    break
                together.append(change)
            await self._change_all(together)

    async def _change_all(self, changes: list[Change]) -> None:
        """What fails is told, and no more: such a message comes again by itself."""
        deleted, hidden = settled(changes)
        try:
            if deleted:
                told.refused("delete", await self._queue.delete_message_batch(deleted))
            if hidden:
                told.refused("hide", await self._queue.change_message_visibility_batch(hidden))
        except (SQSError, BotoClientError) as problem:
            told.lost(len(changes), problem)

    async def _extend(self) -> None:
        while True:
            # Eight looks in a timeout: a message is hidden anew when between a half and five eighths of it are over.
            await self._sleep(self._how.visibility_timeout / 8)
            self._put(self._work.due(self._now()))

    # Signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first signal stops; a second one does what it did before, so that an impatient Ctrl-C still ends."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def minded(*_: object) -> None:
            restore()
            loop.call_soon_threadsafe(self.stop)

        for number in before:
            signal.signal(number, minded)
        try:
            yield
        finally:
            restore()
