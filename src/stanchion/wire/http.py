"""Requests and responses as values, between the socket and the codecs."""

from http import HTTPStatus

import msgspec


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, whole. ``path`` and ``query`` are as sent (still percent-encoded).

    Header names are lower case; a header that came twice has its values joined with a comma.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    client_ip: str = "127.0.0.1"
    secure: bool = False


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One response. Content-Length, Date and Connection are the server's to add."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase
