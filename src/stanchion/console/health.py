"""For those who watch over the server: whether it runs, and whether it does its work."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stanchion.console.parts import Parts
from stanchion.console.visitors import parts_of
from stanchion.errors import SQSError

ANSWER_SECONDS: Final = 2.0
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


async def health(_request: Request) -> Response:
    """200 as long as the process serves at all."""
    return PlainTextResponse("ok\n", headers=_NOT_KEPT)


async def ready(request: Request) -> Response:
    """200 once requests are accepted and the store answers; else 503 with the reason."""
    problem = await _problem(parts_of(request))
    return PlainTextResponse(f"{problem or 'ready'}\n", 503 if problem else 200, headers=_NOT_KEPT)


async def _problem(parts: Parts) -> str:
    if not parts.accepting():
        return "requests are not accepted"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await parts.store.list_queues(parts.account, parts.region, "", "", 1)
    except SQSError as error:
        return f"the store fails: {error.message}"
    except TimeoutError:
        return f"the store has not answered within {ANSWER_SECONDS:g} seconds"
    return ""


ROUTES: Final = [Route("/health", health), Route("/ready", ready)]
