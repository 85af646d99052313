"""The ceiling: what HTTP alone costs. Decodes a JSON body and answers it, and does nothing else.

    python benchmarks/echo.py [--port 9399] [--bare] [--later]

Without flags, through the server's own protocol; with --bare, through the shortest httptools protocol that can answer
the same requests and promises nothing (no limits, no order, no time-outs). What the first misses of the second is the
price of the promises. With --later, answers come a turn of the loop later, as they do behind a commit.
"""

import argparse
import asyncio
import gc

import httptools
import msgspec
import uvloop

from stanchion.clock import SystemClock
from stanchion.server.http import HttpServer, Limits, Reply, Service
from stanchion.wire.http import HttpRequest, HttpResponse

JSON = "application/x-amz-json-1.0"
HEADERS = (("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000"), ("Content-Type", JSON))


def answer_to(body: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(body))


class Echo:
    """The service that answers what it was sent."""

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        reply(HttpResponse(status=200, body=answer_to(request.body), headers=HEADERS))


class EchoLater:
    def handle(self, request: HttpRequest, reply: Reply) -> None:
        response = HttpResponse(status=200, body=answer_to(request.body), headers=HEADERS)
        asyncio.get_running_loop().call_soon(reply, response)


class BareProtocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        body = answer_to(self.body)
        self.headers, self.body = {}, b""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (JSON.encode(), len(body), body)
        )


async def serve_bare(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(BareProtocol, "127.0.0.1", port, backlog=1024)
    await run(server)


async def serve(port: int, service: Service) -> None:
    server = HttpServer(service, Limits(), SystemClock())
    await server.start("127.0.0.1", port)
    await run(server)


async def run(server: object) -> None:
    """Serve until killed; ``server`` only has to stay referenced."""
    gc.freeze()
    print("ready", flush=True)
    await asyncio.Event().wait()
    del server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9399)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--later", action="store_true")
    given = parser.parse_args()
    if given.bare:
        uvloop.run(serve_bare(given.port))
    else:
        uvloop.run(serve(given.port, EchoLater() if given.later else Echo()))


if __name__ == "__main__":
    main()
