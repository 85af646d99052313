"""What the connections of one server share: the service, the limits, the time, and what they add up to."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from stanchion.errors import SQSError
from stanchion.ids import message_id
from stanchion.server.cors import Cors
from stanchion.server.responses import Heads, error_response
from stanchion.wire.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

Reply = Callable[[HttpResponse], None]
Cancel = Callable[[], object]


class Service(Protocol):
    def handle(self, request: HttpRequest, reply: Reply) -> Cancel | None:
        """Answer exactly once, at once or later, from the event loop.

        The returned callable, if any, is called when the client went away before the answer.
        """
        ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What clients may take: sizes for each request, ``max_connections`` and ``max_buffered_bytes`` over all."""

    max_connections: int = 10_000
    max_header_bytes: int = 65_536  # counted in pieces: up to request_reader.PIECE_BYTES more may get through
    max_headers: int = 128
    max_url_bytes: int = 262_144  # old clients send message bodies in GETs
    max_body_bytes: int = 8_388_608
    max_buffered_bytes: int = 268_435_456
    max_pipelined: int = 64
    header_timeout_seconds: float = 30.0  # from the first byte to the whole head
    body_timeout_seconds: float = 30.0  # a body must bring min_body_bytes_per_second over each such window
    min_body_bytes_per_second: int = 1_024
    idle_timeout_seconds: float = 120.0
    write_timeout_seconds: float = 30.0  # a reader that takes nothing for so long is cut


class Client(Protocol):
    """A connection, as the server sees it. ``deadline`` is the moment from which ``expire`` is to be called."""

    deadline: float

    def flush(self) -> None: ...
    def go_on(self) -> None: ...
    def take(self, data: bytes) -> None: ...
    def expire(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


_UNREAD_BYTES: Final = 4_194_304  # received in one turn of the loop and not looked at yet; more is read at once


# Requests under way over all connections that pipeline. Of a commit that so many share each pays next to nothing;
# more would only make everybody wait longer.
_SHARED_REQUESTS: Final = 256


class Hub:
    """Held by every connection of a server. Only the event loop's thread touches it."""

    def __init__(
        self,
        service: Service,
        limits: Limits,
        heads: Heads,
        cors: Cors | None,
        loop: asyncio.AbstractEventLoop,
        now_seconds: float,
    ) -> None:
        self.service = service
        self.limits = limits
        self.heads = heads
        self.cors = cors
        self.loop = loop
        self.connections: set[Client] = set()
        self._to_read: list[tuple[Client, bytes]] = []
        self._to_read_bytes = 0
        self._to_flush: list[Client] = []
        self.empty = asyncio.Event()
        self.empty.set()
        self.draining = False
        self.busy = 0  # connections with a request that has no answer yet
        self.buffered_bytes = 0
        self.accepted = 0
        self.requests = 0
        self.refused: dict[int, int] = {}
        self.tick(now_seconds)

    def tick(self, now_seconds: float) -> None:
        """Set the time that deadlines are counted from: once a second, so that a request never reads a clock."""
        self.now = now_seconds
        self.idle_deadline = now_seconds + self.limits.idle_timeout_seconds

    def add(self, connection: Client) -> int:
        """Count a connection in; answers how many are open."""
        self.accepted += 1
        self.connections.add(connection)
        self.empty.clear()
        return len(self.connections)

    def remove(self, connection: Client) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self.empty.set()

    @property
    def share(self) -> int:
        """How many requests of one connection may be under way: ``max_pipelined``, or fewer when many have some.

        Everybody's next request waits behind all that are under way, whoever sent them.
        """
        return max(1, min(self.limits.max_pipelined, _SHARED_REQUESTS // max(1, self.busy)))

    def read_soon(self, connection: Client, data: bytes) -> None:
        """Let a connection read when every socket that is ready has been emptied.

        Going to and fro between the kernel and the interpreter costs both their caches: with the requests of one
        turn of the loop handled in one go, each takes half the time (measured with 64 connections).
        """
        if not self._to_read:
            self.loop.call_soon(self.read_all)
        self._to_read.append((connection, data))
        self._to_read_bytes += len(data)
        if self._to_read_bytes > _UNREAD_BYTES:
            self.read_all()

    def read_all(self) -> None:
        """Hand over what has been received, in the order in which it came."""
        to_read, self._to_read = self._to_read, []
        self._to_read_bytes = 0
        for connection, data in to_read:
            try:
                connection.take(data)
            except Exception:  # a mistake of ours in one request must not silence the clients behind it
                logger.exception("Reading from a client failed.")
                connection.abort()

    def flush_soon(self, connection: Client) -> None:
        """Let a connection write when this turn of the loop has read what there is to read.

        Answers that are ready in one turn so go out in one write, and the processor does not go to and fro between
        reading one client's request and waking another client.
        """
        if not self._to_flush:
            self.loop.call_soon(self._flush_all)
        self._to_flush.append(connection)

    def _flush_all(self) -> None:
        to_flush, self._to_flush = self._to_flush, []
        for connection in to_flush:
            try:
                connection.flush()
            except Exception:  # whatever one transport does, the other clients wait for their answers
                logger.exception("Writing to a client failed.")
                connection.abort()
        for connection in to_flush:  # after all have been written, for the same reason
            try:
                connection.go_on()
            except Exception:
                logger.exception("Going on with a client's requests failed.")
                connection.abort()

    def refusal(self, error: SQSError, headers: dict[str, str]) -> HttpResponse:
        """The server's own answer to a request that had these headers."""
        self.refused[error.status] = self.refused.get(error.status, 0) + 1
        return error_response(error, message_id(os.urandom(16)), headers)
