"""The server dies by SIGKILL at random moments under load, again and again on one store file."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durability.store_file import Contents, read_contents
from durability.workload import DEAD, FAILING, FIFO, HIDDEN_SECONDS, REDRIVEN, STANDARD, Book, Line, workers
from support.in_process import InProcessServer
from support.server_process import ServerProcess

STORE = "store.db"
BACKLOG = 300  # messages of the move task
MOVES_PER_SECOND = 20


class Ordeal:
    """One store file, one book, many lives of the server."""

    def __init__(self, folder: Path, durability: str, seed: int) -> None:
        self.folder = folder
        self.flags = ("--store", f"sqlite:{STORE}", "--durability", durability)
        self.seed = seed
        self.chance = random.Random(seed)
        self.book = Book()
        self.backlog = [f"dead-{number}" for number in range(BACKLOG)]

    def prepare(self) -> None:
        with ServerProcess(self.folder, *self.flags) as server:
            call = Line(server.url)
            for name in (STANDARD, DEAD, REDRIVEN):
                call("CreateQueue", QueueName=name)
            call("CreateQueue", QueueName=FIFO, Attributes={"FifoQueue": "true"})
            redrive = f'{{"deadLetterTargetArn":"{_arn(DEAD)}","maxReceiveCount":1}}'
            call("CreateQueue", QueueName=FAILING, Attributes={"RedrivePolicy": redrive})
            for start in range(0, BACKLOG, 10):
                entries = [{"Id": str(n), "MessageBody": self.backlog[start + n]} for n in range(10)]
                call("SendMessageBatch", DEAD, Entries=entries)
            call(
                "StartMessageMoveTask",
                SourceArn=_arn(DEAD),
                DestinationArn=_arn(REDRIVEN),
                MaxNumberOfMessagesPerSecond=MOVES_PER_SECOND,
            )
            call.close()

    def live_and_die(self, life: int) -> None:
        server = ServerProcess(self.folder, *self.flags)
        stop = threading.Event()
        crew = workers(server.url, self.book, self.seed * 100 + life)
        threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in crew]
        try:
            self._use_old_handles(server.url)
            for thread in threads:
                thread.start()
            time.sleep(self.chance.uniform(0.05, 1.2))  # the random moment: nothing is waited for
        finally:
            server.kill()
            stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        assert not self.book.mistakes, self.book.mistakes

    def _use_old_handles(self, url: str) -> None:
        """Handles from before the kill delete; the hidden messages they name are still there, still hidden."""
        call = Line(url)
        for body in list(self.book.hidden)[:3]:
            self.book.delete_asked.add(body)
            call("DeleteMessage", STANDARD, ReceiptHandle=self.book.hidden.pop(body))
            self.book.deleted.add(body)
        call.close()

    def account(self) -> Contents:
        contents = read_contents(self.folder / STORE, self.folder / "copy")
        times = Counter(contents.bodies)
        assert not [body[:40] for body, count in times.items() if count > 1], "stored twice"
        stored = set(contents.bodies)
        assert not {body[:40] for body in self.book.survivors() - stored}, "acknowledged, but lost"
        assert not {body[:40] for body in self.book.casualties() & stored}, "acknowledged as deleted, but there"
        assert not {body[:40] for body in stored - self.book.asked - set(self.backlog)}, "never sent"
        assert not contents.miscounted
        self._account_for_moves(contents)
        self._account_for_hidden(contents)
        self._account_for_queues(contents)
        self._account_for_order(contents)
        return contents

    def _account_for_moves(self, contents: Contents) -> None:
        waiting, moved = contents.by_queue.get(DEAD, []), contents.by_queue.get(REDRIVEN, [])
        assert sorted(waiting + moved) == sorted(self.backlog)

    def _account_for_hidden(self, contents: Contents) -> None:
        later_ms = (time.time() + HIDDEN_SECONDS / 2) * 1000
        shown = [
            b
            for b in self.book.hidden
            if b in self.book.survivors() and contents.hidden_until_ms.get(b, 0) < later_ms
        ]
        assert not shown, "in flight before the kill, visible after it"

    def _account_for_queues(self, contents: Contents) -> None:
        assert self.book.queues <= set(contents.attributes)
        for name in self.book.tags_asked:
            stored = contents.tags[STANDARD].get(name)
            if name in self.book.tags or stored is not None:
                assert stored in self.book.tags_asked[name]
        if self.book.delay is not None:
            assert int(contents.attributes[FAILING]["DelaySeconds"]) in self.book.delays_asked

    def _account_for_order(self, contents: Contents) -> None:
        stored = contents.by_queue.get(FIFO, [])
        for order in self.book.order.values():
            group = set(order)
            left = [body for body in stored if body in group]
            assert left == [body for body in order if body in set(left)]


def _arn(queue: str) -> str:
    return f"arn:aws:sqs:us-east-1:000000000000:{queue}"


@pytest.fixture(params=[("fsync", 20), ("os", 5)], ids=["fsync", "os"])
def ordeal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ordeal]:
    durability, lives = request.param
    ordeal = Ordeal(tmp_path, durability, seed=lives)
    ordeal.prepare()
    for life in range(lives):
        ordeal.live_and_die(life)
        ordeal.account()
    yield ordeal


def test_every_promise_outlives_the_server_and_what_is_left_can_be_received_to_the_last(ordeal: Ordeal) -> None:
    book = ordeal.book
    assert len(book.sent) > 200 and len(book.deleted) > 100, "the load was too light to prove anything"
    expected = Counter(ordeal.account().bodies)
    server = InProcessServer(ordeal.folder, store=f"sqlite:{ordeal.folder / STORE}")
    try:
        server.advance(time.time() - server.clock.now_ms() / 1000 + HIDDEN_SECONDS * 2)
        call = Line(server.url)
        task = _finished_task(server, call)
        assert task["Status"] == "COMPLETED"
        assert task["ApproximateNumberOfMessagesMoved"] == BACKLOG
        got = Counter(dict.fromkeys(expected, 0))
        for queue in (STANDARD, FIFO, DEAD, REDRIVEN, *book.queues):
            got.update(_drain(call, queue))
        assert got == expected
        assert _drained(call, STANDARD) and _drained(call, FIFO)
        call.close()
    finally:
        server.stop()


def _finished_task(server: InProcessServer, call: Line) -> dict[str, Any]:
    """The move task, once a clock that is turned on has let it move the rest: at least one message a turn."""
    for _ in range(BACKLOG):
        task: dict[str, Any] = call("ListMessageMoveTasks", SourceArn=_arn(DEAD))["Results"][0]
        if task["Status"] != "RUNNING":
            return task
        server.advance(0.01)
    raise AssertionError("the move task does not end")


def _drain(call: Line, queue: str) -> list[str]:
    bodies = []
    while messages := call("ReceiveMessage", queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        answer = call("DeleteMessageBatch", queue, Entries=entries)
        assert "Failed" not in answer
    return bodies


def _drained(call: Line, queue: str) -> bool:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    return set(call("GetQueueAttributes", queue, AttributeNames=names)["Attributes"].values()) == {"0"}
