"""The verbs on move tasks: start, list, cancel."""

from collections.abc import Callable, Sequence
from typing import Final

from stanchion import ids
from stanchion.actions import (
    ACTIONS,
    CancelMessageMoveTaskInput,
    CancelMessageMoveTaskOutput,
    ListMessageMoveTasksInput,
    ListMessageMoveTasksOutput,
    Shape,
    StartMessageMoveTaskInput,
    StartMessageMoveTaskOutput,
)
from stanchion.broker.request import Request, Tools
from stanchion.engine import redrive
from stanchion.errors import QueueDoesNotExist
from stanchion.model import Caller, QueueKey, RequestContext
from stanchion.store.base import Directory, MoveTaskDraft

SENT_BACK_AT_ONCE: Final = 10  # messages of up to a mebibyte: more would keep others waiting


class MoveTaskVerbs:
    def __init__(self, tools: Tools, hurry: Callable[[], None]) -> None:
        self._store = tools.store
        self._new_id = tools.new_message_id
        self._hurry = hurry  # housekeeping runs the tasks: let it look at once

    async def start_message_move_task(self, request: Request) -> Shape:
        asked: StartMessageMoveTaskInput = request.input
        source = _source(asked.source_arn, request)

        def decide(directory: Directory) -> MoveTaskDraft:
            queue = directory.find(source)
            if queue is not None:
                request.admit(queue)
            _, destination, rate = redrive.check_start(asked, directory)
            target = directory.find(destination) if destination is not None else None
            if target is not None:  # it may be another account's
                request.admit_to(ACTIONS["SendMessage"], target)
            return MoveTaskDraft(self._new_id(), source, destination, rate)

        task = await self._store.start_move_task(source, decide, request.now_ms)
        self._hurry()
        return StartMessageMoveTaskOutput(task_handle=redrive.task_handle(task.id, task.source_arn))

    async def list_message_move_tasks(self, request: Request) -> Shape:
        asked: ListMessageMoveTasksInput = request.input
        source = _source(asked.source_arn, request)
        await self._find(source, request)
        limit = redrive.check_task_results(asked.max_results)
        tasks = await self._store.list_move_tasks(ids.queue_arn(source), limit)
        return ListMessageMoveTasksOutput(results=[redrive.task_entry(task) for task in tasks] or None)

    async def cancel_message_move_task(self, request: Request) -> Shape:
        asked: CancelMessageMoveTaskInput = request.input
        task_id, source_arn = redrive.read_task_handle(asked.task_handle)
        source = _source(source_arn, request)
        await self._find(source, request)
        task = await self._store.cancel_move_task(task_id, lambda task: redrive.check_cancel(task, source_arn))
        self._hurry()
        return CancelMessageMoveTaskOutput(approximate_number_of_messages_moved=task.moved)

    async def send_back(
        self, caller: Caller, context: RequestContext, source_arn: str, sequences: Sequence[int], now_ms: int
    ) -> int:
        """Send chosen dead letters back, for whoever may start a redrive of all of them. Answers how many went.

        No action of the API does this. Some may have gone when an SQSError is raised: all are moved in small steps.
        """
        request = Request(ACTIONS["StartMessageMoveTask"], None, caller, context, False, now_ms)
        source = _source(source_arn, request)
        moved = 0
        for start in range(0, len(sequences), SENT_BACK_AT_ONCE):
            moved += await self._store.send_back(
                source,
                request.admit,
                sequences[start : start + SENT_BACK_AT_ONCE],
                lambda target: request.admit_to(ACTIONS["SendMessage"], target),
                now_ms,
            )
        return moved

    async def _find(self, source: QueueKey, request: Request) -> None:
        try:
            await self._store.find_queue(source, request.admit)
        except QueueDoesNotExist:
            raise redrive.no_such_queue("SourceArn") from None


def _source(arn: str | None, request: Request) -> QueueKey:
    """The queue that an ARN of the caller's own account and region names."""
    source = redrive.check_source_arn(arn)
    request.admit_owner_of(source)
    if source.region != request.caller.region:
        raise redrive.no_such_queue("SourceArn")
    return source
