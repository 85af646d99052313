"""Group commit: what arrives while a commit is under way becomes the next one.

An operation is a function that runs statements on the one connection, on the event loop's thread; only COMMIT,
which waits for the disk, runs in a thread of its own, or in place for a single operation on a quick disk.
(Measured against a writer thread that does all: 6-20 % more throughput, because the interpreter lock is handed over
once a batch instead of once a statement.)

An operation that breaks a rule raises its SQSError before it has written anything, and the others go on. When
the disk refuses, the whole batch fails and leaves no trace. When an operation fails in a way that nobody
foresaw, or meets a damaged page, the batch is rolled back and its operations run again one by one, so that only
the culprit fails.
"""

import asyncio
import logging
import queue
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from stanchion.clock import stopwatch
from stanchion.errors import InternalFailure, ServiceUnavailable, SQSError
from stanchion.histogram import COUNTS, SECONDS, Histogram
from stanchion.promise import Promise

Result = TypeVar("Result")
Operation = Callable[[], Any]

BATCH_OPERATIONS = 1_000
BATCH_SECONDS = 0.02  # some operations are long, a list of a thousand queues: others want their turn of the loop

# One operation alone is committed in place while the disk is so quick: to the thread and back takes 0.4 ms, which its
# client would wait for. A disk that is slower makes everybody wait longer than that, and goes to the thread.
QUICK_COMMIT_SECONDS = 0.001
_LEARNING = 0.1  # how much the newest commit counts in what a commit usually takes

# The disk or the file is to blame, whoever asks next; other errors of SQLite are mistakes in one operation.
_REFUSALS = (
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.ProtocolError,
    apsw.NoMemError,
)
_DAMAGE = (apsw.CorruptError, apsw.NotADBError)

_log = logging.getLogger(__name__)


# Plain tuples: there is one of each for every request.
_Request = tuple[Operation, Promise[Any]]
_Outcome = tuple[Promise[Any], Any, BaseException | None]


class Observer:
    """What the committer tells the store about its transactions."""

    def before_commit(self) -> None:
        """Write what was only kept in memory during the batch."""

    def committed(self) -> None:
        """The batch is on disk."""

    def rolled_back(self) -> None:
        """The batch never happened: forget what was learnt in it."""

    def chore(self) -> Callable[[], None] | None:
        """Work for the commit thread that needs the connection to itself, before the next batch; must not raise."""
        return None


class Committer:
    def __init__(self, connection: apsw.Connection, observer: Observer, *, threaded: bool) -> None:
        self._connection = connection
        self._observer = observer
        self._cursor = connection.cursor()
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._waiting: list[_Request] = []
        self._scheduled = False
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._commit_seconds = BATCH_SECONDS  # what a commit usually takes; not known yet
        self.commit_seconds = Histogram(SECONDS)
        self.batch_operations = Histogram(COUNTS)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._work, name="stanchion-commit", daemon=True)
            self._thread.start()

    @property
    def waiting(self) -> int:
        """Operations for which no batch has begun."""
        return len(self._waiting)

    def submit(self, operation: Callable[[], Result]) -> Promise[Result]:
        """Run the operation in the next batch; the promise is done when that batch is on disk."""
        promise: Promise[Result] = Promise()
        if self._closed:
            promise.set_exception(ServiceUnavailable())
            return promise
        self._waiting.append((operation, promise))
        if not self._scheduled:
            self._scheduled = True
            self._idle.clear()
            self._loop.call_soon(self._run_batch)
        return promise

    async def close(self) -> None:
        """Commit what was submitted, refuse what comes after."""
        self._closed = True
        await self._idle.wait()
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    # One batch

    def _run_batch(self) -> None:
        batch, self._waiting = self._waiting[:BATCH_OPERATIONS], self._waiting[BATCH_OPERATIONS:]
        changes = self._connection.total_changes()
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            outcomes = self._run_while_there_is_time(batch)
            self._observer.before_commit()
        except _REFUSALS as error:
            self._fail([promise for _, promise in batch], error)
            return
        except Exception:
            _log.exception("an operation failed; its batch runs again one by one")
            self._roll_back()
            self._resolve([self._run_alone(operation, promise) for operation, promise in batch])
            return
        if self._thread is None or self._connection.total_changes() == changes:
            self._finish(outcomes, self._commit())  # nothing to wait for: no write, or no disk
            return
        self.batch_operations.observe(len(outcomes))
        if len(outcomes) == 1 and not self._waiting and self._commit_seconds < QUICK_COMMIT_SECONDS:
            self._finish(outcomes, self._timed_commit())
        else:
            self._jobs.put(lambda: self._commit_in_thread(outcomes))

    def _run_while_there_is_time(self, batch: list[_Request]) -> list[_Outcome]:
        """Run operations until they have taken long enough; the rest of the batch goes back to those who wait."""
        outcomes = []
        end = stopwatch() + BATCH_SECONDS
        for operation, promise in batch:
            outcomes.append(self._run(operation, promise))
            if stopwatch() >= end:
                break
        self._waiting[:0] = batch[len(outcomes) :]
        del batch[len(outcomes) :]
        return outcomes

    @staticmethod
    def _run(operation: Operation, promise: Promise[Any]) -> _Outcome:
        try:
            return promise, operation(), None
        except SQSError as error:
            return promise, None, error

    def _run_alone(self, operation: Operation, promise: Promise[Any]) -> _Outcome:
        """One operation in a transaction of its own, after its batch failed."""
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            outcome = self._run(operation, promise)
            self._observer.before_commit()
            error = self._commit()
        except Exception as failure:
            _log.exception("this operation failed")
            self._roll_back()
            unavailable = isinstance(failure, _REFUSALS + _DAMAGE)
            return promise, None, ServiceUnavailable() if unavailable else InternalFailure()
        if error is not None:
            self._roll_back()
            return promise, None, ServiceUnavailable()
        self._announce()
        return outcome

    # The commit

    def _commit(self) -> apsw.Error | None:
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            return error
        return None

    def _timed_commit(self) -> apsw.Error | None:
        began = stopwatch()
        error = self._commit()
        seconds = stopwatch() - began
        self.commit_seconds.observe(seconds)
        self._commit_seconds += _LEARNING * (seconds - self._commit_seconds)
        return error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _commit_in_thread(self, outcomes: list[_Outcome]) -> None:
        error = self._timed_commit()
        self._loop.call_soon_threadsafe(self._finish, outcomes, error)

    def _finish(self, outcomes: list[_Outcome], error: apsw.Error | None) -> None:
        if error is not None:
            self._fail([promise for promise, _, _ in outcomes], error)
            return
        self._announce()
        self._resolve(outcomes)

    def _announce(self) -> None:
        try:
            self._observer.committed()
        except Exception:  # it is on disk, and those who asked must hear so
            _log.exception("a listener to commits failed")

    def _fail(self, promises: list[Promise[Any]], error: apsw.Error) -> None:
        _log.error("the store could not commit, %d requests refused: %s", len(promises), error)
        self._roll_back()
        self._resolve([(promise, None, ServiceUnavailable()) for promise in promises])

    def _roll_back(self) -> None:
        # SQLite has already rolled back by itself after some errors, a full disk among them.
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:  # those who wait must be told all the same; the next BEGIN will fail, and try again
            _log.exception("rolling back failed")
        self._observer.rolled_back()

    def _resolve(self, outcomes: list[_Outcome]) -> None:
        for promise, result, error in outcomes:
            if promise.done():  # its consumer gave up
                continue
            if error is None:
                promise.set_result(result)
            else:
                promise.set_exception(error)
        chore = self._observer.chore() if self._thread is not None else None
        if chore is not None:
            self._jobs.put(lambda: self._do_in_thread(chore))
        else:
            self._go_on()

    def _do_in_thread(self, chore: Callable[[], None]) -> None:
        chore()
        self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._waiting:
            self._loop.call_soon(self._run_batch)
        else:
            self._scheduled = False
            self._idle.set()
