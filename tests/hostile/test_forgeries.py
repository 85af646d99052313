"""Receipt handles, task handles and page tokens that we did not make, or not for this: refused, and nothing moves."""

import base64
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile.canary import Canary
from support.in_process import InProcessServer
from support.wire_client import Answer, WireClient


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def client(server: InProcessServer) -> WireClient:
    client = WireClient(server.url)
    for name in ("q", "other"):
        assert client.json("CreateQueue", QueueName=name).status == 200
    return client


def receive_one(client: WireClient, queue: str = "q") -> str:
    assert client.json("SendMessage", QueueUrl=queue, MessageBody="precious").status == 200
    (message,) = client.json("ReceiveMessage", QueueUrl=queue).json["Messages"]
    return str(message["ReceiptHandle"])


def in_flight(client: WireClient) -> str:
    name = "ApproximateNumberOfMessagesNotVisible"
    answer = client.json("GetQueueAttributes", QueueUrl="q", AttributeNames=[name])
    return str(answer.json["Attributes"][name])


def variations(text: str) -> list[str]:
    """Each bit of the decoded bytes turned over, cut short, made longer, doubled, in another case, with blanks."""
    raw = base64.b64decode(text)
    flipped = [
        base64.b64encode(raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]).decode()
        for place in range(len(raw))
        for bit in range(8)
    ]
    others = [text[:length] for length in range(1, len(text), 7)]
    others += [
        text + "A",
        text + "=",
        text * 2,
        text.swapcase(),
        f" {text}",
        f"{text}\n",
        text[:30] + "\0" + text[31:],
    ]
    others += ["0", "AQEB" + "A" * 56, "\ud800" * 60, "é" * 60, "x" * 100_000, "=" * 60]
    return flipped + others


def assert_invalid(answer: Answer) -> None:
    assert (answer.status, answer.code) == (404, "ReceiptHandleIsInvalid")
    assert answer.message.startswith('The input receipt handle "')


def test_no_forged_handle_deletes_or_hides(client: WireClient, server: InProcessServer) -> None:
    handle = receive_one(client)
    for forged in variations(handle):
        assert_invalid(client.json("DeleteMessage", QueueUrl="q", ReceiptHandle=forged))
        assert_invalid(
            client.json("ChangeMessageVisibility", QueueUrl="q", ReceiptHandle=forged, VisibilityTimeout=0)
        )
    assert in_flight(client) == "1"
    assert client.json("DeleteMessage", QueueUrl="q", ReceiptHandle=handle).status == 200
    assert in_flight(client) == "0"


def test_forged_handles_in_a_batch_fail_alone(client: WireClient) -> None:
    handle = receive_one(client)
    forged = random.Random(1).sample(variations(handle)[:300], 9)
    entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate([*forged, handle])]
    answer = client.json("DeleteMessageBatch", QueueUrl="q", Entries=entries).json
    assert [entry["Id"] for entry in answer["Successful"]] == ["9"]
    assert {entry["Code"] for entry in answer["Failed"]} == {"ReceiptHandleIsInvalid"}


def test_a_handle_of_another_queue_or_another_server_is_no_handle(
    client: WireClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    receive_one(client)
    assert_invalid(client.json("DeleteMessage", QueueUrl="q", ReceiptHandle=receive_one(client, "other")))
    stranger = InProcessServer(tmp_path_factory.mktemp("stranger"))
    try:
        strange = WireClient(stranger.url)
        strange.json("CreateQueue", QueueName="q")
        handle = receive_one(strange)
    finally:
        stranger.stop()
    assert_invalid(client.json("DeleteMessage", QueueUrl="q", ReceiptHandle=handle))
    assert in_flight(client) == "1"


def test_no_forged_task_handle_cancels(client: WireClient) -> None:
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    policy = f'{{"deadLetterTargetArn":"{arn}q","maxReceiveCount":1}}'
    client.json("SetQueueAttributes", QueueUrl="other", Attributes={"RedrivePolicy": policy})
    for _ in range(30):
        client.json("SendMessage", QueueUrl="q", MessageBody="dead")
    started = client.json(
        "StartMessageMoveTask", SourceArn=f"{arn}q", DestinationArn=f"{arn}other", MaxNumberOfMessagesPerSecond=1
    )
    handle = started.json["TaskHandle"]
    for forged in [*variations(handle), "e30=", base64.b64encode(b'{"taskId": "x", "sourceArn": 7}').decode()]:
        answer = client.json("CancelMessageMoveTask", TaskHandle=forged)
        assert 400 <= answer.status < 500, forged[:100]
    tasks = client.json("ListMessageMoveTasks", SourceArn=f"{arn}q").json["Results"]
    assert [task["Status"] for task in tasks] == ["RUNNING"]
    assert client.json("CancelMessageMoveTask", TaskHandle=handle).status == 200


def test_no_forged_page_token_harms(client: WireClient, server: InProcessServer) -> None:
    token = client.json("ListQueues", MaxResults=1).json["NextToken"]
    for forged in variations(token):
        answer = client.json("ListQueues", MaxResults=1, NextToken=forged)
        assert answer.status in (200, 400), answer.body
    Canary(server.url).sings()
