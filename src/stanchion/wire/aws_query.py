"""AWS Query: the action and its input as form parameters, the output as XML, or as JSON for those who ask."""

import re
from typing import Final

from stanchion.actions import ACTIONS, Action, Shape
from stanchion.errors import InvalidAction, MissingAction, NoSuchVersion, SQSError
from stanchion.wire import query_json, xml
from stanchion.wire.codec import REQUEST_ID_HEADER, Call, UnknownOperation, error_headers
from stanchion.wire.form import Pair, read_form
from stanchion.wire.http import HttpRequest, HttpResponse
from stanchion.wire.query_input import read_input

_VERSION: Final = "2012-11-05"
_VERSIONS: Final = frozenset({_VERSION, "2006-04-01", "2007-05-01", "2008-01-01", "2009-02-01", "2011-10-01"})

_XML: Final = "text/xml"
_JSON: Final = "application/json"

_QUEUE_PATH = re.compile(r"/[0-9]{12}/[^/]+/?")

# What the endpoint of a queue does not do: actions on the account, though GetQueueUrl may ask for another queue.
_NOT_ON_A_QUEUE: Final = frozenset({"CreateQueue", "ListQueues"})


class AwsQuery:
    """The Query codec for one request: it remembers the API version and the format that were asked for."""

    __slots__ = ("_version", "_wants_json")

    def __init__(self, *, wants_json: bool) -> None:
        self._wants_json = wants_json
        self._version = _VERSION

    def decode(self, request: HttpRequest) -> Call:
        pairs = _read_parameters(request)
        parameters = dict(pairs)  # the form comes after the query string, so it wins
        action = _find_action(request, parameters)
        self._version = _find_version(parameters)
        if action.scope == "queue":
            parameters.setdefault("QueueUrl", _queue_address(request))
        return Call(action, read_input(action.name, parameters), tuple(pairs))

    def encode_result(self, action: Action, output: Shape | None, request_id: str) -> HttpResponse:
        if self._wants_json:
            body = query_json.result_document(action, output, request_id)
        else:
            body = xml.result_document(action, output, request_id, self._version)
        headers = ((REQUEST_ID_HEADER, request_id), ("Content-Type", _JSON if self._wants_json else _XML))
        return HttpResponse(status=200, body=body, headers=headers)

    def encode_error(self, error: SQSError, request_id: str) -> HttpResponse:
        content_type = _XML
        if isinstance(error, UnknownOperation):
            body = b"<UnknownOperationException/>"  # whatever format was asked for
        elif self._wants_json:
            content_type = _JSON
            body = query_json.error_document(error, request_id)
        else:
            body = xml.error_document(error, request_id, self._version)
        return HttpResponse(status=error.status, body=body, headers=error_headers(error, request_id, content_type))


def _read_parameters(request: HttpRequest) -> list[Pair]:
    # A lone surrogate in the query string becomes bytes that are not UTF-8, which the form reader refuses.
    pairs = read_form(request.query.encode("utf-8", "surrogatepass"))
    return pairs + read_form(request.body) if request.method == "POST" else pairs


def _find_action(request: HttpRequest, parameters: dict[str, str]) -> Action:
    name = parameters.get("Action")
    if request.method not in ("GET", "POST"):
        raise UnknownOperation
    if not name:
        raise MissingAction if request.method == "POST" else UnknownOperation
    action = ACTIONS.get(name)
    if action is None or (name in _NOT_ON_A_QUEUE and _QUEUE_PATH.fullmatch(request.path)):
        raise InvalidAction(name)
    return action


def _find_version(parameters: dict[str, str]) -> str:
    version = parameters.get("Version") or _VERSION
    if version not in _VERSIONS:
        raise NoSuchVersion(version)
    return version


def _queue_address(request: HttpRequest) -> str:
    """What the request's own address says about the queue: its path, or the whole address for an error to quote."""
    if _QUEUE_PATH.fullmatch(request.path):
        return request.path
    scheme = "https" if request.secure else "http"
    return f"{scheme}://{request.headers.get('host', '')}{request.path}"
