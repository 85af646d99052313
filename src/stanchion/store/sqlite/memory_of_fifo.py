"""What a FIFO queue remembers beyond its messages: deduplication ids and receive attempts."""

import apsw
import msgspec

from stanchion import limits
from stanchion.engine import fifo
from stanchion.engine.fifo import Attempt
from stanchion.model import SentMessage
from stanchion.store.sqlite.queues import QueueState

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Attempt).decode


class FifoMemory:
    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()

    # Deduplication

    def original(self, state: QueueState, key: str, now_ms: int) -> SentMessage | None:
        """The message that a send with this key repeats, if it was sent within five minutes."""
        rows = self._cursor.execute(
            "SELECT message_id, sequence, remembered_until_ms FROM deduplication WHERE generation = ? AND key = ?",
            (state.queue.generation, key),
        ).fetchall()
        if not rows or rows[0][2] <= now_ms:
            return None
        return SentMessage(rows[0][0], rows[0][1], duplicate=True)

    def remember(self, state: QueueState, key: str, message_id: str, sequence: int, now_ms: int) -> None:
        self._cursor.execute(
            "INSERT OR REPLACE INTO deduplication VALUES (?, ?, ?, ?, ?)",
            (state.queue.generation, key, message_id, sequence, fifo.remembered_until_ms(now_ms)),
        )

    # Receive attempts

    def attempt(self, state: QueueState, attempt_id: str) -> Attempt | None:
        rows = self._cursor.execute(
            "SELECT attempt FROM receive_attempt WHERE generation = ? AND attempt_id = ?",
            (state.queue.generation, attempt_id),
        ).fetchall()
        return _decode(rows[0][0]) if rows else None

    def note_attempt(self, state: QueueState, attempt_id: str, attempt: Attempt) -> None:
        self._cursor.execute(
            "INSERT OR REPLACE INTO receive_attempt VALUES (?, ?, ?, ?)",
            (state.queue.generation, attempt_id, attempt.received_at_ms, _encode(attempt)),
        )

    # Forgetting

    def forget_old(self, now_ms: int, limit: int) -> bool:
        """Drop a few of what is too old to matter. True: there is more."""
        gone = self._delete_some(
            "DELETE FROM deduplication WHERE (generation, key) IN (SELECT generation, key FROM deduplication "
            "WHERE remembered_until_ms <= ? ORDER BY remembered_until_ms LIMIT ?)",
            now_ms,
            limit,
        )
        gone_attempts = self._delete_some(
            "DELETE FROM receive_attempt WHERE (generation, attempt_id) IN (SELECT generation, attempt_id FROM "
            "receive_attempt WHERE received_at_ms <= ? ORDER BY received_at_ms LIMIT ?)",
            now_ms - limits.RECEIVE_ATTEMPT_MS,
            limit,
        )
        return max(gone, gone_attempts) == limit

    def _delete_some(self, statement: str, until_ms: int, limit: int) -> int:
        self._cursor.execute(statement, (until_ms, limit))
        return int(self._cursor.connection.changes())
