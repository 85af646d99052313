"""How pages write values."""

import pytest

from stanchion.console import rendering, texts


def written(source: str, **values: object) -> str:
    return rendering._ENVIRONMENT.from_string(source).render(values)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("number", 1234567, "1,234,567"),
        ("number", "0", "0"),
        ("number", None, "-"),
        ("bytes", 1, "1 byte"),
        ("bytes", 1023, "1,023 bytes"),
        ("bytes", 1024, "1 KiB"),
        ("bytes", "1500", "1.5 KiB"),
        ("bytes", 1 << 20, "1 MiB"),
        ("bytes", "", "-"),
        ("duration", 0, "0 seconds"),
        ("duration", 1, "1 second"),
        ("duration", "345600", "4 days"),
        ("duration", 5400, "1 hour 30 minutes"),
        ("duration", None, "-"),
        ("age", 0, "0 s"),
        ("age", 59, "59 s"),
        ("age", 61, "1 min 1 s"),
        ("age", 5430, "1 h 30 min"),
        ("age", 86400, "1 d"),
        ("age", 90061, "1 d 1 h"),
        ("age", None, "-"),
        ("pretty_json", '{"a":[1]}', '{\n  "a": [\n    1\n  ]\n}'),
        ("pretty_json", "no json", "no json"),
        ("pretty_json", "[" * 100_000, "[" * 100_000),
        ("time", None, "-"),
        ("time", 10**20, "-"),
    ],
)
def test_a_value_is_written_for_people(name: str, value: object, text: str) -> None:
    assert written("{% autoescape false %}{{ value | " + name + " }}{% endautoescape %}", value=value) == text


def test_a_moment_is_there_for_people_and_for_machines() -> None:
    machine = '<time datetime="1970-01-01T00:01:01.234Z"'
    assert written("{{ 61234 | time }}") == f"{machine}>1970-01-01 00:01:01 UTC</time>"
    assert written("{{ 61234 | time(short=true) }}") == (
        f'{machine} title="1970-01-01 00:01:01 UTC">1970-01-01 00:01</time>'
    )


def test_what_is_shown_is_no_markup() -> None:
    assert written("{{ value }}", value="<script>") == "&lt;script&gt;"
    assert written("{{ value | pretty_json }}", value='"<b>"') == "&#34;&lt;b&gt;&#34;"


def test_moments_that_no_calendar_reaches_are_none() -> None:
    assert texts.read_moment(-(10**30)) is None
    assert texts.read_moment("soon") is None
