"""What every request has to pass before a page sees it, and the headers of every answer."""

import hmac
import ipaddress
import logging
import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stanchion.console.parts import Parts
from stanchion.console.rendering import Banner, redirect, render
from stanchion.console.visitors import visitor_of

BODY_BYTES: Final = 8 * 1024 * 1024
SIGN_IN_BYTES: Final = 64 * 1024  # all that somebody may send who has not signed in

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS: Final = (
    ("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in _POLICY.items())),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
"""On every answer; the server under us adds them, so that its own refusals have them too."""

_READS: Final = ("GET", "HEAD")
_OPEN_PATHS: Final = ("/health", "/ready", "/metrics")  # the last sees for itself who asks
_STATIC: Final = "/static/"
_SIGN_IN: Final = "/sign-in"
_ALLOWED_WHEN_READ_ONLY: Final = (_SIGN_IN, "/sign-out", "/region")

_log = logging.getLogger(__name__)


class TooLarge(Exception):
    """The body is longer than its sender may send."""


class Gate:
    """Middleware: the Host header, sign-in, the size of the body, the CSRF token, read-only mode; in this order."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refusal = self._refused_host(request)
        if refusal is None and not _is_open(request):
            refusal = self._refused_visitor(request)
            if refusal is None and request.method not in _READS:
                refusal, receive = await self._checked(request)
        await (refusal or self._app)(scope, receive, send)

    def _refused_host(self, request: Request) -> Response | None:
        """A page of the web may let its own name point to 127.0.0.1 once it is loaded. The browser then takes us
        for that page's server and lets it read everything; but it still sends that name."""
        if self._parts.credentials() is not None or is_loopback_name(request.headers.get("host", "")):
            return None
        return PlainTextResponse(
            "While authentication is off, the console answers only under a name of this machine itself, such as "
            "localhost.",
            421,
        )

    def _refused_visitor(self, request: Request) -> Response | None:
        if self._parts.credentials() is None or visitor_of(request).signed_in or request.url.path == _SIGN_IN:
            return None
        if wants_json(request):
            return refuse(request, 401, "SignInRequired", "Your session has ended. Sign in again.")
        if request.method in _READS:
            return redirect(f"{_SIGN_IN}?next={quote(own_path(request), safe='')}")
        return redirect(_SIGN_IN, Banner("warning", "Your session has ended. Sign in again; nothing was changed."))

    async def _checked(self, request: Request) -> tuple[Response | None, Receive]:
        """The refusal of something that would change something, or the body to read again."""
        may_send = BODY_BYTES if self._parts.credentials() is None or visitor_of(request).signed_in else SIGN_IN_BYTES
        try:
            body = await read_body(request, may_send)
        except TooLarge:
            text = f"A request to the console may have {may_send} bytes."
            return refuse(request, 413, "RequestTooLarge", text), request.receive
        refusal = None
        if not hmac.compare_digest(_token(request, body), visitor_of(request).csrf.encode()):
            refusal = self._refused_token(request)
        elif visitor_of(request).read_only and request.url.path not in _ALLOWED_WHEN_READ_ONLY:
            refusal = refuse(
                request, 403, "ReadOnly", "The console is in read-only mode: nothing can be changed here."
            )
        return refusal, _again(body, request.receive)

    def _refused_token(self, request: Request) -> Response:
        if request.url.path == _SIGN_IN:  # the browser forgot its cookie, or another tab got a new one
            return redirect(_SIGN_IN, Banner("warning", "The form was out of date. Please sign in again."))
        text = "The page was out of date, and nothing was changed. Load it again, then try once more."
        return refuse(request, 403, "PageOutOfDate", text)


class Failsafe:
    """Middleware: what nobody foresaw is logged, and the visitor is told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise  # the connection is closed, so nobody takes half an answer for a whole one
            text = "Something went wrong in the console. The server's log has the details."
            await refuse(Request(scope), 500, "InternalFailure", text)(scope, receive, send)


def refuse(request: Request, status: int, code: str, text: str) -> Response:
    """A refusal in the form that the sender reads: a page, or JSON for a script."""
    if wants_json(request):
        return JSONResponse({"code": code, "message": text}, status, {"Cache-Control": "no-store"})
    return render(request, "error.html", status, heading=_HEADINGS.get(status, "Not possible"), text=text)


_HEADINGS: Final = {
    403: "Not allowed",
    404: "Not found",
    405: "Not possible",
    413: "Too large",
    500: "Something went wrong",
}


def own_path(request: Request) -> str:
    """The path and query of a request, as text for an address."""
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    query = request.scope["query_string"]
    return str((raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("ascii", "replace"))


# Host or address in the form that a Host header has it, and maybe a port.
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{1,5})?")


def is_loopback_name(host: str) -> bool:
    """Whether a Host header names this machine as only itself can: localhost or a loopback address."""
    read = _HOST.fullmatch(host)
    if read is None:
        return False
    name = (read[1] or read[2]).lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises TooLarge as soon as that is known."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge
    return bytes(body)


def _is_open(request: Request) -> bool:
    path = request.url.path
    return request.method in _READS and (path in _OPEN_PATHS or path.startswith(_STATIC))


def wants_json(request: Request) -> bool:
    """Whether a script asks, not somebody who would look at the answer."""
    accepted = request.headers.get("accept", "")
    sent = request.headers.get("content-type", "")
    return sent.startswith("application/json") or accepted.startswith(("application/json", "text/event-stream"))


# Only forms of this kind are read: the field is found without taking the whole form apart twice.
_FIELD: Final = re.compile(rb"(?:\A|&)csrf=([^&]*)")


def _token(request: Request, body: bytes) -> bytes:
    header = request.headers.get("x-csrf-token")
    if header is not None:
        return header.encode("utf-8", "replace")
    found = _FIELD.search(body) if _is_form(request) else None
    return unquote_to_bytes(found[1]) if found else b""


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the page that reads it; then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
