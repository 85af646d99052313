"""Server-sent events: a page that stays open hears of what changes, without asking."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from stanchion.console.security import refuse
from stanchion.console.visitors import is_still_welcome, parts_of
from stanchion.errors import SQSError

MOST_STREAMS: Final = 128  # half of all connections: pages must get through beside them
RETRY_MS: Final = 2000  # when a browser comes back after the server went away
_QUIET_SECONDS: Final = 15.0  # proxies cut what is silent for longer

Look = Callable[[], Awaitable[Any]]
"""Answers what there is to see now, as something that JSON can hold."""


def stream(request: Request, look: Look, every_seconds: float) -> Response:
    """Look again and again, and send what has changed since.

    An SQSError is sent as an event ``problem`` with its code and message, and looking goes on. The stream ends when
    the server stops, when the browser goes away, and when the session ends (event ``signed-out``).
    """
    if request.app.state.streams >= MOST_STREAMS:
        return refuse(request, 503, "TooManyStreams", "Too many pages of the console are open.")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return _Stream(_events(request, look, every_seconds), media_type="text/event-stream", headers=headers)


class _Stream(StreamingResponse):
    """Takes a place, and gives it to another when it ends, however it ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"].state.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            scope["app"].state.streams -= 1


async def _events(request: Request, look: Look, every_seconds: float) -> AsyncIterator[str]:
    stopping = parts_of(request).stopping
    yield f"retry: {RETRY_MS}\n\n"
    last, quiet_seconds = "", 0.0
    while not stopping.is_set():
        if not is_still_welcome(request):
            yield "event: signed-out\ndata: {}\n\n"
            return
        event = await _event(look)
        if event != last:
            yield event
            last, quiet_seconds = event, 0.0
        elif quiet_seconds >= _QUIET_SECONDS:
            yield ": nothing new\n\n"
            quiet_seconds = 0.0
        await _pause(stopping, every_seconds)
        quiet_seconds += every_seconds


async def _event(look: Look) -> str:
    try:
        return f"data: {msgspec.json.encode(await look()).decode()}\n\n"
    except SQSError as error:
        problem = msgspec.json.encode({"code": error.code, "message": error.message}).decode()
        return f"event: problem\ndata: {problem}\n\n"


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
