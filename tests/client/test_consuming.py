"""Consumers at work: handled once, extended, given back, in order, stopped, killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stanchion.client import Consumer, JSONMessage, Message, SQSConnection, SQSError, connect_sqs
from stanchion.client.consuming import Tokens, wait_for
from stanchion.client.queue import Queue
from support.in_process import InProcessServer
from support.server_process import ServerProcess

PATIENCE = 30
PROGRAM = Path(__file__).with_name("consumer_program.py")


@contextmanager
def consuming(queue: Queue, handler: Callable[[Any], object], **how: Any) -> Iterator[Consumer]:
    """A consumer in a thread; stopped at the end, and what it raised is raised."""
    consumer = Consumer(queue, handler, **({"wait_time_seconds": 1} | how))
    problems: list[BaseException] = []

    def run() -> None:
        try:
            consumer.run()
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield consumer
    finally:
        consumer.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for problem in problems:
        raise problem


class Counted:
    """A handler that counts, and says when it has seen so many."""

    def __init__(self, wanted: int) -> None:
        self.bodies: list[Any] = []
        self.enough = threading.Event()
        self._wanted = wanted
        self._lock = threading.Lock()

    def __call__(self, message: Any) -> None:
        with self._lock:
            self.bodies.append(message.get_body())
            if len(self.bodies) >= self._wanted:
                self.enough.set()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[SQSConnection]:
    """A connection to a server in real time: consumers wait for it."""
    server = ServerProcess(tmp_path, "--store", "memory")
    with connect_sqs("key", "secret", endpoint_url=server.url) as connection:
        yield connection
    assert server.stop() == 0


def test_every_message_is_handled_once_and_deleted(real: SQSConnection) -> None:
    q = real.create_queue("q")
    q.write_batch([(str(number), Message(body=str(number)), 0) for number in range(100)])
    handler = Counted(100)
    with consuming(q, handler, concurrency=8):
        assert handler.enough.wait(PATIENCE)
    assert sorted(map(int, handler.bodies)) == list(range(100))
    shown = q.get_attributes()
    assert (shown["ApproximateNumberOfMessages"], shown["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_a_failed_message_comes_again_and_then_goes_to_the_dead_letters(
    real: SQSConnection,
) -> None:
    dead = real.create_queue("dead")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 3}}'
    q = real.create_queue("q", attributes={"RedrivePolicy": policy})
    q.write("poison")
    q.write("good")
    good, seen = Counted(1), Counted(3)

    def handler(message: Any) -> None:
        if message.get_body() == "poison":
            seen(message)
            raise ValueError("cannot handle this")
        good(message)

    with consuming(q, handler, backoff=lambda _receives: 0):
        assert seen.enough.wait(PATIENCE)
        assert good.enough.wait(PATIENCE)
        assert dead.read(wait_time_seconds=20).get_body() == "poison"
    assert seen.bodies == ["poison"] * 3


def test_a_message_that_cannot_be_decoded_counts_as_failed_and_the_others_are_handled(real: SQSConnection) -> None:
    dead = real.create_queue("dead")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 1}}'
    q = real.create_queue("q", attributes={"RedrivePolicy": policy})
    q.set_message_class(JSONMessage)
    real.send_message(q, "%%% no JSON")
    q.write(JSONMessage(body={"a": 1}))
    handler = Counted(1)
    with consuming(q, handler, backoff=lambda _receives: 0):
        assert handler.enough.wait(PATIENCE)
        assert dead.read(wait_time_seconds=20).get_body() == "%%% no JSON"
    assert handler.bodies == [{"a": 1}]


def test_a_slow_handler_keeps_its_message(conn: SQSConnection, server: InProcessServer) -> None:
    """The server's clock and the consumer's are turned by hand: an hour passes while the handler works."""
    q = conn.create_queue("q")
    q.write("slow")
    begun, go_on = threading.Event(), threading.Event()

    def handler(_message: Any) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    moment = [0.0]
    extended = threading.Semaphore(0)
    whole = q.change_message_visibility_batch

    def noted(messages: Any) -> Any:
        result = whole(messages)
        extended.release()
        return result

    def briefly(tokens: Tokens, seconds: float | None) -> bool:
        """The time that this waits for is turned by hand."""
        return wait_for(tokens, None if seconds is None else 0.01)

    q.change_message_visibility_batch = noted  # type: ignore[method-assign]
    with consuming(q, handler, visibility_timeout=1200, wait_time_seconds=0, now=lambda: moment[0], wait=briefly):
        assert begun.wait(PATIENCE)
        for _ in range(3):
            moment[0] += 600
            assert extended.acquire(timeout=PATIENCE)
            server.advance(1000)
            assert conn.get_queue("q").read() is None  # nobody else gets it
        go_on.set()
    assert q.count() == 0


def test_messages_of_a_group_are_handled_in_order_even_when_one_fails(real: SQSConnection) -> None:
    q = real.create_queue("q.fifo", attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    for number in range(12):
        q.write(f"{number % 2}-{number}", group=f"g{number % 2}")
    handler = Counted(12)
    failed: set[str] = set()

    def once_failing(message: Any) -> None:
        body = message.get_body()
        if body.endswith(("4", "7")) and body not in failed:
            failed.add(body)
            raise ValueError("not yet")
        handler(message)

    with consuming(q, once_failing, concurrency=4, backoff=lambda _receives: 0):
        assert handler.enough.wait(PATIENCE)
    for group in "01":
        seen = [int(body[2:]) for body in handler.bodies if body.startswith(group)]
        assert seen == sorted(seen)
        assert len(seen) == 6


def test_a_queue_that_does_not_exist_ends_the_consumer(real: SQSConnection) -> None:
    q = real.create_queue("q")
    q.delete()
    with pytest.raises(SQSError, match="NonExistentQueue"):
        Consumer(q, print).run()


def test_a_handler_may_stop_its_consumer(real: SQSConnection) -> None:
    q = real.create_queue("q")
    q.write("last")
    consumer = Consumer(q, lambda _message: consumer.stop(), wait_time_seconds=1)
    consumer.run()
    assert q.count() == 0


def test_a_backoff_that_fails_does_not_stop_the_work(real: SQSConnection) -> None:
    q = real.create_queue("q")
    q.write_batch([(str(number), Message(body=str(number)), 0) for number in range(6)])
    seen = Counted(6)

    def failing(message: Any) -> None:
        seen(message)
        raise ValueError("cannot handle this")

    def backoff(_receives: int) -> int:
        raise ZeroDivisionError

    with consuming(q, failing, backoff=backoff):
        assert seen.enough.wait(PATIENCE)
    assert sorted(seen.bodies) == list("012345")


def test_a_server_that_goes_away_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    first = ServerProcess(tmp_path, "--store", "sqlite:queues.db")
    conn = connect_sqs("key", "secret", endpoint_url=first.url)
    q = conn.create_queue("q")
    q.write("before")
    before, after, paused = Counted(1), Counted(1), threading.Event()

    def handler(message: Any) -> None:
        (before if message.get_body() == "before" else after)(message)

    def wait(tokens: Tokens, seconds: float | None) -> bool:
        if seconds == 1.0:  # the first pause after a receive that did not come through
            paused.set()
        return wait_for(tokens, None if seconds is None else 0.05)

    with consuming(q, handler, wait=wait):
        assert before.enough.wait(PATIENCE)
        assert first.stop() == 0
        assert paused.wait(PATIENCE)
        second = ServerProcess(tmp_path, "--store", "sqlite:queues.db", port=first.port)
        q.write("after")
        assert after.enough.wait(PATIENCE)
    assert second.stop() == 0
    conn.close()


# ── In a process of its own ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    server = ServerProcess(tmp_path, "--store", "memory")
    yield server.url
    assert server.stop() == 0


def start(endpoint: str) -> "subprocess.Popen[str]":
    environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "PATH": os.environ["PATH"]}
    return subprocess.Popen([sys.executable, PROGRAM, endpoint], stdout=subprocess.PIPE, text=True, env=environment)


def test_sigterm_finishes_what_has_begun_and_gives_the_rest_back(endpoint: str) -> None:
    conn = connect_sqs("key", "secret", endpoint_url=endpoint)
    q = conn.create_queue("q")
    q.write_batch([(str(number), Message(body=str(number)), 0) for number in range(20)])
    with start(endpoint) as process:
        assert process.stdout is not None
        begun = process.stdout.readline().split()
        assert begun[0] == "begun"
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(PATIENCE) == 0
    done = rest.count("done")
    assert done >= 1
    assert rest.splitlines()[-1] == "ended"
    assert q.count() == 20 - done  # nothing stays hidden
    conn.close()


def test_a_consumer_that_is_killed_loses_nothing(endpoint: str) -> None:
    conn = connect_sqs("key", "secret", endpoint_url=endpoint)
    q = conn.create_queue("q", visibility_timeout=30)
    q.write_batch([(str(number), Message(body=str(number)), 0) for number in range(30)])
    done: set[str] = set()
    for _ in range(2):
        with start(endpoint) as process:
            assert process.stdout is not None
            for line in process.stdout:
                word, number = line.split()
                if word == "done":
                    done.add(number)
                if len(done) % 5 == 4:
                    process.kill()
                    break
            done |= {line.split()[1] for line in process.stdout if line.startswith("done ") and line.endswith("\n")}
    handler = Counted(1)
    seen: set[str] = set()

    def remember(message: Any) -> None:
        seen.add(message.get_body())
        if seen | done == {str(number) for number in range(30)}:
            handler(message)

    with consuming(q, remember, concurrency=4):
        assert handler.enough.wait(PATIENCE)
    conn.close()
