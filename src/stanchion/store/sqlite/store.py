"""The embedded store: one SQLite file, one writer, group commit."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import apsw

from stanchion import ids
from stanchion.engine import fifo, lifecycle
from stanchion.errors import QueueDoesNotExist, SQSError
from stanchion.model import (
    Message,
    MoveTask,
    NewMessage,
    Queue,
    QueueKey,
    Reading,
    SentMessage,
    ServerReading,
    Tally,
)
from stanchion.promise import Promise
from stanchion.store.base import (
    MOST_READINGS,
    Admission,
    Availability,
    BrowsePage,
    Deletion,
    MoveTaskDraft,
    Overview,
    QueueChange,
    QueueDraft,
    QueueStatus,
    Received,
    ReceiveOrder,
    VisibilityChange,
    Vitals,
)
from stanchion.store.sqlite import connection as files
from stanchion.store.sqlite.checkpoints import Checkpoints
from stanchion.store.sqlite.committer import Committer, Observer
from stanchion.store.sqlite.looking import Looking
from stanchion.store.sqlite.memory_of_fifo import FifoMemory
from stanchion.store.sqlite.messages import MessageTable
from stanchion.store.sqlite.metrics import MetricTable
from stanchion.store.sqlite.move_tasks import Mover, MoveTaskTable
from stanchion.store.sqlite.queues import QueueState, QueueTable
from stanchion.store.sqlite.receiving import Receiver
from stanchion.store.sqlite.sequences import Sequences
from stanchion.store.sqlite.upkeep import Upkeep

SYNCHRONOUS: Final = {"fsync": "FULL", "os": "NORMAL"}
SETTLING_STEPS: Final = 50  # steps that a look at a queue's counts settles at once: ten thousand messages


class SqliteStore(Observer):
    """See `stanchion.store.base.Store`. Make one with `open_file` or `open_memory`, on a running event loop."""

    def __init__(
        self,
        connection: apsw.Connection,
        lock: files.FileLock | None = None,
        checkpoints: Checkpoints | None = None,
        path: Path | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._lock = lock
        self._checkpoints = checkpoints
        self.receipt_key = _receipt_key(connection)
        self._sequences = Sequences(connection)
        self._queues = QueueTable(connection)
        self._messages = self._message_table(connection)
        self._memory = FifoMemory(connection)
        self._tasks = MoveTaskTable(connection)
        self._receiver = Receiver(
            self._queues, self._messages, self._memory, self._sequences, self.receipt_key, self._note_available
        )
        self._looking = Looking(connection, self._queues, self._messages, self._receiver.settle)
        self._mover = Mover(self._tasks, self._receiver, lambda: ids.message_id(os.urandom(16)))
        self._metrics = MetricTable(connection, self._queues)
        self._upkeep = Upkeep(connection, self._queues, self._receiver, self._memory, self._mover, self._metrics)
        self._listeners: list[Availability] = []
        self._news: dict[QueueKey, int] = {}  # availability noted in the current batch
        self._committer = Committer(connection, self, threaded=lock is not None)
        self._closed = False

    @classmethod
    def open_file(cls, path: Path, durability: str = "fsync") -> "SqliteStore":
        """Raises StoreUnusable."""
        connection, lock = files.open_file(path, synchronous=SYNCHRONOUS[durability])
        return cls(connection, lock, Checkpoints(path, connection), path)

    @classmethod
    def open_memory(cls) -> "SqliteStore":
        return cls(files.open_memory())

    def _message_table(self, connection: apsw.Connection) -> MessageTable:
        return MessageTable(connection)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._committer.close()
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    # What the committer tells us

    def before_commit(self) -> None:
        self._queues.write_counts()

    def committed(self) -> None:
        news, self._news = self._news, {}
        for key, at_ms in news.items():
            for listener in self._listeners:
                listener(key, at_ms)

    def chore(self) -> Callable[[], None] | None:
        return self._checkpoints.chore() if self._checkpoints is not None else None

    def rolled_back(self) -> None:
        self._news.clear()
        self._queues.forget()
        self._sequences.rolled_back()
        self._mover.forget()
        self._metrics.forget()

    @property
    def waiting(self) -> int:
        return self._committer.waiting

    def vitals(self) -> Vitals:
        commits = self._committer
        return Vitals(commits.commit_seconds, commits.batch_operations, *self._space())

    def _space(self) -> tuple[int, int | None]:
        """Bytes of the store, and those that are free on its disk."""
        if self._path is None:
            return self._connection.pragma("page_count") * self._connection.pragma("page_size"), None
        files = [self._path, self._path.with_name(f"{self._path.name}-wal")]
        disk = os.statvfs(self._path.parent)
        return sum(file.stat().st_size for file in files if file.exists()), disk.f_bavail * disk.f_frsize

    def on_available(self, listener: Availability) -> None:
        self._listeners.append(listener)

    def _note_available(self, key: QueueKey, at_ms: int) -> None:
        known = self._news.get(key)
        if known is None or at_ms < known:
            self._news[key] = at_ms

    # Queues

    def create_queue(
        self, key: QueueKey, decide: Callable[["_Directory"], Queue | QueueDraft], now_ms: int
    ) -> Promise[Queue]:
        def operation() -> Queue:
            decision = decide(self._directory)
            if isinstance(decision, Queue):
                return decision
            return self._queues.create(key, decision, self._sequences.take(), now_ms).queue

        return self._committer.submit(operation)

    def change_queue(
        self, key: QueueKey, decide: Callable[[Queue, "_Directory"], QueueChange], now_ms: int
    ) -> Promise[Queue]:
        def operation() -> Queue:
            state = self._existing(key)
            before = state.queue
            change = decide(before, self._directory)
            self._settle(state, now_ms)  # what went or came under the old attributes stays so
            self._queues.change(state, change, now_ms)
            if state.delayed and state.queue.settings.delay_seconds != before.settings.delay_seconds:
                self._note_available(key, now_ms)  # on a FIFO queue, messages whose delay still runs get the new one
            return state.queue

        return self._committer.submit(operation)

    def delete_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]:
        def operation() -> None:
            state = self._existing(key)
            admit(state.queue)
            self._queues.delete(state, now_ms)
            self._note_available(key, now_ms)  # waiting receives learn that the queue is gone

        return self._committer.submit(operation)

    def purge_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]:
        def operation() -> None:
            state = self._existing(key)
            admit(state.queue)
            self._queues.purge(state, self._sequences.take(), now_ms)

        return self._committer.submit(operation)

    def find_queue(self, key: QueueKey, admit: Admission) -> Promise[Queue]:
        def operation() -> Queue:
            state = self._existing(key)
            admit(state.queue)
            return state.queue

        return self._committer.submit(operation)

    def queue_status(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[QueueStatus]:
        def operation() -> QueueStatus:
            state = self._existing(key)
            admit(state.queue)
            self._settle(state, now_ms)
            return QueueStatus(state.queue, state.counts)

        return self._committer.submit(operation)

    def _settle(self, state: QueueState, now_ms: int) -> None:
        for _ in range(SETTLING_STEPS):
            if not self._receiver.settle(state, now_ms):
                return

    def list_queues(self, account: str, region: str, prefix: str, after: str, limit: int) -> Promise[Sequence[Queue]]:
        return self._committer.submit(lambda: self._queues.page(account, region, prefix, after, limit))

    def overview(
        self,
        account: str,
        region: str,
        search: str,
        sort: str,
        descending: bool,
        offset: int,
        limit: int,
        now_ms: int,
    ) -> Promise[Overview]:
        return self._committer.submit(
            lambda: self._looking.overview(
                account, region, search, sort, descending=descending, offset=offset, limit=limit, now_ms=now_ms
            )
        )

    def fullest(self, limit: int) -> Promise[tuple[int, Sequence[QueueKey]]]:
        return self._committer.submit(lambda: self._looking.fullest(limit))

    def list_dead_letter_sources(
        self, key: QueueKey, admit: Admission, after: str, limit: int
    ) -> Promise[Sequence[Queue]]:
        def operation() -> Sequence[Queue]:
            state = self._existing(key)
            admit(state.queue)
            return self._queues.sources_of(state.queue.arn, after, limit)

        return self._committer.submit(operation)

    def _existing(self, key: QueueKey) -> QueueState:
        state = self._queues.find(key)
        if state is None:
            raise QueueDoesNotExist
        return state

    # Messages

    def send(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[NewMessage]], now_ms: int
    ) -> Promise[list[SentMessage]]:
        def operation() -> list[SentMessage]:
            state = self._existing(key)
            new = decide(state.queue)
            sent = [self._send_one(state, message, now_ms) for message in new]
            self._queues.touch(state)
            self._queues.schedule(state)
            return sent

        return self._committer.submit(operation)

    def _send_one(self, state: QueueState, new: NewMessage, now_ms: int) -> SentMessage:
        remember = None
        if state.queue.settings.fifo:
            assert new.group_id is not None and new.deduplication_id is not None
            remember = fifo.deduplication_key(state.queue.settings, new.group_id, new.deduplication_id)
            original = self._memory.original(state, remember, now_ms)
            if original is not None:
                return original
        sequence = self._sequences.take()
        available_ms = self._messages.add(state, new, sequence, now_ms)
        if remember is not None:
            self._memory.remember(state, remember, new.message_id, sequence, now_ms)
        if available_ms is not None:
            self._note_available(state.queue.key, available_ms)
        return SentMessage(new.message_id, sequence)

    def receive(self, key: QueueKey, decide: Callable[[Queue], ReceiveOrder], now_ms: int) -> Promise[Received]:
        def operation() -> Received:
            state = self._existing(key)
            return self._receiver.receive(state, decide(state.queue), now_ms)

        return self._committer.submit(operation)

    def delete(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[Deletion]], now_ms: int
    ) -> Promise[list[SQSError | None]]:
        def operation() -> list[SQSError | None]:
            state = self._existing(key)
            return [self._delete_one(state, deletion, now_ms) for deletion in decide(state.queue)]

        return self._committer.submit(operation)

    def _delete_one(self, state: QueueState, deletion: Deletion, now_ms: int) -> SQSError | None:
        if not state.queue.settings.fifo and self._receiver.remove_usual(state, deletion.receipt.sequence, now_ms):
            return None
        row = self._messages.get(state, deletion.receipt.sequence)
        if row is None or now_ms > lifecycle.expires_at_ms(row.sent_at_ms, state.queue.settings):
            return None  # gone already, which is what the caller wants
        refusal = lifecycle.refuse_deletion(
            deletion.receipt,
            deletion.handle,
            fifo=state.queue.settings.fifo,
            receives=row.receives,
            due_at_ms=row.due_at_ms,
            now_ms=now_ms,
        )
        if refusal is None:
            self._receiver.remove(state, row, now_ms)
            self._queues.touch(state)
        return refusal

    def change_visibility(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[VisibilityChange]], now_ms: int
    ) -> Promise[list[SQSError | None]]:
        def operation() -> list[SQSError | None]:
            state = self._existing(key)
            return [self._change_one(state, change, now_ms) for change in decide(state.queue)]

        return self._committer.submit(operation)

    def _change_one(self, state: QueueState, change: VisibilityChange, now_ms: int) -> SQSError | None:
        row = self._messages.get(state, change.receipt.sequence)
        if row is None or now_ms > lifecycle.expires_at_ms(row.sent_at_ms, state.queue.settings):
            return lifecycle.not_available(change.handle)
        refusal = lifecycle.refuse_visibility_change(
            change.receipt,
            change.handle,
            change.seconds,
            fifo=state.queue.settings.fifo,
            receives=row.receives,
            due_at_ms=row.due_at_ms,
            now_ms=now_ms,
        )
        if refusal is not None:
            return refusal
        if change.seconds:
            self._messages.hide(state, row, now_ms + change.seconds * 1000)
            self._note_available(state.queue.key, now_ms + change.seconds * 1000)
        elif row.due_at_ms is not None:
            self._receiver.tell(state, now_ms, more_to_deliver=self._messages.show(state, row))
        self._queues.touch(state)
        self._queues.schedule(state)
        return None

    def peek(self, key: QueueKey, admit: Admission, after_sequence: int, limit: int) -> Promise[list[Message]]:
        def operation() -> list[Message]:
            state = self._existing(key)
            admit(state.queue)
            rows = self._messages.after(state, after_sequence, limit)
            return [self._messages.message(state, row) for row in rows]

        return self._committer.submit(operation)

    def browse(
        self,
        key: QueueKey,
        admit: Admission,
        wanted: Callable[[Message], bool],
        after_sequence: int,
        limit: int,
        now_ms: int,
    ) -> Promise[BrowsePage]:
        def operation() -> BrowsePage:
            state = self._existing(key)
            admit(state.queue)
            return self._looking.browse(state, wanted, after_sequence, limit, now_ms)

        return self._committer.submit(operation)

    # Move tasks

    def start_move_task(
        self, source: QueueKey, decide: Callable[["_Directory"], MoveTaskDraft], now_ms: int
    ) -> Promise[MoveTask]:
        def operation() -> MoveTask:
            draft = decide(self._directory)
            state = self._existing(source)
            self._settle(state, now_ms)
            self._mover.wake()
            return self._tasks.start(draft, state.visible, now_ms)

        return self._committer.submit(operation)

    def list_move_tasks(self, source_arn: str, limit: int) -> Promise[Sequence[MoveTask]]:
        return self._committer.submit(lambda: self._tasks.of_source(source_arn, limit))

    def cancel_move_task(self, task_id: str, decide: Callable[[MoveTask | None], None]) -> Promise[MoveTask]:
        def operation() -> MoveTask:
            decide(self._tasks.find(task_id))
            self._mover.wake()
            return self._tasks.cancel(task_id)

        return self._committer.submit(operation)

    # Metrics

    def record(
        self, minute: int, tallies: Mapping[QueueKey, Tally], after_id: int, now_ms: int
    ) -> Promise[int | None]:
        return self._committer.submit(lambda: self._metrics.record(minute, tallies, after_id, now_ms))

    def readings(
        self, keys: Sequence[QueueKey], first_minute: int, last_minute: int
    ) -> Promise[Mapping[QueueKey, Sequence[Reading]]]:
        _check_extent(len(keys), first_minute, last_minute)
        return self._committer.submit(lambda: self._metrics.readings(keys, first_minute, last_minute))

    def record_server(self, reading: ServerReading) -> Promise[None]:
        return self._committer.submit(lambda: self._metrics.record_server(reading))

    def server_readings(self, first_minute: int, last_minute: int) -> Promise[Sequence[ServerReading]]:
        _check_extent(1, first_minute, last_minute)
        return self._committer.submit(lambda: self._metrics.server_readings(first_minute, last_minute))

    def send_back(
        self, key: QueueKey, admit: Admission, sequences: Sequence[int], admit_target: Admission, now_ms: int
    ) -> Promise[int]:
        def operation() -> int:
            state = self._existing(key)
            admit(state.queue)
            self._settle(state, now_ms)
            return self._mover.send_back(state, sequences, admit_target, now_ms)

        return self._committer.submit(operation)

    # Upkeep

    def tidy(self, now_ms: int) -> Promise[int]:
        return self._committer.submit(lambda: self._upkeep.step(now_ms))

    @property
    def _directory(self) -> "_Directory":
        return _Directory(self._queues, self._tasks)


class _Directory:
    """See `stanchion.store.base.Directory`."""

    def __init__(self, queues: QueueTable, tasks: MoveTaskTable) -> None:
        self._queues = queues
        self._tasks = tasks

    def find(self, key: QueueKey) -> Queue | None:
        state = self._queues.find(key)
        return state.queue if state is not None else None

    def deleted_at_ms(self, key: QueueKey) -> int | None:
        return self._queues.deleted_at_ms(key)

    def is_dead_letter_queue(self, arn: str) -> bool:
        return self._queues.is_dead_letter_queue(arn)

    def active_move_tasks(self, account: str) -> Sequence[MoveTask]:
        return self._tasks.active(account)


def _check_extent(series: int, first_minute: int, last_minute: int) -> None:
    asked = series * (last_minute - first_minute + 1)
    if asked > MOST_READINGS:
        raise ValueError(f"{asked} readings are more than the {MOST_READINGS} that one call may ask for")


def _receipt_key(connection: apsw.Connection) -> bytes:
    """The store's secret for receipt handles, made when the store is."""
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('receipt_key', ?)", (os.urandom(32),))
    (key,) = connection.execute("SELECT value FROM meta WHERE name = 'receipt_key'").fetchall()[0]
    return bytes(key)
