"""Responses as bytes: status line, the headers that are the server's to add, and answers that it gives by itself."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Final

from stanchion.errors import SQSError
from stanchion.wire import codec_for
from stanchion.wire.http import HttpRequest, HttpResponse

CLOSE: Final = "Connection: close\r\n"
KEEP_ALIVE: Final = "Connection: keep-alive\r\n"  # has to be said to HTTP/1.0 clients only
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Heads:
    """Renders response heads. The Date is made once per ``tick``; a status line with it once per status and tick."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._starts: dict[int, str] = {}
        self.tick()

    def tick(self) -> None:
        """Take over the time; to be called about once a second, the resolution of a Date header."""
        self._date = formatdate(self._now_ms() // 1000, usegmt=True)
        self._starts.clear()

    def render(self, response: HttpResponse, connection_line: str, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
        """The head of ``response`` with the empty line at its end. Raises UnicodeEncodeError beyond latin-1."""
        status = response.status
        start = self._starts.get(status) or self._start(response)
        length = len(response.body) if status != 204 else ""  # 204 must not carry a length
        headers = response.headers
        if len(headers) == 2 and not extra:
            # Nearly every answer has just its id and its content type; one format is twice as fast as a loop.
            (first, first_value), (second, second_value) = headers
            lines = f"{first}: {first_value}\r\n{second}: {second_value}\r\n"
        else:
            lines = "".join([f"{name}: {value}\r\n" for name, value in (*headers, *extra)])
        return f"{start}{length}\r\n{lines}{connection_line}\r\n".encode("latin-1")

    def _start(self, response: HttpResponse) -> str:
        start = f"HTTP/1.1 {response.status} {response.reason}\r\nDate: {self._date}"
        if response.status != 204:
            start += "\r\nContent-Length: "
        self._starts[response.status] = start
        return start


def error_response(error: SQSError, request_id: str, headers: dict[str, str]) -> HttpResponse:
    """An error of the server itself, in the protocol that ``headers`` (as far as they have come) speak of."""
    request = HttpRequest(method="POST", path="/", query="", headers=headers, body=b"")
    return codec_for(request).encode_error(error, request_id)
