"""How the server is doing: figures of this second, what was called since the start, and charts of two weeks."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stanchion import __version__
from stanchion.broker.vitals import Figures, milliseconds
from stanchion.clock import stopwatch
from stanchion.console import charts, monitoring, texts
from stanchion.console.charts import Chart, Series, written
from stanchion.console.parts import Parts
from stanchion.console.rendering import render
from stanchion.console.security import refuse
from stanchion.console.streaming import stream
from stanchion.console.visitors import parts_of
from stanchion.engine import pace
from stanchion.histogram import Histogram
from stanchion.model import ServerReading

EVERY_SECONDS: Final = 1.0
MINUTES_AT_ONCE: Final = 1_440  # readings that the store is asked for together: two milliseconds
_MINUTE_MS: Final = 60_000


class _Line(NamedTuple):
    """A line of a chart: a figure of a reading, and what it is divided by."""

    name: str
    figure: str
    of: str = ""  # another figure
    per_second: bool = False


class _Drawn(NamedTuple):
    id: str
    title: str
    unit: str
    lines: tuple[_Line, ...]


CHARTS: Final = (
    _Drawn(
        "requests",
        "Requests per second",
        "Count",
        (_Line("Requests", "requests", per_second=True), _Line("Errors", "errors", per_second=True)),
    ),
    _Drawn("seconds", "Time of a request", "Milliseconds", (_Line("p50", "p50_ms"), _Line("p99", "p99_ms"))),
    _Drawn(
        "commits", "Time of a commit", "Milliseconds", (_Line("p50", "commit_p50_ms"), _Line("p99", "commit_p99_ms"))
    ),
    _Drawn("batches", "Operations a commit", "Count", (_Line("Operations", "operations", of="commits"),)),
    _Drawn("connections", "Connections", "Count", (_Line("Connections", "connections"),)),
    _Drawn("store", "Size of the store", "Bytes", (_Line("Size", "store_bytes"),)),
    _Drawn("disk", "Free on its disk", "Bytes", (_Line("Free", "free_bytes"),)),
)


# ── This second ──────────────────────────────────────────────────────────────────────────────────────────

TILES: Final = (
    ("requests", "Requests per second"),
    ("errors", "Errors per second"),
    ("p50", "Time of a request, p50"),
    ("p99", "Time of a request, p99"),
    ("commit_p50", "Time of a commit, p50"),
    ("commit_p99", "Time of a commit, p99"),
    ("batch", "Operations a commit"),
    ("connections", "Connections"),
    ("waiting", "Waiting receives"),
    ("throttled", "Throttled requests"),
    ("store", "Size of the store"),
    ("free", "Free on its disk"),
)
_STARTED_SECONDS: Final = time.monotonic()


class Pulse:
    """The figures of the last second. Every page asks here; only the first of a second looks."""

    def __init__(self, parts: Parts) -> None:
        self._meters = parts.meters
        self._before = self._now = self._meters.figures()
        self._seconds = 1.0
        self._looked_at = stopwatch()

    async def tiles(self) -> dict[str, str]:
        """Texts for TILES, by key."""
        moment = stopwatch()
        if moment - self._looked_at >= EVERY_SECONDS * 0.9:
            self._before, self._now = self._now, self._meters.figures()
            self._seconds = moment - self._looked_at
            self._looked_at = moment
        return _tiles(self._before, self._now, self._seconds)


def _tiles(before: Figures, now: Figures, seconds: float) -> dict[str, str]:
    times, commits = now.seconds.since(before.seconds), now.commit_seconds.since(before.commit_seconds)
    batches = now.batch_operations.since(before.batch_operations)
    return {
        "requests": f"{(now.requests - before.requests) / seconds:,.0f}",
        "errors": f"{(now.errors - before.errors) / seconds:,.0f}",
        "p50": _quantile(times, 0.5),
        "p99": _quantile(times, 0.99),
        "commit_p50": _quantile(commits, 0.5),
        "commit_p99": _quantile(commits, 0.99),
        "batch": f"{batches.total / batches.count:,.1f}" if batches.count else texts.NO_VALUE,
        "connections": texts.count(now.connections),
        "waiting": texts.count(now.waiting_receives),
        "throttled": texts.count(now.throttled),
        "store": texts.size(now.store_bytes),
        "free": texts.size(now.free_bytes),
    }


def _quantile(histogram: Histogram, part: float) -> str:
    return written(milliseconds(histogram.quantile(part)), "Milliseconds")


def _pulse_of(request: Request) -> Pulse:
    state = request.app.state
    if not hasattr(state, "pulse"):
        state.pulse = Pulse(parts_of(request))
    pulse: Pulse = state.pulse
    return pulse


async def live(request: Request) -> Response:
    """A stream of the tiles."""
    return stream(request, _pulse_of(request).tiles, EVERY_SECONDS)


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────


class _Calls(NamedTuple):
    """A row of the table of actions."""

    action: str
    calls: int
    errors: int
    p50: str
    p99: str


async def show(request: Request) -> Response:
    parts = parts_of(request)
    try:
        asked = monitoring.read({"range": request.query_params.get("range", "1h")}, parts.clock.now_ms())
    except monitoring.BadRange as bad:
        return refuse(request, 400, "InvalidRange", str(bad))
    return render(
        request,
        "server.html",
        tiles=TILES,
        values=await _pulse_of(request).tiles(),
        calls=_calls(parts),
        version=__version__,
        kind=parts.store_kind,
        uptime=texts.period(round(time.monotonic() - _STARTED_SECONDS)),
        ranges=list(monitoring.RANGES),
        asked=asked,
        refresh_seconds=monitoring.REFRESH_SECONDS,
        drawn=await _drawn(parts, asked),
    )


def _calls(parts: Parts) -> list[_Calls]:
    """The actions that were called since the start, the most frequent first."""
    rows = [
        _Calls(
            action,
            meter.count,
            sum(meter.errors.values()),
            _quantile(meter.seconds, 0.5),
            _quantile(meter.seconds, 0.99),
        )
        for action, meter in parts.broker.calls.items()
        if meter.count
    ]
    return sorted(rows, key=lambda row: -row.calls)


async def readings(request: Request) -> Response:
    """The charts as JSON."""
    parts = parts_of(request)
    try:
        asked = monitoring.read(request.query_params, parts.clock.now_ms())
    except monitoring.BadRange as bad:
        return refuse(request, 400, "InvalidRange", str(bad))
    drawn = await _drawn(parts, asked)
    answer: dict[str, Any] = charts.as_json(
        drawn, asked.first_ms, asked.end_ms, asked.period * _MINUTE_MS, asked.note()
    )
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def _drawn(parts: Parts, asked: monitoring.Asked) -> list[Chart]:
    found: list[ServerReading] = []
    for first in range(asked.first_minute, asked.last_minute + 1, MINUTES_AT_ONCE):
        last = min(first + MINUTES_AT_ONCE - 1, asked.last_minute)
        found += await parts.store.server_readings(first, last)
    return [
        Chart(each.id, each.title, each.unit, [_series(line, found, asked) for line in each.lines]) for each in CHARTS
    ]


def _series(line: _Line, found: Sequence[ServerReading], asked: monitoring.Asked) -> Series:
    span = (asked.first_minute, asked.last_minute, asked.period)
    points = pace.series(found, line.figure, *span)
    divisors = pace.series(found, line.of, *span) if line.of else [(0, asked.period * 60.0)] * len(points)
    divided = bool(line.of) or line.per_second
    return Series(
        line.name,
        [
            (minute * _MINUTE_MS, _rounded(value, divisor if divided else 1))
            for (minute, value), (_, divisor) in zip(points, divisors, strict=True)
        ],
    )


def _rounded(value: float | None, divisor: float | None) -> float | None:
    return round(value / divisor, 3) if value is not None and divisor else None


ROUTES: Final = [Route("/server", show), Route("/server/readings.json", readings), Route("/live/server", live)]
