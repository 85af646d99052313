"""From a request to the broker and back: protocol, caller, call, answer."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import msgspec

from stanchion.actions import Action, Shape
from stanchion.broker.broker import Done
from stanchion.broker.request import RequestIds
from stanchion.errors import SQSError
from stanchion.model import Caller, RequestContext
from stanchion.server.hub import Cancel, Reply
from stanchion.wire import Codec, codec_for
from stanchion.wire.aws_json import AWS_JSON
from stanchion.wire.http import HttpRequest
from stanchion.wire.proxies import TrustedProxies

_log = logging.getLogger(__name__)


class Identify(Protocol):
    """Says who sends a request, or raises the error for who cannot prove it."""

    def __call__(self, request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> Caller: ...


class Answering(Protocol):
    """Does what a request asks for. See `stanchion.broker.broker.Broker.call`."""

    def call(
        self,
        action: Action,
        given: Shape,
        caller: Caller,
        context: RequestContext,
        done: Done,
        *,
        query: bool = False,
    ) -> Cancel | None: ...


class SqsService:
    """The service behind the SQS port. See `stanchion.server.hub.Service`."""

    def __init__(
        self,
        broker: Answering,
        identify: Identify,
        *,
        public_url: str | None = None,
        own_address: str = "localhost",
        proxies: TrustedProxies | None = None,
    ) -> None:
        self._broker = broker
        self.identify = identify
        self._public_url = public_url
        self.own_address = own_address
        self._proxies = proxies or TrustedProxies()
        self._new_request_id = RequestIds()
        self.refused: dict[str, int] = {}  # requests that came to no action, by the code of the answer

    def handle(self, request: HttpRequest, reply: Reply) -> Cancel | None:
        if self._proxies:
            request = self.as_proxies_saw_it(request)
        codec = codec_for(request)
        request_id = self._new_request_id()
        try:
            call = codec.decode(request)
            caller = self.identify(request, call.parameters)
            context = self.context(request)
        except SQSError as error:
            _log_answer(request, error)
            self.refused[error.code] = self.refused.get(error.code, 0) + 1
            reply(codec.encode_error(error, request_id))
            return None
        answer = _Answer(codec, call.action, request, request_id, reply)
        return self._broker.call(call.action, call.input, caller, context, answer, query=codec is not AWS_JSON)

    def context(self, request: HttpRequest) -> RequestContext:
        headers = request.headers
        here = _origin(request.secure, headers.get("host") or self.own_address)
        return RequestContext(
            base_url=self._public_url or here,
            address=here + request.path,
            source_ip=request.client_ip,
            secure=request.secure,
            user_agent=headers.get("user-agent", ""),
            referer=headers.get("referer", ""),
            trace_header=headers.get("x-amzn-trace-id"),
        )

    def as_proxies_saw_it(self, request: HttpRequest) -> HttpRequest:
        headers = request.headers
        client_ip, secure = self._proxies.client(
            request.client_ip,
            headers.get("x-forwarded-for", ""),
            headers.get("x-forwarded-proto", ""),
            request.secure,
        )
        return msgspec.structs.replace(request, client_ip=client_ip, secure=secure)


class _Answer:
    """Turns what the broker says into bytes, in the protocol of the request."""

    __slots__ = ("_action", "_codec", "_reply", "_request", "_request_id")

    def __init__(self, codec: Codec, action: Action, request: HttpRequest, request_id: str, reply: Reply) -> None:
        self._codec = codec
        self._action = action
        self._request = request
        self._request_id = request_id
        self._reply = reply

    def __call__(self, answer: Shape | SQSError | None) -> None:
        if isinstance(answer, SQSError):
            _log_answer(self._request, answer)
            self._reply(self._codec.encode_error(answer, self._request_id))
        else:
            if _log.isEnabledFor(logging.DEBUG):
                _log.debug("%s %s %s: done", self._request.client_ip, self._request.method, self._action.name)
            self._reply(self._codec.encode_result(self._action, answer, self._request_id))


def _log_answer(request: HttpRequest, error: SQSError) -> None:
    level = logging.ERROR if error.status >= 500 else logging.DEBUG
    if _log.isEnabledFor(level):
        _log.log(level, "%s %s: %s %s", request.client_ip, request.method, error.code, error.message)


@lru_cache(maxsize=256)
def _origin(secure: bool, host: str) -> str:
    return f"{'https' if secure else 'http'}://{host}"
