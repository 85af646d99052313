"""What a server for tests answers beside SQS: its clock, its faults, its journal, a reset, a look at messages.

All of it is for programs on this machine; others have to sign, and web pages stay out.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from stanchion import ids
from stanchion.actions import ACTIONS, ReceivedMessage, ReceiveMessageInput, ReceiveMessageOutput
from stanchion.auth.browsers import KnownPages
from stanchion.broker.request import Request, RequestIds
from stanchion.errors import AccessDenied, InternalFailure, SQSError
from stanchion.model import Caller, Queue, QueueKey
from stanchion.server.connection import Connection
from stanchion.server.exchange import Exchange
from stanchion.server.hub import Cancel, Reply
from stanchion.server.service import SqsService
from stanchion.testing import peek
from stanchion.testing.faults import Faults
from stanchion.testing.journal import Event
from stanchion.testing.mistakes import Mistake
from stanchion.testing.works import Works
from stanchion.wire import codec_for
from stanchion.wire.aws_json import AWS_JSON
from stanchion.wire.aws_query import AwsQuery
from stanchion.wire.form import read_form
from stanchion.wire.http import HttpRequest, HttpResponse

OWN: Final = "/_stanchion/"
MESSAGES: Final = "/_aws/sqs/messages"

_log = logging.getLogger(__name__)
T = TypeVar("T")


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """How to turn the clock: by so many seconds, or until a moment such as 2026-11-21T08:00:00Z."""

    advance_seconds: float | None = None
    set: str | None = None


class Refused(Exception):
    """An answer of our own that is no success."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


Answer = Coroutine[Any, Any, HttpResponse]
Endpoint = Callable[[HttpRequest], Answer]


class Front:
    """Gets every request. See `stanchion.server.hub.Service`."""

    def __init__(self, service: SqsService, works: Works, pages: KnownPages) -> None:
        self._service = service
        self._works = works
        self._pages = pages
        self._new_request_id = RequestIds()
        self._reply: Reply | None = None  # of the request that is being handed over
        self._tasks: set[asyncio.Task[None]] = set()
        self._endpoints: dict[str, dict[str, Endpoint]] = {
            "clock": {"GET": self._show_clock, "POST": self._turn_clock},
            "reset": {"POST": self._reset},
            "journal": {"GET": self._show_journal},
            "faults": {"GET": self._show_faults, "POST": self._add_faults, "DELETE": self._end_faults},
        }

    def handle(self, request: HttpRequest, reply: Reply) -> Cancel | None:
        if request.path.startswith(OWN):
            self._answer_soon(self._own(request), reply)
            return None
        if request.path == MESSAGES or request.path.startswith(f"{MESSAGES}/"):
            self._answer_soon(self._messages(request), reply)
            return None
        self._reply = reply
        return self._service.handle(request, reply)

    def cutter(self) -> Callable[[], None]:
        """How to cut the connection of the request that is being handed over."""
        reply = self._reply

        def cut() -> None:
            if isinstance(reply, Exchange) and isinstance(reply.connection, Connection):
                reply.connection.abort()

        def cut_soon() -> None:  # not while the connection hands over its requests
            asyncio.get_running_loop().call_soon(cut)

        return cut_soon

    def _answer_soon(self, answer: Answer, reply: Reply) -> None:
        async def answering() -> None:
            reply(await answer)

        task = asyncio.get_running_loop().create_task(answering())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Who may

    def _admit(self, request: HttpRequest) -> Caller:
        """Raises SQSError for those who must not turn other people's time."""
        self._pages.admit(request)
        request = self._service.as_proxies_saw_it(request)
        caller = self._service.identify(request, ())
        signed = caller.access_key_id is not None and not caller.trusted
        # Somebody's proxy is on this machine as well; whoever is behind it is not.
        here = _is_loopback(request.client_ip) and "x-forwarded-for" not in request.headers
        if not (signed or here):
            raise AccessDenied("Only programs on this machine may do that, or those that sign with a known key.")
        return caller

    # Our own endpoints: JSON to JSON

    async def _own(self, request: HttpRequest) -> HttpResponse:
        try:
            self._admit(request)
            return await self._endpoint(request)(request)
        except Mistake as mistake:
            return _refusal(HTTPStatus.BAD_REQUEST, str(mistake))
        except Refused as refused:
            return _refusal(refused.status, str(refused))
        except SQSError as error:
            return _refusal(HTTPStatus(error.status), error.message)
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed; the server's log says why")

    def _endpoint(self, request: HttpRequest) -> Endpoint:
        name = request.path.removeprefix(OWN)
        methods = self._endpoints.get(name)
        if methods is None:
            known = ", ".join(f"{OWN}{each}" for each in self._endpoints)
            raise Refused(HTTPStatus.NOT_FOUND, f"there is no {request.path}; there are {known}")
        if request.method not in methods:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.path} takes {' and '.join(methods)}")
        return methods[request.method]

    async def _show_clock(self, _request: HttpRequest) -> HttpResponse:
        now_ms = self._works.clock.now_ms()
        ahead_seconds = self._works.clock.ahead_ms / 1000
        return _json({"now": _shown_moment(now_ms), "now_ms": now_ms, "ahead_seconds": ahead_seconds})

    async def _turn_clock(self, request: HttpRequest) -> HttpResponse:
        order = _read(request.body, ClockOrder)
        if (order.advance_seconds is None) == (order.set is None):
            raise Mistake('give either {"advance_seconds": 60} or {"set": "2030-01-01T00:00:00Z"}')
        if order.set is not None:
            await self._works.turn((_moment_ms(order.set) - self._works.clock.now_ms()) / 1000)
        else:
            await self._works.turn(order.advance_seconds or 0)
        return await self._show_clock(request)

    async def _reset(self, request: HttpRequest) -> HttpResponse:
        await self._works.reset()
        return await self._show_clock(request)

    async def _show_journal(self, request: HttpRequest) -> HttpResponse:
        asked = _query(request, "QueueUrl", "MessageId")
        queue = self._queue(asked["QueueUrl"], self._admit(request)) if "QueueUrl" in asked else None
        events = self._works.store.journal.of(queue, asked.get("MessageId"))
        return _json({"events": [_event(event) for event in events]})

    async def _show_faults(self, _request: HttpRequest) -> HttpResponse:
        rules = [
            {"id": number, "faults": rule.faults, "struck": dict(rule.struck)}
            for number, rule in self._works.store.faults
        ]
        return _json({"rules": rules})

    async def _add_faults(self, request: HttpRequest) -> HttpResponse:
        return _json({"id": self._works.store.faults.add(Faults.read(_read(request.body, dict)))})

    async def _end_faults(self, request: HttpRequest) -> HttpResponse:
        number = _query(request, "id").get("id")
        if number is None:
            self._works.store.faults.clear()
        elif number.isascii() and number.isdigit() and len(number) < 20:
            self._works.store.faults.remove(int(number))
        else:
            raise Mistake(f"id {number!r} is no number; give the one that POST {OWN}faults answered")
        return await self._show_faults(request)

    def _queue(self, url: str, caller: Caller) -> QueueKey:
        account, name = ids.read_queue_url(url)
        return QueueKey(account or caller.account, caller.region, name)

    # A look at messages

    async def _messages(self, request: HttpRequest) -> HttpResponse:
        codec = codec_for(request)
        request_id = self._new_request_id()
        try:
            caller = self._admit(request)
            if request.method == "POST":  # an SDK with this address as its endpoint, which calls ReceiveMessage
                call = codec.decode(request)
                if call.action.name != "ReceiveMessage":
                    raise AccessDenied("This endpoint only shows messages; call ReceiveMessage.")
                given, shown = call.input, {}
            else:
                shown = _parameters(request)
                given = ReceiveMessageInput(queue_url=shown.get("QueueUrl") or _queue_in_path(request.path))
            messages = await self._peek(given, caller, request, shown)
        except SQSError as error:
            return codec.encode_error(error, request_id)
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return codec.encode_error(InternalFailure(), request_id)
        if codec is AWS_JSON or not _accepts_json(request):
            speaker = codec if codec is AWS_JSON else AwsQuery(wants_json=False)
            output = ReceiveMessageOutput(messages=messages or None)
            return speaker.encode_result(ACTIONS["ReceiveMessage"], output, request_id)
        return _response(HTTPStatus.OK, peek.json_document(messages, request_id))

    async def _peek(
        self, given: Any, caller: Caller, request: HttpRequest, shown: dict[str, str]
    ) -> list[ReceivedMessage]:
        now_ms = self._works.clock.now_ms()
        context = self._service.context(request)
        asked = Request(ACTIONS["ReceiveMessage"], given, caller, context, False, now_ms)
        key = asked.queue_key()
        invisible, delayed = (_is_true(shown.get(name)) for name in ("ShowInvisible", "ShowDelayed"))
        queue: Queue = await self._works.store.find_queue(key, asked.admit)
        found: list[ReceivedMessage] = []
        after = -1
        while page := await self._works.store.peek(key, asked.admit, after, _PAGE):
            after = page[-1].sequence
            found += [
                peek.as_received(queue, message)
                for message in page
                if peek.is_shown(message, now_ms, invisible=invisible, delayed=delayed)
            ]
        return found


_PAGE: Final = 200


def _is_loopback(client_ip: str) -> bool:
    try:
        address = ipaddress.ip_address(client_ip)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # what an IPv4 client is to a socket of both families
    return (mapped or address).is_loopback


def _accepts_json(request: HttpRequest) -> bool:
    return "json" in request.headers.get("accept", "").lower()


def _is_true(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1", "yes", "on")


def _parameters(request: HttpRequest) -> dict[str, str]:
    return dict(read_form(request.query.encode("utf-8", "surrogatepass")))


def _query(request: HttpRequest, *known: str) -> dict[str, str]:
    """The parameters of one of our own endpoints. Raises Mistake for others."""
    parameters = _parameters(request)
    for name in parameters:
        if name not in known:
            raise Mistake(f"{request.path} has no parameter {name}; it has {', '.join(known)}")
    return parameters


def _queue_in_path(path: str) -> str | None:
    """The queue in .../REGION/ACCOUNT/NAME, as an address."""
    segments = urlsplit(path).path.removeprefix(MESSAGES).strip("/").split("/")
    return "/" + "/".join(segments[-2:]) if len(segments) >= 2 else None


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as problem:  # a ValidationError is one
        raise Mistake(f"the body is not what is wanted: {problem}") from None


def _moment_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake(f"{text!r} is no moment; give one such as 2030-01-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise Mistake(f"{text!r} has no timezone; add Z for UTC")
    return round(moment.timestamp() * 1000)


def _shown_moment(now_ms: int) -> str:
    text = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _event(event: Event) -> dict[str, Any]:
    facts = event._asdict() | {"queue": event.queue.name, "account": event.queue.account}
    return {name: value for name, value in facts.items() if value is not None}


def _json(document: object) -> HttpResponse:
    return _response(HTTPStatus.OK, msgspec.json.encode(document))


def _refusal(status: HTTPStatus, text: str) -> HttpResponse:
    return _response(status, msgspec.json.encode({"error": text}))


def _response(status: HTTPStatus, body: bytes) -> HttpResponse:
    return HttpResponse(status=status, body=body, headers=(("Content-Type", "application/json"),))
