"""The Monitoring tab of a queue: charts of its metrics, and the same values as JSON. All times are UTC."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stanchion.actions import GetQueueAttributesInput
from stanchion.console import charts, texts
from stanchion.console.charts import Chart, Series
from stanchion.console.desk import Desk, desk_of
from stanchion.console.history import HOUR_MINUTES, MINUTE_MS, newest_minute, pieces
from stanchion.console.queue_addresses import name_of, of_a_queue, queue_page, queue_path
from stanchion.console.queue_pages import tabs_of
from stanchion.console.rendering import render
from stanchion.console.security import refuse
from stanchion.engine.charting import (
    MOST_POINTS,
    PERIODS_MINUTES,
    STATISTICS,
    Metric,
    Point,
    Statistic,
    metrics_of,
    period_for,
    points,
)
from stanchion.errors import SQSError
from stanchion.model import Reading
from stanchion.store.base import METRICS_DAYS

RANGES: Final = {"1h": 60, "3h": 180, "12h": 720, "1d": 1440, "3d": 4320, "1w": 10_080, "2w": 20_160}
CUSTOM: Final = "custom"
REFRESH_SECONDS: Final = 60  # there is nothing new before the next minute
STATISTIC_TITLES: Final[Mapping[Statistic, str]] = {each: each for each in STATISTICS} | {
    "SampleCount": "Sample count"
}

_KEPT_MINUTES: Final = METRICS_DAYS * 1440


class BadRange(ValueError):
    """What was asked for cannot be shown; the text says why."""


class Asked(NamedTuple):
    """What a page is to show. ``statistic`` None is each metric's own, ``asked_period`` None the one that fits.

    ``period`` and ``asked_period`` are minutes; ``first_minute`` begins a period.
    """

    range: str
    first_minute: int
    last_minute: int
    statistic: Statistic | None
    asked_period: int | None
    period: int
    refresh: bool

    @property
    def first_ms(self) -> int:
        return self.first_minute * MINUTE_MS

    @property
    def end_ms(self) -> int:
        return (self.last_minute + 1) * MINUTE_MS

    def query(self) -> str:
        """As an address has it."""
        fields = {
            "range": self.range,
            "first": _field_time(self.first_ms) if self.range == CUSTOM else "",
            "last": _field_time(self.end_ms) if self.range == CUSTOM else "",
            "statistic": self.statistic or "",
            "period": self.asked_period or "",
            "refresh": "1m" if self.refresh else "",
        }
        return urlencode({name: value for name, value in fields.items() if value})

    def note(self) -> str:
        """The range and the period in words."""
        shown = f"{_words(self.first_ms)} to {_words(self.end_ms)} UTC. Period: {texts.period(self.period * 60)}"
        if self.asked_period is not None and self.period > self.asked_period:
            return f"{shown}, because a chart has at most {MOST_POINTS:,} points."
        return f"{shown}."


def read(given: Mapping[str, str], now_ms: int) -> Asked:
    """What an address asks for; nonsense in it counts as nothing. Raises BadRange for times that cannot be shown."""
    newest = newest_minute(now_ms)
    range_ = given.get("range") or (CUSTOM if "first" in given or "last" in given else "1h")
    if range_ == CUSTOM:
        first, last = _custom(given, newest)
    else:
        range_ = range_ if range_ in RANGES else "1h"
        first, last = newest - RANGES[range_] + 1, newest
    asked_period = next((each for each in PERIODS_MINUTES if str(each) == given.get("period")), None)
    period = period_for(last - first + 1, asked_period)
    return Asked(
        range=range_,
        first_minute=first - first % period,
        last_minute=last,
        statistic=next((each for each in STATISTICS if each == given.get("statistic")), None),
        asked_period=asked_period,
        period=period,
        refresh=given.get("refresh") == "1m",
    )


def _custom(given: Mapping[str, str], newest: int) -> tuple[int, int]:
    """The first and the last minute between two times, as far as there can be readings."""
    begin = _read_time(given.get("first", ""), newest - HOUR_MINUTES + 1)
    end = _read_time(given.get("last", ""), newest + 1)
    if begin >= end:
        raise BadRange("The range has to begin before it ends.")
    first, last = max(begin, newest - _KEPT_MINUTES + 1), min(end - 1, newest)
    if first > last:
        raise BadRange(f"There are values of the last {METRICS_DAYS} days, and none of the future.")
    return first, last


def _read_time(text: str, otherwise: int) -> int:
    """The minute of a time: as a form writes it (2026-11-21T07:25, UTC), with an offset, or in milliseconds."""
    if not text:
        return otherwise
    if text.isascii() and text.isdigit():
        return int(text[:16]) // MINUTE_MS
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 60)
    except (ValueError, OverflowError):
        raise BadRange("A time is written as 2026-11-21T07:25; all times are UTC.") from None


def _field_time(moment_ms: int) -> str:
    """As a field of the type datetime-local has it."""
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%dT%H:%M}"


def _words(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M}"


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────


async def _drawn(desk: Desk, name: str, metrics: Sequence[Metric], asked: Asked) -> list[Chart]:
    lines: dict[str, list[Point]] = {metric.key: [] for metric in metrics}
    before: Sequence[Reading] = ()
    async for first, last, found in pieces(desk, [name], asked.first_minute, asked.last_minute, asked.period):
        readings = [*before, *found.get(name, ())]
        for metric in metrics:
            statistic = asked.statistic or metric.statistic
            lines[metric.key] += points(readings, metric, statistic, first, last, asked.period)
            await asyncio.sleep(0)  # others' requests first: this was about a millisecond of work
        before = readings[-1:]
    return [_chart(metric, lines[metric.key], asked) for metric in metrics]


def _chart(metric: Metric, line: Sequence[Point], asked: Asked) -> Chart:
    statistic = STATISTIC_TITLES[asked.statistic or metric.statistic]
    unit = "Count" if asked.statistic == "SampleCount" else metric.unit
    shown = [(minute * MINUTE_MS, value if value is None else round(value, 3)) for minute, value in line]
    return Chart(metric.key, metric.title, unit, [Series(statistic, shown)], statistic)


async def _admit(desk: Desk, name: str) -> None:
    """Whoever may see how a queue is may see how it was."""
    await desk.call(
        "GetQueueAttributes", GetQueueAttributesInput(queue_url=desk.queue_url(name), attribute_names=["QueueArn"])
    )


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────


@of_a_queue
async def show(request: Request) -> Response:
    desk, name = desk_of(request), name_of(request)
    await _admit(desk, name)
    problem = ""
    try:
        asked = read(request.query_params, desk.now_ms())
    except BadRange as bad:
        problem, asked = str(bad), read({}, desk.now_ms())
    return render(
        request,
        "monitoring.html",
        400 if problem else 200,
        name=name,
        tabs=tabs_of(name),
        page_of=queue_page,
        here=f"{queue_path(name)}/monitoring",
        values_url=f"{queue_path(name)}/metrics.json",
        asked=asked,
        first=request.query_params.get("first", "") if problem else _field_time(asked.first_ms),
        last=request.query_params.get("last", "") if problem else _field_time(asked.end_ms),
        problem=problem,
        ranges=list(RANGES),
        statistics=STATISTIC_TITLES,
        periods=[(each, texts.period(each * 60)) for each in PERIODS_MINUTES],
        refresh_seconds=REFRESH_SECONDS,
        drawn=await _drawn(desk, name, _metrics(name), asked),
    )


async def values(request: Request) -> Response:
    """The charts as JSON: all of them, or those of ``metric`` (its key or its name in CloudWatch)."""
    desk, name = desk_of(request), name_of(request)
    try:
        await _admit(desk, name)
        asked = read(request.query_params, desk.now_ms())
    except SQSError as error:
        return refuse(request, error.status, error.code, error.message)
    except BadRange as bad:
        return refuse(request, 400, "InvalidRange", str(bad))
    wanted = request.query_params.getlist("metric")
    metrics = [each for each in _metrics(name) if not wanted or each.key in wanted or each.name in wanted]
    if not metrics:
        return refuse(request, 400, "UnknownMetric", "The queue has no such metric.")
    drawn = await _drawn(desk, name, metrics, asked)
    answer = charts.as_json(drawn, asked.first_ms, asked.end_ms, asked.period * MINUTE_MS, asked.note())
    return JSONResponse(answer | _fields(asked), headers={"Cache-Control": "no-store"})


def _fields(asked: Asked) -> dict[str, Any]:
    """What the page's controls show from now on."""
    times = {"first": _field_time(asked.first_ms), "last": _field_time(asked.end_ms)}
    return {"range": asked.range, "query": asked.query()} | times


def _metrics(name: str) -> Sequence[Metric]:
    return metrics_of(fifo=name.endswith(".fifo"))


ROUTES: Final = [
    Route("/queues/{name}/monitoring", show),
    Route("/queues/{name}/metrics.json", values),
]
