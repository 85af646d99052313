"""A store in memory that writes a journal of its messages, and can be emptied."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import apsw

from stanchion.clock import Clock
from stanchion.errors import SQSError
from stanchion.model import Message, NewMessage, Queue, QueueKey, SentMessage
from stanchion.promise import Promise
from stanchion.store.base import Admission, Deletion
from stanchion.store.sqlite import connection as files
from stanchion.store.sqlite.messages import MessageTable, Row
from stanchion.store.sqlite.queues import QueueState
from stanchion.store.sqlite.store import SqliteStore
from stanchion.testing.journal import Event, Journal

_ALL: Final = 1 << 62

# What the schema itself needs, and numbers that are never given out twice, not even after a reset.
_LASTING_TABLES: Final = ("meta", "sqlite_sequence")


class WatchedMessages(MessageTable):
    """Tells ``note`` of all that happens to messages: event by event, as arguments of ``WatchedStore.note``."""

    def __init__(self, connection: apsw.Connection, note: Callable[..., None]) -> None:
        super().__init__(connection)
        self._note = note
        self.why_removed: str | None = "expired"  # unless somebody says otherwise; None: it does not leave the store

    @contextmanager
    def removing(self, why: str | None) -> Iterator[None]:
        before, self.why_removed = self.why_removed, why
        try:
            yield
        finally:
            self.why_removed = before

    def add(self, state: QueueState, new: NewMessage, sequence: int, now_ms: int) -> int | None:
        due_at_ms = now_ms + new.delay_seconds * 1000 if new.delay_seconds else None
        self._note(state, new.message_id, "sent", due_at_ms=due_at_ms, body=new.body)
        return super().add(state, new, sequence, now_ms)

    def deliver_usual(self, state: QueueState, row: Sequence[Any], due_at_ms: int, now_ms: int) -> Message:
        message = super().deliver_usual(state, row, due_at_ms, now_ms)
        self._note(state, message.message_id, "received", receives=message.receives, due_at_ms=due_at_ms)
        return message

    def deliver(self, state: QueueState, row: Row, due_at_ms: int, now_ms: int) -> None:
        super().deliver(state, row, due_at_ms, now_ms)
        self._note(state, row.message_id, "received", receives=row.receives, due_at_ms=due_at_ms)

    def hide(self, state: QueueState, row: Row, due_at_ms: int) -> None:
        super().hide(state, row, due_at_ms)
        self._note(state, row.message_id, "hidden", receives=row.receives, due_at_ms=due_at_ms)

    def show(self, state: QueueState, row: Row, turn: int | None = None) -> bool:
        in_line = super().show(state, row, turn)
        self._note(state, row.message_id, "visible", receives=row.receives)
        return in_line

    def remove_usual(self, state: QueueState, sequence: int) -> bool | None:
        row = self.get(state, sequence)
        removed = super().remove_usual(state, sequence)
        if removed and row is not None:
            self._note(state, row.message_id, "deleted", receives=row.receives)
        return removed

    def remove(self, state: QueueState, row: Row) -> bool:
        if self.why_removed is not None:
            self._note(state, row.message_id, self.why_removed, receives=row.receives)
        return super().remove(state, row)

    def move(self, source: QueueState, target: QueueState, row: Row, change: dict[str, Any]) -> tuple[bool, bool]:
        # A move task makes a new message of it; a dead letter keeps its id.
        what = "redriven" if "message_id" in change else "dead-lettered"
        self._note(source, row.message_id, what, receives=row.receives, other=target.queue.key.name)
        with self.removing(None):
            moved = super().move(source, target, row, change)
        self._note(
            target, row.message_id, "arrived", receives=row.receives, other=source.queue.key.name, body=row.body
        )
        return moved


class WatchedStore(SqliteStore):
    """See `SqliteStore`. Make it with ``open_for_tests``."""

    _messages: WatchedMessages

    def __init__(self, connection: apsw.Connection, clock: Clock) -> None:
        self.journal = Journal()
        self._clock = clock
        self._happened: list[Event] = []  # in the batch that is not committed yet
        super().__init__(connection)

    @classmethod
    def open_for_tests(cls, clock: Clock) -> "WatchedStore":
        return cls(files.open_memory(), clock)

    def _message_table(self, connection: apsw.Connection) -> MessageTable:
        return WatchedMessages(connection, self.note)

    def note(self, state: QueueState, message_id: str, what: str, **facts: Any) -> None:
        """Something happened to a message, if the batch is committed. See `Event`."""
        self._happened.append(Event(self._clock.now_ms(), state.queue.key, message_id, what, **facts))

    def committed(self) -> None:
        if self._happened:
            happened, self._happened = self._happened, []
            self.journal.add(happened)
        super().committed()

    def rolled_back(self) -> None:
        self._happened.clear()
        super().rolled_back()

    # Why a message is gone

    def _delete_one(self, state: QueueState, deletion: Deletion, now_ms: int) -> SQSError | None:
        with self._messages.removing("deleted"):
            return super()._delete_one(state, deletion, now_ms)

    def _send_one(self, state: QueueState, new: NewMessage, now_ms: int) -> SentMessage:
        sent = super()._send_one(state, new, now_ms)
        if sent.duplicate:
            self.note(state, sent.message_id, "repeated", body=new.body)
        return sent

    def purge_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]:
        return super().purge_queue(key, self._noting_all("purged", admit), now_ms)

    def delete_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]:
        return super().delete_queue(key, self._noting_all("queue deleted", admit), now_ms)

    def _noting_all(self, what: str, admit: Admission) -> Admission:
        """Admit as ``admit`` does, and note that every message of the queue has gone."""

        def admit_and_note(queue: Queue) -> None:
            admit(queue)
            state = self._existing(queue.key)
            for row in self._messages.after(state, -1, _ALL):
                self.note(state, row.message_id, what, receives=row.receives)

        return admit_and_note

    # Emptying

    def empty(self) -> Promise[None]:
        """Forget every queue, message, task, reading and name, and the journal."""

        def operation() -> None:
            tables = self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (queue_key,) in self._all_queues():
                self._note_available(queue_key, 0)  # receives that wait learn that their queue is gone
            for (table,) in tables:
                if table not in _LASTING_TABLES:
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
            self._queues.forget()
            self._mover.forget()
            self._metrics.forget()
            self._happened.clear()
            self.journal.clear()

        return self._committer.submit(operation)

    def _all_queues(self) -> Iterator[tuple[QueueKey]]:
        rows = self._connection.execute("SELECT account, region, name FROM queue").fetchall()
        return ((QueueKey(*row),) for row in rows)
