"""Upkeep keeps its steps small, and leaves nothing behind that would grow for ever."""

from contextlib import closing

import apsw
import pytest

from model.bench import Bench, at, key_of, redrive
from stanchion.store.sqlite.store import SqliteStore

STEP_ROWS = 200  # that one step may remove, in whatever queues


def rows(bench: Bench, table: str) -> int:
    """How many rows are in the file. (Through the store's own SQLite: a second one in a process breaks locks.)"""
    with closing(apsw.Connection(bench.url.removeprefix("sqlite:"))) as file:
        return file.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]


def step(bench: Bench, *, now_ms: int) -> int:
    return bench.run(lambda: bench.store.tidy(now_ms))


def send_many(bench: Bench, name: str, count: int) -> None:
    messages = [bench.new(str(number)) for number in range(count)]
    bench.send_all(name, messages, now_ms=at(0))


@pytest.mark.parametrize("queues", [1, 3])
def test_one_step_removes_few_messages_however_many_have_expired(sqlite_bench: Bench, queues: int):
    for number in range(queues):
        sqlite_bench.create(f"q{number}", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
        send_many(sqlite_bench, f"q{number}", 500)
    sqlite_bench.tidy(now_ms=at(0))
    assert step(sqlite_bench, now_ms=at(61)) == at(61)
    assert 500 * queues - STEP_ROWS <= rows(sqlite_bench, "message") < 500 * queues
    sqlite_bench.tidy(now_ms=at(61))
    assert rows(sqlite_bench, "message") == 0


def test_each_due_queue_gets_its_share_of_a_step(sqlite_bench: Bench):
    for name in ("deep", "shallow"):
        sqlite_bench.create(name, {"VisibilityTimeout": "1"}, now_ms=at(0))
    sqlite_bench.send_all("deep", [sqlite_bench.new(str(number), delay=1) for number in range(1_000)], now_ms=at(0))
    sqlite_bench.send_all("shallow", [sqlite_bench.new("a", delay=2)], now_ms=at(0))
    sqlite_bench.told_of("shallow")
    step(sqlite_bench, now_ms=at(3))
    assert sqlite_bench.told_of("shallow")


def test_old_deduplication_ids_go_as_fast_as_they_came(sqlite_bench: Bench):
    sqlite_bench.create("q.fifo", now_ms=at(0))
    messages = [sqlite_bench.new("a", group="g", dedup=str(number)) for number in range(1_000)]
    sqlite_bench.send_all("q.fifo", messages, now_ms=at(0))
    sqlite_bench.tidy(now_ms=at(299))
    assert rows(sqlite_bench, "deduplication") == 1_000
    sqlite_bench.tidy(now_ms=at(305))
    assert rows(sqlite_bench, "deduplication") == 0


def test_the_agenda_does_not_keep_queues_that_were_deleted(sqlite_bench: Bench):
    for number in range(300):
        name = f"q{number}"
        sqlite_bench.create(name, now_ms=at(0))
        sqlite_bench.tidy(now_ms=at(0))
        sqlite_bench.send(name, "a", now_ms=at(0))
        sqlite_bench.drop(name, now_ms=at(0))
    store = sqlite_bench.store
    assert isinstance(store, SqliteStore)
    assert store._queues.find(key_of("q0")) is None
    assert len(store._queues._agenda) < 100


HALF_A_MEGABYTE = "x" * 524_288
STEP_BYTES = 8_388_608  # a step of large messages writes no more than this, or others would wait for it


def test_a_step_of_large_messages_moves_few_of_them(sqlite_bench: Bench):
    sqlite_bench.create("dlq", now_ms=at(0))
    sqlite_bench.create("target", now_ms=at(0))
    sqlite_bench.send_all("dlq", [sqlite_bench.new(HALF_A_MEGABYTE) for _ in range(40)], now_ms=at(0))
    sqlite_bench.start_task("t", "dlq", "target", now_ms=at(0))
    step(sqlite_bench, now_ms=at(0))
    (task,) = sqlite_bench.tasks("dlq")
    assert 0 < task.moved * len(HALF_A_MEGABYTE) <= STEP_BYTES
    assert task.status == "RUNNING"


def test_one_receive_sends_few_large_messages_to_the_dead_letter_queue(sqlite_bench: Bench):
    sqlite_bench.create("dlq", now_ms=at(0))
    sqlite_bench.create("q", redrive("dlq", 1), now_ms=at(0))
    sqlite_bench.send_all("q", [sqlite_bench.new(HALF_A_MEGABYTE) for _ in range(40)], now_ms=at(0))
    for _ in range(4):
        assert len(sqlite_bench.receive("q", maximum=10, visibility=1, now_ms=at(0)).deliveries) == 10
    first = sqlite_bench.receive("q", maximum=10, now_ms=at(2))
    assert (first.deliveries, first.more) == ([], True)
    moved = sqlite_bench.counts("dlq", now_ms=at(2)).visible
    assert 0 < moved * len(HALF_A_MEGABYTE) <= STEP_BYTES


def test_a_step_clears_few_large_bodies_of_a_purge(sqlite_bench: Bench):
    sqlite_bench.create("q", now_ms=at(0))
    sqlite_bench.send_all("q", [sqlite_bench.new(HALF_A_MEGABYTE) for _ in range(40)], now_ms=at(0))
    sqlite_bench.purge("q", now_ms=at(0))
    step(sqlite_bench, now_ms=at(0))
    assert 40 * len(HALF_A_MEGABYTE) - 2 * STEP_BYTES <= rows(sqlite_bench, "large_body") * len(HALF_A_MEGABYTE)
    sqlite_bench.tidy(now_ms=at(0))
    assert rows(sqlite_bench, "large_body") == 0
