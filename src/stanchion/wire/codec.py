"""What a codec is: bytes to a call, and a call's answer to bytes."""

from typing import ClassVar, Protocol

import msgspec

from stanchion.actions import Action, Shape
from stanchion.errors import CoralError, SQSError
from stanchion.wire.http import HttpRequest, HttpResponse


class Call(msgspec.Struct, frozen=True):
    """One decoded request.

    ``parameters`` are all Query parameters as decoded pairs, those of the query string first; the older
    signature scheme signs them. They are empty in the JSON protocol.
    """

    action: Action
    input: Shape
    parameters: tuple[tuple[str, str], ...]


class Codec(Protocol):
    """Speaks one protocol. Use the codec that decoded a request for its answer."""

    def decode(self, request: HttpRequest) -> Call:
        """The call in a request. Whatever the bytes are, it returns or raises an SQSError."""
        ...

    def encode_result(self, action: Action, output: Shape | None, request_id: str) -> HttpResponse:
        """The answer to a call. ``output`` is None for void actions; its empty lists and maps are None."""
        ...

    def encode_error(self, error: SQSError, request_id: str) -> HttpResponse: ...


class UnknownOperation(CoralError):
    """A request that does not try to be a call, such as a browser's GET of a queue URL."""

    shape: ClassVar[str] = "UnknownOperationException"
    code: ClassVar[str] = "InvalidAction"
    status: ClassVar[int] = 404

    def __init__(self) -> None:
        super().__init__("The request names no action.")


REQUEST_ID_HEADER = "x-amzn-RequestId"


def error_headers(error: SQSError, request_id: str, content_type: str) -> tuple[tuple[str, str], ...]:
    """The headers of every error. SDKs take the error code from x-amzn-query-error, in both protocols."""
    return (
        (REQUEST_ID_HEADER, request_id),
        ("x-amzn-query-error", f"{error.code};{error.fault}"),
        ("Content-Type", content_type),
    )
