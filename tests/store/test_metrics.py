"""Readings, minute by minute: what is in them, how long they stay, how little each call does."""

from collections.abc import Generator
from pathlib import Path

import pytest

from model.bench import Bench, at, key_of, redrive
from stanchion.model import Reading, ServerReading, Tally
from stanchion.store.base import MOST_READINGS
from stanchion.store.sqlite import metrics
from stanchion.store.sqlite.store import SqliteStore

MINUTE = at(0) // 60_000
TWO_WEEKS = 14 * 24 * 60


@pytest.fixture(params=["sqlite", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench, None, None]:
    """Both stores that keep readings."""
    bench = Bench(request.param, tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def memory_bench() -> Generator[Bench, None, None]:
    """For what is the same in both, and takes many queues or messages."""
    bench = Bench("memory", Path())
    yield bench
    bench.close()


def only_reading(bench: Bench, name: str = "q") -> Reading:
    (reading,) = bench.readings(name, MINUTE - 100, MINUTE + 100)
    return reading


def recorded(bench: Bench, name: str = "q", *, now_ms: int) -> Reading:
    """The reading of a queue at this moment, without traffic."""
    bench.record(MINUTE, now_ms=now_ms)
    return only_reading(bench, name)


def minutes(bench: Bench, name: str = "q") -> list[int]:
    return [reading.minute for reading in bench.readings(name, MINUTE - 100, MINUTE + 100)]


# ── What is recorded ─────────────────────────────────────────────────────────────────────────────────────


def test_a_reading_says_how_the_queue_is_and_what_happened(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", "b", "c", now_ms=at(0))
    bench.send("q", "d", delay=100, now_ms=at(0))
    bench.receive("q", now_ms=at(1), maximum=1)
    tally = Tally(
        sent=4,
        sent_bytes=40,
        smallest_bytes=5,
        largest_bytes=20,
        received=1,
        empty_receives=2,
        deleted=3,
        deduplicated=6,
    )
    bench.record(MINUTE, {"q": tally}, now_ms=at(20))
    assert only_reading(bench) == Reading(
        minute=MINUTE,
        visible=2,
        in_flight=1,
        delayed=1,
        oldest_age_seconds=20,
        groups_in_flight=0,
        noisy_groups=0,
        visible_in_quiet_groups=2,
        sent=4,
        sent_bytes=40,
        smallest_bytes=5,
        largest_bytes=20,
        received=1,
        empty_receives=2,
        deleted=3,
        deduplicated=6,
    )


def test_a_queue_that_holds_messages_is_recorded_without_traffic(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    reading = recorded(bench, now_ms=at(60))
    assert (reading.visible, reading.oldest_age_seconds) == (1, 60)
    assert (reading.sent, reading.smallest_bytes, reading.largest_bytes) == (0, None, None)


def test_a_queue_with_traffic_is_recorded_without_messages(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.record(MINUTE, {"q": Tally(empty_receives=7)}, now_ms=at(60))
    reading = only_reading(bench)
    assert (reading.visible, reading.oldest_age_seconds, reading.empty_receives) == (0, None, 7)


def test_a_queue_without_messages_and_traffic_is_not_recorded(bench: Bench):
    bench.create("idle", now_ms=at(0))
    bench.create("q", now_ms=at(0))
    bench.record(MINUTE, {"q": Tally(sent=1)}, now_ms=at(60))
    assert minutes(bench, "idle") == []


def test_what_is_recorded_twice_for_a_minute_adds_up(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.record(MINUTE, {"q": Tally(2, 30, 10, 20, 3, 4, 5, 6)}, now_ms=at(30))
    bench.send("q", "a", now_ms=at(35))
    bench.record(MINUTE, {"q": Tally(1, 5, 5, 5, 10, 20, 30, 40)}, now_ms=at(60))
    reading = only_reading(bench)
    assert reading[8:] == (3, 35, 5, 20, 13, 24, 35, 46)
    assert (reading.visible, reading.oldest_age_seconds) == (1, 25)


@pytest.mark.parametrize("sizes_first", [True, False])
def test_sizes_are_kept_when_a_minute_goes_on_without_sends(bench: Bench, sizes_first: bool):
    bench.create("q", now_ms=at(0))
    parts = [Tally(1, 5, 5, 5), Tally(deleted=1)]
    for part in parts if sizes_first else reversed(parts):
        bench.record(MINUTE, {"q": part}, now_ms=at(30))
    reading = only_reading(bench)
    assert (reading.smallest_bytes, reading.largest_bytes, reading.deleted) == (5, 5, 1)


def test_tallies_of_queues_that_are_gone_are_passed_over(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.record(MINUTE, {"gone": Tally(sent=1), "q": Tally(sent=2)}, now_ms=at(60))
    assert only_reading(bench).sent == 2


def test_of_a_failing_batch_only_what_was_committed_counts(bench: Bench):
    bench.create("q", now_ms=at(0))
    tallies = {key_of("q"): Tally(sent=1)}

    def fail(_queue: object) -> list[object]:
        raise RuntimeError("a mistake")

    _, error = bench.together(
        lambda: bench.store.record(MINUTE, tallies, 0, at(60)),
        lambda: bench.store.send(key_of("q"), fail, at(60)),
    )
    assert isinstance(error, Exception)
    assert only_reading(bench).sent == 1  # the batch was rolled back, and this operation done again
    assert rows(bench) == 1


# ── Gauges ───────────────────────────────────────────────────────────────────────────────────────────────


def receive_three_times(bench: Bench, name: str, messages: int) -> None:
    for _ in range(3):
        assert len(bench.receive(name, now_ms=at(1), maximum=messages, visibility=0).deliveries) == messages


def test_messages_received_three_times_are_not_the_oldest(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "poison", now_ms=at(0))
    receive_three_times(bench, "q", 1)
    assert recorded(bench, now_ms=at(60)).oldest_age_seconds is None
    bench.send("q", "sound", now_ms=at(50))
    assert recorded(bench, now_ms=at(60)).oldest_age_seconds == 10


def test_beyond_a_hundred_poison_messages_nothing_is_looked_at(memory_bench: Bench):
    memory_bench.create("q", now_ms=at(0))
    memory_bench.send_all("q", [memory_bench.new(str(number)) for number in range(100)], now_ms=at(0))
    receive_three_times(memory_bench, "q", 100)
    memory_bench.send("q", "sound", now_ms=at(50))
    assert recorded(memory_bench, now_ms=at(60)).oldest_age_seconds is None


def test_in_a_dead_letter_queue_every_message_may_be_the_oldest(bench: Bench):
    bench.create("dead", now_ms=at(0))
    bench.create("q", redrive("dead", 3), now_ms=at(0))
    bench.send("q", "poison", now_ms=at(0))
    receive_three_times(bench, "q", 1)
    bench.receive("q", now_ms=at(10))
    assert recorded(bench, "dead", now_ms=at(60)).oldest_age_seconds == 60


def test_groups_with_messages_in_flight_are_counted(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    for group in ("a", "b", "c"):
        bench.send("q.fifo", "1", "2", group=group, now_ms=at(0))
    bench.receive("q.fifo", now_ms=at(1), maximum=4)
    reading = recorded(bench, "q.fifo", now_ms=at(2))
    assert (reading.in_flight, reading.groups_in_flight) == (4, 2)
    assert (reading.noisy_groups, reading.visible_in_quiet_groups) == (0, 0)


def test_delayed_messages_of_a_fifo_queue_are_not_in_flight(bench: Bench):
    bench.create("q.fifo", {"DelaySeconds": "100"}, now_ms=at(0))
    bench.send("q.fifo", "1", group="a", now_ms=at(0))
    reading = recorded(bench, "q.fifo", now_ms=at(2))
    assert (reading.delayed, reading.groups_in_flight) == (1, 0)


def fill_with_groups(bench: Bench) -> None:
    """A tenant with 40 messages at work and 60 behind them, and a quiet one with five."""
    bench.create("q", now_ms=at(0))
    bench.send_all("q", [bench.new(str(number), group="noisy") for number in range(100)], now_ms=at(0))
    bench.receive("q", now_ms=at(1), maximum=40)
    bench.send_all("q", [bench.new(str(number), group="quiet") for number in range(5)], now_ms=at(2))


def test_noisy_groups_are_counted_and_what_the_others_have(bench: Bench):
    fill_with_groups(bench)
    reading = recorded(bench, now_ms=at(3))
    assert (reading.visible, reading.noisy_groups, reading.visible_in_quiet_groups) == (65, 1, 5)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────


def test_readings_are_of_the_minutes_and_queues_asked_for_in_order(bench: Bench):
    for name in ("a", "b", "c"):
        bench.create(name, now_ms=at(0))
    for minute in (5, 3, 4, 1, 9):
        everything = {name: Tally(sent=minute * place) for place, name in enumerate(("a", "b", "c"), 1)}
        bench.record(minute, everything, now_ms=at(0))
    found = bench.run(lambda: bench.store.readings([key_of("c"), key_of("a")], 3, 8))
    assert {key.name: [(each.minute, each.sent) for each in readings] for key, readings in found.items()} == {
        "a": [(3, 3), (4, 4), (5, 5)],
        "c": [(3, 9), (4, 12), (5, 15)],
    }


def test_queues_that_are_not_there_are_left_out(bench: Bench):
    bench.create("q", now_ms=at(0))
    keys = [key_of("q"), key_of("none"), key_of("\ud800")]
    assert bench.run(lambda: bench.store.readings(keys, 0, 10)) == {key_of("q"): []}


def test_one_call_asks_for_two_thousand_readings_at_most(bench: Bench):
    keys = [key_of(f"q{number}") for number in range(20)]
    bench.run(lambda: bench.store.readings(keys, 1, 100))
    with pytest.raises(ValueError, match="2020 readings are more than the 2000"):
        bench.run(lambda: bench.store.readings(keys, 0, 100))
    with pytest.raises(ValueError, match="2001 readings"):
        bench.run(lambda: bench.store.server_readings(0, MOST_READINGS))


# ── What becomes of queues and files ─────────────────────────────────────────────────────────────────────


def test_a_purge_keeps_the_history(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    bench.record(MINUTE, now_ms=at(30))
    bench.purge("q", now_ms=at(40))
    bench.record(MINUTE + 1, {"q": Tally(empty_receives=1)}, now_ms=at(60))
    readings = bench.readings("q", MINUTE, MINUTE + 1)
    assert [(each.visible, each.oldest_age_seconds) for each in readings] == [(1, 30), (0, None)]


def test_a_new_queue_of_an_old_name_begins_without_history(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.record(MINUTE, {"q": Tally(sent=1)}, now_ms=at(60))
    bench.drop("q", now_ms=at(70))
    assert bench.run(lambda: bench.store.readings([key_of("q")], MINUTE, MINUTE)) == {}
    bench.create("q", now_ms=at(200))
    assert minutes(bench) == []


def test_history_outlives_a_restart_and_the_minute_goes_on(sqlite_bench: Bench):
    sqlite_bench.create("q", now_ms=at(0))
    sqlite_bench.record(MINUTE - 1, {"q": Tally(sent=1)}, now_ms=at(0))
    sqlite_bench.record(MINUTE, {"q": Tally(sent=2)}, now_ms=at(30))
    sqlite_bench.reopen()
    sqlite_bench.record(MINUTE, {"q": Tally(sent=3)}, now_ms=at(60))
    readings = sqlite_bench.readings("q", MINUTE - 1, MINUTE)
    assert [(each.minute, each.sent) for each in readings] == [(MINUTE - 1, 1), (MINUTE, 5)]


# ── In small steps ───────────────────────────────────────────────────────────────────────────────────────


def many_queues(bench: Bench, count: int) -> list[str]:
    names = [f"q{number:05}" for number in range(count)]
    for name in names:
        bench.create(name, now_ms=at(0))
    return names


def test_ten_thousand_queues_are_recorded_fifty_at_a_time(memory_bench: Bench):
    names = many_queues(memory_bench, 10_000)
    tallies = dict.fromkeys(names, Tally(sent=1))
    assert memory_bench.record(MINUTE, tallies, now_ms=at(60)) == 200
    assert rows(memory_bench) == 10_000
    assert memory_bench.record(MINUTE + 1, now_ms=at(120)) == 101  # idle ones are passed a hundred at a time
    assert rows(memory_bench) == 10_000


def test_a_queue_that_takes_long_to_read_ends_its_step(memory_bench: Bench):
    for name in ("a.fifo", "b.fifo", "c.fifo"):
        memory_bench.create(name, now_ms=at(0))
        messages = [memory_bench.new("a", group=f"g{number}", dedup=str(number)) for number in range(1_500)]
        memory_bench.send_all(name, messages, now_ms=at(0))
        memory_bench.receive(name, now_ms=at(1), maximum=1_500)
    assert memory_bench.record(MINUTE, now_ms=at(2)) == 3
    assert only_reading(memory_bench, "a.fifo").groups_in_flight == 1_000  # no more are looked at


# ── Old readings ─────────────────────────────────────────────────────────────────────────────────────────


def rows(bench: Bench) -> int:
    """Readings that are stored; the store's own idea of it is right."""
    store = bench.store
    assert isinstance(store, SqliteStore)
    ((count,),) = store._connection.execute("SELECT count(*) FROM metric").fetchall()
    assert count == store._metrics._rows_in_all()
    return int(count)


def test_readings_go_after_two_weeks(bench: Bench):
    bench.create("q", now_ms=at(0))
    for minute in (MINUTE, MINUTE + 1):
        bench.record(minute, {"q": Tally(sent=1)}, now_ms=at(0))
        bench.run(lambda minute=minute: bench.store.record_server(server_reading(minute)))
    bench.tidy(now_ms=(MINUTE + TWO_WEEKS) * 60_000)
    assert (minutes(bench), server_minutes(bench)) == ([MINUTE, MINUTE + 1], [MINUTE, MINUTE + 1])
    bench.tidy(now_ms=(MINUTE + TWO_WEEKS + 1) * 60_000)
    assert (minutes(bench), server_minutes(bench)) == ([MINUTE + 1], [MINUTE + 1])
    assert rows(bench) == 1


def test_beyond_the_most_that_are_kept_the_oldest_minutes_go_first(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "MOST_ROWS", 25)
    tallies = dict.fromkeys(many_queues(bench, 10), Tally(sent=1))
    for minute in range(5):
        bench.record(MINUTE + minute, tallies, now_ms=at(0))
    bench.tidy(now_ms=at(300))
    assert minutes(bench, "q00003") == [MINUTE + 3, MINUTE + 4]
    assert rows(bench) == 20


def test_one_step_of_upkeep_removes_few_readings(memory_bench: Bench):
    tallies = dict.fromkeys(many_queues(memory_bench, 500), Tally(sent=1))
    memory_bench.record(MINUTE, tallies, now_ms=at(0))
    memory_bench.tidy(now_ms=at(1))
    late_ms = (MINUTE + 2 * TWO_WEEKS) * 60_000
    left = [500]
    while left[-1]:
        memory_bench.run(lambda: memory_bench.store.tidy(late_ms))
        left.append(rows(memory_bench))
    assert left == [500, 300, 100, 0]


def test_a_restart_knows_how_many_readings_there_are(sqlite_bench: Bench):
    tallies = dict.fromkeys(many_queues(sqlite_bench, 3), Tally(sent=1))
    sqlite_bench.record(MINUTE, tallies, now_ms=at(0))
    sqlite_bench.reopen()
    assert rows(sqlite_bench) == 3


# ── The server ───────────────────────────────────────────────────────────────────────────────────────────


def server_reading(minute: int, requests: int = 100, p99_ms: float | None = 9.5) -> ServerReading:
    return ServerReading(
        minute=minute,
        requests=requests,
        errors=2,
        p50_ms=1.25,
        p99_ms=p99_ms,
        commits=10,
        commit_p50_ms=0.5,
        commit_p99_ms=4.0,
        operations=90,
        connections=7,
        store_bytes=1 << 33,
        free_bytes=None,
    )


def server_minutes(bench: Bench) -> list[int]:
    readings = bench.run(lambda: bench.store.server_readings(MINUTE - 100, MINUTE + 100))
    return [reading.minute for reading in readings]


def test_the_server_s_readings_come_back_in_order(bench: Bench):
    for minute in (MINUTE + 2, MINUTE, MINUTE + 1, MINUTE + 9):
        bench.run(lambda minute=minute: bench.store.record_server(server_reading(minute)))
    found = bench.run(lambda: bench.store.server_readings(MINUTE, MINUTE + 5))
    assert found == [server_reading(MINUTE + number) for number in range(3)]


def test_the_server_s_minute_goes_on_after_a_restart(bench: Bench):
    for requests, p99_ms in ((100, 9.5), (5, None)):
        bench.run(
            lambda requests=requests, p99_ms=p99_ms: bench.store.record_server(
                server_reading(MINUTE, requests, p99_ms)
            )
        )
    (found,) = bench.run(lambda: bench.store.server_readings(MINUTE, MINUTE))
    assert (found.requests, found.errors, found.commits, found.operations) == (105, 4, 20, 180)
    assert (found.p99_ms, found.connections) == (9.5, 7)


# ── How the store is doing ───────────────────────────────────────────────────────────────────────────────


def test_each_commit_that_waits_for_the_disk_is_timed(sqlite_bench: Bench):
    sqlite_bench.create("q", now_ms=at(0))
    before = sqlite_bench.store.vitals()
    commits, operations = before.commit_seconds.count, before.batch_operations.total
    for body in ("one", "two", "three"):
        sqlite_bench.send("q", body, now_ms=at(1))
    now = sqlite_bench.store.vitals()
    assert now.commit_seconds.count == commits + 3
    assert now.batch_operations.total == operations + 3


def test_the_size_of_a_store_has_its_write_ahead_log_in_it(sqlite_bench: Bench, tmp_path: Path):
    sqlite_bench.create("q", now_ms=at(0))
    files = [file for file in tmp_path.iterdir() if not file.name.endswith("-shm") and "lock" not in file.name]
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
    vitals = sqlite_bench.store.vitals()
    assert vitals.store_bytes == sum(file.stat().st_size for file in files)
    assert vitals.free_bytes


def test_a_store_in_memory_has_a_size_but_no_disk(memory_bench: Bench):
    memory_bench.create("q", now_ms=at(0))
    vitals = memory_bench.store.vitals()
    assert vitals.store_bytes > 0
    assert (vitals.free_bytes, vitals.commit_seconds.count) == (None, 0)
