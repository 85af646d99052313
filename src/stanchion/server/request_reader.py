"""Bytes to requests, within bounds. No socket: it is fed pieces and delivers requests.

llhttp, the parser, is strict by itself about what requests are smuggled with: two lengths, a length beside chunks,
bare line feeds, folded headers, control characters. What it lets pass and HTTP/1.1 does not is refused here.
"""

from typing import Final, NoReturn, Protocol

import httptools

from stanchion.errors import ServiceUnavailable, SQSError
from stanchion.server.hub import Hub
from stanchion.server.refusals import BadHttp, BodyTooLarge, HeadersTooLarge, MethodNotAllowed, UrlTooLong
from stanchion.server.responses import CLOSE, KEEP_ALIVE
from stanchion.wire.http import HttpRequest

# llhttp gives methods as bytes. It knows dozens, of RTSP and others too; these are the ones a service may be asked.
_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
}

# Looking a name up takes half the time of decoding and lowering it. The names that say something about the
# connection or the framing of a request are left out on purpose: see ``_rare_name``.
_HEADER_NAMES: Final = {
    spelling.encode(): name.lower()
    for name in (
        "Accept",
        "Accept-Encoding",
        "Amz-Sdk-Invocation-Id",
        "Amz-Sdk-Request",
        "Authorization",
        "Content-Length",
        "Content-MD5",
        "Content-Type",
        "Date",
        "Host",
        "Origin",
        "Referer",
        "User-Agent",
        "X-Amz-Content-SHA256",
        "X-Amz-Content-Sha256",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "X-Amz-Target",
        "X-Amz-User-Agent",
        "X-Amzn-Query-Mode",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
    )
    for spelling in (name, name.lower())
}

_FRAMING_HEADERS: Final = frozenset({"connection", "expect", "transfer-encoding", "upgrade"})

# Where the parser is.
BETWEEN: Final = 0
HEAD: Final = 1
BODY: Final = 2

# Bytes go into the parser in pieces of this size, since it cannot be stopped within one: a piece holds some 160 of
# the smallest requests, which then are the most that can exceed its share (and wait, not yet handed over).
PIECE_BYTES: Final = 4_096


class _Stop(Exception):
    """Leaves the parser from one of its callbacks; ``RequestReader._refusal`` says why."""


class Deliver(Protocol):
    def __call__(self, request: HttpRequest, connection_line: str, charge: int) -> None:
        """Take a request, and its ``charge``: the bytes that it holds in ``Hub.buffered_bytes``."""
        ...


class RequestReader:
    """The requests of one connection, one after the other."""

    __slots__ = (
        "_body",
        "_charge",
        "_client_ip",
        "_connection_line",
        "_deliver",
        "_framed",
        "_head",
        "_head_bytes",
        "_headers",
        "_hub",
        "_limits",
        "_method",
        "_parser",
        "_path",
        "_query",
        "_quiet_bytes",
        "_quiet_mark",
        "_refusal",
        "_secure",
        "_upgrading",
        "_url",
        "closed",
        "continue_owed",
        "old_client",
        "stage",
        "timed_stage",
    )

    def __init__(self, hub: Hub, deliver: Deliver, client_ip: str, secure: bool) -> None:
        self._hub = hub
        self._limits = hub.limits
        self._deliver = deliver
        self._client_ip = client_ip
        self._secure = secure
        self._parser = httptools.HttpRequestParser(self)
        self._refusal: SQSError | None = None
        self.closed = False  # no more requests are wanted

        # The request that is arriving
        self.stage = BETWEEN
        self.timed_stage = BETWEEN  # the stage that our owner has set a deadline for
        self.old_client = False  # speaks HTTP/1.0
        self.continue_owed = False  # the client waits to hear whether its body is welcome
        self._url = b""
        self._method = self._path = self._query = ""
        self._headers: list[tuple[bytes, bytes]] = []  # as they come
        self._head: dict[str, str] = {}  # all of them, once the body has begun
        self._head_bytes = 0  # bytes of pieces that ended within the head
        self._framed = False  # there is a header that says how to read on
        self._connection_line = ""
        self._upgrading = False
        self._body: bytes | bytearray = b""
        self._quiet_mark = 0  # length of the body when _quiet_bytes began to count
        self._quiet_bytes = 0  # bytes since then that brought no body: chunk extensions, trailers
        self._charge = 0  # bytes of it in Hub.buffered_bytes

    def feed(self, piece: bytes | memoryview) -> SQSError | None:
        """Read up to PIECE_BYTES more; answers why no more can be read, if so."""
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as pause:
            return self._stay_with_http(memoryview(piece)[pause.args[0] :])
        except httptools.HttpParserError as error:
            if self.closed:
                return None  # whatever follows the last request is not ours to judge
            return self._refusal or BadHttp(f"The request is not valid HTTP: {error}.")
        return self._count_partial(len(piece)) if self.stage else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request that is arriving, as far as they have come; of repeated ones the last."""
        return self._head or {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in self._headers}

    @property
    def body_bytes(self) -> int:
        """How much of the body has come."""
        return len(self._body)

    def drop(self) -> None:
        """Give back what half a request takes."""
        self._hub.buffered_bytes -= self._charge
        self._forget_request()

    def release(self) -> None:
        """The connection is gone. The parser holds our methods and we hold it: cut the circle, to spare the
        collector."""
        self.closed = True
        self.drop()
        del self._parser, self._deliver

    # ── Called by the parser ─────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self.closed:
            raise _Stop
        self.stage = BODY if self._upgrading else HEAD

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.stage = BODY
        raw, self._headers = self._headers, []  # on_header is called for trailers too, which nobody asked for
        if self._upgrading:
            self._upgrading = False  # a head of our own making
            return
        if len(raw) > self._limits.max_headers:
            self._stop(self._headers_too_large())
        self._head = headers = self._decoded(raw)
        method = self._parser.get_method()
        self._method = _METHODS.get(method, "")
        if not self._method:
            self._stop(MethodNotAllowed(method.decode("latin-1")))
        if self._framed or "host" not in headers or not self._parser.should_keep_alive():
            self._check_framing()
        if self._url == b"/":
            self._path, self._query = "/", ""
        else:
            self._read_url()

    def on_body(self, data: bytes) -> None:
        body = self._body
        if not body:
            self._body = data
        elif type(body) is bytearray:
            body += data
        else:
            self._body = bytearray(body) + data  # not a list of pieces: those of one byte would take fifty each

    def on_message_complete(self) -> None:
        if self._upgrading:
            return  # the parser wants to leave HTTP; _stay_with_http brings it back
        body = self._body
        hub, size = self._hub, len(body)
        charge = self._head_bytes + size
        hub.buffered_bytes += charge - self._charge
        self._charge = charge
        if size > self._limits.max_body_bytes or hub.buffered_bytes > self._limits.max_buffered_bytes:
            self._stop(self._body_refusal(size))
        request = HttpRequest(
            method=self._method,
            path=self._path,
            query=self._query,
            headers=self._head,
            body=body if type(body) is bytes else bytes(body),
            client_ip=self._client_ip,
            secure=self._secure,
        )
        line = self._connection_line
        self._forget_request()
        if line is CLOSE:
            self.closed = True
        self._deliver(request, line, charge)

    # ── Rules ────────────────────────────────────────────────────────────────────────────────────────────

    def _stop(self, error: SQSError) -> NoReturn:
        self._refusal = error
        raise _Stop

    def _decoded(self, raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
        try:
            headers = {_HEADER_NAMES[name]: value.decode("latin-1").rstrip(" \t") for name, value in raw}
        except KeyError:
            headers = {}
        return headers if len(headers) == len(raw) else self._decoded_with_care(raw)

    def _decoded_with_care(self, raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
        """The same for headers with names that are rare or come twice."""
        headers: dict[str, str] = {}
        for name, value in raw:
            key = _HEADER_NAMES.get(name) or self._rare_name(name)
            text = value.decode("latin-1").rstrip(" \t")
            if key not in headers:
                headers[key] = text
            elif key == "host":
                self._stop(BadHttp("The request has more than one Host header."))
            else:
                headers[key] = f"{headers[key]},{text}"
        return headers

    def _rare_name(self, name: bytes) -> str:
        text = name.decode("latin-1").lower()
        if text in _FRAMING_HEADERS:
            self._framed = True
        return text

    def _headers_too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(self._limits.max_headers, self._limits.max_header_bytes)

    def _check_framing(self) -> None:
        """A request that is not simply HTTP/1.1 with a length."""
        headers = self._head
        keep_alive = self._parser.should_keep_alive()
        version = self._parser.get_http_version()
        self.old_client = version == "1.0"
        if self.old_client:
            self._connection_line = KEEP_ALIVE if keep_alive else CLOSE
        elif version != "1.1":
            self._stop(BadHttp("The version of HTTP is neither 1.0 nor 1.1."))
        elif "host" not in headers:
            self._stop(BadHttp("The request has no Host header."))
        elif not keep_alive:
            self._connection_line = CLOSE
        # "gzip, chunked" passes the parser, but nobody here would unpack it. HTTP/1.0 has no chunks.
        if headers.get("transfer-encoding", "chunked").lower() != "chunked" or (
            self.old_client and "transfer-encoding" in headers
        ):
            self._stop(BadHttp("The Transfer-Encoding is not chunked."))
        if headers.get("expect", "").lower() == "100-continue" and not self.old_client:
            self.continue_owed = True
        self._upgrading = self._parser.should_upgrade()

    def _read_url(self) -> None:
        try:
            url = self._url.decode("ascii")
        except UnicodeDecodeError:
            self._stop(BadHttp("The URL has characters beyond ASCII."))
        if len(url) > self._limits.max_url_bytes:
            self._stop(UrlTooLong(self._limits.max_url_bytes))
        if "#" in url:
            self._stop(BadHttp("The URL has a fragment."))
        if url[:1] != "/" and url != "*":
            url = self._origin_form(url)
        self._path, _, self._query = url.partition("?")

    def _origin_form(self, url: str) -> str:
        """The part that counts of an absolute URL; its host overrides the Host header, as HTTP has it."""
        scheme, separator, rest = url.partition("://")
        authority = rest.partition("/")[0].partition("?")[0]
        if not separator or scheme.lower() not in ("http", "https") or not authority or "@" in authority:
            self._stop(BadHttp("The URL is neither a path nor one of http."))
        self._head["host"] = authority
        target = rest[len(authority) :]
        return target if target.startswith("/") else f"/{target}"

    def _stay_with_http(self, rest: memoryview) -> SQSError | None:
        """Go on after a head that asked for another protocol, as if it had not.

        The parser believes that what follows is the other protocol. A fresh one gets the framing of the request
        again, without the wish, and then the rest.
        """
        self._url = b""
        headers = self._head
        framing = [
            f"{name}: {headers[name]}\r\n" for name in ("content-length", "transfer-encoding") if name in headers
        ]
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{''.join(framing)}\r\n".encode("latin-1"))
        return self.feed(rest)

    def _count_partial(self, size: int) -> SQSError | None:
        """A piece has ended within a request: refuse what is, or will be, too large."""
        limits, hub = self._limits, self._hub
        come = body = len(self._body)
        if self.stage == HEAD:
            self._head_bytes += size
            if len(self._url) > limits.max_url_bytes:
                return UrlTooLong(limits.max_url_bytes)
            too_large = self._head_bytes - len(self._url) > limits.max_header_bytes
        else:
            too_large = self._count_quiet(size) > limits.max_header_bytes + PIECE_BYTES
            body = max(come, int(self._head.get("content-length", 0)))
        if too_large or len(self._headers) > limits.max_headers:
            return self._headers_too_large()
        charge = self._head_bytes + come
        hub.buffered_bytes += charge - self._charge
        self._charge = charge
        if body > limits.max_body_bytes or hub.buffered_bytes + body - come > limits.max_buffered_bytes:
            return self._body_refusal(body)
        return None

    def _body_refusal(self, size: int) -> SQSError:
        if size > self._limits.max_body_bytes:
            return BodyTooLarge(self._limits.max_body_bytes)
        return ServiceUnavailable("The server holds too many unfinished requests. Please try again shortly.")

    def _count_quiet(self, size: int) -> int:
        """Bytes of the body's stage that brought no body for a while: chunk extensions and trailers."""
        if len(self._body) != self._quiet_mark:
            self._quiet_mark, self._quiet_bytes = len(self._body), 0
        else:
            self._quiet_bytes += size
        return self._quiet_bytes

    def _forget_request(self) -> None:
        self.stage = self.timed_stage = BETWEEN
        self._headers, self._head = [], {}
        self._url = self._body = b""
        self._head_bytes = self._charge = self._quiet_mark = self._quiet_bytes = 0
        self._framed = self.continue_owed = False
        self._connection_line = ""
