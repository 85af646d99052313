"""Peek: all messages of a queue, whatever their state, without receiving them. Nothing is hidden, no receive counted.

And what can be done for chosen dead letters: send them back to where they came from.
"""

from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.clock import stopwatch
from stanchion.console import message_views
from stanchion.console.answers import answered
from stanchion.console.desk import Desk, desk_of, form_of
from stanchion.console.messages import is_fifo, queue_attributes
from stanchion.console.queue_addresses import name_of, of_a_queue, queue_page, queue_path
from stanchion.console.rendering import Banner, error_banner, redirect, render
from stanchion.console.security import refuse, wants_json
from stanchion.engine import browsing
from stanchion.errors import QueueDoesNotExist, SQSError
from stanchion.model import Message
from stanchion.store.base import BrowseFilter

PAGE_MESSAGES: Final = 50
PAGE_SECONDS: Final = 0.1  # a page of few matches looks through the queue for so long, then asks whether to go on
STATES: Final = (
    ("", "Any state"),
    (browsing.VISIBLE, "Available"),
    (browsing.IN_FLIGHT, "In flight"),
    (browsing.DELAYED, "Delayed"),
)
_FIELDS: Final = BrowseFilter.__struct_fields__
_LONGEST: Final = 4_096  # characters of a filter


class Found(NamedTuple):
    """``looked_at``: messages passed on this page. ``next_sequence``: what to go on after, None at the end."""

    messages: list[Message]
    next_sequence: int | None
    looked_at: int


class Place(NamedTuple):
    """Where in the queue a page begins, and how many messages were looked at on the way there."""

    after: int = 0
    looked_at: int = 0


@of_a_queue
async def show(request: Request) -> Response:
    desk, name = desk_of(request), name_of(request)
    wanted, place = _filter(request), _place(request)
    shown = await queue_attributes(desk, name)
    context: dict[str, Any] = {}
    try:
        found = await _look(desk, name, wanted, place.after)
    except QueueDoesNotExist:
        raise
    except SQSError as error:  # who may see the queue may not see what is in it, say
        found = Found([], None, 0)
        context["banner"] = error_banner(error)
    now_ms = desk.now_ms()
    looked_at = place.looked_at + found.looked_at
    return render(
        request,
        "browse.html",
        name=name,
        shown=shown,
        views=[message_views.of_stored(message, now_ms, fifo=is_fifo(name)) for message in found.messages],
        wanted=wanted,
        filtered=wanted != BrowseFilter(),
        states=STATES,
        first=place.after == 0,
        looked_at=looked_at,
        next_url=_url(name, wanted, Place(found.next_sequence, looked_at)) if found.next_sequence else None,
        first_url=_url(name, wanted, Place()),
        full=len(found.messages) >= PAGE_MESSAGES,
        queue_path=queue_path(name),
        queue_page=queue_page(name),
        **context,
    )


async def _look(desk: Desk, name: str, wanted: BrowseFilter, after: int) -> Found:
    """Look until the page is full, the queue ends, or it has taken long enough. Each step is a small one."""
    messages: list[Message] = []
    looked_at = 0
    end = stopwatch() + PAGE_SECONDS
    position: int | None = after
    while position is not None and len(messages) < PAGE_MESSAGES and stopwatch() < end:
        page = await desk.browse(name, after_sequence=position, limit=PAGE_MESSAGES - len(messages), filters=wanted)
        messages += page.messages
        looked_at += page.looked_at
        position = page.next_sequence
    return Found(messages, position, looked_at)


def _filter(request: Request) -> BrowseFilter:
    asked = request.query_params
    given = {field: asked.get(field, "")[:_LONGEST] for field in _FIELDS}
    if given["state"] not in dict(STATES):
        given["state"] = ""
    return BrowseFilter(**given)


def _place(request: Request) -> Place:
    return Place(*(_number(request.query_params.get(field, "")) for field in Place._fields))


def _number(text: str) -> int:
    """What is no number of a reasonable size counts as 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _url(name: str, wanted: BrowseFilter, place: Place) -> str:
    fields = msgspec.structs.asdict(wanted) | place._asdict()
    query = urlencode({field: value for field, value in fields.items() if value})
    return f"{queue_path(name)}/browse" + (f"?{query}" if query else "")


# ── One message ──────────────────────────────────────────────────────────────────────────────────────────


@of_a_queue
async def show_message(request: Request) -> Response:
    """The message as a page, for who has no script or sends somebody its address; or as JSON for the dialog."""
    desk, name = desk_of(request), name_of(request)
    if wants_json(request):
        return await answered(request, _view(request))
    try:
        view = await _view(request)
    except MessageIsGone as error:
        return refuse(request, 404, error.code, error.message)
    return render(
        request,
        "message.html",
        name=name,
        view=view,
        browse_url=_url(name, BrowseFilter(), Place()),
        queue_page=queue_page(name),
        is_read_only=desk.visitor.read_only,
    )


class MessageIsGone(SQSError):
    """Not an error of the API: there is no action that names a message which was not received."""

    status = 404

    def __init__(self) -> None:
        super().__init__("The message is not in the queue any more. It was deleted, moved, or is past its retention.")


async def _view(request: Request) -> message_views.MessageView:
    desk, name = desk_of(request), name_of(request)
    sequence = _number(request.path_params["sequence"])
    page = await desk.browse(name, after_sequence=max(0, sequence - 1), limit=1)
    if not page.messages or page.messages[0].sequence != sequence:
        raise MessageIsGone
    return message_views.of_stored(page.messages[0], desk.now_ms(), fifo=is_fifo(name))


# ── Dead letters ─────────────────────────────────────────────────────────────────────────────────────────


@of_a_queue
async def send_back(request: Request) -> Response:
    """Move the chosen messages to the queues that they came from, as a redrive does."""
    desk, name = desk_of(request), name_of(request)
    chosen = [_number(str(value)) for value in (await form_of(request)).getlist("sequence")]
    there = _url(name, BrowseFilter(), Place())
    try:
        moved = await desk.send_back(name, chosen)
    except QueueDoesNotExist:
        raise
    except SQSError as error:
        return redirect(there, error_banner(error))
    return redirect(there, _told(moved, len(chosen)))


def _told(moved: int, chosen: int) -> Banner:
    sent = f"{moved} {'message' if moved == 1 else 'messages'} sent back."
    if moved == chosen:
        return Banner("success", sent)
    why = "are in flight or gone, or the queues that they came from are"
    return Banner("warning", f"{sent} {chosen - moved} not: they {why}.")


ROUTES: Final = [
    Route("/queues/{name}/browse", show),
    Route("/queues/{name}/browse/send-back", send_back, methods=["POST"]),
    Route("/queues/{name}/browse/{sequence}", show_message),
]
