"""One client connection: requests to the service, answers to the client, within bounds.

All on the event loop's thread, without a task and (but for the parser's own calls) without an object per event:

    bytes ──► RequestReader ──► Exchange ──► service.handle(request, reply)
                                   │                              │
    bytes ◄── answers in the order of the requests ◄──────────────┘ now or later

What is bounded, and where: sizes in the RequestReader, requests under way in ``_has_room``, bytes held over all
connections in ``Hub.buffered_bytes``, time in ``expire``.
"""

import asyncio
import logging
import socket
from collections import deque
from typing import Final, cast

import msgspec

from stanchion.errors import InternalFailure, ServiceUnavailable, SQSError
from stanchion.server.cors import ALLOWED_METHODS
from stanchion.server.exchange import Exchange
from stanchion.server.hub import Hub
from stanchion.server.refusals import MethodNotAllowed, RequestTimedOut
from stanchion.server.request_reader import BETWEEN, BODY, HEAD, PIECE_BYTES, RequestReader
from stanchion.server.responses import CLOSE, CONTINUE
from stanchion.wire.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

_NEVER: Final = float("inf")

# After this many requests a connection lets the others have their turn.
_TURN_REQUESTS: Final = 64
_JOIN_BYTES: Final = 65_536  # up to here, copying a body behind its head is cheaper than a second buffer

# After a refusal the client may still be sending. Closing at once would make its kernel throw our answer away
# (a reset), so we read on for a while without looking.
_LINGER_SECONDS: Final = 5.0
_LINGER_BYTES: Final = 16_777_216
# A client that is gone answers with a reset. From its own machine or the next one it is here by then; when it comes
# from farther away, the sweep sees it.
_RESET_SECONDS: Final = 0.002
# So many connections beyond max_connections are told so; the rest are just closed.
_REFUSABLE_CONNECTIONS: Final = 64


class Connection(asyncio.Protocol):
    """The protocol object of one connection. ``deadline`` is when the server's sweep calls ``expire``."""

    __slots__ = (
        "_body_mark",
        "_busy",
        "_closing",
        "_discarded",
        "_ended",
        "_exchanges",
        "_flush_due",
        "_held_out",
        "_hub",
        "_limits",
        "_linger",
        "_out",
        "_reader",
        "_reading_paused",
        "_transport",
        "_unfed",
        "_unsent",
        "_waiting",
        "_write_paused",
        "deadline",
    )

    _transport: asyncio.Transport
    _reader: RequestReader

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._limits = hub.limits
        self.deadline = hub.idle_deadline

        # Requests without an answer, oldest first; those at the end may not be handed over yet
        self._exchanges: deque[Exchange] = deque()
        self._waiting: deque[tuple[Exchange, HttpRequest]] = deque()
        self._unfed: memoryview | None = None  # bytes that the reader has not seen yet
        self._busy = False  # reading or handing over: answers are collected, and written at the end
        self._body_mark = 0  # length of the body when the current window of its timeout began

        self._out: list[bytes] = []  # answers to be written
        self._held_out = 0  # bytes of answers in Hub.buffered_bytes, because the client does not read
        self._flush_due = False
        self._unsent = 0  # bytes in the transport when the client was last seen to take some
        self._write_paused = False
        self._reading_paused = False

        self._ended = False  # the client will send no more (but may still read)
        self._linger = False  # the last answer is a refusal: the client may still be sending
        self._closing = False  # the last answer is written
        self._discarded = 0

    # ── The transport's side ─────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        client_ip = str(peer[0]) if peer else ""
        secure = transport.get_extra_info("ssl_object") is not None
        self._reader = RequestReader(self._hub, self._deliver, client_ip, secure)
        excess = self._hub.add(self) - self._limits.max_connections
        if excess > _REFUSABLE_CONNECTIONS:
            self.abort()
        elif excess > 0:
            self._refuse(ServiceUnavailable("Too many connections. Please try again shortly."))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._hub.read_all()
        self._closing = True
        self.deadline = _NEVER
        self._hub.remove(self)
        if self._exchanges:
            self._hub.busy -= 1
        for exchange in self._exchanges:
            self._hub.buffered_bytes -= exchange.charge
            exchange.abandon()
        self._exchanges.clear()
        self._waiting.clear()
        self._set_held(0)
        self._set_unfed(None)
        self._reader.release()

    def data_received(self, data: bytes) -> None:
        self._hub.read_soon(self, data)

    def take(self, data: bytes) -> None:
        """Read what has been received."""
        if self._reader.closed:
            self._discard(len(data))
        elif self._unfed is None and not self._waiting and len(data) <= PIECE_BYTES:
            self._busy = True
            error = self._reader.feed(data)
            if error is not None or self._reader.stage:
                self._after_piece(error)
            self._busy = False
            if self._waiting:
                self._regulate_reading()
            if self._out and not self._flush_due:
                self._flush_soon()
        else:
            self._set_unfed(memoryview(data if self._unfed is None else b"".join((self._unfed, data))))
            self._pump()

    def eof_received(self) -> bool:
        """A client that has sent all it wants may still wait for answers: keep our side open until then."""
        self._hub.read_all()
        if self._closing or not (self._exchanges or self._out or self._unfed) or not self._transport.can_write_eof():
            return False
        self._ended = True
        # A client that is gone altogether looks the same up to here. Answer-less bytes that HTTP allows at any
        # time make its kernel say so: without them, messages would be handed to a consumer that has died.
        if self._exchanges and not (self._out or self._reader.old_client):
            self._transport.write(CONTINUE)
            self._hub.loop.call_later(_RESET_SECONDS, self._look_for_the_client)
        self._set_deadline()
        return True

    def pause_writing(self) -> None:
        self._write_paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self._set_deadline()
        self._regulate_reading()

    def resume_writing(self) -> None:
        self._write_paused = False
        self._set_held(0)
        if not self._closing:
            self._set_deadline()
            self.flush()
            self._pump()

    # ── Reading, handing over, answering ─────────────────────────────────────────────────────────────────

    def _after_piece(self, error: SQSError | None) -> None:
        reader = self._reader
        if error is not None:
            self._refuse(error)
        elif reader.stage:
            if reader.continue_owed and not self._exchanges:
                self._offer_to_continue()
            if reader.timed_stage != reader.stage:
                reader.timed_stage = reader.stage
                self._set_deadline()

    def _deliver(self, request: HttpRequest, connection_line: str, charge: int) -> None:
        exchange = Exchange(self, connection_line, charge)
        if request.method == "HEAD":
            exchange.head_only = True
        if self._hub.cors is not None:
            exchange.origin = request.headers.get("origin")
        exchanges = self._exchanges
        if not exchanges:
            self._hub.busy += 1
        exchanges.append(exchange)
        if self._waiting or self._write_paused or (len(exchanges) > 1 and len(exchanges) > self._hub.share):
            self._waiting.append((exchange, request))
        else:
            self._hand_over(exchange, request)

    def _has_room(self) -> bool:
        under_way = len(self._exchanges) - len(self._waiting)
        return under_way < self._hub.share and not self._write_paused

    def _hand_over(self, exchange: Exchange, request: HttpRequest) -> None:
        hub = self._hub
        hub.requests += 1
        self.deadline = _NEVER  # the client waits for us
        if request.method == "OPTIONS":
            exchange(self._options(request))
            return
        try:
            cancel = hub.service.handle(request, exchange)
        except Exception:
            logger.exception("The service failed on %s %s.", request.method, request.path[:200])
            if exchange.connection is not None:
                exchange(hub.refusal(InternalFailure(), request.headers))
        else:
            if exchange.connection is not None:
                exchange.cancel = cancel

    def _options(self, request: HttpRequest) -> HttpResponse:
        if self._hub.cors is not None:
            return self._hub.cors.preflight(request.headers.get("origin"))
        refusal = self._hub.refusal(MethodNotAllowed(request.method), request.headers)
        return msgspec.structs.replace(refusal, headers=(*refusal.headers, ("Allow", ALLOWED_METHODS)))

    def answer(self, exchange: Exchange, response: HttpResponse) -> None:
        """Write the answer when those to earlier requests are written."""
        exchanges = self._exchanges
        if exchanges[0] is not exchange:
            exchange.response = response
            exchange.charge += len(response.body)
            self._hub.buffered_bytes += len(response.body)
            return
        exchanges.popleft()
        self._put(exchange, response)
        while exchanges and (kept := exchanges[0].response) is not None:
            self._put(exchanges.popleft(), kept)
        if not exchanges:
            self._hub.busy -= 1
        if self._busy:
            return
        if not self._flush_due:
            self._flush_soon()

    def _put(self, exchange: Exchange, response: HttpResponse) -> None:
        hub = self._hub
        hub.buffered_bytes -= exchange.charge
        if hub.draining and not self._exchanges and self._reader.stage == BETWEEN:
            exchange.connection_line = CLOSE
        extra = () if hub.cors is None else hub.cors.answer_headers(exchange.origin)
        try:
            head = hub.heads.render(response, exchange.connection_line, extra)
        except (UnicodeEncodeError, ValueError):
            logger.exception("An answer has a head that HTTP cannot carry.")
            response = hub.refusal(InternalFailure(), {})
            head = hub.heads.render(response, exchange.connection_line, extra)
        body = b"" if exchange.head_only else response.body
        if len(body) > _JOIN_BYTES:
            self._out += (head, body)
            self._write_out()  # to learn at once whether the client takes it
        else:
            self._out.append(head + body)
        if exchange.connection_line is CLOSE:
            self._reader.closed = True

    def _offer_to_continue(self) -> None:
        """Ask for the body that a client holds back. An interim answer has its place in the order too."""
        self._reader.continue_owed = False
        if not self._reader.body_bytes:
            self._out.append(CONTINUE)
            self._write_out()

    def _flush_soon(self) -> None:
        self._flush_due = True
        self._hub.flush_soon(self)

    def flush(self) -> None:
        """Write the answers of this turn of the loop."""
        self._flush_due = False
        if self._out:
            self._write_out()
        if not self._exchanges and not self._out:
            self._rest()

    def go_on(self) -> None:
        """Take up what waited for the answers that have been written."""
        if self._waiting or self._unfed is not None:
            self._pump()

    def _write_out(self) -> None:
        if not self._write_paused and not self._closing:
            out, self._out = self._out, []
            if len(out) == 1:
                self._transport.write(out[0])
            else:
                self._transport.writelines(out)
        if self._write_paused or self._held_out:
            self._hold_answers()

    def _rest(self) -> None:
        """Every request has its answer."""
        if self._closing:
            return
        reader = self._reader
        if reader.closed or (self._ended and self._unfed is None):
            self._hang_up()
        elif reader.stage == BETWEEN and not self._write_paused:
            self.deadline = self._hub.idle_deadline
            if self._hub.draining and self._unfed is None:
                self._hang_up()
        elif reader.continue_owed:
            self._offer_to_continue()

    def _hold_answers(self) -> None:
        """Account for the answers that wait, here and in the transport, because the client does not read."""
        held = sum(map(len, self._out)) + self._transport.get_write_buffer_size() if self._write_paused else 0
        self._set_held(held)

    def _set_held(self, held: int) -> None:
        self._hub.buffered_bytes += held - self._held_out
        self._held_out = held

    def _pump(self) -> None:
        """Hand over what waited and parse what is unread, as far as there is room and other clients allow."""
        if self._busy or self._closing:
            return
        self._busy = True
        turn_ends = self._hub.requests + _TURN_REQUESTS
        while self._has_room() and self._hub.requests < turn_ends:
            if self._waiting:
                self._hand_over(*self._waiting.popleft())
            elif self._unfed is not None:
                self._read_unfed(self._unfed)
            else:
                break
        else:
            if self._has_room():
                self._hub.loop.call_soon(self._pump)
        self._busy = False
        self._regulate_reading()
        self.flush()

    def _read_unfed(self, unfed: memoryview) -> None:
        self._set_unfed(unfed[PIECE_BYTES:] or None)
        self._after_piece(self._reader.feed(unfed[:PIECE_BYTES]))
        if self._reader.closed:
            self._set_unfed(None)

    def _set_unfed(self, rest: memoryview | None) -> None:
        before = 0 if self._unfed is None else len(self._unfed)
        self._hub.buffered_bytes += (0 if rest is None else len(rest)) - before
        self._unfed = rest

    def _regulate_reading(self) -> None:
        """Read on only when there is nothing unread and the client takes our answers."""
        pause = self._write_paused or bool(self._waiting) or self._unfed is not None
        if pause == self._reading_paused or self._closing or self._ended:
            return
        self._reading_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self._set_deadline()

    # ── Refusing, closing, time ──────────────────────────────────────────────────────────────────────────

    def _refuse(self, error: SQSError) -> None:
        """Answer with an error after the answers to earlier requests, and read no more."""
        reader = self._reader
        response = self._hub.refusal(error, reader.headers)
        exchange = Exchange(self, CLOSE, 0)
        exchange.origin = reader.headers.get("origin")
        self._linger = True
        self._stop_reading()
        if not self._exchanges:
            self._hub.busy += 1
        self._exchanges.append(exchange)
        self.deadline = _NEVER
        exchange(response)

    def _stop_reading(self) -> None:
        self._reader.closed = True
        self._reader.drop()
        self._set_unfed(None)

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded <= _LINGER_BYTES:
            return
        if self._closing:
            self.abort()
        elif not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _hang_up(self) -> None:
        """Everything is written: close, after a refusal with some patience."""
        self._closing = True
        self._stop_reading()
        transport = self._transport
        if self._linger and not self._ended and transport.can_write_eof():
            transport.write_eof()
            if self._reading_paused:
                self._reading_paused = False
                transport.resume_reading()
            self.deadline = self._hub.now + _LINGER_SECONDS
        else:
            self._unsent = transport.get_write_buffer_size()
            self.deadline = self._hub.now + self._limits.write_timeout_seconds
            transport.close()

    def drain(self) -> None:
        """The server stops: an idle connection closes now, others after their last answer."""
        if not self._exchanges and not self._out:
            self._rest()

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def _set_deadline(self) -> None:
        now, limits = self._hub.now, self._limits
        if self._closing:
            return
        if self._write_paused:
            self.deadline = now + limits.write_timeout_seconds
        elif self._ended:
            self.deadline = now
        elif self._reading_paused:
            self.deadline = _NEVER
        elif self._reader.stage == HEAD:
            self.deadline = now + limits.header_timeout_seconds
        elif self._reader.stage == BODY:
            self._body_mark = self._reader.body_bytes
            self.deadline = now + limits.body_timeout_seconds
        else:
            self.deadline = _NEVER if self._exchanges else self._hub.idle_deadline

    def expire(self) -> None:
        """The deadline has passed."""
        if self._closing or self._write_paused:
            self._expire_writing()
        elif self._ended:
            self._look_for_the_client()
        elif self._reading_paused or (self._reader.stage == BETWEEN and self._exchanges):
            self.deadline = _NEVER
        elif self._reader.stage == HEAD:
            self._refuse(RequestTimedOut())
        elif self._reader.stage == BODY:
            self._expire_body()
        else:
            self._hang_up()

    def _expire_writing(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if (self._closing and self._linger) or unsent >= self._unsent:
            self.abort()
        else:
            self._unsent = unsent
            self.deadline = self._hub.now + self._limits.write_timeout_seconds

    def _look_for_the_client(self) -> None:
        if self._closing:
            return
        client: socket.socket = self._transport.get_extra_info("socket")
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.abort()

    def _expire_body(self) -> None:
        limits = self._limits
        if self._reader.body_bytes - self._body_mark < limits.min_body_bytes_per_second * limits.body_timeout_seconds:
            self._refuse(RequestTimedOut())
        else:
            self._set_deadline()
