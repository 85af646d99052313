"""Moments as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.timestamps import read_basic, read_extended, read_http_date, write_basic, write_extended

MOMENT_MS = 1_795_224_060_000
SECONDS = st.integers(-62_135_596_800, 253_402_300_799)  # the years 1 to 9999


def test_one_moment_in_all_spellings() -> None:
    assert read_basic("20261121T012100Z") == MOMENT_MS
    assert read_http_date("Sat, 21 Nov 2026 01:21:00 GMT") == MOMENT_MS
    assert read_http_date("21 Nov 2026 01:21:00 -0000") == MOMENT_MS
    for text in ("2026-11-21T01:21:00Z", "2026-11-21T01:21", "2026-11-21T03:21:00.000+02:00"):
        assert read_extended(text) == MOMENT_MS
    assert read_extended("2026-11-21") == MOMENT_MS - 81 * 60_000


def test_parts_of_seconds_are_read_to_the_millisecond() -> None:
    assert read_extended("2026-11-21T01:21:00.1239Z") == MOMENT_MS + 123


@given(SECONDS)
def test_what_is_written_reads_back(seconds: int) -> None:
    assert read_basic(write_basic(seconds * 1000)) == seconds * 1000
    assert read_extended(write_extended(seconds * 1000)) == seconds * 1000


@pytest.mark.parametrize("read", [read_basic, read_http_date, read_extended])
@pytest.mark.parametrize(
    "text",
    [
        "", "now", "20261321T000000Z", "20260230T000000Z", "20261121T240000Z", "２０２６1121T012100Z",
        "20261121T012100Z\n", "0001-01-01T00:00:00+23:59",
        "Sat, 31 Feb 2026 01:21:00 GMT", "Sat, 21 Xxx 2026 01:21:00 GMT", "Sat, 21 Nov 2026 01:21:00 CET",
        "2026-13-01", "2026-11-21T25:00", "2026-11-21T01:21:00+99:00", "20261121", "2026-W01-1",
    ],
)  # fmt: skip
def test_other_texts_are_no_moments(read, text: str) -> None:
    assert read(text) is None


@given(st.text(st.sampled_from("0123456789-:TZ+. ,ADGMNSTUabcdeghilnoprtuvy")))
def test_no_text_raises(text: str) -> None:
    for read in (read_basic, read_http_date, read_extended):
        assert read(text) is None or isinstance(read(text), int)
