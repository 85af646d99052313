"""How values are written for people. Pure; what has no value is a dash."""

from datetime import UTC, datetime
from typing import Final

NO_VALUE: Final = "-"

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_PERIODS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def read_moment(moment_ms: float | str | None) -> datetime | None:
    """None for what is no moment, or one that calendars do not reach."""
    if moment_ms is None or moment_ms == "":
        return None
    try:
        return datetime.fromtimestamp(int(moment_ms) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def moment(moment_ms: float | str | None) -> str:
    """0 → 1970-01-01 00:00:00 UTC."""
    read = read_moment(moment_ms)
    return NO_VALUE if read is None else f"{read:%Y-%m-%d %H:%M:%S} UTC"


def minute(moment_ms: float | str | None) -> str:
    """0 → 1970-01-01 00:00, for where there is little room. It is UTC."""
    read = read_moment(moment_ms)
    return NO_VALUE if read is None else f"{read:%Y-%m-%d %H:%M}"


def size(amount: float | str | None) -> str:
    """1024 → 1 KiB; 1500 → 1.5 KiB; 1 → 1 byte."""
    if amount is None or amount == "":
        return NO_VALUE
    left = float(amount)
    unit = 0
    while left >= 1024 and unit < len(_UNITS) - 1:
        left /= 1024
        unit += 1
    if unit == 0 and left == 1:
        return "1 byte"
    return f"{left:,.1f}".removesuffix(".0") + f" {_UNITS[unit]}"


def period(seconds: float | str | None) -> str:
    """345600 → 4 days; 5400 → 1 hour 30 minutes; 0 → 0 seconds."""
    if seconds is None or seconds == "":
        return NO_VALUE
    left = int(seconds)
    parts = []
    for name, length in _PERIODS:
        amount, left = divmod(left, length)
        if amount:
            parts.append(f"{amount} {name}" if amount == 1 else f"{amount} {name}s")
    return " ".join(parts) or "0 seconds"


def age(seconds: float | str | None) -> str:
    """345600 → 4 d; 5430 → 1 h 30 min: the two largest units, for where there is little room."""
    if seconds is None or seconds == "":
        return NO_VALUE
    left = int(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    first = next((index for index, (_, length) in enumerate(units) if left >= length), len(units) - 1)
    parts: list[str] = []
    for name, length in units[first : first + 2]:
        amount, left = divmod(left, length)
        if amount or not parts:
            parts.append(f"{amount} {name}")
    return " ".join(parts)


def count(value: float | str | None) -> str:
    """1234567 → 1,234,567."""
    return NO_VALUE if value is None or value == "" else f"{int(value):,}"
