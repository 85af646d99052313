"""From the recorded minutes of a queue to points of a chart: metrics, statistics and periods as CloudWatch has them.

A minute has no reading when nothing happened and the queue held nothing, or when nobody recorded it: the server was
down. The reading before tells which of the two it was, because a queue that holds messages has a reading for every
minute that the server runs. So after a reading that left the queue empty, minutes without one count as zero; after
one that left messages behind, what the queue held is not known until the next. What happened in such a minute is
known either way: nothing. Before the first reading nothing is known at all. What is not known is a gap.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from stanchion.model import Reading

Kind = Literal["event", "gauge", "age", "size"]
Statistic = Literal["Average", "Sum", "Minimum", "Maximum", "SampleCount"]
QueueType = Literal["any", "fifo", "standard"]
Point = tuple[int, float | None]

STATISTICS: Final[tuple[Statistic, ...]] = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
PERIODS_MINUTES: Final = (1, 5, 15, 60, 360, 1440)
MOST_POINTS: Final = 1500  # a line has more than a point for each pixel of a wide screen then, and only costs
EASY_POINTS: Final = 360  # what a chart has when nobody asked for a period


class Metric(NamedTuple):
    """``key`` names it in addresses, ``name`` in CloudWatch; ``of`` is the type of queue that has it.

    An event is a count of what happened in a minute, a gauge is what the queue held at its end; an age is a gauge
    that only a queue with messages has. For these each minute is one sample. The samples of a size are the messages.
    """

    key: str
    name: str
    title: str
    unit: Literal["Count", "Seconds", "Bytes"]
    kind: Kind
    statistic: Statistic
    field: str
    of: QueueType = "any"


def _event(key: str, name: str, title: str, of: QueueType = "any") -> Metric:
    return Metric(key, name, title, "Count", "event", "Sum", key, of)


def _gauge(key: str, name: str, title: str, of: QueueType = "any") -> Metric:
    return Metric(key, name, title, "Count", "gauge", "Average", key, of)


METRICS: Final = (
    _gauge("visible", "ApproximateNumberOfMessagesVisible", "Approximate Number Of Messages Visible"),
    _gauge("in_flight", "ApproximateNumberOfMessagesNotVisible", "Approximate Number Of Messages Not Visible"),
    _gauge("delayed", "ApproximateNumberOfMessagesDelayed", "Approximate Number Of Messages Delayed"),
    Metric(
        key="oldest_age",
        name="ApproximateAgeOfOldestMessage",
        title="Approximate Age Of Oldest Message",
        unit="Seconds",
        kind="age",
        statistic="Maximum",
        field="oldest_age_seconds",
    ),
    _event("sent", "NumberOfMessagesSent", "Number Of Messages Sent"),
    _event("received", "NumberOfMessagesReceived", "Number Of Messages Received"),
    _event("deleted", "NumberOfMessagesDeleted", "Number Of Messages Deleted"),
    _event("empty_receives", "NumberOfEmptyReceives", "Number Of Empty Receives"),
    Metric(
        key="sent_size",
        name="SentMessageSize",
        title="Sent Message Size",
        unit="Bytes",
        kind="size",
        statistic="Average",
        field="sent_bytes",
    ),
    _gauge(
        "groups_in_flight",
        "ApproximateNumberOfGroupsWithInflightMessages",
        "Approximate Number Of Groups With Inflight Messages",
        "fifo",
    ),
    _event("deduplicated", "NumberOfDeduplicatedSentMessages", "Number Of Deduplicated Sent Messages", "fifo"),
    _gauge("noisy_groups", "ApproximateNumberOfNoisyGroups", "Approximate Number Of Noisy Groups", "standard"),
    _gauge(
        "visible_in_quiet_groups",
        "ApproximateNumberOfMessagesVisibleInQuietGroups",
        "Approximate Number Of Messages Visible In Quiet Groups",
        "standard",
    ),
)
"""Every metric of a queue, in the order of the charts."""


def metrics_of(*, fifo: bool) -> tuple[Metric, ...]:
    """Those that a queue of this type has. (Any standard queue may be a fair one: it takes a message group id.)"""
    return tuple(metric for metric in METRICS if metric.of in ("any", "fifo" if fifo else "standard"))


def period_for(minutes: int, asked_minutes: int | None) -> int:
    """The period of a chart over so many minutes: what was asked for, or longer if there were too many points."""
    most = EASY_POINTS if asked_minutes is None else MOST_POINTS
    fitting = (each for each in PERIODS_MINUTES if each >= (asked_minutes or 1) and minutes <= most * each)
    return next(fitting, PERIODS_MINUTES[-1])


def points(
    readings: Sequence[Reading],
    metric: Metric,
    statistic: Statistic,
    first_minute: int,
    last_minute: int,
    period_minutes: int,
) -> list[Point]:
    """A point for each period from ``first_minute`` to ``last_minute``: the minute it begins at, and the statistic.

    ``readings`` are in order of time. Periods begin at multiples of their length since the epoch, so the first and
    the last may be there in part only. Readings before ``first_minute`` just tell what the queue held by then: who
    asks for a long time in pieces hands in the last reading of the piece before.
    """
    column = _column(readings, metric)
    quiet = _quiet(readings, metric, first_minute, last_minute, period_minutes)
    found: list[Point] = []
    for start in range(first_minute - first_minute % period_minutes, last_minute + 1, period_minutes):
        low = bisect_left(column.minutes, max(start, first_minute))
        high = bisect_left(column.minutes, min(start + period_minutes, last_minute + 1))
        found.append((start, _value(column, slice(low, high), quiet.get(start, 0), statistic)))
    return found


class _Column(NamedTuple):
    """The samples of each minute that has any: their sum, least, most and number. ``counts`` None is one each.

    A chart of two weeks looks at 20,000 minutes, and a page has eleven of them: lists, so that the interpreter's own
    sum, min and max go over them.
    """

    minutes: list[int]
    totals: list[int]
    least: list[int]
    most: list[int]
    counts: list[int] | None


def _column(readings: Sequence[Reading], metric: Metric) -> _Column:
    if metric.kind == "size":
        rows = [
            (each.minute, each.sent_bytes, each.smallest_bytes, each.largest_bytes, each.sent)
            for each in readings
            if each.smallest_bytes is not None and each.largest_bytes is not None
        ]
        minutes, totals, least, most, counts = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [], [])
        return _Column(minutes, totals, least, most, counts)
    read = attrgetter(metric.field)
    if metric.kind == "age":
        readings = [each for each in readings if read(each) is not None]
    values = list(map(read, readings))
    return _Column([each.minute for each in readings], values, values, values, None)


def _value(column: _Column, part: slice, quiet: int, statistic: Statistic) -> float | None:
    """The statistic of one period, of whose minutes ``quiet`` count as zero. No sample is below zero."""
    count = quiet + (part.stop - part.start if column.counts is None else sum(column.counts[part]))
    if not count:
        return None
    match statistic:
        case "SampleCount":
            return count
        case "Minimum":
            return 0 if quiet else min(column.least[part])
        case "Maximum":
            return max(column.most[part], default=0)
        case "Sum":
            return sum(column.totals[part])
        case "Average":
            return sum(column.totals[part]) / count


def _quiet(
    readings: Sequence[Reading], metric: Metric, first_minute: int, last_minute: int, period_minutes: int
) -> dict[int, int]:
    """How many minutes without a reading count as zero, for each period that has any, by its first minute."""
    found: dict[int, int] = {}
    if metric.kind in ("age", "size"):
        return found
    for position, end in _holes(readings, last_minute):
        begin = max(readings[position].minute + 1, first_minute)
        end = min(end, last_minute + 1)
        if metric.kind != "event" and not _left_empty(readings[position]):
            continue
        for start in range(begin - begin % period_minutes, end, period_minutes):
            minutes = min(end, start + period_minutes) - max(begin, start)
            if minutes > 0:
                found[start] = found.get(start, 0) + minutes
    return found


def _holes(readings: Sequence[Reading], last_minute: int) -> list[tuple[int, int]]:
    """Where readings are followed by minutes without: the position of the one before, and the minute that ends it."""
    minutes = [each.minute for each in readings]
    following = [*minutes[1:], last_minute + 1]
    pairs = enumerate(zip(minutes, following, strict=True)) if minutes else ()
    return [(position, end) for position, (minute, end) in pairs if end - minute > 1]


def _left_empty(reading: Reading) -> bool:
    return not (reading.visible or reading.in_flight or reading.delayed)


def sparkline(values: Sequence[float | None], width: int, height: int) -> str:
    """The path of an SVG: a line from side to side, from zero up to the largest value, broken where one is missing.

    A value between two gaps is a line of no length; with round ends it is seen as a dot.
    """
    top = max((value for value in values if value is not None), default=0) or 1
    step = (width - 2) / max(1, len(values) - 1)
    path = []
    before: float | None = None
    for position, value in enumerate(values):
        if value is not None:
            place = f"{1 + position * step:.1f} {height - 1 - value / top * (height - 2):.1f}"
            path.append(f"L{place}" if before is not None else f"M{place}h0")
        before = value
    return "".join(path)
