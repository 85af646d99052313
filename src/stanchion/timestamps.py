"""Moments as text: the spellings of time in signatures, policies and settings, read into milliseconds.

All readers answer None for what is not such a text or not a moment of the calendar.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_BASIC: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_EXTENDED: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_HTTP: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?: (?:GMT|UTC|[+-]0000))?"
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# Clients sign many requests in one second, all with the same text.
@lru_cache(maxsize=64)
def read_basic(text: str) -> int | None:
    """``20261121T012100Z``, the form of X-Amz-Date."""
    match = _BASIC.fullmatch(text)
    return _moment(*map(int, match.groups())) if match else None


def write_basic(moment_ms: int) -> str:
    return write_extended(moment_ms).replace("-", "").replace(":", "")


def read_http_date(text: str) -> int | None:
    """``Sat, 21 Nov 2026 01:21:00 GMT``, the form of the Date header."""
    match = _HTTP.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    return _moment(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second)


def read_extended(text: str) -> int | None:
    """ISO 8601 with hyphens and colons, from ``2026-11-21`` on; UTC where no zone is given."""
    if not _EXTENDED.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # OverflowError: the zone carries it out of the years 1 to 9999.
        return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def write_extended(moment_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=moment_ms)).isoformat()[:19] + "Z"


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND
