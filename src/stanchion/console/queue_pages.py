"""The pages of one queue: details with tabs, purge, delete, and the redrive of dead letters."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stanchion import ids
from stanchion.actions import (
    CancelMessageMoveTaskInput,
    GetQueueAttributesInput,
    ListDeadLetterSourceQueuesInput,
    ListMessageMoveTasksEntry,
    ListMessageMoveTasksInput,
    QueueUrlInput,
    StartMessageMoveTaskInput,
)
from stanchion.console import forms
from stanchion.console.desk import Desk, desk_of, form_of
from stanchion.console.queue_addresses import name_of, of_a_queue, queue_page, queue_path
from stanchion.console.rendering import Banner, error_banner, redirect, render
from stanchion.console.snippets import snippets
from stanchion.errors import QueueDoesNotExist, SQSError
from stanchion.limits import MOVE_MESSAGES_PER_SECOND, MOVE_TASK_RESULTS

TABS: Final = (
    ("policy", "Access policy"),
    ("monitoring", "Monitoring"),
    ("dead-letters", "Dead-letter queue"),
    ("redrive-tasks", "Dead-letter queue redrive tasks"),
    ("tags", "Tagging"),
    ("encryption", "Encryption"),
)
_ACTIVE: Final = ("RUNNING", "CANCELLING")
_SOURCES_SHOWN: Final = 100


def encryption(attributes: Mapping[str, str]) -> str:
    """How a queue is encrypted, in the words of the service. SSE-SQS is what a queue has that says nothing."""
    if attributes.get("KmsMasterKeyId"):
        return "SSE-KMS"
    return "SSE-SQS" if attributes.get("SqsManagedSseEnabled", "true") == "true" else "Disabled"


def tabs_of(name: str) -> list[tuple[str, str, str]]:
    """Key, label and address of each tab. Monitoring is a page of its own: its address says what it shows."""
    return [
        (key, label, f"{queue_path(name)}/monitoring" if key == "monitoring" else f"{queue_page(name)}?tab={key}")
        for key, label in TABS
    ]


@of_a_queue
async def show(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, error: SQSError | None = None) -> Response:
    desk, name = desk_of(request), name_of(request)
    url = desk.queue_url(name)
    shown = await _attributes(desk, url)
    fifo = shown.get("FifoQueue") == "true"
    tab = request.query_params.get("tab", "")
    sources = await _sources(desk, url)
    tasks = await _tasks(desk, shown["QueueArn"])
    context: dict[str, Any] = {"banner": error_banner(error)} if error else {}
    return render(
        request,
        "queue.html",
        error.status if error else 200,
        name=name,
        url=url,
        denied=await desk.denied(name),
        fifo=fifo,
        shown=shown,
        encryption=encryption(shown),
        redrive_policy=_target(shown),
        redrive_allow_policy=json.loads(shown.get("RedriveAllowPolicy", "null")),
        owner_policy=forms.pretty(forms.owner_policy(shown["QueueArn"], desk.account)),
        sources=sources.names,
        more_sources=sources.more,
        tasks=tasks,
        active=next((task for task in tasks if task.status in _ACTIVE), None),
        queue_tags=await _tags(desk, url) if tab == "tags" else {},
        tab=tab if tab in dict(TABS) and tab != "monitoring" else "policy",
        tabs=tabs_of(name),
        snippets=snippets(desk.endpoint, desk.region, url, fifo=fifo),
        path_of=queue_path,
        page_of=queue_page,
        name_in=name_in,
        **context,
    )


async def _attributes(desk: Desk, url: str) -> dict[str, str]:
    asked = GetQueueAttributesInput(queue_url=url, attribute_names=["All"])
    shown: dict[str, str] = (await desk.call("GetQueueAttributes", asked)).attributes or {}
    return shown


def _target(shown: Mapping[str, str]) -> dict[str, Any] | None:
    policy: dict[str, Any] | None = json.loads(shown.get("RedrivePolicy", "null"))
    return policy


class Sources(NamedTuple):
    """Queues whose dead letters come to one. ``more``: there are others, which are not shown."""

    names: Sequence[str] = ()
    more: bool = False


async def _sources(desk: Desk, url: str) -> Sources:
    """None for who may not know."""
    asked = ListDeadLetterSourceQueuesInput(queue_url=url, max_results=_SOURCES_SHOWN)
    try:
        found = await desk.call("ListDeadLetterSourceQueues", asked)
    except QueueDoesNotExist:
        raise
    except SQSError:
        return Sources()
    names = [ids.read_queue_url(each)[1] for each in found.source_queue_urls or ()]
    return Sources(names, more=found.next_token is not None)


async def _tasks(desk: Desk, arn: str) -> Sequence[ListMessageMoveTasksEntry]:
    """The newest redrives, newest first; none for who may not know."""
    asked = ListMessageMoveTasksInput(source_arn=arn, max_results=MOVE_TASK_RESULTS)
    try:
        found = await desk.call("ListMessageMoveTasks", asked)
    except SQSError:
        return ()
    tasks: Sequence[ListMessageMoveTasksEntry] = found.results or ()
    return tasks


async def _tags(desk: Desk, url: str) -> dict[str, str]:
    found: dict[str, str] = (await desk.call("ListQueueTags", QueueUrlInput(queue_url=url))).tags or {}
    return dict(sorted(found.items()))


def name_in(arn: str) -> str:
    """The queue's name in an ARN."""
    return arn.rpartition(":")[2]


# ── Purge and delete ─────────────────────────────────────────────────────────────────────────────────────


async def _has_word(request: Request, word: str) -> bool:
    return str((await form_of(request)).get("word", "")).strip() == word


@of_a_queue
async def confirm(request: Request) -> Response:
    """Purge or delete on a page of its own, for browsers without scripts: the dialogs need them."""
    name, word = name_of(request), request.url.path.rpartition("/")[2]
    reason = (await desk_of(request).denied(name))[word]
    return render(
        request,
        "confirm.html",
        name=name,
        word=word,
        title=f"{word.capitalize()} queue",
        action=f"{queue_path(name)}/{word}",
        back=queue_page(name),
        reason=reason,
    )


@of_a_queue
async def purge(request: Request) -> Response:
    return await _confirmed(request, "purge", "PurgeQueue", queue_page(name_of(request)), "purged")


@of_a_queue
async def delete(request: Request) -> Response:
    return await _confirmed(request, "delete", "DeleteQueue", "/queues", "deleted")


async def _confirmed(request: Request, word: str, action: str, then: str, done: str) -> Response:
    name, desk = name_of(request), desk_of(request)
    if not await _has_word(request, word):
        return redirect(queue_page(name), Banner("warning", f"Nothing was changed. To confirm, type {word}."))
    try:
        await desk.call(action, QueueUrlInput(queue_url=desk.queue_url(name)))
    except QueueDoesNotExist:
        raise
    except SQSError as error:
        return await _page(request, error)
    return redirect(then, Banner("success", f"Queue {name} {done} successfully."))


# ── Redrive ──────────────────────────────────────────────────────────────────────────────────────────────


@of_a_queue
async def redrive_form(request: Request) -> Response:
    return await _redrive_page(request, {})


async def _redrive_page(request: Request, given: Mapping[str, str], error: SQSError | None = None) -> Response:
    desk, name = desk_of(request), name_of(request)
    url = desk.queue_url(name)
    shown = await _attributes(desk, url)
    sources = await _sources(desk, url)
    context: dict[str, Any] = {"banner": error_banner(error)} if error else {}
    return render(
        request,
        "redrive.html",
        error.status if error else 200,
        name=name,
        denied=await desk.denied(name),
        shown=shown,
        fifo=shown.get("FifoQueue") == "true",
        sources=sources.names,
        more_sources=sources.more,
        given={"destination": "source", "destination_arn": "", "velocity": "system", "rate": "10", **given},
        most=MOVE_MESSAGES_PER_SECOND,
        path_of=queue_path,
        page_of=queue_page,
        **context,
    )


@of_a_queue
async def redrive(request: Request) -> Response:
    desk, name = desk_of(request), name_of(request)
    given = {key: str(value) for key, value in (await form_of(request)).items()}
    rate = given.get("rate", "")
    asked = StartMessageMoveTaskInput(
        source_arn=desk.queue_arn(name),
        destination_arn=given.get("destination_arn", "").strip() if given.get("destination") == "custom" else None,
        max_number_of_messages_per_second=_rate(rate) if given.get("velocity") == "custom" else None,
    )
    try:
        await desk.call("StartMessageMoveTask", asked)
    except QueueDoesNotExist:
        raise
    except SQSError as error:
        return await _redrive_page(request, given, error)
    return redirect(f"{queue_page(name)}?tab=redrive-tasks", Banner("success", "DLQ redrive started."))


def _rate(text: str) -> int:
    """What is no number is refused as 0 is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@of_a_queue
async def cancel_redrive(request: Request) -> Response:
    desk, name = desk_of(request), name_of(request)
    tasks = await _tasks(desk, desk.queue_arn(name))
    handle = next((task.task_handle for task in tasks if task.task_handle), None)
    there = f"{queue_page(name)}?tab=redrive-tasks"
    if handle is None:
        return redirect(there, Banner("info", "No redrive is running."))
    try:
        await desk.call("CancelMessageMoveTask", CancelMessageMoveTaskInput(task_handle=handle))
    except SQSError as error:
        return redirect(there, error_banner(error))
    return redirect(there, Banner("success", "DLQ redrive is being cancelled. Messages already moved stay moved."))


@of_a_queue
async def redrive_progress(request: Request) -> Response:
    """The newest task, for the page that shows its progress."""
    desk = desk_of(request)
    tasks = await _tasks(desk, desk.queue_arn(name_of(request)))
    if not tasks:
        return JSONResponse({"active": False, "status": "", "moved": 0, "to_move": 0})
    return JSONResponse(
        {
            "active": tasks[0].status in _ACTIVE,
            "status": tasks[0].status,
            "moved": tasks[0].approximate_number_of_messages_moved or 0,
            "to_move": tasks[0].approximate_number_of_messages_to_move or 0,
        }
    )


ROUTES: Final = [
    Route("/queues/{name}", show),
    Route("/queues/{name}/details", show),
    Route("/queues/{name}/purge", confirm),
    Route("/queues/{name}/delete", confirm),
    Route("/queues/{name}/purge", purge, methods=["POST"]),
    Route("/queues/{name}/delete", delete, methods=["POST"]),
    Route("/queues/{name}/redrive", redrive_form),
    Route("/queues/{name}/redrive", redrive, methods=["POST"]),
    Route("/queues/{name}/redrive/cancel", cancel_redrive, methods=["POST"]),
    Route("/queues/{name}/redrive.json", redrive_progress),
]
