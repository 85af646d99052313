"""AWS JSON 1.0: the action in a header, the input and the output as JSON objects. The hot path of the server."""

import json
import re
from typing import Any, Final

import msgspec

from stanchion.actions import ACTIONS, Action, Shape
from stanchion.errors import InvalidAction, SQSError
from stanchion.wire.codec import REQUEST_ID_HEADER, Call, UnknownOperation, error_headers
from stanchion.wire.http import HttpRequest, HttpResponse
from stanchion.wire.json_input import read_input

_TARGET_PREFIX: Final = "AmazonSQS."
_CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_CONTENT_TYPE_HEADER: Final = ("Content-Type", _CONTENT_TYPE)

_encode = msgspec.json.Encoder().encode

_SURROGATE = re.compile("[\ud800-\udfff]")


def json_bytes(value: Any) -> bytes:
    """A value as JSON. A text that quotes half a surrogate pair gets U+FFFD, since UTF-8 cannot carry it."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return _SURROGATE.sub("\ufffd", text).encode()


class AwsJson:
    """The JSON codec. It keeps nothing between calls; use ``AWS_JSON``."""

    def __init__(self) -> None:
        # One look-up by the whole header gives the action and its ready-made decoder.
        self._targets = {
            _TARGET_PREFIX + name: (action, msgspec.json.Decoder(action.input).decode)
            for name, action in ACTIONS.items()
        }

    def decode(self, request: HttpRequest) -> Call:
        if request.method != "POST":
            raise UnknownOperation
        target = request.headers.get("x-amz-target", "")
        known = self._targets.get(target)
        if known is None:
            raise InvalidAction(target.removeprefix(_TARGET_PREFIX))
        action, decode = known
        try:
            return Call(action, decode(request.body), ())
        except (ValueError, RecursionError):
            # It is wrong, or right in a way that the fast decoder refuses.
            return Call(action, read_input(action.name, request.body), ())

    def encode_result(self, action: Action, output: Shape | None, request_id: str) -> HttpResponse:  # noqa: ARG002
        body = b"" if output is None else json_bytes(output)
        return HttpResponse(status=200, body=body, headers=((REQUEST_ID_HEADER, request_id), _CONTENT_TYPE_HEADER))

    def encode_error(self, error: SQSError, request_id: str) -> HttpResponse:
        document = {"__type": f"{error.namespace}#{error.shape}", error.text_key: error.message}
        headers = error_headers(error, request_id, _CONTENT_TYPE)
        return HttpResponse(status=error.status, body=json_bytes(document), headers=headers)


AWS_JSON: Final = AwsJson()
