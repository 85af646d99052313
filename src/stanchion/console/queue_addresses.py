"""Where the pages of a queue are, and who is told that there is no such queue."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from stanchion.console.rendering import error_banner, render
from stanchion.errors import AccessDenied, InvalidAddress, QueueDoesNotExist, ResourceNotFound, SQSError

Page = Callable[[Request], Awaitable[Response]]

_TAKEN: Final = "new"  # /queues/new is the form for a new queue, whatever queues there are


def queue_page(name: str) -> str:
    """The address of a queue's own page; those of its other pages go on from ``/queues/{name}``."""
    path = f"/queues/{quote(name, safe='')}"
    return f"{path}/details" if name == _TAKEN else path


def queue_path(name: str) -> str:
    return f"/queues/{quote(name, safe='')}"


def name_of(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


def of_a_queue(page: Page) -> Page:
    """A page about one queue: says so when the queue does not exist (any more), or may not be seen."""

    async def shown(request: Request) -> Response:
        try:
            return await page(request)
        except (QueueDoesNotExist, InvalidAddress, ResourceNotFound):
            return render(request, "queue_gone.html", 404, name=name_of(request))
        except AccessDenied as error:
            return refused(request, error)

    return shown


def refused(request: Request, error: SQSError) -> Response:
    """A page that only says what the service answered."""
    return render(request, "queue_refused.html", error.status, name=name_of(request), banner=error_banner(error))
