"""What a page works with: the queues, seen and changed with the rights of whoever looks.

A page does nothing by itself: every change, and nearly all that is shown, goes through the same ``Broker.call`` as a
request to the SQS endpoint, and so through the same validation and permissions.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request

from stanchion import ids
from stanchion.actions import ACTIONS, Shape
from stanchion.console.parts import Parts
from stanchion.console.permissions import ACTIONS_ASKED, denials
from stanchion.console.visitors import Visitor, came_from, came_securely, parts_of, visitor_of
from stanchion.errors import SQSError
from stanchion.model import Queue, QueueKey, Reading, RequestContext
from stanchion.store.base import BrowseFilter, BrowsePage, Overview

FORM_BYTES: Final = 8 * 1024 * 1024  # a message of 1 MiB, each byte written as %XX, and room for the rest
_EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")  # noqa: S104 - where a server listens, not where we do


class Desk:
    """Made for one request. ``endpoint`` is the SQS endpoint's URL, without a slash at its end."""

    def __init__(self, parts: Parts, visitor: Visitor, context: RequestContext) -> None:
        self._parts = parts
        self._context = context
        self.visitor = visitor
        self.region = visitor.region
        self.regions = parts.regions
        self.account = visitor.caller.account
        self.endpoint = context.base_url

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the server stops: whatever streams or waits has to end."""
        return self._parts.stopping

    def now_ms(self) -> int:
        return self._parts.clock.now_ms()

    def queue_key(self, name: str) -> QueueKey:
        return QueueKey(self.account, self.region, name)

    def queue_url(self, name: str) -> str:
        """The URL of one of the visitor's queues on the SQS endpoint."""
        return ids.queue_url(self.endpoint, self.queue_key(name))

    def queue_arn(self, name: str) -> str:
        return ids.queue_arn(self.queue_key(name))

    async def call(self, action: str, given: Shape) -> Any:
        """Do an action of the API as the visitor: its output (None where it has none), or SQSError raised."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(answer: Shape | SQSError | None) -> None:
            if answered.done():
                return
            if isinstance(answer, SQSError):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)

        cancel = self._parts.broker.call(ACTIONS[action], given, self.visitor.caller, self._context, done)
        try:
            return await answered
        except asyncio.CancelledError:
            if cancel is not None:
                cancel()
            raise

    async def overview(
        self,
        *,
        search: str = "",
        sort: str = "name",
        descending: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> Overview:
        """A page of the visitor's queues with their counts."""
        return await self._parts.broker.looking.overview(
            self.visitor.caller, self._context, search, sort, descending, offset, limit
        )

    async def denied(self, queue_name: str) -> dict[str, str]:
        """Why the visitor may not use the buttons of a queue, by button; "" for those that may be used."""
        looking = self._parts.broker.looking
        return denials(await looking.refusals(self.visitor.caller, self._context, queue_name, ACTIONS_ASKED))

    def denied_of(self, queue: Queue) -> dict[str, str]:
        """``denied`` for a queue that is at hand."""
        return denials(self._parts.broker.looking.refused(self.visitor.caller, self._context, queue, ACTIONS_ASKED))

    async def readings(
        self, names: Sequence[str], first_minute: int, last_minute: int
    ) -> Mapping[str, Sequence[Reading]]:
        """The recorded minutes of queues; at most MOST_READINGS pairs of minute and queue at once."""
        return await self._parts.broker.looking.readings(
            self.visitor.caller, self._context, names, first_minute, last_minute
        )

    async def browse(
        self, queue_name: str, *, after_sequence: int = 0, limit: int = 50, filters: BrowseFilter | None = None
    ) -> BrowsePage:
        """Messages of a queue in send order, whatever their state; looking changes nothing.

        A page may be short, or empty, though there is more: go on at its ``next_sequence``.
        """
        return await self._parts.broker.looking.browse(
            self.visitor.caller,
            self._context,
            self.queue_url(queue_name),
            after_sequence,
            limit,
            filters or BrowseFilter(),
        )

    async def send_back(self, queue_name: str, sequences: Sequence[int]) -> int:
        """Move chosen dead letters to the queues that they came from; answers how many could go."""
        arn = self.queue_arn(queue_name)
        verbs = self._parts.broker.move_tasks
        return await verbs.send_back(self.visitor.caller, self._context, arn, sequences, self.now_ms())


def desk_of(request: Request) -> Desk:
    """The desk of a request; always the same one for the same request."""
    state = request.state
    if not hasattr(state, "desk"):
        parts = parts_of(request)
        state.desk = Desk(parts, visitor_of(request), _context(request, parts))
    desk: Desk = state.desk
    return desk


async def form_of(request: Request) -> FormData:
    """The fields of a posted form. (Starlette's own ``form`` refuses a field of more than 1 MiB.)"""
    return await request.form(max_part_size=FORM_BYTES, max_files=0)


def _context(request: Request, parts: Parts) -> RequestContext:
    endpoint = parts.public_url or _endpoint(request, parts)
    return RequestContext(
        base_url=endpoint,
        address=f"{endpoint}/",
        source_ip=came_from(request),
        secure=came_securely(request),
        user_agent=request.headers.get("user-agent", ""),
        referer=request.headers.get("referer", ""),
    )


def _endpoint(request: Request, parts: Parts) -> str:
    """Where the visitor reaches the SQS endpoint: a server that listens everywhere is where the console was found."""
    host = parts.sqs_host
    if host in _EVERY_ADDRESS:
        host = request.url.hostname or "localhost"
    return f"http://[{host}]:{parts.sqs_port}" if ":" in host else f"http://{host}:{parts.sqs_port}"
