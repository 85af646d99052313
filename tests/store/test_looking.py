"""People who look hold nobody up: one look is a few milliseconds of work, however much there is to see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.bench import ACCOUNT, REGION, Bench, admit, at, key_of
from stanchion.model import Counts
from stanchion.store.base import BrowsePage, QueueSummary


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench("memory", Path())
    try:
        yield bench
    finally:
        bench.close()


def browse(bench: Bench, after: int = 0) -> BrowsePage:
    return bench.run(lambda: bench.store.browse(key_of("q"), admit, lambda _message: False, after, 100, at(1)))


def overview(bench: Bench, *, now_ms: int) -> list[QueueSummary]:
    page = bench.run(lambda: bench.store.overview(ACCOUNT, REGION, "", "name", False, 0, 100, now_ms))
    return list(page.summaries)


def test_a_look_at_large_bodies_is_over_after_fewer_of_them(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", *["x" * 300_000 for _ in range(8)], now_ms=at(0))
    first = browse(bench)
    assert first.next_sequence is not None
    second = browse(bench, first.next_sequence)
    assert (first.looked_at, second.looked_at) == (4, 4)


def test_the_largest_body_alone_does_not_stop_a_look(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "x" * 1_048_576, now_ms=at(0))
    bench.send("q", "y" * 1_048_576, now_ms=at(0))
    first = browse(bench)
    assert first.looked_at == 1
    assert first.next_sequence is not None
    assert browse(bench, first.next_sequence).looked_at == 1


def test_an_overview_counts_a_bounded_number_of_ended_timeouts_anew(bench: Bench):
    for name in ("a", "b", "c"):
        bench.create(name, now_ms=at(0))
        bench.send_all(name, [bench.new(str(number)) for number in range(1_000)], now_ms=at(0))
        bench.receive(name, now_ms=at(1), maximum=1_000, visibility=30)
    assert [each.counts for each in overview(bench, now_ms=at(2))] == [Counts(0, 1_000, 0)] * 3
    counted = [each.counts for each in overview(bench, now_ms=at(32))]
    assert 0 < sum(each.visible for each in counted) <= 510
    assert [each.visible + each.in_flight for each in counted] == [1_000] * 3


def test_an_overview_counts_few_ended_timeouts_at_once(bench: Bench):
    for number in range(20):
        bench.create(f"q{number:02}", now_ms=at(0))
        bench.send(f"q{number:02}", *"abcde", now_ms=at(0))
        bench.receive(f"q{number:02}", now_ms=at(1), maximum=5, visibility=30)
    assert [each.counts for each in overview(bench, now_ms=at(32))] == [Counts(5, 0, 0)] * 20


def test_an_overview_does_not_call_an_expired_message_the_oldest(bench: Bench):
    bench.create("q", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send("q", "old", now_ms=at(0))
    bench.send("q", "new", now_ms=at(30))
    (summary,) = overview(bench, now_ms=at(61))
    assert (summary.counts, summary.oldest_sent_at_ms) == (Counts(1, 0, 0), at(30))
