"""Move tasks: their table, and the steps in which they move messages."""

from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec

from stanchion import ids
from stanchion.engine import moving
from stanchion.engine.lifecycle import expires_at_ms
from stanchion.errors import QueueDoesNotExist
from stanchion.model import MoveTask, Queue
from stanchion.store.base import MoveTaskDraft
from stanchion.store.sqlite.messages import Row, dead_letter_source, effort, with_dead_letter_source
from stanchion.store.sqlite.queues import NEVER_MS, QueueState
from stanchion.store.sqlite.receiving import Receiver

KEPT = 10  # finished tasks kept per source

_COLUMNS = (
    "id, account, source_arn, destination_arn, max_per_second, status, moved, to_move, started_at_ms, failure_reason"
)


_End = tuple[str, str | None]  # status and failure reason
_COMPLETED: _End = ("COMPLETED", None)


class MoveTaskTable:
    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()

    def start(self, draft: MoveTaskDraft, to_move: int, now_ms: int) -> MoveTask:
        task = MoveTask(
            id=draft.id,
            account=draft.source.account,
            source_arn=ids.queue_arn(draft.source),
            destination_arn=ids.queue_arn(draft.destination) if draft.destination else None,
            max_per_second=draft.max_per_second,
            status="RUNNING",
            moved=0,
            to_move=to_move,
            started_at_ms=now_ms,
        )
        self._cursor.execute(
            f"INSERT INTO move_task ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            msgspec.structs.astuple(task),
        )
        self._drop_old(task.source_arn)
        return task

    def _drop_old(self, source_arn: str) -> None:
        self._cursor.execute(
            "DELETE FROM move_task WHERE source_arn = ? AND status NOT IN ('RUNNING', 'CANCELLING') "
            "AND number NOT IN (SELECT number FROM move_task WHERE source_arn = ? ORDER BY number DESC LIMIT ?)",
            (source_arn, source_arn, KEPT),
        )

    def find(self, task_id: str) -> MoveTask | None:
        if not task_id.isascii():  # not one of ours, and SQLite takes no lone surrogates
            return None
        tasks = self._select("WHERE id = ?", (task_id,))
        return tasks[0] if tasks else None

    def of_source(self, source_arn: str, limit: int) -> list[MoveTask]:
        return self._select("WHERE source_arn = ? ORDER BY number DESC LIMIT ?", (source_arn, limit))

    def active(self, account: str) -> list[MoveTask]:
        return self._select("WHERE status IN ('RUNNING', 'CANCELLING') AND account = ?", (account,))

    def all_active(self) -> list[MoveTask]:
        return self._select("INDEXED BY move_task_active WHERE status IN ('RUNNING', 'CANCELLING')", ())

    def _select(self, where: str, values: Sequence[Any]) -> list[MoveTask]:
        rows = self._cursor.execute(f"SELECT {_COLUMNS} FROM move_task {where}", values).fetchall()  # noqa: S608
        names = MoveTask.__struct_fields__
        return [MoveTask(**dict(zip(names, row, strict=True))) for row in rows]

    def cancel(self, task_id: str) -> MoveTask:
        task = self._select("WHERE id = ?", (task_id,))[0]
        cancelling = msgspec.structs.replace(task, status="CANCELLING")
        self.save(cancelling)
        return cancelling

    def save(self, task: MoveTask) -> None:
        self._cursor.execute(
            "UPDATE move_task SET status = ?, moved = ?, failure_reason = ? WHERE id = ?",
            (task.status, task.moved, task.failure_reason, task.id),
        )


class Mover:
    """Runs the active tasks a step at a time. Each step is one transaction: no message is lost or doubled."""

    def __init__(self, tasks: MoveTaskTable, receiver: Receiver, new_message_id: Callable[[], str]) -> None:
        self._tasks = tasks
        self._receiver = receiver
        self._new_message_id = new_message_id
        self._next_step_ms = 0  # 0: not known yet

    def forget(self) -> None:
        self._next_step_ms = 0

    def wake(self) -> None:
        """A task has been started or cancelled."""
        self._next_step_ms = 0

    def step(self, now_ms: int) -> int:
        """Move what may be moved now, a step's worth over all tasks. Answers when to come again."""
        if self._next_step_ms > now_ms:
            return self._next_step_ms
        active = self._tasks.all_active()
        share = max(1, moving.STEP // max(1, len(active)))
        moments = [self._step_task(task, share, now_ms) for task in active]
        self._next_step_ms = min(moments, default=NEVER_MS)
        return self._next_step_ms

    def _step_task(self, task: MoveTask, share: int, now_ms: int) -> int:
        if task.status == "CANCELLING":
            return self._end(task, "CANCELLED")
        if moving.is_overlong(task, now_ms):
            return self._end(task, "FAILED", moving.TOO_LONG)
        source = self._receiver.queues.find_arn(task.source_arn)
        if source is None:
            return self._end(task, "FAILED", QueueDoesNotExist.code)
        moved, end = self._move(task, source, share, now_ms)
        task = msgspec.structs.replace(task, moved=task.moved + moved)
        if end is not None:
            return self._end(task, *end)
        if task.moved >= task.to_move:
            return self._end(task, *_COMPLETED)
        if moved:
            self._tasks.save(task)
        return moving.next_step_ms(task, now_ms)

    def _end(self, task: MoveTask, status: str, reason: str | None = None) -> int:
        self._tasks.save(msgspec.structs.replace(task, status=status, failure_reason=reason))
        return NEVER_MS

    def _move(self, task: MoveTask, source: QueueState, share: int, now_ms: int) -> tuple[int, _End | None]:
        """How many were moved in this step, and how the task ends, if it does."""
        allowance = moving.allowance(task, now_ms)
        moved = spent = 0
        while moved < allowance and spent < share:
            rows = self._receiver.messages.in_line(source, -1, 1)
            if not rows:
                return moved, _COMPLETED
            target, failure = self._target(task, rows[0])
            if target is None:
                return moved, ("FAILED", failure)
            self._receiver.move(source, target, rows[0], self._made_new(rows[0], now_ms), now_ms)
            moved += 1
            spent += effort(rows[0])
        return moved, None

    def send_back(
        self, source: QueueState, sequences: Sequence[int], admit: Callable[[Queue], None], now_ms: int
    ) -> int:
        """Move these messages to the queues that they came from; those that cannot go stay. Answers how many went.

        ``admit`` raises for a queue that the caller may not send to; then nothing is moved.
        """
        plan = {sequence: target for sequence in sequences if (target := self._origin(source, sequence, now_ms))}
        for target in plan.values():
            admit(target.queue)
        for sequence, target in plan.items():
            row = self._receiver.messages.get(source, sequence)  # as it is once those before it in its group are gone
            assert row is not None
            self._receiver.move(source, target, row, self._made_new(row, now_ms), now_ms)
        return len(plan)

    def _origin(self, source: QueueState, sequence: int, now_ms: int) -> QueueState | None:
        """Where an available dead letter came from; None for what is no such thing."""
        row = self._receiver.messages.get(source, sequence)
        if row is None or now_ms > expires_at_ms(row.sent_at_ms, source.queue.settings):
            return None
        arn = dead_letter_source(row)
        hidden = row.due_at_ms is not None and row.due_at_ms > now_ms
        target = self._receiver.queues.find_arn(arn) if arn is not None and not hidden else None
        return target if target is not source else None

    def _target(self, task: MoveTask, row: Row) -> tuple[QueueState | None, str | None]:
        arn = task.destination_arn or dead_letter_source(row)
        if arn is None:
            return None, moving.COULD_NOT_DETERMINE_SOURCE
        target = self._receiver.queues.find_arn(arn)
        return target, None if target is not None else QueueDoesNotExist.code

    def _made_new(self, row: Row, now_ms: int) -> dict[str, object]:
        """A moved message is a new one: id, time and counts of its own; body, attributes and group stay."""
        return {
            "sequence": self._receiver.sequences.take(),
            "message_id": self._new_message_id(),
            "sent_at_ms": now_ms,
            "receives": 0,
            "first_received_at_ms": None,
            "extra": with_dead_letter_source(row, None),
        }
