"""No call's cost grows with what is stored.

Held in two ways: SQLite's plans show no scan and no sort, and its virtual machine takes as many steps with a backlog
of twenty thousand as with one of a hundred. Steps are counted, not time, so a slow machine fails no test.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from model.bench import ACCOUNT, REGION, Bench, admit, at, key_of, redrive
from stanchion.model import ServerReading, Tally
from stanchion.store.base import OVERVIEW_ORDERS
from stanchion.store.sqlite.messages import HOT_STATEMENTS
from stanchion.store.sqlite.metrics import READINGS
from stanchion.store.sqlite.store import SqliteStore

SHALLOW, DEEP = 100, 20_000

Fill = Callable[[Bench, int], None]
Act = Callable[[Bench], object]


class Meter:
    """What SQLite did: machine steps, and the statements that ran."""

    def __init__(self) -> None:
        self.steps = 0
        self.statements: dict[str, None] = {}

    def note(self, event: dict[str, object]) -> None:
        status = event["stmt_status"]
        assert isinstance(status, dict)
        self.steps += status["SQLITE_STMTSTATUS_VM_STEP"]
        self.statements[str(event["sql"])] = None


def connection_of(bench: Bench) -> apsw.Connection:
    assert isinstance(bench.store, SqliteStore)
    return bench.store._connection


@contextmanager
def metered(bench: Bench) -> Iterator[Meter]:
    meter = Meter()
    connection = connection_of(bench)
    connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, meter.note)
    try:
        yield meter
    finally:
        connection.trace_v2(0, None)


@contextmanager
def opened() -> Iterator[Bench]:
    bench = Bench("memory", Path())
    try:
        yield bench
    finally:
        bench.close()


# ── Plans ────────────────────────────────────────────────────────────────────────────────────────────────

ALLOWED = {
    "SCAN move_task USING INDEX move_task_active",  # holds nothing but what is wanted: the tasks that run now
    "SCAN json_each VIRTUAL TABLE INDEX 1:",  # the minutes and queues that readings are asked for
}


def live(bench: Bench, suffix: str) -> None:
    """Everything that can happen to messages and queues, once."""
    q, dead = f"q{suffix}", f"dead{suffix}"
    bench.create(dead, now_ms=at(0))
    bench.create(q, redrive(dead, 1) | {"MessageRetentionPeriod": "3600"}, now_ms=at(0))
    bench.send(q, *"abcde", "x" * 5_000, group="g", now_ms=at(1))
    bench.send(q, *"fghij", group="h", now_ms=at(1))
    bench.send(q, *"klm", delay=3, now_ms=at(1))
    attempt = "attempt" if suffix else None
    handles = [
        delivery.receipt_handle
        for _ in range(2)
        for delivery in bench.receive(q, now_ms=at(2), maximum=5, visibility=3, attempt=attempt).deliveries
    ]
    bench.hide(q, (handles[0], 0), (handles[1], 10), now_ms=at(2.5))
    bench.delete(q, *handles[2:], now_ms=at(2.6))
    for seconds in (7, 12, 16):  # what was received once goes to the dead-letter queue
        bench.receive(q, now_ms=at(seconds), visibility=3 if seconds < 16 else 0)
    bench.start_task(f"task{suffix}", dead, q, now_ms=at(18))
    bench.cancel_task(f"task{suffix}")
    bench.tidy(now_ms=at(18))
    bench.start_task(f"task 2{suffix}", dead, q, now_ms=at(19))
    bench.tidy(now_ms=at(19))
    bench.tasks(dead)
    bench.change(q, {"DelaySeconds": "100"}, now_ms=at(40))
    bench.send(q, *"nop", group="i", now_ms=at(40))
    bench.change(q, {"DelaySeconds": "200"}, now_ms=at(41))
    bench.counts(q, now_ms=at(42))
    bench.receive(q, now_ms=at(43), maximum=1)
    bench.record(1_000, {q: Tally(sent=1)}, now_ms=at(44))
    bench.readings(q, 1_000, 1_010)
    bench.run(lambda: bench.store.record_server(ServerReading(1_000, 1, 0, 1.0, 2.0, 1, 1.0, 2.0, 1, 1, 1, None)))
    bench.run(lambda: bench.store.server_readings(1_000, 1_010))
    bench.peek(q)
    bench.list_names()
    bench.sources(dead)
    bench.tidy(now_ms=at(4_000))
    bench.purge(q, now_ms=at(5_000))
    bench.tidy(now_ms=at(5_001))
    bench.drop(q, now_ms=at(5_002))
    bench.tidy(now_ms=at(50_000))


def plan_of(connection: apsw.Connection, statement: str) -> list[str]:
    numbered = re.findall(r"\?(\d+)", statement)
    values = max(map(int, numbered)) if numbered else statement.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * values)]


def test_no_statement_scans_a_table_or_sorts():
    with opened() as bench:
        with metered(bench) as meter:
            for suffix in ("", ".fifo"):
                live(bench, suffix)
        explained = [each for each in meter.statements if not re.match("BEGIN|COMMIT|ROLLBACK", each)]
        bad = [
            (statement, line)
            for statement in explained
            for line in plan_of(connection_of(bench), statement)
            if ("SCAN" in line or "TEMP B-TREE" in line) and line not in ALLOWED
        ]
    assert bad == []
    assert set(HOT_STATEMENTS) <= set(explained)
    assert len(explained) > 40


def test_messages_of_a_group_are_found_by_the_group():
    """Not by walking through the queue: SQLite calls that a search too, of one generation."""
    of_groups = [statement for statement in HOT_STATEMENTS if "_group = ?" in statement]
    with opened() as bench:
        plans = [plan_of(connection_of(bench), statement) for statement in of_groups]
    assert len(plans) == 4
    assert [plan for plan in plans if "_group=?" not in plan[0]] == []


def test_readings_are_found_by_minute_and_queue():
    """Not by walking through all queues of a minute: SQLite calls that a search too."""
    with opened() as bench:
        plan = plan_of(connection_of(bench), READINGS)
    assert plan[0] == "SEARCH metric USING PRIMARY KEY (minute=? AND queue_id=?)"


# ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────


def steps_of(fill: Fill, act: Act, depth: int) -> int:
    with opened() as bench:
        fill(bench, depth)
        with metered(bench) as meter:
            act(bench)
    return meter.steps


def assert_flat(fill: Fill, act: Act) -> None:
    shallow, deep = steps_of(fill, act, SHALLOW), steps_of(fill, act, DEEP)
    assert 0 < deep <= shallow * 1.01


def send_many(bench: Bench, q: str, count: int, group: str | None = None, *, now_ms: int, delay: int = 0) -> None:
    fifo = q.endswith(".fifo")
    messages = [
        bench.new(str(number), group=group, dedup=f"{group} {number}" if fifo else None, delay=delay)
        for number in range(count)
    ]
    bench.send_all(q, messages, now_ms=now_ms)


def standard(bench: Bench, depth: int) -> None:
    bench.create("q", now_ms=at(0))
    send_many(bench, "q", depth, now_ms=at(0))


def in_flight(bench: Bench, depth: int) -> None:
    standard(bench, depth)
    bench.receive("q", now_ms=at(1), maximum=depth, visibility=1_000)


def one_group(bench: Bench, depth: int) -> None:
    bench.create("q.fifo", now_ms=at(0))
    send_many(bench, "q.fifo", depth, "large", now_ms=at(0))


def one_noisy_group(bench: Bench, depth: int) -> None:
    """A tenant with a large backlog and half a hundred messages at work, before a quiet one."""
    bench.create("q", now_ms=at(0))
    send_many(bench, "q", depth, "noisy", now_ms=at(0))
    for _ in range(5):
        bench.receive("q", now_ms=at(1), visibility=1_000)
    send_many(bench, "q", 20, "quiet", now_ms=at(2))


def test_sending():
    assert_flat(standard, lambda bench: bench.send("q", *"abcdefghij", now_ms=at(1)))


def test_receiving():
    assert_flat(standard, lambda bench: bench.receive("q", now_ms=at(1)))


def test_receiving_with_many_in_flight():
    def fill(bench: Bench, depth: int) -> None:
        in_flight(bench, depth)
        send_many(bench, "q", 20, now_ms=at(1))

    assert_flat(fill, lambda bench: bench.receive("q", now_ms=at(2)))


def test_a_receive_that_finds_nothing():
    assert_flat(in_flight, lambda bench: bench.receive("q", now_ms=at(2)))


def test_a_receive_that_has_to_return_overdue_messages_first():
    def fill(bench: Bench, depth: int) -> None:
        in_flight(bench, 3 * depth)

    shallow = steps_of(fill, lambda bench: bench.receive("q", now_ms=at(1_002)), 300)
    deep = steps_of(fill, lambda bench: bench.receive("q", now_ms=at(1_002)), 10_000)
    assert 0 < deep <= shallow * 1.01


def test_deleting():
    def receive_and_delete(bench: Bench) -> None:
        deliveries = bench.receive("q", now_ms=at(1)).deliveries
        bench.delete("q", *[each.receipt_handle for each in deliveries], now_ms=at(2))

    assert_flat(standard, receive_and_delete)


def test_changing_visibility():
    def hide_and_show(bench: Bench) -> None:
        handles = [each.receipt_handle for each in bench.receive("q", now_ms=at(1)).deliveries]
        bench.hide("q", *[(handle, 100) for handle in handles], now_ms=at(2))
        bench.hide("q", *[(handle, 0) for handle in handles], now_ms=at(3))

    assert_flat(standard, hide_and_show)


def test_counting():
    assert_flat(standard, lambda bench: bench.counts("q", now_ms=at(1)))


def test_peeking():
    assert_flat(standard, lambda bench: bench.peek("q", after=50, limit=10))


def test_browsing():
    def browse(bench: Bench) -> None:
        bench.run(lambda: bench.store.browse(key_of("q"), admit, lambda _message: True, 0, 10, at(1)))

    assert_flat(standard, browse)


@pytest.mark.parametrize("sort", OVERVIEW_ORDERS)
def test_an_overview_of_deep_queues(sort: str):
    def look(bench: Bench) -> None:
        bench.run(lambda: bench.store.overview(ACCOUNT, REGION, "", sort, True, 0, 10, at(1)))

    assert_flat(standard, look)


def record(bench: Bench) -> None:
    bench.record(1, now_ms=at(3))


def test_recording_a_deep_queue():
    assert_flat(standard, record)


@pytest.mark.parametrize("q", ["q", "q.fifo"])
def test_recording_a_queue_with_many_in_flight(q: str):
    def fill(bench: Bench, depth: int) -> None:
        bench.create(q, now_ms=at(0))
        send_many(bench, q, depth, "g", now_ms=at(0))
        bench.receive(q, now_ms=at(1), maximum=depth, visibility=1_000)

    assert steps_of(fill, record, DEEP) <= steps_of(fill, record, 1_500) * 1.01


def test_recording_a_queue_with_a_noisy_group():
    assert steps_of(one_noisy_group, record, DEEP) <= steps_of(one_noisy_group, record, 1_500) * 1.01


def test_recording_a_queue_full_of_poison():
    def fill(bench: Bench, depth: int) -> None:
        standard(bench, depth)
        for _ in range(3):
            bench.receive("q", now_ms=at(1), maximum=depth, visibility=0)

    assert steps_of(fill, record, 10_000) <= steps_of(fill, record, 200) * 1.01


def test_reading_among_many_readings():
    def fill(bench: Bench, count: int) -> None:
        many_queues(bench, count)
        tallies = {f"q{number:05}": Tally(sent=1) for number in range(count)}
        for minute in range(20):
            bench.record(minute, tallies, now_ms=at(1))

    def read(bench: Bench) -> None:
        assert len(bench.readings("q00007", 5, 14)) == 10

    assert 0 < steps_of(fill, read, 1_000) <= steps_of(fill, read, 20) * 1.01


def test_purging():
    assert_flat(standard, lambda bench: bench.purge("q", now_ms=at(1)))


def test_deleting_a_queue():
    assert_flat(standard, lambda bench: bench.drop("q", now_ms=at(1)))


def test_changing_attributes():
    assert_flat(standard, lambda bench: bench.change("q", {"MessageRetentionPeriod": "3600"}, now_ms=at(1)))


def test_changing_the_delay_of_a_fifo_queue_full_of_delayed_messages():
    def fill(bench: Bench, depth: int) -> None:
        bench.create("q.fifo", {"DelaySeconds": "900"}, now_ms=at(0))
        send_many(bench, "q.fifo", depth, "g", now_ms=at(0), delay=900)

    def change_and_look(bench: Bench) -> None:
        bench.change("q.fifo", {"DelaySeconds": "600"}, now_ms=at(1))
        assert bench.receive("q.fifo", now_ms=at(2)).next_due_ms == at(600)

    assert_flat(fill, change_and_look)


def test_receiving_from_a_large_group_and_going_on():
    def receive_and_delete(bench: Bench) -> None:
        for second in (1, 2):
            deliveries = bench.receive("q.fifo", now_ms=at(second)).deliveries
            assert len(deliveries) == 10
            bench.delete("q.fifo", *[each.receipt_handle for each in deliveries], now_ms=at(second))

    assert_flat(one_group, receive_and_delete)


def test_returning_messages_of_a_large_group():
    def receive_and_return(bench: Bench) -> None:
        handles = [each.receipt_handle for each in bench.receive("q.fifo", now_ms=at(1)).deliveries]
        bench.hide("q.fifo", *[(handle, 0) for handle in handles], now_ms=at(2))

    assert_flat(one_group, receive_and_return)


def test_receiving_past_a_large_group_that_is_in_work():
    def fill(bench: Bench, depth: int) -> None:
        one_group(bench, depth)
        assert bench.receive("q.fifo", now_ms=at(1), maximum=1, visibility=1_000).deliveries
        send_many(bench, "q.fifo", 20, "small", now_ms=at(1))

    def use_the_small_group(bench: Bench) -> None:
        bench.send("q.fifo", "last", group="small", now_ms=at(2))
        deliveries = bench.receive("q.fifo", now_ms=at(3)).deliveries
        assert {each.message.group_id for each in deliveries} == {"small"}
        bench.delete("q.fifo", *[each.receipt_handle for each in deliveries], now_ms=at(4))

    assert_flat(fill, use_the_small_group)


def test_sending_into_a_large_group():
    assert_flat(one_group, lambda bench: bench.send("q.fifo", *"abc", group="large", now_ms=at(1)))


def test_sending_a_duplicate_among_many_deduplication_ids():
    def send_again(bench: Bench) -> None:
        (sent,) = bench.send_all("q.fifo", [bench.new("7", group="large", dedup="large 7")], now_ms=at(1))
        assert sent.duplicate

    assert_flat(one_group, send_again)


def test_receiving_past_a_noisy_group():
    def receive_and_delete(bench: Bench) -> None:
        deliveries = bench.receive("q", now_ms=at(3)).deliveries
        assert {each.message.group_id for each in deliveries} == {"quiet"}
        bench.delete("q", *[each.receipt_handle for each in deliveries], now_ms=at(4))

    assert_flat(one_noisy_group, receive_and_delete)


def test_receiving_from_a_noisy_group_when_nobody_else_wants():
    def fill(bench: Bench, depth: int) -> None:
        one_noisy_group(bench, depth)
        assert len(bench.receive("q", now_ms=at(3), maximum=20, visibility=1_000).deliveries) == 20

    def receive_and_delete(bench: Bench) -> None:
        deliveries = bench.receive("q", now_ms=at(4)).deliveries
        assert {each.message.group_id for each in deliveries} == {"noisy"}
        bench.delete("q", *[each.receipt_handle for each in deliveries], now_ms=at(5))

    assert_flat(fill, receive_and_delete)


def test_moving_to_a_dead_letter_queue_with_a_backlog():
    def fill(bench: Bench, depth: int) -> None:
        bench.create("dead", now_ms=at(0))
        send_many(bench, "dead", depth, now_ms=at(0))
        bench.create("q", redrive("dead", 1), now_ms=at(0))
        send_many(bench, "q", 10, now_ms=at(0))
        bench.receive("q", now_ms=at(1), visibility=0)

    assert_flat(fill, lambda bench: bench.receive("q", now_ms=at(2)))


def test_starting_and_stepping_a_move_task():
    def fill(bench: Bench, depth: int) -> None:
        bench.create("dead", now_ms=at(0))
        bench.create("q", redrive("dead", 1), now_ms=at(0))
        send_many(bench, "dead", 4 * depth, now_ms=at(0))

    def start_and_step(bench: Bench) -> None:
        bench.start_task("task", "dead", "q", now_ms=at(1))
        bench.run(lambda: bench.store.tidy(at(1)))

    assert steps_of(fill, start_and_step, 10_000) <= steps_of(fill, start_and_step, 100) * 1.01


# Upkeep


def step_of_upkeep(bench: Bench) -> None:
    bench.run(lambda: bench.store.tidy(at(400)))


def settled(bench: Bench) -> None:
    bench.tidy(now_ms=at(1))


def test_a_step_of_upkeep_when_nothing_is_due():
    def fill(bench: Bench, depth: int) -> None:
        standard(bench, depth)
        settled(bench)

    assert_flat(fill, step_of_upkeep)


def test_a_step_of_upkeep_after_a_purge():
    def fill(bench: Bench, depth: int) -> None:
        standard(bench, 10 * depth if depth == SHALLOW else depth)
        settled(bench)
        bench.purge("q", now_ms=at(2))

    assert_flat(fill, step_of_upkeep)


def test_a_step_of_upkeep_when_a_backlog_expires():
    def fill(bench: Bench, depth: int) -> None:
        bench.create("q", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
        send_many(bench, "q", 10 * depth if depth == SHALLOW else depth, now_ms=at(0))
        settled(bench)

    assert_flat(fill, step_of_upkeep)


def test_a_step_of_upkeep_with_many_old_deduplication_ids():
    def fill(bench: Bench, depth: int) -> None:
        one_group(bench, 10 * depth if depth == SHALLOW else depth)
        settled(bench)

    assert_flat(fill, step_of_upkeep)


# Queues


def many_queues(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.create(f"q{number:05}", redrive("dead", 5), now_ms=at(0))


def assert_flat_over_queues(act: Act) -> None:
    def fill(bench: Bench, count: int) -> None:
        bench.create("dead", now_ms=at(0))
        many_queues(bench, count)
        settled(bench)

    assert 0 < steps_of(fill, act, 2_000) <= steps_of(fill, act, 20) * 1.01


def test_listing_a_page_of_queues():
    assert_flat_over_queues(lambda bench: bench.list_names("q", after="q00005", limit=10))


def test_listing_a_page_of_dead_letter_sources():
    assert_flat_over_queues(lambda bench: bench.sources("dead", after="q00005", limit=10))


def test_creating_and_deleting_a_queue_among_many():
    def create_and_drop(bench: Bench) -> None:
        bench.create("another", now_ms=at(1))
        bench.drop("another", now_ms=at(2))

    assert_flat_over_queues(create_and_drop)


def test_sending_among_many_queues():
    assert_flat_over_queues(lambda bench: bench.send("q00007", "a", now_ms=at(1)))


def test_a_step_of_upkeep_among_many_idle_queues():
    assert_flat_over_queues(step_of_upkeep)


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_step_of_upkeep_after_many_queues_were_deleted(forgotten: bool):
    def fill(bench: Bench, count: int) -> None:
        many_queues(bench, count)
        for number in range(count):
            bench.drop(f"q{number:05}", now_ms=at(0))
        settled(bench)

    later_ms = at(3_700) if forgotten else at(400)  # names are forgotten after an hour
    steps = [steps_of(fill, lambda bench: bench.run(lambda: bench.store.tidy(later_ms)), n) for n in (300, 2_000)]
    assert 0 < steps[1] <= steps[0] * 1.01


def test_move_tasks_share_a_step_of_upkeep():
    def fill(bench: Bench, count: int) -> None:
        bench.create("to", now_ms=at(0))
        for number in range(count):
            bench.create(f"from{number}", redrive("to", 5), now_ms=at(0))
            send_many(bench, f"from{number}", 400, now_ms=at(0))
        settled(bench)
        for number in range(count):
            bench.start_task(f"task {number}", f"from{number}", "to", now_ms=at(2))

    def step(bench: Bench) -> None:
        bench.run(lambda: bench.store.tidy(at(3)))
        assert 0 < len(bench.peek("to")) <= 25

    assert steps_of(fill, step, 20) <= steps_of(fill, step, 1) * 1.5


def test_a_step_of_upkeep_after_many_move_tasks():
    def fill(bench: Bench, count: int) -> None:
        many_queues(bench, count)
        bench.create("to", now_ms=at(0))
        for number in range(count):
            bench.start_task(f"task {number}", f"q{number:05}", "to", now_ms=at(0))
            bench.run(lambda: bench.store.tidy(at(0)))
        settled(bench)
        bench.start_task("last", "to", "q00000", now_ms=at(2))

    assert steps_of(fill, step_of_upkeep, 500) <= steps_of(fill, step_of_upkeep, 20) * 1.01
