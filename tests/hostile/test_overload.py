"""More requests than can be served: some are refused at once, the rest is served, and nothing grows."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.in_process import InProcessServer
from support.wire_client import WireClient

LIMIT = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path, max_waiting_requests=str(LIMIT))
    assert WireClient(server.url).json("CreateQueue", QueueName="q").status == 200
    yield server
    server.stop()


def in_json(action: str, **members: object) -> bytes:
    body = json.dumps(members).encode()
    return (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.{action}\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def in_query(query: str) -> bytes:
    return f"GET /?{query}&Version=2012-11-05 HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def answers_to(server: InProcessServer, requests: list[bytes]) -> list[tuple[int, bytes]]:
    """Send all in one piece, on one connection, so that they meet the server in one turn of its loop."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(b"".join(requests))
        with connection.makefile("rb") as answers:
            return [read_answer(answers) for _ in requests]


def read_answer(answers) -> tuple[int, bytes]:
    status = int(answers.readline().split()[1])
    length = 0
    while line := answers.readline().strip().lower():
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, answers.read(length)


def sent(server: InProcessServer) -> int:
    answer = WireClient(server.url).json("GetQueueAttributes", QueueUrl="q", AttributeNames=["All"])
    return int(answer.json["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.parametrize("more", [0, 1, 25])
def test_those_beyond_the_limit_are_throttled_and_the_others_served(server: InProcessServer, more: int) -> None:
    request = in_json("SendMessage", QueueUrl="q", MessageBody="x")
    answers = answers_to(server, [request] * (LIMIT + more))
    assert [status for status, _ in answers] == [200] * LIMIT + [403] * more
    assert sent(server) == LIMIT
    assert server.application.broker.throttled == more


def test_slow_actions_are_throttled_too(server: InProcessServer) -> None:
    answers = answers_to(server, [in_json("ListQueues")] * (LIMIT + 3))
    assert [status for status, _ in answers] == [200] * LIMIT + [403] * 3


def test_the_throttling_error_is_that_of_sqs_in_either_protocol(server: InProcessServer) -> None:
    fill = [in_json("SendMessage", QueueUrl="q", MessageBody="x")] * LIMIT
    *_, as_json, as_xml = answers_to(server, [*fill, in_json("ListQueues"), in_query("Action=ListQueues")])
    assert as_json[0] == as_xml[0] == 403
    assert json.loads(as_json[1]) == {
        "__type": "com.amazonaws.sqs#RequestThrottled",
        "message": "Request is throttled.",
    }
    assert b"<Code>RequestThrottled</Code>" in as_xml[1]


def test_receives_that_wait_for_messages_take_no_room(server: InProcessServer) -> None:
    poll = in_json("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20)
    parts = urlsplit(server.url)
    connections = [socket.create_connection((parts.hostname, parts.port), timeout=30) for _ in range(2 * LIMIT)]
    try:
        for number, connection in enumerate(connections, start=1):
            connection.sendall(poll)
            server.waiting(number)
        assert WireClient(server.url).json("ListQueues").status == 200
        assert server.application.broker.throttled == 0
    finally:
        for connection in connections:
            connection.close()


def test_what_clients_left_behind_makes_room_when_it_is_done(server: InProcessServer) -> None:
    request = in_json("SendMessage", QueueUrl="q", MessageBody="x")
    for _ in range(20):
        assert [status for status, _ in answers_to(server, [request] * LIMIT)] == [200] * LIMIT
    assert sent(server) == 20 * LIMIT


def test_upkeep_goes_on_while_requests_are_throttled(server: InProcessServer) -> None:
    async def overloaded() -> int:
        store = server.application.store
        promises = [store.list_queues("", "", "", "", 1) for _ in range(LIMIT)]
        next_ms = await store.tidy(server.clock.now_ms())
        for promise in promises:
            await promise
        return next_ms

    assert server.run(overloaded()) > 0
