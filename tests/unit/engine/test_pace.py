"""Minutes of the server, put together to periods."""

import pytest

from stanchion.engine.pace import series
from stanchion.model import ServerReading


def reading(minute: int, **given: float | None) -> ServerReading:
    empty = dict.fromkeys(ServerReading._fields, 0) | {"p50_ms": None, "p99_ms": None, "free_bytes": None}
    return ServerReading(**empty | {"minute": minute} | given)


@pytest.mark.parametrize(
    ("figure", "values", "together"),
    [
        ("requests", (3, 4), 7),
        ("p50_ms", (1.0, 2.0), 1.5),
        ("p50_ms", (1.0, None), 1.0),
        ("p99_ms", (5.0, 9.0), 9.0),
        ("p99_ms", (None, None), None),
        ("connections", (5, 2), 5),
        ("free_bytes", (10, 20), 15),
    ],
)
def test_each_figure_is_put_together_in_its_way(
    figure: str, values: tuple[float | None, ...], together: float | None
) -> None:
    readings = [reading(10 + place, **{figure: value}) for place, value in enumerate(values)]
    assert series(readings, figure, 10, 11, 2) == [(10, together)]


def test_periods_without_a_reading_are_gaps_and_the_last_may_be_short() -> None:
    readings = [reading(10, requests=1), reading(14, requests=2), reading(16, requests=5)]
    assert series(readings, "requests", 10, 16, 2) == [(10, 1), (12, None), (14, 2), (16, 5)]
