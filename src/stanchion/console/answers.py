"""Answers to scripts: JSON, and errors as the API has them."""

from collections.abc import Awaitable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stanchion.console.security import refuse
from stanchion.errors import SQSError


async def answered(request: Request, work: Awaitable[Any]) -> Response:
    """What ``work`` comes to, as JSON; or its SQSError as ``{"code", "message"}``."""
    try:
        answer = await work
    except SQSError as error:
        return refuse(request, error.status, error.code, error.message)
    return Response(msgspec.json.encode(answer), media_type="application/json", headers={"Cache-Control": "no-store"})
