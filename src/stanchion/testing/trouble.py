"""Between the service and the broker: requests that are refused, delayed or lost, as the faults in force want it."""

import asyncio
from collections.abc import Callable
from typing import Final

from stanchion import ids
from stanchion.actions import Action, Shape
from stanchion.broker.broker import Done
from stanchion.errors import InternalFailure, RequestThrottled, SQSError
from stanchion.model import Caller, QueueKey, RequestContext
from stanchion.server.hub import Cancel
from stanchion.server.service import Answering
from stanchion.testing.faults import FaultBook

_REFUSALS: Final[dict[str, type[RequestThrottled] | type[InternalFailure]]] = {
    "throttle": RequestThrottled,
    "error": InternalFailure,
}


class Troubled:
    """Does what ``answering`` does, with faults. ``cutter`` answers, while a request is handed over, how to cut its
    connection."""

    def __init__(self, answering: Answering, faults: FaultBook, cutter: Callable[[], Callable[[], None]]) -> None:
        self._answering = answering
        self._faults = faults
        self._cutter = cutter

    def call(
        self,
        action: Action,
        given: Shape,
        caller: Caller,
        context: RequestContext,
        done: Done,
        *,
        query: bool = False,
    ) -> Cancel | None:
        fault, latency_seconds = self._faults.of_request(action.name, _queue_of(given, caller))
        cut = self._cutter()

        def begin() -> Cancel | None:
            if fault in _REFUSALS:
                done(_REFUSALS[fault]())
                return None
            if fault == "drop_request":
                cut()
                return None
            told = (lambda _answer: cut()) if fault == "drop_answer" else done
            return self._answering.call(action, given, caller, context, told, query=query)

        return _Later(latency_seconds, begin) if latency_seconds else begin()


class _Later:
    """Something that begins after a while of the wall clock. Call it to cancel, before that or after."""

    def __init__(self, seconds: float, begin: Callable[[], Cancel | None]) -> None:
        self._begin = begin
        self._cancel: Cancel | None = asyncio.get_running_loop().call_later(seconds, self._go).cancel

    def _go(self) -> None:
        self._cancel = self._begin()

    def __call__(self) -> None:
        if self._cancel is not None:
            self._cancel()


def _queue_of(given: Shape, caller: Caller) -> QueueKey | None:
    """The queue that a request names by its URL."""
    url = getattr(given, "queue_url", None)
    if not url:
        return None
    try:
        account, name = ids.read_queue_url(url)
    except SQSError:
        return None
    return QueueKey(account or caller.account, caller.region, name)
