"""The disk refuses, or an operation fails in a way nobody foresaw: who is told, what is left, what goes on."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from durability.bad_disk import BROKEN, FULL, BadDisk
from model.bench import Bench, admit, at, bodies, key_of
from stanchion.errors import InternalFailure, ServiceUnavailable
from stanchion.model import NewMessage, Queue
from support.in_process import InProcessServer
from support.wire_client import WireClient

READS_AND_WRITES = ("pread64", "pwrite64")


@pytest.fixture
def disk() -> Iterator[BadDisk]:
    with BadDisk() as disk:
        yield disk


@pytest.fixture
def bench(disk: BadDisk, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench("sqlite", tmp_path)
    bench.create("q", now_ms=at(0))
    bench.create("f.fifo", now_ms=at(0))
    yield bench
    bench.close()


def snapshot(bench: Bench, now_ms: int) -> dict[str, object]:
    """All that can be seen of the store from outside, without changing it."""
    return {
        name: (bench.find(name), bench.counts(name, now_ms=now_ms), bench.peek(name)) for name in bench.list_names()
    }


def assert_as_on_disk(bench: Bench, now_ms: int) -> None:
    """What the store has in memory is what it would read from its file."""
    remembered = snapshot(bench, now_ms)
    bench.reopen()
    assert snapshot(bench, now_ms) == remembered


# ── The disk refuses ─────────────────────────────────────────────────────────────────────────────────────


def send(bench: Bench) -> object:
    return bench.send("q", "new", now_ms=at(1))


def send_fifo(bench: Bench) -> object:
    return bench.send("f.fifo", "new", dedup="d", now_ms=at(1))


def receive(bench: Bench) -> object:
    return bench.receive("q", now_ms=at(1))


def delete(bench: Bench) -> object:
    return bench.delete("q", HANDLES[id(bench)], now_ms=at(1))


def hide(bench: Bench) -> object:
    return bench.hide("q", (HANDLES[id(bench)], 600), now_ms=at(1))


def purge(bench: Bench) -> object:
    return bench.purge("q", now_ms=at(1))


def drop(bench: Bench) -> object:
    return bench.drop("q", now_ms=at(1))


def create(bench: Bench) -> object:
    return bench.create("new", now_ms=at(1))


def change(bench: Bench) -> object:
    return bench.change("q", {"VisibilityTimeout": "7"}, now_ms=at(1))


def start_task(bench: Bench) -> object:
    return bench.start_task("task", "q", "f.fifo", now_ms=at(1))


HANDLES: dict[int, str] = {}
CALLS = [send, send_fifo, receive, delete, hide, purge, drop, create, change, start_task]


@pytest.mark.parametrize("number", [FULL, BROKEN], ids=["full", "broken"])
@pytest.mark.parametrize("call", CALLS)
def test_a_refused_commit_leaves_no_trace_and_the_next_one_passes(
    bench: Bench, disk: BadDisk, call: Callable[[Bench], object], number: int
) -> None:
    bench.send("q", "a", "b", "c", now_ms=at(0))
    HANDLES[id(bench)] = bench.receive_one("q", now_ms=at(0)).receipt_handle
    before = snapshot(bench, at(1))
    with disk.failing(number), pytest.raises(ServiceUnavailable):
        call(bench)
    assert snapshot(bench, at(1)) == before
    assert bench.tasks("q") == []
    call(bench)
    assert snapshot(bench, at(1)) != before or bench.tasks("q")
    assert_as_on_disk(bench, at(1))


def test_all_requests_of_a_refused_commit_are_refused(bench: Bench, disk: BadDisk) -> None:
    def send_one(text: str) -> Callable[[], object]:
        new = bench.new(text)
        return lambda: bench.store.send(key_of("q"), lambda _queue: [new], at(1))

    calls = [send_one(f"m{number}") for number in range(50)]
    with disk.failing(FULL):
        answers = bench.together(*calls)
    assert [type(answer) for answer in answers] == [ServiceUnavailable] * 50
    assert bench.peek("q") == []
    assert all(isinstance(answer, list) for answer in bench.together(*calls))
    assert len(bench.peek("q")) == 50


def test_a_disk_that_cannot_even_be_read_refuses_and_recovers(bench: Bench, disk: BadDisk) -> None:
    bench.send("q", "a", now_ms=at(0))
    bench.reopen()  # nothing is cached
    with disk.failing(BROKEN, *READS_AND_WRITES):
        for _ in range(3):
            with pytest.raises(ServiceUnavailable):
                bench.send("q", "b", now_ms=at(1))
    assert bench.receive_bodies("q", now_ms=at(1)) == ["a"]
    bench.send("q", "c", now_ms=at(1))
    assert_as_on_disk(bench, at(1))


def test_numbers_are_never_given_out_twice_whatever_was_rolled_back(bench: Bench, disk: BadDisk) -> None:
    given = [sent.sequence for sent in bench.send("q", "a", now_ms=at(0))]
    for round_ in range(4):
        with disk.failing(FULL), pytest.raises(ServiceUnavailable):
            bench.send("q", "lost", now_ms=at(1))
        if round_ % 2:
            bench.reopen()
        given += [sent.sequence for sent in bench.send("q", "kept", now_ms=at(1))]
    assert given == sorted(set(given))


def test_a_refused_fifo_send_is_not_taken_for_a_duplicate_when_it_comes_again(bench: Bench, disk: BadDisk) -> None:
    with disk.failing(FULL), pytest.raises(ServiceUnavailable):
        bench.send("f.fifo", "x", dedup="d", now_ms=at(0))
    (sent,) = bench.send("f.fifo", "x", dedup="d", now_ms=at(1))
    (again,) = bench.send("f.fifo", "x", dedup="d", now_ms=at(2))
    assert not sent.duplicate
    assert again.duplicate and again.message_id == sent.message_id
    assert bench.receive_bodies("f.fifo", now_ms=at(2)) == ["x"]


def test_a_refused_fifo_receive_does_not_lock_its_group(bench: Bench, disk: BadDisk) -> None:
    bench.send("f.fifo", "first", "second", now_ms=at(0))
    with disk.failing(FULL), pytest.raises(ServiceUnavailable):
        bench.receive("f.fifo", maximum=1, now_ms=at(1))
    delivery = bench.receive_one("f.fifo", now_ms=at(1))
    assert delivery.message.body == "first" and delivery.message.receives == 1
    assert bodies(bench.receive("f.fifo", now_ms=at(1))) == []


def test_nobody_is_told_of_messages_that_were_never_stored(bench: Bench, disk: BadDisk) -> None:
    bench.told.clear()
    with disk.failing(FULL), pytest.raises(ServiceUnavailable):
        bench.send("q", "a", now_ms=at(1))
    assert bench.told_of("q") == []
    bench.send("q", "b", now_ms=at(1))
    assert bench.told_of("q") == [at(1)]


def test_a_move_task_goes_on_when_the_disk_does(bench: Bench, disk: BadDisk) -> None:
    bench.create("to", now_ms=at(0))
    bench.send("q", *"abcdefghij", now_ms=at(0))
    bench.start_task("t", "q", "to", rate=5, now_ms=at(1))
    with disk.failing(FULL), pytest.raises(ServiceUnavailable):
        bench.tidy(now_ms=at(2))
    assert [message.body for message in bench.peek("q")] == list("abcdefghij")
    for second in range(2, 8):
        bench.tidy(now_ms=at(second))
    assert [message.body for message in bench.peek("to")] == list("abcdefghij")
    (task,) = bench.tasks("q")
    assert (task.status, task.moved) == ("COMPLETED", 10)


def test_a_log_that_cannot_be_folded_into_the_file_stays_and_nothing_is_lost(bench: Bench, disk: BadDisk) -> None:
    large = "x" * 200_000
    with disk.failing(FULL, only="stanchion.db"):  # the file is full, the log beside it is not
        for number in range(40):  # more than the 32 MiB of log that make a checkpoint due
            bench.send("q", *[f"{number}.{part}{large}" for part in range(5)], now_ms=at(1))
    assert bench.counts("q", now_ms=at(1)).visible == 200
    bench.send("q", "after", now_ms=at(1))
    bench.reopen()
    assert len(bench.peek("q")) == 201


# ── An operation fails ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "failure",
    [
        ZeroDivisionError("a mistake of ours"),
        apsw.ConstraintError("another"),
        apsw.SQLError("a third"),
        MemoryError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_an_operation_that_fails_fails_alone(bench: Bench, failure: Exception) -> None:
    def sending(text: str) -> Callable[[], object]:
        return lambda: bench.store.send(key_of("q"), lambda _queue: [bench.new(text)], at(1))

    def broken(_queue: Queue) -> list[NewMessage]:
        raise failure

    answers = bench.together(
        sending("before"),
        lambda: bench.store.send(key_of("q"), broken, at(1)),
        lambda: bench.store.find_queue(key_of("q"), admit),
        sending("after"),
    )
    assert [type(answer) for answer in answers] == [list, InternalFailure, Queue, list]
    assert [message.body for message in bench.peek("q")] == ["before", "after"]
    assert_as_on_disk(bench, at(1))


def test_an_operation_that_fails_halfway_leaves_nothing_of_itself(bench: Bench) -> None:
    half_surrogate = bench.new("\ud800")  # SQLite takes none; the rules above the store let none pass

    def sending(*messages: NewMessage) -> Callable[[], object]:
        return lambda: bench.store.send(key_of("q"), lambda _queue: messages, at(1))

    answers = bench.together(sending(bench.new("good")), sending(bench.new("first half"), half_surrogate))
    assert [type(answer) for answer in answers] == [list, InternalFailure]
    assert [message.body for message in bench.peek("q")] == ["good"]
    assert bench.counts("q", now_ms=at(1)).visible == 1
    assert_as_on_disk(bench, at(1))


def test_a_listener_that_fails_does_not_take_the_answers_of_others_with_it(bench: Bench) -> None:
    def fail(_key: object, _when_ms: int) -> None:
        raise ZeroDivisionError

    bench.store.on_available(fail)
    assert len(bench.send("q", "a", now_ms=at(1))) == 1
    assert len(bench.send("q", "b", now_ms=at(1))) == 1


# ── A whole server ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(disk: BadDisk, tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path, store=f"sqlite:{tmp_path / 'store.db'}")
    yield server
    server.stop()


def test_no_reply_comes_before_its_commit_is_written(server: InProcessServer, disk: BadDisk) -> None:
    client = WireClient(server.url)
    client.json("CreateQueue", QueueName="q")
    statuses: list[int] = []

    def send_one() -> None:
        statuses.append(client.json("SendMessage", QueueUrl="q", MessageBody="a").status)

    sender = threading.Thread(target=send_one)
    with disk.stalled() as reached:
        sender.start()
        assert reached.wait(10)
        sender.join(0.3)  # long enough for a reply that did not wait
        assert statuses == []
    sender.join(10)
    assert statuses == [200]


def test_clients_of_both_protocols_are_told_to_come_again(
    server: InProcessServer, disk: BadDisk, caplog: pytest.LogCaptureFixture
) -> None:
    client = WireClient(server.url)
    assert client.json("CreateQueue", QueueName="q").status == 200
    with disk.failing(FULL):
        by_json = client.json("SendMessage", QueueUrl="q", MessageBody="lost")
        by_query = client.query("SendMessage", {"QueueUrl": "q", "MessageBody": "lost"})
    for answer in (by_json, by_query):
        assert answer.status == 503
        assert answer.headers["x-amzn-query-error"] == "ServiceUnavailable;Receiver"
        assert answer.message == "The service is unavailable. Please try again shortly."
    assert by_json.json["__type"] == "com.amazon.coral.service#ServiceUnavailable"
    assert by_query.text("Error/Type") == "Receiver"
    assert "disk is full" in caplog.text
    assert client.json("SendMessage", QueueUrl="q", MessageBody="kept").status == 200
    assert [m["Body"] for m in client.json("ReceiveMessage", QueueUrl="q").json["Messages"]] == ["kept"]


def test_what_falls_due_while_the_disk_refuses_happens_when_it_works_again(
    server: InProcessServer, disk: BadDisk
) -> None:
    client = WireClient(server.url)
    client.json("CreateQueue", QueueName="q")
    client.json("SendMessage", QueueUrl="q", MessageBody="late", DelaySeconds=5)
    with disk.failing(FULL):
        server.call(lambda: server.clock.advance(6_000))
        assert client.json("ReceiveMessage", QueueUrl="q").status == 503
    server.advance(2)
    counts = client.json("GetQueueAttributes", QueueUrl="q", AttributeNames=["All"]).json["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "1"
    assert [m["Body"] for m in client.json("ReceiveMessage", QueueUrl="q").json["Messages"]] == ["late"]
