import re
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.engine.charting import (
    METRICS,
    MOST_POINTS,
    PERIODS_MINUTES,
    STATISTICS,
    Metric,
    metrics_of,
    period_for,
    points,
    sparkline,
)
from stanchion.model import Reading

BY_KEY = {metric.key: metric for metric in METRICS}
NOTHING = Reading(
    minute=0,
    visible=0,
    in_flight=0,
    delayed=0,
    oldest_age_seconds=None,
    groups_in_flight=0,
    noisy_groups=0,
    visible_in_quiet_groups=0,
    sent=0,
    sent_bytes=0,
    smallest_bytes=None,
    largest_bytes=None,
    received=0,
    empty_receives=0,
    deleted=0,
    deduplicated=0,
)


def reading(minute: int, **values: int) -> Reading:
    return NOTHING._replace(minute=minute, **values)


def values(readings, key, statistic, first, last, period=1):
    return [value for _, value in points(readings, BY_KEY[key], statistic, first, last, period)]


# ── What a metric is ─────────────────────────────────────────────────────────────────────────────────────


def test_a_title_is_cloudwatchs_name_in_words():
    for metric in METRICS:
        assert metric.title.replace(" ", "").lower() == metric.name.lower()


def test_every_metric_reads_a_field_that_a_reading_has():
    assert {metric.field for metric in METRICS} <= set(Reading._fields)
    assert len({metric.key for metric in METRICS}) == len({metric.name for metric in METRICS}) == len(METRICS)


def test_events_are_summed_and_gauges_are_not():
    assert {metric.statistic for metric in METRICS if metric.kind == "event"} == {"Sum"}
    assert {metric.statistic for metric in METRICS if metric.kind in ("gauge", "size")} == {"Average"}
    assert BY_KEY["oldest_age"].statistic == "Maximum"


def test_each_type_of_queue_has_metrics_of_its_own():
    fifo, standard = set(metrics_of(fifo=True)), set(metrics_of(fifo=False))
    assert {metric.key for metric in fifo - standard} == {"groups_in_flight", "deduplicated"}
    assert {metric.key for metric in standard - fifo} == {"noisy_groups", "visible_in_quiet_groups"}


# ── Statistics ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Average", 3), ("Sum", 9), ("Minimum", 1), ("Maximum", 6), ("SampleCount", 3)]
)
def test_a_statistic_is_taken_over_the_minutes_of_a_period(statistic, expected):
    recorded = [reading(minute, visible=visible) for minute, visible in ((10, 1), (11, 2), (14, 6))]
    # Minutes 12 and 13 are not known: the queue held messages, and nobody recorded them.
    assert values(recorded, "visible", statistic, 10, 14, 5) == [expected]


def test_the_samples_of_a_size_are_the_messages():
    recorded = [
        reading(0, sent=1, sent_bytes=10, smallest_bytes=10, largest_bytes=10),
        reading(1, received=1),
        reading(2, sent=3, sent_bytes=50, smallest_bytes=5, largest_bytes=40),
    ]
    found = [values(recorded, "sent_size", statistic, 0, 4, 5)[0] for statistic in STATISTICS]
    assert found == [15, 60, 5, 40, 4]
    assert values(recorded, "sent_size", "SampleCount", 0, 3) == [1, None, 3, None]


def test_periods_begin_at_multiples_of_their_length():
    recorded = [reading(minute, sent=1) for minute in range(7, 18)]
    found = points(recorded, BY_KEY["sent"], "Sum", 7, 17, 5)
    assert found == [(5, 3), (10, 5), (15, 3)]


# ── Minutes without a reading ────────────────────────────────────────────────────────────────────────────


def test_a_queue_left_empty_stays_so_until_the_next_reading():
    recorded = [reading(1, visible=2), reading(2, received=2), reading(5, visible=1)]
    assert values(recorded, "visible", "Average", 0, 6) == [None, 2, 0, 0, 0, 1, None]


def test_nothing_happened_in_a_minute_without_a_reading():
    recorded = [reading(1, visible=2, sent=2), reading(3, visible=1, deleted=1)]
    assert values(recorded, "sent", "Sum", 0, 4) == [None, 2, 0, 0, 0]


def test_an_empty_queue_has_no_oldest_message():
    recorded = [reading(1, visible=1, oldest_age_seconds=30), reading(2, received=1), reading(4, received=1)]
    assert values(recorded, "oldest_age", "Maximum", 0, 5) == [None, 30, None, None, None, None]


def test_without_any_reading_nothing_is_known():
    assert values([], "sent", "Sum", 0, 2) == [None, None, None]


def test_a_reading_before_the_first_minute_tells_what_the_queue_held():
    assert values([reading(1, sent=5)], "visible", "Average", 6, 7) == [0, 0]
    assert values([reading(1, visible=5)], "visible", "Average", 6, 7) == [None, None]
    assert values([reading(1, sent=5)], "sent", "Sum", 6, 7) == [0, 0]


def test_a_reading_after_the_last_minute_is_not_looked_at():
    assert values([reading(1, sent=5), reading(9, sent=1)], "sent", "Sum", 0, 2) == [None, 5, 0]


# ── Against a plain model: minute by minute ──────────────────────────────────────────────────────────────

COUNT = st.integers(0, 3)
MINUTES = st.integers(100, 160)


class Asked(NamedTuple):
    first: int
    last: int
    period: int


@st.composite
def histories(draw):
    recorded = []
    for minute in sorted(draw(st.sets(MINUTES, max_size=25))):
        sizes = sorted(draw(st.lists(st.integers(1, 100), max_size=3)))
        recorded.append(
            reading(
                minute,
                visible=draw(COUNT),
                in_flight=draw(COUNT),
                received=draw(COUNT),
                oldest_age_seconds=draw(st.none() | st.integers(0, 9)),
                sent=len(sizes),
                sent_bytes=sum(sizes),
                smallest_bytes=sizes[0] if sizes else None,
                largest_bytes=sizes[-1] if sizes else None,
            )
        )
    return recorded


ASKED = st.builds(
    lambda one, other, period: Asked(min(one, other), max(one, other), period),
    MINUTES,
    MINUTES,
    st.sampled_from((1, 5, 15, 60)),
)
METRIC = st.sampled_from(METRICS)


def known_value(recorded: list[Reading], metric: Metric, minute: int) -> int | None:
    before = [each for each in recorded if each.minute <= minute]
    if before and before[-1].minute == minute:
        return getattr(before[-1], metric.field)
    if not before or metric.kind == "age":
        return None
    held = before[-1].visible + before[-1].in_flight + before[-1].delayed
    return 0 if metric.kind == "event" or held == 0 else None


@given(histories(), METRIC.filter(lambda metric: metric.kind != "size"), ASKED)
def test_every_statistic_is_what_the_known_minutes_say(recorded, metric, asked):
    for statistic, compute in {
        "Sum": sum,
        "Minimum": min,
        "Maximum": max,
        "SampleCount": len,
        "Average": lambda known: sum(known) / len(known),
    }.items():
        for start, found in points(recorded, metric, statistic, *asked):
            minutes = range(max(start, asked.first), min(start + asked.period, asked.last + 1))
            known = [
                each for each in (known_value(recorded, metric, minute) for minute in minutes) if each is not None
            ]
            assert found == (compute(known) if known else None)


@given(histories(), METRIC, ASKED, st.integers(1, 4))
def test_a_long_time_may_be_asked_for_in_pieces(recorded, metric, asked, periods):
    first = asked.first - asked.first % asked.period
    whole = points(recorded, metric, "Average", first, asked.last, asked.period)
    pieces, before = [], []
    for start in range(first, asked.last + 1, periods * asked.period):
        end = min(start + periods * asked.period - 1, asked.last)
        piece = [each for each in recorded if start <= each.minute <= end]
        pieces += points([*before, *piece], metric, "Average", start, end, asked.period)
        before = piece[-1:] or before
    # What came before the time that was asked for is known to neither.
    assert pieces == points([each for each in recorded if each.minute >= first], metric, "Average", first, *asked[1:])
    assert [start for start, _ in pieces] == [start for start, _ in whole]


# ── Periods ──────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 14 * 1440), st.sampled_from((None, *PERIODS_MINUTES)))
def test_a_chart_has_no_more_points_than_can_be_seen(minutes, asked):
    period = period_for(minutes, asked)
    assert period >= (asked or 1)
    assert minutes / period <= MOST_POINTS


def test_a_period_is_no_longer_than_it_must_be():
    assert [period_for(hours * 60, 1) for hours in (1, 24, 72, 168, 336)] == [1, 1, 5, 15, 15]
    assert [period_for(hours * 60, None) for hours in (1, 3, 12, 24, 72, 168, 336)] == [1, 1, 5, 5, 15, 60, 60]
    assert period_for(60, 1440) == 1440


# ── Sparklines ───────────────────────────────────────────────────────────────────────────────────────────


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=80))
def test_a_sparkline_stays_in_its_box_and_has_a_place_for_each_value(shown):
    drawn = places(sparkline(shown, 100, 24))
    assert len(drawn) == sum(value is not None for value in shown)
    assert all(1 <= x <= 99 and 1 <= y <= 23 for x, y in drawn)
    assert all(before[0] < after[0] for before, after in pairwise(drawn))


def test_a_sparkline_begins_anew_after_a_gap():
    assert sparkline([0, 4, None, 2], 32, 10) == "M1.0 9.0h0L11.0 1.0M31.0 5.0h0"


def test_a_sparkline_of_zeros_lies_on_the_ground():
    assert {y for _, y in places(sparkline([0, 0, 0], 100, 24))} == {23}
