"""How long things take: each action, a start, a call by boto3; and how much memory the server holds meanwhile."""

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import wrk
from bench import Bench, Figures, Measured, number
from client import Client
from servers import ACCOUNT, KEY_ID, REGION, SECRET, Server, queue_arn, queue_url, seconds_until_first_answer
from throughput import CONNECTIONS, backlog

STARTS = 5


def percentiles(values_ms: list[float]) -> Figures:
    ordered = sorted(values_ms)
    return {
        "count": len(ordered),
        "p50_ms": statistics.median(ordered),
        "p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        "max_ms": ordered[-1],
    }


# ── Each of the 23 actions ───────────────────────────────────────────────────────────────────────────────


class Actions:
    """Calls every action, over one connection, on a queue with a backlog, and notes how long each call took."""

    def __init__(self, client: Client, server: Server, rounds: int) -> None:
        self._client = client
        self._rounds = rounds
        self._url = queue_url(server, "bench")
        self._arn = queue_arn("bench")
        self.took_ms: dict[str, list[float]] = {}

    def call(self, action: str, **members: Any) -> dict[str, Any]:
        output, took_ms = self._client.timed(action, **members)
        self.took_ms.setdefault(action, []).append(took_ms)
        return output

    def on_queue(self, action: str, **members: Any) -> dict[str, Any]:
        return self.call(action, QueueUrl=self._url, **members)

    def _repeat(self, call: Callable[[], object]) -> None:
        for _ in range(self._rounds):
            call()

    def messages(self) -> None:
        entries = [{"Id": str(number), "MessageBody": "m" * 256} for number in range(10)]
        self._repeat(lambda: self.on_queue("SendMessage", MessageBody="m" * 256))
        self._repeat(lambda: self.on_queue("SendMessageBatch", Entries=entries))
        handles = [self._receive(1)[0] for _ in range(self._rounds)]
        batches = [self._receive(10) for _ in range(self._rounds)]
        for handle in handles:
            self.on_queue("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=600)
        for batch in batches:
            changes = [{**entry, "VisibilityTimeout": 600} for entry in _entries(batch)]
            self.on_queue("ChangeMessageVisibilityBatch", Entries=changes)
        for handle in handles:
            self.on_queue("DeleteMessage", ReceiptHandle=handle)
        for batch in batches:
            self.on_queue("DeleteMessageBatch", Entries=_entries(batch))

    def _receive(self, maximum: int) -> list[str]:
        """Only receives of one message are noted, so that the figure means something."""
        receive = self.on_queue if maximum == 1 else self._quietly
        answer = receive("ReceiveMessage", MaxNumberOfMessages=maximum, VisibilityTimeout=600)
        return [message["ReceiptHandle"] for message in answer["Messages"]]

    def _quietly(self, action: str, **members: Any) -> dict[str, Any]:
        return self._client.call(action, QueueUrl=self._url, **members)

    def queue(self) -> None:
        grant = {"Label": "bench", "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"]}
        for action, members in (
            ("GetQueueUrl", {"QueueName": "bench"}),
            ("ListQueues", {}),
            ("CreateQueue", {"QueueName": "created"}),
        ):
            self._repeat(lambda action=action, members=members: self.call(action, **members))
        self._repeat(lambda: self.on_queue("GetQueueAttributes", AttributeNames=["All"]))
        self._repeat(lambda: self.on_queue("ListDeadLetterSourceQueues"))
        for timeout in range(self._rounds):  # each call changes something: what does not change is not written
            self.on_queue("SetQueueAttributes", Attributes={"VisibilityTimeout": str(timeout)})
            self.on_queue("TagQueue", Tags={"team": "bench"})
            self.on_queue("ListQueueTags")
            self.on_queue("UntagQueue", TagKeys=["team"])
            self.on_queue("AddPermission", **grant)
            self.on_queue("RemovePermission", Label="bench")

    def move_tasks(self) -> None:
        """Tasks of one message a second, ended at once: what a start and an end cost, not the moving."""
        slowly = {"MaxNumberOfMessagesPerSecond": 1, "DestinationArn": queue_arn("bench-source")}
        for _ in range(self._rounds):
            started = self.call("StartMessageMoveTask", SourceArn=self._arn, **slowly)
            self.call("CancelMessageMoveTask", TaskHandle=started["TaskHandle"])
            while self._newest_task()["Status"] == "CANCELLING":
                time.sleep(0.001)

    def _newest_task(self) -> dict[str, Any]:
        newest: dict[str, Any] = self.call("ListMessageMoveTasks", SourceArn=self._arn)["Results"][0]
        return newest


def _entries(handles: Iterable[str]) -> list[dict[str, Any]]:
    return [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]


def actions(bench: Bench) -> Measured:
    for depth in bench.depths:
        took_ms = _actions_at(bench, depth)
        for action, values in took_ms.items():
            yield f"{action}, {number(depth)} messages", percentiles(values)


def _actions_at(bench: Bench, depth: int) -> dict[str, list[float]]:
    """A purge and a deletion need a store each, and there is one of both in every round."""
    took_ms: dict[str, list[float]] = {}
    for last in ("PurgeQueue", "DeleteQueue"):
        with bench.stanchion(bench.fresh_copy(backlog(depth))) as server, Client(server.url) as client:
            calls = Actions(client, server, 30 if bench.quick else 200)
            if last == "PurgeQueue":
                calls.messages()
                calls.queue()
                calls.move_tasks()
            calls.on_queue(last)
            took_ms |= calls.took_ms
    return dict(sorted(took_ms.items()))


# ── boto3 ────────────────────────────────────────────────────────────────────────────────────────────────


def boto3_sends(bench: Bench) -> Measured:
    """One thread that sends with boto3. Against the echo server the same call costs what the SDK itself takes."""
    with bench.echo() as server:
        floor = _boto3_sends(server, bench.seconds)
    yield "echo", floor
    with bench.stanchion() as server:
        with Client(server.url) as client:
            client.call("CreateQueue", QueueName="bench")
        figures = _boto3_sends(server, bench.seconds)
    yield "stanchion", figures | {"added_ms": figures["p50_ms"] - floor["p50_ms"]}


def _boto3_sends(server: Server, seconds: int) -> Figures:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "sqs",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )
    url, took_ms = queue_url(server, "bench"), []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        client.send_message(QueueUrl=url, MessageBody="m" * 256)
        took_ms.append((time.perf_counter() - began) * 1000)
    return percentiles(took_ms)


# ── Start and memory ─────────────────────────────────────────────────────────────────────────────────────


def starts(bench: Bench) -> Measured:
    deepest = bench.working_copy(backlog(bench.depths[-1]))
    cases = (("empty store", None), (f"{number(bench.depths[-1])} messages", deepest))
    for _ in range(STARTS):
        for name, store in cases:
            yield name, {"start_ms": seconds_until_first_answer(bench.variant(store), bench.folder) * 1000}


def memory(bench: Bench) -> Measured:
    with bench.stanchion() as server, Client(server.url) as client:
        client.call("ListQueues")
        yield "idle, empty store", {"resident_mb": server.resident_mb()}
    deepest = bench.depths[-1]
    with bench.stanchion(bench.working_copy(backlog(deepest))) as server:
        for options in ((), ("batch=10",)):
            wrk.cycle(server, queue_url(server, "bench"), CONNECTIONS, bench.seconds, *options)
        yield f"{number(deepest)} messages, after traffic", {"resident_mb": server.resident_mb()}
