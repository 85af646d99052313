"""A store in memory that writes a journal of its messages, lets faults befall them, and can be emptied."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import apsw
import msgspec

from stanchion.clock import Clock
from stanchion.errors import SQSError
from stanchion.model import Message, NewMessage, Queue, QueueKey, SentMessage
from stanchion.promise import Promise
from stanchion.store.base import Admission, Deletion, Received, ReceiveOrder
from stanchion.store.sqlite import connection as files
from stanchion.store.sqlite.messages import MessageTable, Row
from stanchion.store.sqlite.queues import QueueState
from stanchion.store.sqlite.store import SqliteStore
from stanchion.testing.faults import FaultBook
from stanchion.testing.journal import Event, Journal

_ALL: Final = 1 << 62

# What the schema itself needs, and numbers that are never given out twice, not even after a reset.
_LASTING_TABLES: Final = ("meta", "sqlite_sequence")


_REACH: Final = 10  # messages that one may be put before: as many as a receive hands out at once

_LAST_IN_LINE: Final = (
    "SELECT sequence, turn FROM message WHERE generation = ? AND turn IS NOT NULL ORDER BY turn DESC LIMIT ?"
)
_TAKE_PLACE: Final = "UPDATE message SET turn = ? WHERE generation = ? AND sequence = ?"


class WatchedMessages(MessageTable):
    """Tells ``note`` of all that happens to messages: event by event, as arguments of ``WatchedStore.note``."""

    def __init__(self, connection: apsw.Connection, note: Callable[..., None]) -> None:
        super().__init__(connection)
        self._note = note
        self._why_removed: str | None = "expired"  # unless somebody says otherwise; None: it does not leave the store

    @contextmanager
    def removing(self, why: str | None) -> Iterator[None]:
        before, self._why_removed = self._why_removed, why
        try:
            yield
        finally:
            self._why_removed = before

    def add(self, state: QueueState, new: NewMessage, sequence: int, now_ms: int) -> int | None:
        due_at_ms = now_ms + new.delay_seconds * 1000 if new.delay_seconds else None
        self._note(state, new.message_id, "sent", due_at_ms=due_at_ms, body=new.body)
        return super().add(state, new, sequence, now_ms)

    def add_copy(self, state: QueueState, message: Message, sequence: int, now_ms: int) -> None:
        """Put a second copy of a message of a standard queue into line."""
        copy = NewMessage(
            message_id=message.message_id,
            body=message.body,
            body_md5=message.body_md5,
            sender_id=message.sender_id,
            delay_seconds=0,
            attributes=message.attributes,
            trace_header=message.trace_header,
            group_id=message.group_id,
        )
        super().add(state, copy, sequence, now_ms)
        self._note(state, message.message_id, "duplicated", body=message.body)

    def change_places(self, state: QueueState, sequence: int, choose: Callable[[int], int]) -> None:
        """Let a message that has just joined the line change places with one of those before it; ``choose`` one of
        so many. Nothing happens to one that is not in line, or alone there."""
        last = self._cursor.execute(_LAST_IN_LINE, (state.queue.generation, _REACH + 1)).fetchall()
        if len(last) < 2 or last[0][0] != sequence:
            return
        other, turn = last[1 + choose(len(last) - 1)]
        for placed, place in ((sequence, turn), (other, last[0][1])):
            self._cursor.execute(_TAKE_PLACE, (place, state.queue.generation, placed))

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
        if self._why_removed is not None:
            self._note(state, row.message_id, self._why_removed, receives=row.receives)
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
        self.faults = FaultBook()
        self._copies: set[int] = set()  # sequences of messages that a fault has made
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

    # Faults of messages, and what was sent again

    def _send_one(self, state: QueueState, new: NewMessage, now_ms: int) -> SentMessage:
        if state.queue.settings.fifo:
            sent = super()._send_one(state, new, now_ms)
            if sent.duplicate:
                self.note(state, sent.message_id, "repeated", body=new.body)
            return sent
        key = state.queue.key
        if (rule := self.faults.of_message("delay", key)) is not None:
            new = msgspec.structs.replace(new, delay_seconds=max(new.delay_seconds, rule.faults.delay_seconds))
        sent = super()._send_one(state, new, now_ms)
        if (rule := self.faults.of_message("reorder", key)) is not None:
            self._messages.change_places(state, sent.sequence, rule.one_of)
        return sent

    def receive(self, key: QueueKey, decide: Callable[[Queue], ReceiveOrder], now_ms: int) -> Promise[Received]:
        def operation() -> Received:
            state = self._existing(key)
            received = self._receiver.receive(state, decide(state.queue), now_ms)
            if not state.queue.settings.fifo:
                for delivery in received.deliveries:
                    self._maybe_duplicate(state, delivery.message, now_ms)
            return received

        return self._committer.submit(operation)

    def _maybe_duplicate(self, state: QueueState, message: Message, now_ms: int) -> None:
        # Copies are not copied, or there would be no end of them.
        first = message.receives == 1 and message.sequence not in self._copies
        if first and self.faults.of_message("duplicate", state.queue.key) is not None:
            sequence = self._sequences.take()
            self._copies.add(sequence)
            self._messages.add_copy(state, message, sequence, now_ms)
            self._queues.touch(state)
            self._queues.schedule(state)
            self._note_available(state.queue.key, now_ms)

    # Emptying

    def empty(self) -> Promise[None]:
        """Forget every queue, message, task, reading and name, the faults and the journal."""

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
            self._copies.clear()
            self.faults.clear()
            self.journal.clear()

        return self._committer.submit(operation)

    def _all_queues(self) -> Iterator[tuple[QueueKey]]:
        rows = self._connection.execute("SELECT account, region, name FROM queue").fetchall()
        return ((QueueKey(*row),) for row in rows)
