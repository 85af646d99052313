"""Bytes that are no request: an error of HTTP's and SQS's own, or a clean close, and the canary sings on."""

import random
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hostile.canary import Canary
from support.in_process import InProcessServer

PATIENCE_SECONDS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def canary(server: InProcessServer) -> Canary:
    return Canary(server.url)


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def exchange(url: str, sent: bytes) -> bytes:
    """All that comes back until the server closes. A hang is a timeout, and that an error."""
    with connect(url) as client:
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        except OSError:  # the server has hung up before it had it all
            return b""
        answer = b""
        try:
            while piece := client.recv(65_536):
                answer += piece
        except ConnectionError:  # closed with bytes of ours still unread
            return answer
        return answer


def request(*headers: str, line: str = "POST / HTTP/1.1", body: bytes = b"") -> bytes:
    return "\r\n".join([line, *headers]).encode("latin-1") + b"\r\n\r\n" + body


TARGET = ("Host: x", "X-Amz-Target: AmazonSQS.ListQueues", "Content-Type: application/x-amz-json-1.0")

ATTACKS = {
    "nothing": b"",
    "a line feed": b"\n",
    "zeros": bytes(100_000),
    "noise": random.Random(1).randbytes(100_000),
    "a TLS hello": bytes.fromhex("16030100f1010000ed0303") + bytes(200),
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a shell": b"() { :;}; /bin/sh\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version 9": request("Host: x", line="GET / HTTP/9.9"),
    "no host": request(line="GET / HTTP/1.1"),
    "two hosts": request("Host: a", "Host: b", line="GET / HTTP/1.1"),
    "an unknown method": request("Host: x", line="BREW / HTTP/1.1"),
    "a half request": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le",
    "a half body": request(*TARGET, "Content-Length: 100", body=b"{}"),
    "a negative length": request(*TARGET, "Content-Length: -1", body=b"{}"),
    "a length of words": request(*TARGET, "Content-Length: two", body=b"{}"),
    "a huge length": request(*TARGET, "Content-Length: " + "9" * 40, body=b"{}"),
    "a length beyond the limit": request(*TARGET, "Content-Length: 10000000000", body=b"{}"),
    "two lengths": request(*TARGET, "Content-Length: 2", "Content-Length: 3", body=b"{}"),
    "a length and chunks": request(*TARGET, "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "a chunk of no size": request(*TARGET, "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of endless size": request(*TARGET, "Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\n"),
    "ten thousand headers": request(*[f"X-{n}: {n}" for n in range(10_000)]),
    "one header ten thousand times": request(*["X-Same: 1"] * 10_000),
    "an endless header": b"GET / HTTP/1.1\r\nX: " + b"a" * 2_000_000,
    "an endless URL": b"GET /" + b"a" * 2_000_000,
    "a header without a name": request("Host: x", ": nothing"),
    "a header with a zero": request("Host: x", "X: a\0b"),
    "a folded header": request("Host: x", "X: a", " b"),
    "a bare line feed": b"GET / HTTP/1.1\nHost: x\n\n",
    "an URL beyond ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "an URL with a fragment": request("Host: x", line="GET /#a HTTP/1.1"),
    "a bad escape": request("Host: x", line="GET /000000000000/%zz?Action=%zz HTTP/1.1"),
    "a path that climbs": request("Host: x", line="GET /../../etc/passwd HTTP/1.1"),
    "CONNECT": request("Host: x", line="CONNECT x:443 HTTP/1.1"),
    "an upgrade": request("Host: x", "Connection: Upgrade", "Upgrade: websocket", line="GET / HTTP/1.1"),
    "a body that is unpacked": request(*TARGET, "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a target of zeros": request("Host: x", "X-Amz-Target: AmazonSQS.\xff", "Content-Length: 2", body=b"{}"),
    "a broken signature": request(*TARGET, "Authorization: AWS4-HMAC-SHA256 \xff", "Content-Length: 2", body=b"{}"),
    "an endless signature": request(*TARGET, "Authorization: " + "A=" * 20_000, "Content-Length: 2", body=b"{}"),
    "a trace header": request(*TARGET, "X-Amzn-Trace-Id: \xe9" + "x" * 30_000, "Content-Length: 2", body=b"{}"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_an_error_or_a_close(server: InProcessServer, canary: Canary, name: str) -> None:
    # An interim answer may come first: it shows the server whether somebody is still there.
    answer = exchange(server.url, ATTACKS[name]).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if answer:
        status_line, _, rest = answer.partition(b"\r\n")
        version, status, *_ = status_line.split(b" ")
        assert version == b"HTTP/1.1"
        assert 200 <= int(status) < 500, answer
        assert b"x-amzn-requestid" in rest.lower()
    canary.sings()


@pytest.mark.parametrize("seed", range(20))
def test_requests_with_flipped_bytes_get_an_error_or_a_close(
    server: InProcessServer, canary: Canary, seed: int
) -> None:
    chance = random.Random(seed)
    sound = request(*TARGET, "Content-Length: 25", body=b'{"QueueNamePrefix": "can"}'[:25])
    for _ in range(20):
        damaged = bytearray(sound * 2)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        answer = exchange(server.url, bytes(damaged))
        assert b"HTTP/1.1 5" not in answer, bytes(damaged)
    canary.sings()


def test_clients_that_hang_up_at_any_byte_harm_nobody(server: InProcessServer, canary: Canary) -> None:
    body = b'{"QueueUrl": "canary", "WaitTimeSeconds": 20}'
    sound = request("Host: x", "X-Amz-Target: AmazonSQS.ReceiveMessage", f"Content-Length: {len(body)}", body=body)
    for length in range(0, len(sound), 3):
        client = connect(server.url)
        client.sendall(sound[:length])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a farewell
        client.close()
    canary.sings()
