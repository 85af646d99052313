"""The form for a queue: create and edit."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stanchion.actions import (
    CreateQueueInput,
    GetQueueAttributesInput,
    QueueUrlInput,
    SetQueueAttributesInput,
    TagQueueInput,
    UntagQueueInput,
)
from stanchion.console import forms
from stanchion.console.desk import Desk, desk_of, form_of
from stanchion.console.forms import QueueForm
from stanchion.console.permissions import denials
from stanchion.console.queue_addresses import name_of, of_a_queue, queue_page, queue_path
from stanchion.console.rendering import Banner, error_banner, redirect, render
from stanchion.engine import tags
from stanchion.errors import InvalidParameterValue, QueueDoesNotExist, SQSError
from stanchion.limits import TAGS_PER_QUEUE

_OFFERED: Final = 50  # dead-letter queues in the picker; typing narrows them down


async def new(request: Request) -> Response:
    return await _form_page(request, QueueForm(), creating=True)


async def create(request: Request) -> Response:
    form, desk = await _posted(request), desk_of(request)
    try:
        given = _attributes(form, desk)
        asked = CreateQueueInput(queue_name=form.name, attributes=given, create_tags=forms.tags_of(form) or None)
        await _refuse_existing(desk, form.name)
        await desk.call("CreateQueue", asked)
    except SQSError as error:
        return await _form_page(request, form, creating=True, error=error)
    return redirect(queue_page(form.name), Banner("success", f"Queue {form.name} created successfully."))


async def _refuse_existing(desk: Desk, name: str) -> None:
    """CreateQueue succeeds for a queue that is there with the same attributes. Here somebody wants a new one."""
    found = await desk.overview(search=name, limit=100) if name else None
    if found and any(summary.queue.key.name == name for summary in found.summaries):
        raise InvalidParameterValue(f"A queue named {name} already exists.")


def _attributes(form: QueueForm, desk: Desk) -> dict[str, str]:
    return forms.attributes_of(form, desk.queue_arn(form.name), desk.account)


@of_a_queue
async def edit(request: Request) -> Response:
    shown, queue_tags = await _stored(desk_of(request), name_of(request))
    seen = forms.fingerprint(shown, queue_tags)
    return await _form_page(request, forms.fill(name_of(request), shown, queue_tags), creating=False, seen=seen)


@of_a_queue
async def save(request: Request) -> Response:
    """Only what differs from the queue as it is now is sent."""
    desk, name = desk_of(request), name_of(request)
    shown, queue_tags = await _stored(desk, name)
    given = await form_of(request)
    stored_type = "fifo" if shown.get("FifoQueue") == "true" else "standard"
    fields = [*((key, str(value)) for key, value in given.multi_items()), ("name", name), ("type", stored_type)]
    form = forms.read(fields)
    seen = forms.fingerprint(shown, queue_tags)
    if given.get("seen", seen) != seen:
        return await _form_page(request, form, creating=False, seen=seen, banner=_CHANGED_MEANWHILE, status=409)
    try:
        wanted = forms.changes(shown, _attributes(form, desk))
        wanted_tags = forms.tags_of(form)
        tags.check_created(wanted_tags, name)  # before anything is changed
        if wanted:
            await desk.call("SetQueueAttributes", SetQueueAttributesInput(queue_url=name, attributes=wanted))
        await _change_tags(desk, name, queue_tags, wanted_tags)
    except QueueDoesNotExist:
        raise
    except SQSError as error:
        return await _form_page(request, form, creating=False, seen=seen, error=error)
    return redirect(queue_page(name), Banner("success", f"Queue {name} updated successfully."))


_CHANGED_MEANWHILE: Final = Banner(
    "warning",
    "The queue has been changed since this form was opened, in another tab or by somebody else. Nothing was saved. "
    "Save again to make it what the form says.",
)


async def _change_tags(desk: Desk, name: str, current: dict[str, str], wanted: dict[str, str]) -> None:
    gone = [key for key in current if key not in wanted]
    fresh = {key: value for key, value in wanted.items() if current.get(key) != value}
    if gone:
        await desk.call("UntagQueue", UntagQueueInput(queue_url=name, tag_keys=gone))
    if fresh:
        await desk.call("TagQueue", TagQueueInput(queue_url=name, tags=fresh))


async def _stored(desk: Desk, name: str) -> tuple[dict[str, str], dict[str, str]]:
    url = desk.queue_url(name)
    shown = await desk.call("GetQueueAttributes", GetQueueAttributesInput(queue_url=url, attribute_names=["All"]))
    found = await desk.call("ListQueueTags", QueueUrlInput(queue_url=url))
    return shown.attributes or {}, found.tags or {}


async def _posted(request: Request) -> QueueForm:
    given = await form_of(request)
    return forms.read([(name, str(value)) for name, value in given.multi_items()])


async def _form_page(
    request: Request,
    form: QueueForm,
    *,
    creating: bool,
    seen: str = "",
    error: SQSError | None = None,
    banner: Banner | None = None,
    status: int = 200,
) -> Response:
    """``seen`` is the fingerprint of the queue that the form was made from."""
    desk = desk_of(request)
    name = form.name or "queue-name"
    basic_policy = forms.pretty(forms.basic_policy(form, desk.queue_arn(name), desk.account))
    if error is not None:
        banner, status = error_banner(error), error.status
    context: dict[str, Any] = {"banner": banner} if banner else {}
    return render(
        request,
        "queue_form.html",
        status,
        form=form,
        seen=seen,
        creating=creating,
        denied=denials({}) if creating else await desk.denied(form.name),
        periods={period.field: period.units for period in forms.PERIODS},
        basic_policy=basic_policy,
        policy=form.policy or basic_policy,
        queues_offered=await _same_type(desk, form.fifo, ""),
        most_tags=TAGS_PER_QUEUE,
        action="/queues/new" if creating else f"{queue_path(form.name)}/edit",
        back="/queues" if creating else queue_page(form.name),
        **context,
    )


# ── What the form asks while somebody types ──────────────────────────────────────────────────────────────


async def check(request: Request) -> Response:
    """What the service would refuse in the form, by field, and the policy that the basic method makes."""
    desk = desk_of(request)
    try:
        form = forms.read(msgspec.json.decode(await request.body(), type=list[tuple[str, str]]))
    except ValueError:
        return JSONResponse({"code": "MalformedInput", "message": "Pairs of name and value are expected."}, 400)
    arn = desk.queue_arn(form.name or "queue-name")
    return JSONResponse(
        {
            "problems": forms.problems(form, arn, desk.account),
            "basic_policy": forms.pretty(forms.basic_policy(form, arn, desk.account)),
        }
    )


async def offered(request: Request) -> Response:
    """ARNs of queues of one type whose names hold a text."""
    fifo = request.query_params.get("type") == "fifo"
    return JSONResponse({"arns": await _same_type(desk_of(request), fifo, request.query_params.get("search", ""))})


async def _same_type(desk: Desk, fifo: bool, search: str) -> list[str]:
    # Standard queues come first in this order, so those of either type are at one end of it.
    found = await desk.overview(search=search[:80], sort="type", descending=fifo, limit=_OFFERED)
    return [each.queue.arn for each in found.summaries if each.queue.settings.fifo is fifo]


ROUTES: Final = [
    Route("/queues/new", new),
    Route("/queues/new", create, methods=["POST"]),
    Route("/queue-check", check, methods=["POST"]),
    Route("/queue-arns", offered),
    Route("/queues/{name}/edit", edit),
    Route("/queues/{name}/edit", save, methods=["POST"]),
]
