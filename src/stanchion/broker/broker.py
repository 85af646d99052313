"""The broker: one verb for each action, over whatever store there is."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from stanchion.actions import ACTIONS, Action, Shape
from stanchion.broker.calls import CallMeter, CallMeters
from stanchion.broker.housekeeping import Housekeeping
from stanchion.broker.looking import Looking
from stanchion.broker.message_verbs import MessageVerbs
from stanchion.broker.metering import Meters, Recorder
from stanchion.broker.move_task_verbs import MoveTaskVerbs
from stanchion.broker.polls import Polls
from stanchion.broker.queue_verbs import QueueVerbs
from stanchion.broker.request import MessageIds, Outcome, Pending, Request, Rules, Tools, Translate
from stanchion.clock import Clock, stopwatch
from stanchion.errors import (
    AccessDenied,
    InternalFailure,
    InvalidAddress,
    QueueDoesNotExist,
    RequestThrottled,
    SQSError,
)
from stanchion.model import Caller, RequestContext
from stanchion.store.base import Store

Done = Callable[[Shape | SQSError | None], None]
"""Told the output of an action (None: it has none) or the error."""

_log = logging.getLogger(__name__)


class Broker:
    """Make it on a running event loop; ``start`` begins the background work."""

    def __init__(self, store: Store, clock: Clock, rules: Rules | None = None) -> None:
        rules = rules or Rules()
        self.meters = Meters()
        tools = Tools(store, rules, MessageIds(), self.meters)
        self._store = store
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._most_waiting = rules.max_waiting_requests
        self._tasks: set[asyncio.Task[Shape | None]] = set()  # calls of the verbs that are not hot
        self.calls = CallMeters(ACTIONS)
        self.throttled = 0  # calls that were refused because too many wait
        self.housekeeping = Housekeeping(store, clock)
        self.recorder = Recorder(store, clock, self.meters)
        self.polls = Polls(store, clock)
        self.looking = Looking(store, clock)
        self.queues = QueueVerbs(tools, self.housekeeping.hurry)
        messages = MessageVerbs(tools, self.polls)
        self.move_tasks = tasks = MoveTaskVerbs(tools, self.housekeeping.hurry)
        self._hot: dict[str, Callable[[Request], Outcome]] = {
            "ChangeMessageVisibility": messages.change_message_visibility,
            "ChangeMessageVisibilityBatch": messages.change_message_visibility_batch,
            "DeleteMessage": messages.delete_message,
            "DeleteMessageBatch": messages.delete_message_batch,
            "ReceiveMessage": messages.receive_message,
            "SendMessage": messages.send_message,
            "SendMessageBatch": messages.send_message_batch,
        }
        self._verbs: dict[str, Callable[[Request], Coroutine[Any, Any, Shape | None]]] = {
            "AddPermission": self.queues.add_permission,
            "CancelMessageMoveTask": tasks.cancel_message_move_task,
            "CreateQueue": self.queues.create_queue,
            "DeleteQueue": self.queues.delete_queue,
            "GetQueueAttributes": self.queues.get_queue_attributes,
            "GetQueueUrl": self.queues.get_queue_url,
            "ListDeadLetterSourceQueues": self.queues.list_dead_letter_source_queues,
            "ListMessageMoveTasks": tasks.list_message_move_tasks,
            "ListQueueTags": self.queues.list_queue_tags,
            "ListQueues": self.queues.list_queues,
            "PurgeQueue": self.queues.purge_queue,
            "RemovePermission": self.queues.remove_permission,
            "SetQueueAttributes": self.queues.set_queue_attributes,
            "StartMessageMoveTask": tasks.start_message_move_task,
            "TagQueue": self.queues.tag_queue,
            "UntagQueue": self.queues.untag_queue,
        }

    def start(self) -> None:
        self.housekeeping.start()
        self.recorder.start()

    def stop(self) -> None:
        """Long polls are answered with what they have; nothing runs in the background any more."""
        self.housekeeping.stop()
        self.recorder.stop()
        self.polls.release()

    async def finish(self) -> None:
        """After ``stop``, when the last answer is out and before the store is closed: nothing that was counted is
        lost."""
        await self.recorder.finish()

    def call(
        self,
        action: Action,
        given: Shape,
        caller: Caller,
        context: RequestContext,
        done: Done,
        *,
        query: bool = False,
    ) -> Callable[[], object] | None:
        """Do an action. ``done`` is told once, at once or later; what is returned cancels (the client has gone)."""
        # More than this is more than will be done in good time; who is told so can come back later. Told in the next
        # turn of the loop: a client that has sent a hundred requests without waiting must not be told a hundred times
        # before anybody else is served. (With 2,000 such clients a twentieth of the usual was still done.)
        began = stopwatch()
        meter = self.calls[action.name]
        if self._store.waiting >= self._most_waiting or len(self._tasks) >= self._most_waiting:
            self.throttled += 1
            refusal = RequestThrottled()
            meter.answered(refusal, None, 0.0)
            self._loop.call_soon(done, refusal)
            return None
        request = Request(action, given, caller, context, query, self._clock.now_ms())
        try:
            outcome = self._begin(request)
        except SQSError as error:
            refused = _disguised(error, request)
            meter.answered(refused, None, stopwatch() - began)
            done(refused)
            return None
        outcome.answer.add_done_callback(partial(_finish, outcome.translate, request, meter, began, done))
        return outcome.answer.cancel

    def _begin(self, request: Request) -> Outcome:
        hot = self._hot.get(request.action.name)
        if hot is not None:
            return hot(request)
        task = self._loop.create_task(self._verbs[request.action.name](request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Outcome(task, _as_it_is)


def _as_it_is(output: Shape | None) -> Shape | None:
    return output


def _finish(
    translate: Translate, request: Request, meter: CallMeter, began: float, done: Done, pending: Pending
) -> None:
    if pending.cancelled():
        return
    error = pending.exception()
    result = None
    if error is None:
        result = pending.result()
        try:
            answer: Shape | SQSError | None = translate(result)
        except SQSError as refusal:
            answer = refusal
        except Exception:  # the client must not wait for ever for an answer that we cannot write
            _log.exception("%s was done, but its answer failed", request.action.name)
            answer = InternalFailure()
    elif isinstance(error, SQSError):
        answer = _disguised(error, request)
    else:
        _log.error("%s failed", request.action.name, exc_info=error)
        answer = InternalFailure()
    meter.answered(answer, result, stopwatch() - began)
    done(answer)


def _disguised(error: SQSError, request: Request) -> SQSError:
    """Whoever has not signed does not learn which queues there are."""
    if request.anonymous and isinstance(error, QueueDoesNotExist | InvalidAddress):
        return AccessDenied.to_resource(request.context.address)
    return error
