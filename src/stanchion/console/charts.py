"""Charts as a page has them: the values that are there without scripts, and the JSON that scripts draw from. Pure.

The shape of the JSON is told at the top of ``static/charting.js``; the macros are in ``templates/charts.html``.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from stanchion.console import texts

TABLE_ROWS: Final = 60  # of each chart, in the page itself; scripts show them all

_PARTS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


class Series(NamedTuple):
    """A line. A point is the moment its period begins, in milliseconds since the epoch, and a value; None: a gap."""

    name: str
    points: Sequence[tuple[int, float | None]]


class Chart(NamedTuple):
    """``unit`` is Count, Seconds, Milliseconds, Bytes or Percent; anything else is written behind the values."""

    id: str
    title: str
    unit: str
    series: Sequence[Series]
    subtitle: str = ""

    def summary(self) -> str:
        """The chart in a line, for who does not see it."""
        lines = [_summary(each, self.unit) for each in self.series]
        if len(lines) == 1:
            return lines[0]
        return "; ".join(f"{each.name}: {line}" for each, line in zip(self.series, lines, strict=True))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The newest points as text, newest first."""
        for same_moment in list(zip(*(each.points for each in self.series), strict=True))[: -TABLE_ROWS - 1 : -1]:
            yield same_moment[0][0], [written(value, self.unit) for _, value in same_moment]


def as_json(charts: Sequence[Chart], first_ms: int, last_ms: int, period_ms: int, note: str = "") -> dict[str, Any]:
    """``first_ms`` to ``last_ms`` is the range that is shown, with points or without; each stands for a period."""
    return {
        "first_ms": first_ms,
        "last_ms": last_ms,
        "period_ms": period_ms,
        "note": note,
        "charts": [each._asdict() | {"series": [series._asdict() for series in each.series]} for each in charts],
    }


def _summary(series: Series, unit: str) -> str:
    known = [value for _, value in series.points if value is not None]
    if not known:
        return "No data"
    latest, least, most = (written(value, unit) for value in (known[-1], min(known), max(known)))
    return f"Latest {latest}, minimum {least}, maximum {most}"


def written(value: float | None, unit: str) -> str:
    """1234.5 → 1,234.5 as a Count, 1.2 KiB as Bytes, 20 min 34 s as Seconds."""
    if value is None:
        return texts.NO_VALUE
    if unit == "Bytes":
        return texts.size(value)
    if unit == "Seconds":
        return _duration(value)
    suffix = {"Count": "", "Milliseconds": " ms", "Percent": "%"}.get(unit, f" {unit}")
    return _decimal(value) + suffix


def _decimal(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _duration(seconds: float) -> str:
    """At most two units: what comes after them is not seen in a chart either."""
    if seconds < 60:
        return f"{_decimal(seconds)} s"
    left = round(seconds)
    parts: list[str] = []
    for name, length in _PARTS:
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append(f"{amount} {name}" if amount else "")
    return " ".join(part for part in parts[:2] if part)
