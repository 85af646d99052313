"""A real server on a real loop with a service that does as it is told, and clients that send raw bytes."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple

from stanchion.clock import ManualClock
from stanchion.server.http import HttpServer, Limits, Reply
from stanchion.wire.http import HttpRequest, HttpResponse

PATIENCE_SECONDS = 10.0  # a test that waits so long has found a hang


def post(body: bytes = b"hello", path: str = "/", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: queue.example", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(path: str = "/", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: queue.example", *headers]).encode("latin-1") + b"\r\n\r\n"


def text(body: bytes, *headers: tuple[str, str]) -> HttpResponse:
    return HttpResponse(status=200, body=body, headers=(("Content-Type", "text/plain"), *headers))


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Held:
    """A request that waits for the test to answer it."""

    def __init__(self, request: HttpRequest, reply: Reply) -> None:
        self.request = request
        self.reply = reply
        self.cancelled = asyncio.Event()

    def answer(self, body: bytes = b"") -> None:
        self.reply(text(body or self.request.body))


class FakeService:
    """Answers every request at once with its body, or holds those whose path starts with /hold."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.held: list[Held] = []
        self.respond: Callable[[HttpRequest], HttpResponse] = lambda request: text(request.body)
        self._arrived = asyncio.Event()

    def handle(self, request: HttpRequest, reply: Reply) -> Callable[[], None] | None:
        self.requests.append(request)
        self._arrived.set()
        if request.path.startswith("/hold"):
            held = Held(request, reply)
            self.held.append(held)
            return held.cancelled.set
        reply(self.respond(request))
        return None

    async def arrival_of(self, count: int) -> None:
        """Wait until ``count`` requests have been handed over in all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.requests) < count:
                self._arrived.clear()
                await self._arrived.wait()


class Client:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def flush(self) -> None:
        await self.writer.drain()

    def end(self) -> None:
        """Say that nothing more will be sent, and keep reading."""
        self.writer.write_eof()

    async def answer(self, *, bodiless: bool = False) -> Answer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            start, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            length = 0 if bodiless else int(headers.get("content-length", "0"))
            return Answer(int(start.split(" ")[1]), headers, await self.reader.readexactly(length))

    async def ask(self, data: bytes) -> Answer:
        self.send(data)
        return await self.answer()

    async def rest(self) -> bytes:
        """All that still comes until the server closes its side."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()

    async def cut_off(self) -> None:
        """Wait for the server to break the connection, cleanly or not."""
        with contextlib.suppress(ConnectionError):
            await self.rest()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Vanish: the kernel tells the server at once, as when a process with unread bytes dies."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Seconds:
    """The server's stopwatch, turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """The server under test with all that a test needs to drive it."""

    def __init__(self, limits: Limits, cors_origins: Iterable[str] = ()) -> None:
        self.service = FakeService()
        self.clock = ManualClock()
        self.seconds = Seconds()
        self.server = HttpServer(self.service, limits, self.clock, cors_origins, self.seconds)
        self.port = 0
        self._clients: list[Client] = []

    async def client(self, receive_buffer: int | None = None) -> Client:
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096 if receive_buffer else 2**24)
        client = Client(reader, writer)
        self._clients.append(client)
        return client

    async def ask(self, data: bytes) -> Answer:
        """One request on a connection of its own."""
        client = await self.client()
        return await client.ask(data)

    def pass_time(self, seconds: float) -> None:
        """Let a time-out come due, and look for it at once."""
        self.seconds.now += seconds
        self.server.sweep()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the loop is about to do."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110  the server has no event for most of what a test waits for
                await asyncio.sleep(0.001)

    async def all_gone(self) -> None:
        """The clients leave; nothing that they sent or did not read is held any longer."""
        for client in self._clients:
            client.writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()
        await self.server.close()
        assert self.server.connections == 0
        assert self.server.buffered_bytes == 0
        assert self.server._hub.busy == 0


@contextlib.asynccontextmanager
async def bench_of(limits: Limits | None = None, cors_origins: Iterable[str] = ()) -> AsyncIterator[Bench]:
    bench = Bench(limits or Limits(), cors_origins)
    bench.port = await bench.server.start("127.0.0.1", 0)
    try:
        yield bench
    finally:
        await bench.all_gone()
