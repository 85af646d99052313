"""Send and receive messages: the page, and what its scripts ask for.

A poll is a script that asks for ``receive`` again and again. What it has received stays hidden from others until the
poll ends; then the script asks for ``release``, and messages that nobody deleted are available again. A page that
just vanishes may release nothing: its messages come back by themselves, `MARGIN_SECONDS` after the poll would have
ended.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.actions import (
    BatchResultErrorEntry,
    ChangeMessageVisibilityBatchInput,
    ChangeMessageVisibilityEntry,
    DeleteMessageBatchInput,
    DeleteMessageEntry,
    GetQueueAttributesInput,
    ReceiveMessageOutput,
    SendMessageOutput,
    Shape,
)
from stanchion.console import message_forms, message_views
from stanchion.console.answers import answered
from stanchion.console.desk import Desk, desk_of, form_of
from stanchion.console.queue_addresses import name_of, of_a_queue, queue_page, queue_path
from stanchion.console.rendering import Banner, error_banner, render
from stanchion.console.security import wants_json
from stanchion.errors import MalformedInput, QueueDoesNotExist, SQSError
from stanchion.limits import BATCH_ENTRIES, MESSAGE_ATTRIBUTES, RECEIVE_MESSAGES, VISIBILITY_SECONDS

POLL_SECONDS: Final = 30
POLL_MESSAGES: Final = 10
MARGIN_SECONDS: Final = 30
LONGEST_POLL_SECONDS: Final = VISIBILITY_SECONDS - MARGIN_SECONDS
MOST_MESSAGES: Final = 10_000  # of one poll: what a browser can still show
WAIT_SECONDS: Final = 1  # a poll waits so long at the server before it can be stopped
SENT: Final = "Your message has been sent and is ready to be received"

_EMPTY: Final = message_forms.MessageForm()


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────


@of_a_queue
async def show(request: Request) -> Response:
    return await _page(request)


async def _page(
    request: Request,
    form: message_forms.MessageForm = _EMPTY,
    error: SQSError | None = None,
    sent: SendMessageOutput | None = None,
) -> Response:
    desk, name = desk_of(request), name_of(request)
    shown = await queue_attributes(desk, name)
    if form is _EMPTY:
        form = message_forms.MessageForm(delay=shown["DelaySeconds"])
    context: dict[str, Any] = {}
    if error is not None:
        context["banner"] = error_banner(error)
    elif sent is not None:
        context["banner"] = Banner("success", f"{SENT}. Message ID: {sent.message_id}")
    return render(
        request,
        "messages.html",
        error.status if error else 200,
        name=name,
        shown=shown,
        fifo=is_fifo(name),
        form=form,
        attribute_types=message_forms.ATTRIBUTE_TYPES,
        delay_units=message_forms.DELAY_UNITS,
        most_attributes=MESSAGE_ATTRIBUTES,
        poll_seconds=POLL_SECONDS,
        poll_messages=POLL_MESSAGES,
        longest_poll_seconds=LONGEST_POLL_SECONDS,
        most_messages=MOST_MESSAGES,
        sent_text=SENT,
        denied=await desk.denied(name),
        queue_path=queue_path(name),
        queue_page=queue_page(name),
        **context,
    )


async def queue_attributes(desk: Desk, name: str) -> dict[str, str]:
    """All attributes of a queue. Raises SQSError when there is no such queue, or it may not be seen."""
    asked = GetQueueAttributesInput(queue_url=desk.queue_url(name), attribute_names=["All"])
    shown: dict[str, str] = (await desk.call("GetQueueAttributes", asked)).attributes or {}
    return shown


def is_fifo(name: str) -> bool:
    """Only the names of FIFO queues may end so, and they must."""
    return name.endswith(".fifo")


# ── Send ─────────────────────────────────────────────────────────────────────────────────────────────────


async def send(request: Request) -> Response:
    """Send what the form says. A script is answered in JSON; without scripts the page comes back, still filled in."""
    posted = (await form_of(request)).multi_items()
    form = message_forms.read([(key, str(value)) for key, value in posted])
    if wants_json(request):
        return await answered(request, _send(request, form))
    return await _sent_page(request, form)


async def _send(request: Request, form: message_forms.MessageForm) -> SendMessageOutput:
    desk, name = desk_of(request), name_of(request)
    given = message_forms.input_of(form, desk.queue_url(name), fifo=is_fifo(name))
    sent: SendMessageOutput = await desk.call("SendMessage", given)
    return sent


async def _sent_page(request: Request, form: message_forms.MessageForm) -> Response:
    @of_a_queue
    async def page(request: Request) -> Response:
        try:
            sent = await _send(request, form)
        except QueueDoesNotExist:
            raise
        except SQSError as error:
            return await _page(request, form, error)
        return await _page(request, form, sent=sent)

    return await page(request)


# ── Receive ──────────────────────────────────────────────────────────────────────────────────────────────


class ReceiveOrder(msgspec.Struct, frozen=True):
    """``count``: messages that the poll still wants; ``seconds``: how long it goes on."""

    count: int
    seconds: int


class Handles(msgspec.Struct, frozen=True):
    """Receipt handles of messages to delete or to release."""

    handles: list[str]


class Failure(msgspec.Struct, frozen=True):
    """Why nothing was done for ``handle``."""

    handle: str
    code: str
    message: str


async def receive(request: Request) -> Response:
    """One ReceiveMessage of a poll: what it found, as a list."""
    return await answered(request, _receive(request))


async def _receive(request: Request) -> list[message_views.MessageView]:
    desk, url = desk_of(request), desk_of(request).queue_url(name_of(request))
    order = await _read(request, ReceiveOrder)
    asked = msgspec.structs.replace(
        message_views.EVERYTHING,
        queue_url=url,
        max_number_of_messages=max(1, min(order.count, RECEIVE_MESSAGES)),
        visibility_timeout=max(0, min(order.seconds, LONGEST_POLL_SECONDS)) + MARGIN_SECONDS,
        wait_time_seconds=WAIT_SECONDS if order.seconds > WAIT_SECONDS else 0,
    )
    received: ReceiveMessageOutput = await desk.call("ReceiveMessage", asked)
    views = [message_views.of_received(message) for message in received.messages or ()]
    if views and await request.is_disconnected():  # nobody will ever see them, and release them
        await _release_all(desk, url, [view.handle for view in views])
    return views


async def release(request: Request) -> Response:
    """Make messages available again. Those that are gone, or whose timeout is over, are so already."""

    async def work() -> dict[str, int]:
        desk = desk_of(request)
        handles = (await _read(request, Handles)).handles
        failed = await _release_all(desk, desk.queue_url(name_of(request)), handles)
        return {"released": len(handles) - len(failed)}

    return await answered(request, work())


async def delete(request: Request) -> Response:
    """Delete messages that were received; answers those that could not be, and why."""

    async def work() -> dict[str, list[Failure]]:
        desk = desk_of(request)
        url = desk.queue_url(name_of(request))

        def batch(entries: Sequence[tuple[str, str]]) -> Shape:
            wanted = [DeleteMessageEntry(id=each, receipt_handle=handle) for each, handle in entries]
            return DeleteMessageBatchInput(queue_url=url, entries=wanted)

        return {
            "failed": await _in_batches(desk, "DeleteMessageBatch", batch, (await _read(request, Handles)).handles)
        }

    return await answered(request, work())


async def _release_all(desk: Desk, url: str, handles: Sequence[str]) -> list[Failure]:
    def batch(entries: Sequence[tuple[str, str]]) -> Shape:
        wanted = [
            ChangeMessageVisibilityEntry(id=each, receipt_handle=handle, visibility_timeout=0)
            for each, handle in entries
        ]
        return ChangeMessageVisibilityBatchInput(queue_url=url, entries=wanted)

    return await _in_batches(desk, "ChangeMessageVisibilityBatch", batch, handles)


async def _in_batches(
    desk: Desk, action: str, batch: Callable[[Sequence[tuple[str, str]]], Shape], handles: Sequence[str]
) -> list[Failure]:
    """Do something for each handle, as many at a time as the API takes; answers the failures."""
    failures: list[Failure] = []
    numbered = [(str(number), handle) for number, handle in enumerate(handles)]
    for start in range(0, len(numbered), BATCH_ENTRIES):
        output = await desk.call(action, batch(numbered[start : start + BATCH_ENTRIES]))
        failed: Sequence[BatchResultErrorEntry] = output.failed or ()
        failures += [Failure(handles[int(each.id)], each.code, each.message) for each in failed]
    return failures


async def _read(request: Request, kind: type[Any]) -> Any:
    """The body of a script's request. Raises MalformedInput."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise MalformedInput(str(problem)) from None


ROUTES: Final = [
    Route("/queues/{name}/messages", show),
    Route("/queues/{name}/messages/send", send, methods=["POST"]),
    Route("/queues/{name}/messages/receive", receive, methods=["POST"]),
    Route("/queues/{name}/messages/delete", delete, methods=["POST"]),
    Route("/queues/{name}/messages/release", release, methods=["POST"]),
]
