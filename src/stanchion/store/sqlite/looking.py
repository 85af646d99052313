"""What people look at: lists of queues and of messages."""

from collections.abc import Callable, Sequence
from typing import Final

import apsw

from stanchion.engine.attributes import DEFAULTS
from stanchion.engine.lifecycle import expires_at_ms
from stanchion.model import Message, QueueKey
from stanchion.store.base import BrowsePage, Overview, QueueSummary
from stanchion.store.sqlite.messages import MessageTable
from stanchion.store.sqlite.queues import QueueState, QueueTable

MOST_LOOKED_AT: Final = 1_000  # small messages that one call looks at: some five milliseconds of work
MOST_SETTLED: Final = 500  # messages whose time has come that one overview counts anew, over all queues of its page
_PIECE: Final = 100
_SMALL: Final = 1_000  # characters that are read and searched in the time that a small message takes

# A queue's oldest message is found at one end of its range of the primary key, so this is one step for each queue.
_OLDEST: Final = (
    "(SELECT sent_at_ms FROM message WHERE message.generation = queue.generation ORDER BY sequence LIMIT 1)"
)
_FIFO: Final = "name LIKE '%.fifo'"


def _set_to(attribute: str) -> str:
    """An attribute as it is stored, NULL when it was not set."""
    return f"json_extract(attributes, '$.{attribute}')"


def _number(attribute: str) -> str:
    return f"CAST(ifnull({_set_to(attribute)}, {DEFAULTS[attribute]}) AS INTEGER)"


def _is_on(attribute: str) -> str:
    return f"ifnull({_set_to(attribute)}, '{DEFAULTS[attribute]}') = 'true'"


_ORDERS: Final = {
    "name": "name",
    "type": _FIFO,
    "created": "created_at_ms",
    "modified": "modified_at_ms",
    "available": "visible",
    "in_flight": "in_flight",
    "delayed": "delayed",
    "oldest": f"ifnull({_OLDEST}, {1 << 62})",
    # None, with a key of one's own, with the server's key.
    "encryption": f"iif({_set_to('KmsMasterKeyId')} IS NOT NULL, 1, 2 * ({_is_on('SqsManagedSseEnabled')}))",
    # Standard queues, which have no such thing, come first.
    "content_based_deduplication": f"({_FIFO}) + ({_FIFO} AND {_is_on('ContentBasedDeduplication')})",
    "dead_letter_queue": f"{_set_to('RedrivePolicy')} IS NOT NULL",
    "visibility_timeout": _number("VisibilityTimeout"),
    "retention": _number("MessageRetentionPeriod"),
    "maximum_size": _number("MaximumMessageSize"),
    "delay": _number("DelaySeconds"),
    "receive_wait": _number("ReceiveMessageWaitTimeSeconds"),
}
# Letters of queue names are ASCII, and so is what instr needs to ignore their case.
_MATCHING: Final = "FROM queue WHERE account = ?1 AND region = ?2 AND instr(lower(name), ?3)"


class Looking:
    """``settle`` brings a queue's counts up to date with a moment, as far as so many messages go."""

    def __init__(
        self,
        connection: apsw.Connection,
        queues: QueueTable,
        messages: MessageTable,
        settle: Callable[[QueueState, int, int], bool],
    ) -> None:
        self._cursor = connection.cursor()
        self._queues = queues
        self._messages = messages
        self._settle = settle

    def overview(
        self,
        account: str,
        region: str,
        search: str,
        sort: str,
        *,
        descending: bool,
        offset: int,
        limit: int,
        now_ms: int,
    ) -> Overview:
        if not search.isascii():  # no queue has such a name, and SQLite takes no lone surrogates
            return Overview(0, [])
        self._queues.write_counts()
        given = (account, region, search.lower())
        ((total,),) = self._cursor.execute(f"SELECT count(*) {_MATCHING}", given).fetchall()
        direction = "DESC" if descending else "ASC"
        rows = self._cursor.execute(
            f"SELECT name {_MATCHING} ORDER BY {_ORDERS[sort]} {direction}, name LIMIT ?4 OFFSET ?5",
            (*given, limit, offset),
        ).fetchall()
        return Overview(total, self._summaries([QueueKey(account, region, name) for (name,) in rows], now_ms))

    def fullest(self, limit: int) -> tuple[int, list[QueueKey]]:
        self._queues.write_counts()
        ((total,),) = self._cursor.execute("SELECT count(*) FROM queue").fetchall()
        rows = self._cursor.execute(
            "SELECT account, region, name FROM queue ORDER BY visible + in_flight + delayed DESC, id LIMIT ?",
            (limit,),
        )
        return total, [QueueKey(*row) for row in rows]

    def _summaries(self, keys: Sequence[QueueKey], now_ms: int) -> list[QueueSummary]:
        share = MOST_SETTLED // max(1, len(keys)) + 1
        return [self._summary(self._queues.named(key), share, now_ms) for key in keys]

    def _summary(self, state: QueueState, share: int, now_ms: int) -> QueueSummary:
        self._settle(state, now_ms, share)
        oldest = self._messages.oldest(state, 1)
        return QueueSummary(state.queue, state.counts, oldest[0].sent_at_ms if oldest else None)

    def browse(
        self, state: QueueState, wanted: Callable[[Message], bool], after_sequence: int, limit: int, now_ms: int
    ) -> BrowsePage:
        found: list[Message] = []
        looked_at = spent = 0
        while True:
            rows = self._messages.after(state, after_sequence, _PIECE)
            for row in rows:
                after_sequence = row.sequence
                looked_at += 1
                spent += 1
                if now_ms <= expires_at_ms(row.sent_at_ms, state.queue.settings):
                    message = self._messages.message(state, row)
                    spent += len(message.body) // _SMALL
                    if wanted(message):
                        found.append(message)
                if len(found) >= limit or spent >= MOST_LOOKED_AT:
                    return BrowsePage(found, after_sequence, looked_at)
            if len(rows) < _PIECE:
                return BrowsePage(found, None, looked_at)
