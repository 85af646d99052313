"""Minutes of the server, put together to longer periods. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from stanchion.model import ServerReading

Value = float | None


def _sum(values: Iterable[Value]) -> Value:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: Iterable[Value]) -> Value:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _most(values: Iterable[Value]) -> Value:
    return max((value for value in values if value is not None), default=None)


# What happened adds up. A median of medians is about the median; of slow ones the slowest minute's is told.
_TOGETHER: Final[dict[str, Callable[[Iterable[Value]], Value]]] = {
    "requests": _sum,
    "errors": _sum,
    "commits": _sum,
    "operations": _sum,
    "p50_ms": _mean,
    "commit_p50_ms": _mean,
    "p99_ms": _most,
    "commit_p99_ms": _most,
    "connections": _most,
    "store_bytes": _most,
    "free_bytes": _mean,
}


def series(
    readings: Sequence[ServerReading], figure: str, first_minute: int, last_minute: int, period_minutes: int
) -> list[tuple[int, Value]]:
    """A figure by period: the minute it begins, and its value; None where nothing was recorded.

    Periods begin at ``first_minute`` and every ``period_minutes`` after it, up to ``last_minute``.
    """
    together = _TOGETHER[figure]
    found: dict[int, list[Value]] = {}
    for reading in readings:
        found.setdefault((reading.minute - first_minute) // period_minutes, []).append(getattr(reading, figure))
    periods = range((last_minute - first_minute) // period_minutes + 1)
    return [(first_minute + place * period_minutes, together(found.get(place, ()))) for place in periods]
