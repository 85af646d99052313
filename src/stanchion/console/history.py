"""The recorded minutes of queues, read in pieces; and the small lines that a list shows of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple

from stanchion.console import texts
from stanchion.console.desk import Desk
from stanchion.engine.charting import METRICS, points, sparkline
from stanchion.model import Reading
from stanchion.store.base import MOST_READINGS

MINUTE_MS: Final = 60_000
HOUR_MINUTES: Final = 60

_RECORDED_AFTER_MS: Final = 10_000  # a minute's readings are written in small steps: until then it is not over for us
_VISIBLE: Final = next(metric for metric in METRICS if metric.key == "visible")
_WIDTH: Final = 96  # as the macro in charts.html has it
_HEIGHT: Final = 24


class Sparkline(NamedTuple):
    path: str
    label: str


def newest_minute(now_ms: int) -> int:
    """The last minute that has all its readings."""
    return (now_ms - _RECORDED_AFTER_MS) // MINUTE_MS - 1


async def pieces(
    desk: Desk, names: Sequence[str], first_minute: int, last_minute: int, period: int = 1
) -> AsyncIterator[tuple[int, int, Mapping[str, Sequence[Reading]]]]:
    """The readings of a range in pieces of whole periods, none larger than the store reads at once."""
    length = max(1, MOST_READINGS // len(names) // period) * period
    for first in range(first_minute, last_minute + 1, length):
        last = min(first + length - 1, last_minute)
        yield first, last, await desk.readings(names, first, last)


async def last_hour(desk: Desk, names: Sequence[str]) -> dict[str, Sparkline]:
    """The messages available in each queue over the last hour; queues of which nothing is known are left out."""
    if not names:
        return {}
    newest = newest_minute(desk.now_ms())
    oldest = newest - HOUR_MINUTES + 1
    found: dict[str, list[Reading]] = {}
    async for _, _, piece in pieces(desk, names, oldest, newest):
        for name, readings in piece.items():
            found.setdefault(name, []).extend(readings)
    return {name: _sparkline(readings, oldest, newest) for name, readings in found.items() if readings}


def _sparkline(readings: Sequence[Reading], oldest: int, newest: int) -> Sparkline:
    values = [value for _, value in points(readings, _VISIBLE, "Average", oldest, newest, 1)]
    known = [value for value in values if value is not None]
    label = f"available: {texts.count(min(known))} to {texts.count(max(known))} in the last hour"
    return Sparkline(sparkline(values, _WIDTH, _HEIGHT), label)
