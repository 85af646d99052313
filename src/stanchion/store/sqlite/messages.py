"""The message table: how messages are placed, found, hidden, shown, moved and removed.

Each function keeps three things in step: the row, the queue's counts, and, for queues with groups, who stands in
line. On a FIFO queue only the first message of a group may stand in line; on a standard queue with groups only
the oldest visible message of each group does, so that finding the next one, or passing over a noisy group, never
scans a backlog.
"""

from collections.abc import Sequence
from typing import Any, Final

import apsw
import msgspec

from stanchion.model import Message, MessageAttribute, NewMessage
from stanchion.store.sqlite.queues import NEVER_MS, QueueState

LARGE_BODY_EFFORT: Final = 20
LARGE_BODY: Final = 2_048  # characters; a longer body lives apart, so that a receive does not rewrite it

# A delay on a FIFO queue is the queue's: when it changes, every delayed message is due at another moment. What is
# stored as due_at_ms of such a message is therefore when it was sent, less this, which makes it negative; the queue's
# delay is added by whoever reads it. So a change of the delay touches no message.
_SENT: Final = 1 << 62

COLUMNS: Final = (
    "sequence, turn, due_at_ms, receives, first_received_at_ms, sent_at_ms, message_id, body_md5, sender_id, "
    "fifo_group, fair_group, body, extra"
)


class Extra(msgspec.Struct, array_like=True):
    """What few messages have, in one column."""

    attributes: dict[str, Any] | None = None  # MessageAttribute in, [type, value] out: msgpack tells text from bytes
    trace_header: str | None = None
    deduplication_id: str | None = None
    dead_letter_source_arn: str | None = None


class Row:
    """A message as found, with where it stands."""

    __slots__ = (
        "body",
        "body_md5",
        "due_at_ms",
        "extra",
        "fair_group",
        "fifo_group",
        "first_received_at_ms",
        "message_id",
        "receives",
        "sender_id",
        "sent_at_ms",
        "sequence",
        "turn",
    )

    def __init__(self, values: Sequence[Any]) -> None:
        (
            self.sequence,
            self.turn,
            self.due_at_ms,
            self.receives,
            self.first_received_at_ms,
            self.sent_at_ms,
            self.message_id,
            self.body_md5,
            self.sender_id,
            self.fifo_group,
            self.fair_group,
            self.body,
            self.extra,
        ) = values


_encode_extra = msgspec.msgpack.Encoder().encode
_decode_extra = msgspec.msgpack.Decoder(Extra).decode

_INSERT: Final = f"INSERT INTO message (generation, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SELECT: Final = f"SELECT {COLUMNS} FROM message "  # noqa: S608
_ONE: Final = _SELECT + "WHERE generation = ? AND sequence = ?"
_LINE: Final = _SELECT + "WHERE generation = ? AND turn > ? ORDER BY turn LIMIT ?"
_OLDEST: Final = _SELECT + "WHERE generation = ? ORDER BY sequence LIMIT ?"
_OVERDUE: Final = _SELECT + "WHERE generation = ? AND due_at_ms BETWEEN ? AND ? ORDER BY due_at_ms LIMIT ?"
# The indexes of groups are named: left alone, SQLite walks the whole queue in the order of sequences, which is less
# work as long as the group's first message is near the beginning.
_FIFO_FOLLOWERS: Final = (
    f"SELECT {COLUMNS} FROM message INDEXED BY message_by_fifo_group "  # noqa: S608
    "WHERE generation = ? AND fifo_group = ? AND sequence > ? ORDER BY sequence LIMIT ?"
)
_FIFO_FIRST: Final = (
    "SELECT sequence, turn, due_at_ms FROM message INDEXED BY message_by_fifo_group "
    "WHERE generation = ? AND fifo_group = ? ORDER BY sequence LIMIT 1"
)
_FAIR_HEAD: Final = (
    "SELECT sequence FROM message INDEXED BY message_heading_fair_group "
    "WHERE generation = ? AND fair_group = ? AND turn IS NOT NULL ORDER BY sequence LIMIT 1"
)
_FAIR_NEXT: Final = (
    "SELECT sequence FROM message INDEXED BY message_behind_fair_group "
    "WHERE generation = ? AND fair_group = ? AND turn IS NULL AND due_at_ms IS NULL ORDER BY sequence LIMIT 1"
)
_PLACE: Final = "UPDATE message SET turn = ?, due_at_ms = ? WHERE generation = ? AND sequence = ?"
_DELIVER: Final = (
    "UPDATE message SET turn = NULL, due_at_ms = ?, receives = ?, first_received_at_ms = ? "
    "WHERE generation = ? AND sequence = ?"
)
_DELETE: Final = "DELETE FROM message WHERE generation = ? AND sequence = ?"
_STANDING: Final = (
    "SELECT due_at_ms, receives, fair_group IS NULL AND body IS NOT NULL FROM message "
    "WHERE generation = ? AND sequence = ?"
)
_NEXT_DUE: Final = "SELECT due_at_ms FROM message WHERE generation = ? AND due_at_ms >= ? ORDER BY due_at_ms LIMIT 1"

HOT_STATEMENTS: Final = (
    _ONE,
    _LINE,
    _OLDEST,
    _OVERDUE,
    _FIFO_FOLLOWERS,
    _FIFO_FIRST,
    _FAIR_HEAD,
    _FAIR_NEXT,
    _PLACE,
    _DELIVER,
    _DELETE,
    _STANDING,
    _NEXT_DUE,
)
"""A test holds that none of these scans or sorts a backlog."""


class MessageTable:
    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()

    # Finding

    def get(self, state: QueueState, sequence: int) -> Row | None:
        rows = self._cursor.execute(_ONE, (state.queue.generation, sequence)).fetchall()
        return _read(state, rows[0]) if rows else None

    def in_line(self, state: QueueState, after_turn: int, limit: int) -> list[Row]:
        rows = self._cursor.execute(_LINE, (state.queue.generation, after_turn, limit)).fetchall()
        return [Row(row) for row in rows]

    def usual(self, state: QueueState, limit: int) -> list[Sequence[Any]] | None:
        """The first messages in line as bare rows, if none of them has a fair group."""
        rows: list[Sequence[Any]] = self._cursor.execute(_LINE, (state.queue.generation, -1, limit)).fetchall()
        for row in rows:
            if row[10] is not None:
                return None
        return rows

    def deliver_usual(self, state: QueueState, row: Sequence[Any], due_at_ms: int, now_ms: int) -> Message:
        """``deliver`` and ``message`` in one, for a row of ``usual``."""
        sequence, _, _, receives, first_received_at_ms, sent_at_ms, message_id, body_md5, sender_id = row[:9]
        receives += 1
        if first_received_at_ms is None:
            first_received_at_ms = now_ms
        self._cursor.execute(_DELIVER, (due_at_ms, receives, first_received_at_ms, state.queue.generation, sequence))
        state.visible -= 1
        state.in_flight += 1
        if due_at_ms < state.next_due_ms:
            state.next_due_ms = due_at_ms
        body, extra = row[11:]
        if body is None or extra is not None:
            delivered = Row(row)
            delivered.due_at_ms = due_at_ms
            delivered.receives = receives
            delivered.first_received_at_ms = first_received_at_ms
            return self.message(state, delivered)
        return Message(
            message_id=message_id,
            sequence=sequence,
            sent_at_ms=sent_at_ms,
            body=body,
            body_md5=body_md5,
            sender_id=sender_id,
            due_at_ms=due_at_ms,
            receives=receives,
            first_received_at_ms=first_received_at_ms,
        )

    def followers(self, state: QueueState, group_id: str, sequence: int, limit: int) -> list[Row]:
        """The next messages of a FIFO group after ``sequence``, whatever their state."""
        rows = self._cursor.execute(_FIFO_FOLLOWERS, (state.queue.generation, group_id, sequence, limit)).fetchall()
        return [Row(row) for row in rows]

    def oldest(self, state: QueueState, limit: int) -> list[Row]:
        return [Row(row) for row in self._cursor.execute(_OLDEST, (state.queue.generation, limit)).fetchall()]

    def overdue(self, state: QueueState, now_ms: int, limit: int) -> list[Row]:
        """Hidden messages whose time is over."""
        generation = state.queue.generation
        rows = self._cursor.execute(_OVERDUE, (generation, 0, now_ms, limit)).fetchall()
        if state.queue.settings.fifo and len(rows) < limit:
            sent_until = now_ms - _delay_ms(state) - _SENT
            rows += self._cursor.execute(_OVERDUE, (generation, -_SENT, sent_until, limit - len(rows))).fetchall()
        return [_read(state, row) for row in rows]

    def next_due_ms(self, state: QueueState) -> int:
        next_due_ms = self._first_due(state, 0)
        if state.queue.settings.fifo and (sent := self._first_due(state, -_SENT)) < 0:
            return min(next_due_ms, sent + _SENT + _delay_ms(state))
        return next_due_ms

    def _first_due(self, state: QueueState, least: int) -> int:
        rows = self._cursor.execute(_NEXT_DUE, (state.queue.generation, least)).fetchall()
        return rows[0][0] if rows else NEVER_MS

    def after(self, state: QueueState, sequence: int, limit: int) -> list[Row]:
        rows = self._cursor.execute(
            _SELECT + "WHERE generation = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (state.queue.generation, sequence, limit),
        ).fetchall()
        return [_read(state, row) for row in rows]

    def message(self, state: QueueState, row: Row) -> Message:
        """The value that leaves the store."""
        body = row.body if row.body is not None else self._large_body(state.queue.generation, row.sequence)
        extra = _decode_extra(row.extra) if row.extra is not None else None
        return Message(
            message_id=row.message_id,
            sequence=row.sequence,
            sent_at_ms=row.sent_at_ms,
            body=body,
            body_md5=row.body_md5,
            sender_id=row.sender_id,
            due_at_ms=row.due_at_ms,
            receives=row.receives,
            first_received_at_ms=row.first_received_at_ms,
            attributes=_attributes(extra) if extra else None,
            trace_header=extra.trace_header if extra else None,
            group_id=row.fifo_group if row.fifo_group is not None else row.fair_group,
            deduplication_id=extra.deduplication_id if extra else None,
            dead_letter_source_arn=extra.dead_letter_source_arn if extra else None,
        )

    def _large_body(self, generation: int, sequence: int) -> str:
        rows = self._cursor.execute(
            "SELECT body FROM large_body WHERE generation = ? AND sequence = ?", (generation, sequence)
        ).fetchall()
        return str(rows[0][0])

    # Coming

    def add(self, state: QueueState, new: NewMessage, sequence: int, now_ms: int) -> int | None:
        """Store a new message. Answers when it becomes available: now, later, or None (behind others)."""
        extra = None
        if new.attributes or new.trace_header is not None or new.deduplication_id is not None:
            extra = _encode_extra(Extra(new.attributes, new.trace_header, new.deduplication_id))
        if new.group_id is None and not new.delay_seconds and len(new.body) <= LARGE_BODY:
            return self._add_usual(state, new, extra, sequence, now_ms)
        fifo_queue = state.queue.settings.fifo
        row = Row(
            (
                sequence,
                None,
                now_ms + new.delay_seconds * 1000 if new.delay_seconds else None,
                0,
                None,
                now_ms,
                new.message_id,
                new.body_md5,
                new.sender_id,
                new.group_id if fifo_queue else None,
                None if fifo_queue else new.group_id,
                new.body,
                extra,
            )
        )
        return self._insert(state, row)

    def _add_usual(self, state: QueueState, new: NewMessage, extra: bytes | None, sequence: int, now_ms: int) -> int:
        """A message without group, delay or large body: straight into the line."""
        self._cursor.execute(
            _INSERT,
            (
                state.queue.generation,
                sequence,
                sequence,
                None,
                0,
                None,
                now_ms,
                new.message_id,
                new.body_md5,
                new.sender_id,
                None,
                None,
                new.body,
                extra,
            ),
        )
        state.visible += 1
        state.note_sent(now_ms)
        return now_ms

    def _insert(self, state: QueueState, row: Row) -> int | None:
        """Put a row into a queue, in its place, and count it. Answers as ``add``."""
        if row.due_at_ms is None:
            row.turn = self._turn_of(state, row, row.sequence)
            state.visible += 1
            available_ms = row.sent_at_ms if row.turn is not None else None
        else:
            state.next_due_ms = min(state.next_due_ms, row.due_at_ms)
            state.delayed += 1
            available_ms = row.due_at_ms
        generation = state.queue.generation
        body = row.body
        if len(body) > LARGE_BODY:
            self._cursor.execute("INSERT INTO large_body VALUES (?, ?, ?)", (generation, row.sequence, body))
            body = None
        delayed_fifo = row.due_at_ms is not None and state.queue.settings.fifo
        self._cursor.execute(
            _INSERT,
            (
                generation,
                row.sequence,
                row.turn,
                row.sent_at_ms - _SENT if delayed_fifo else row.due_at_ms,
                row.receives,
                row.first_received_at_ms,
                row.sent_at_ms,
                row.message_id,
                row.body_md5,
                row.sender_id,
                row.fifo_group,
                row.fair_group,
                body,
                row.extra,
            ),
        )
        state.note_sent(row.sent_at_ms)
        return available_ms

    def _turn_of(self, state: QueueState, row: Row, turn: int) -> int | None:
        """The place of a message that comes or becomes visible: ``turn``, or None behind others of its group."""
        generation = state.queue.generation
        if row.fifo_group is not None:
            first = self._cursor.execute(_FIFO_FIRST, (generation, row.fifo_group)).fetchall()
            in_line = not (first and first[0][0] < row.sequence)
            return turn if in_line else None
        if row.fair_group is not None:
            head = self._fair_head(state, row.fair_group)
            if head is not None and head < row.sequence:
                return None
            if head is not None:  # this one is older than who stands in line for the group: change places
                self._cursor.execute(_PLACE, (None, None, generation, head))
        return turn

    # Receiving

    def deliver(self, state: QueueState, row: Row, due_at_ms: int, now_ms: int) -> None:
        """Count a receive and hide the message until ``due_at_ms``."""
        row.receives += 1
        if row.first_received_at_ms is None:
            row.first_received_at_ms = now_ms
        was_in_line = row.turn is not None
        row.turn, row.due_at_ms = None, due_at_ms
        self._cursor.execute(
            _DELIVER,
            (due_at_ms, row.receives, row.first_received_at_ms, state.queue.generation, row.sequence),
        )
        state.visible -= 1
        state.in_flight += 1
        if due_at_ms < state.next_due_ms:
            state.next_due_ms = due_at_ms
        if row.fair_group is not None:
            self._count_fair_group(state, row.fair_group, +1)
            if was_in_line:
                self._advance_fair_group(state, row.fair_group)

    def hide(self, state: QueueState, row: Row, due_at_ms: int) -> None:
        """Set a new deadline for a message in flight, or put a visible one back in flight (standard queues)."""
        was_visible, was_in_line = row.due_at_ms is None, row.turn is not None
        row.turn, row.due_at_ms = None, due_at_ms
        self._cursor.execute(_PLACE, (None, due_at_ms, state.queue.generation, row.sequence))
        state.next_due_ms = min(state.next_due_ms, due_at_ms)
        if not was_visible:
            return
        state.visible -= 1
        state.in_flight += 1
        if row.fair_group is not None:
            self._count_fair_group(state, row.fair_group, +1)
            if was_in_line:
                self._advance_fair_group(state, row.fair_group)

    def show(self, state: QueueState, row: Row, turn: int | None = None) -> bool:
        """Make a hidden message visible. ``turn`` is its place if it may stand in line, else its age decides.

        Answers whether a receive may start with it now.
        """
        if row.receives:
            state.in_flight -= 1
        else:
            state.delayed -= 1
        state.visible += 1
        if row.fair_group is not None and row.receives:
            self._count_fair_group(state, row.fair_group, -1)
        row.due_at_ms = None
        row.turn = self._turn_of(state, row, turn if turn is not None else row.sequence)
        self._cursor.execute(_PLACE, (row.turn, None, state.queue.generation, row.sequence))
        return row.turn is not None

    # Going

    def remove_usual(self, state: QueueState, sequence: int) -> bool | None:
        """Delete a message of a standard queue, if nothing is particular about it (else None, and nothing done).

        False: there is none.
        """
        key = (state.queue.generation, sequence)
        rows = self._cursor.execute(_STANDING, key).fetchall()
        if not rows:
            return False
        due_at_ms, receives, usual = rows[0]
        if not usual:
            return None
        self._cursor.execute(_DELETE, key)
        if due_at_ms is None:
            state.visible -= 1
        elif receives:
            state.in_flight -= 1
        else:
            state.delayed -= 1
        return True

    def remove(self, state: QueueState, row: Row) -> bool:
        """Delete a message whatever its state. Answers whether that freed another message of its FIFO group."""
        generation = state.queue.generation
        self._cursor.execute(_DELETE, (generation, row.sequence))
        if row.body is None:
            self._cursor.execute(
                "DELETE FROM large_body WHERE generation = ? AND sequence = ?", (generation, row.sequence)
            )
        self._uncount(state, row)
        if row.fifo_group is not None:
            return self._free_fifo_group(state, row.fifo_group)
        # Whether the row stood in line is asked of the table: it may have got there after the row was read.
        if row.fair_group is not None and row.due_at_ms is None and self._fair_head(state, row.fair_group) is None:
            self._advance_fair_group(state, row.fair_group)
        return False

    def _uncount(self, state: QueueState, row: Row) -> None:
        if row.due_at_ms is None:
            state.visible -= 1
        elif row.receives:
            state.in_flight -= 1
            if row.fair_group is not None:
                self._count_fair_group(state, row.fair_group, -1)
        else:
            state.delayed -= 1

    def move(self, source: QueueState, target: QueueState, row: Row, change: dict[str, Any]) -> tuple[bool, bool]:
        """Take a visible message out of one queue and put it into another, visible, with fields changed.

        Answers whether that freed a FIFO group of the source, and whether the target can deliver it at once.
        """
        if row.body is None:
            row.body = self._large_body(source.queue.generation, row.sequence)
            self._cursor.execute(
                "DELETE FROM large_body WHERE generation = ? AND sequence = ?",
                (source.queue.generation, row.sequence),
            )
        freed = self.remove(source, row)
        for field, value in change.items():
            setattr(row, field, value)
        row.due_at_ms = None
        return freed, self._insert(target, row) is not None

    # Groups

    def _free_fifo_group(self, state: QueueState, group_id: str) -> bool:
        """Let the group's first message stand in line if it is visible and does not yet."""
        rows = self._cursor.execute(_FIFO_FIRST, (state.queue.generation, group_id)).fetchall()
        if not rows:
            return False
        sequence, turn, due_at_ms = rows[0]
        if turn is not None or due_at_ms is not None:
            return False
        self._cursor.execute(_PLACE, (sequence, None, state.queue.generation, sequence))
        return True

    def _fair_head(self, state: QueueState, group_id: str) -> int | None:
        rows = self._cursor.execute(_FAIR_HEAD, (state.queue.generation, group_id)).fetchall()
        return rows[0][0] if rows else None

    def _advance_fair_group(self, state: QueueState, group_id: str) -> None:
        """The group's message in line has left: the oldest of those behind takes its place."""
        rows = self._cursor.execute(_FAIR_NEXT, (state.queue.generation, group_id)).fetchall()
        if rows:
            sequence = rows[0][0]
            self._cursor.execute(_PLACE, (sequence, None, state.queue.generation, sequence))

    def _count_fair_group(self, state: QueueState, group_id: str, change: int) -> None:
        key = (state.queue.generation, group_id)
        if change > 0:
            self._cursor.execute(
                "INSERT INTO fair_group VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET in_flight = in_flight + 1", key
            )
            return
        self._cursor.execute(
            "UPDATE fair_group SET in_flight = in_flight - 1 WHERE generation = ? AND group_id = ?", key
        )
        self._cursor.execute("DELETE FROM fair_group WHERE generation = ? AND group_id = ? AND in_flight <= 0", key)

    def fair_group_in_flight(self, state: QueueState, group_id: str) -> int:
        rows = self._cursor.execute(
            "SELECT in_flight FROM fair_group WHERE generation = ? AND group_id = ?",
            (state.queue.generation, group_id),
        ).fetchall()
        return rows[0][0] if rows else 0


def _read(state: QueueState, values: Sequence[Any]) -> Row:
    """A row with the moment at which it is due, if it is hidden."""
    row = Row(values)
    if row.due_at_ms is not None and row.due_at_ms < 0:
        row.due_at_ms += _SENT + _delay_ms(state)
    return row


def _delay_ms(state: QueueState) -> int:
    return state.queue.settings.delay_seconds * 1000


def _attributes(extra: Extra) -> dict[str, MessageAttribute] | None:
    if extra.attributes is None:
        return None
    return {name: MessageAttribute(*parts) for name, parts in extra.attributes.items()}


def effort(row: Row) -> int:
    """What it takes to remove or move a message, a small one being 1: a megabyte takes as long as fifty of these."""
    if row.body is None:  # large, and nobody has read it
        return LARGE_BODY_EFFORT
    return 1 + len(row.body) // 20_000


def with_dead_letter_source(row: Row, arn: str | None) -> bytes | None:
    """The row's extra column, with the source of a dead letter set or dropped."""
    extra = _decode_extra(row.extra) if row.extra is not None else Extra()
    extra.dead_letter_source_arn = arn
    if extra == Extra():
        return None
    return _encode_extra(extra)


def dead_letter_source(row: Row) -> str | None:
    return _decode_extra(row.extra).dead_letter_source_arn if row.extra is not None else None
