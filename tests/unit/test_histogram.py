"""Histograms count, and know quantiles as well as their buckets are wide."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.histogram import COUNTS, SECONDS, Histogram

durations = st.floats(0.00001, 29, allow_nan=False)


def of(*values: float, bounds: tuple[float, ...] = SECONDS) -> Histogram:
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    return histogram


def test_the_bounds_grow_in_small_steps_from_a_tenth_of_a_millisecond_to_half_a_minute() -> None:
    assert (SECONDS[0], SECONDS[-1]) == (0.0001, 30)
    assert max(later / earlier for earlier, later in itertools.pairwise(SECONDS)) < 1.7


def test_the_bounds_for_counts_go_from_one_to_a_thousand() -> None:
    assert (COUNTS[:4], COUNTS[-1]) == ((1, 2, 3, 5), 1_000)
    assert list(COUNTS) == sorted(COUNTS)


def test_a_histogram_without_values_has_no_quantiles() -> None:
    assert of().quantile(0.5) is None


def test_a_value_on_a_bound_belongs_to_the_bucket_below() -> None:
    assert of(1, 2, 2, bounds=(1.0, 2.0)).counts == [1, 2, 0]


def test_of_what_is_above_all_bounds_only_that_is_known() -> None:
    assert of(5, 6, 7, bounds=(1.0, 2.0)).quantile(0.99) == 2.0


@given(st.lists(durations, min_size=2, max_size=300), st.sampled_from([50, 90, 99]))
def test_a_quantile_is_in_the_bucket_of_the_real_one(values: list[float], percent: int) -> None:
    found = of(*values).quantile(percent / 100)
    real = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    upper = next(bound for bound in SECONDS if bound >= real)
    lower = max((bound for bound in SECONDS if bound < real), default=0.0)
    assert found is not None
    assert lower <= found <= upper * (1 + 1e-9)


@given(st.lists(durations, max_size=50), st.lists(durations, max_size=50))
def test_what_came_since_and_sums_are_as_if_counted_apart(before: list[float], after: list[float]) -> None:
    histogram = of(*before)
    earlier = histogram.copy()
    for value in after:
        histogram.observe(value)
    assert histogram.since(earlier).counts == of(*after).counts
    assert (of(*before) + of(*after)).counts == histogram.counts
    assert histogram.since(earlier).total == pytest.approx(sum(after), abs=1e-6)
    assert histogram.count == len(before) + len(after)
