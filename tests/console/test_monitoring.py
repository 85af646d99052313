"""The Monitoring tab over HTTP, without scripts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stanchion.clock import ManualClock
from stanchion.console.charts import TABLE_ROWS, Chart, Series, written
from stanchion.console.monitoring import BadRange, read
from stanchion.model import Tally
from support.console_visit import ConsoleUnderTest
from support.recorded import record

NOW_MS = 1_699_999_220_000  # 2023-11-14 22:00:20
NOW = NOW_MS // 60_000
DAY = 1440


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleUnderTest]:
    server = ConsoleUnderTest(tmp_path, ManualClock(NOW_MS))
    yield server
    server.stop()


def charts_of(console: ConsoleUnderTest, path: str) -> dict[str, Any]:
    answer = console.get(path, Accept="application/json")
    assert answer.status == 200, answer.text
    return {chart["id"]: chart for chart in json.loads(answer.text)["charts"]}


def line(chart: dict[str, Any]) -> list[float | None]:
    [series] = chart["series"]
    return [value for _, value in series["points"]]


def test_what_happened_in_the_minute_that_is_over_is_charted(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    for body in ("a", "bcd"):
        console.sqs.send_message(QueueUrl=url, MessageBody=body)
    console.sqs.receive_message(QueueUrl=url)
    console.server.advance(60)
    charts = charts_of(console, "/queues/orders/metrics.json")
    assert {key: line(chart)[-1] for key, chart in charts.items()} == {
        "visible": 1,
        "in_flight": 1,
        "delayed": 0,
        "oldest_age": 60,
        "sent": 2,
        "received": 1,
        "deleted": 0,
        "empty_receives": 0,
        "sent_size": 2,
        "noisy_groups": 0,
        "visible_in_quiet_groups": 1,
    }
    assert charts["sent"]["series"][0]["points"][-1][0] == NOW * 60_000
    assert len(line(charts["sent"])) == 60
    assert line(charts["sent"])[:-1] == [None] * 59


def test_a_fifo_queue_has_charts_of_its_own(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})
    charts = charts_of(console, "/queues/orders.fifo/metrics.json")
    assert {"groups_in_flight", "deduplicated"} <= set(charts)
    assert "noisy_groups" not in charts
    page = console.get("/queues/orders.fifo/monitoring").text
    assert "Number Of Deduplicated Sent Messages" in page


def test_metric_statistic_period_and_range_can_be_chosen(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    for minute, sent in ((NOW - 9, 1), (NOW - 8, 3), (NOW - 1, 5)):
        record(console, minute, {"orders": Tally(sent=sent)})
    path = "/queues/orders/metrics.json?metric=NumberOfMessagesSent&period=5"
    assert list(charts_of(console, path)) == ["sent"]
    assert line(charts_of(console, path)["sent"])[-2:] == [4, 5]
    assert line(charts_of(console, f"{path}&statistic=Average")["sent"])[-2:] == [1, 1]
    assert line(charts_of(console, f"{path}&statistic=Maximum")["sent"])[-2:] == [3, 5]
    counted = charts_of(console, f"{path}&statistic=SampleCount")["sent"]
    assert (line(counted)[-2:], counted["unit"], counted["subtitle"]) == ([4, 5], "Count", "Sample count")
    first, last = (NOW - 9) * 60_000, (NOW - 6) * 60_000
    custom = f"/queues/orders/metrics.json?metric=sent&first={first}&last={last}"
    assert line(charts_of(console, custom)["sent"]) == [1, 3, 0]


def test_two_weeks_are_read_in_pieces_and_drawn_in_few_points(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    first = NOW - 13 * DAY
    for minute in (first, first + 2500, NOW - 1):
        record(console, minute, {"orders": Tally(sent=1)})
    answer = json.loads(console.get("/queues/orders/metrics.json?range=2w&period=1&metric=sent").text)
    values = line(answer["charts"][0])
    assert answer["period_ms"] == 15 * 60_000
    assert "15 minutes, because a chart has at most 1,500 points" in answer["note"]
    assert len(values) in (1344, 1345)
    assert sum(value or 0 for value in values) == 3
    # After the first reading it is known that nothing happened.
    assert None not in values[-13 * 96 :]


def test_the_page_shows_values_without_scripts(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    record(console, NOW - 2, {"orders": Tally(sent=1500, sent_bytes=3000, smallest_bytes=1, largest_bytes=5)})
    page = console.get("/queues/orders/monitoring").text
    assert "Latest 0, minimum 0, maximum 1,500" in page
    assert '<td class="number">1,500</td>' in page
    assert "Latest 2 bytes" in page
    assert page.count("<figure") == 11
    assert "1h" in page
    assert 'href="/queues/orders/monitoring"' in console.get("/queues/orders").text
    assert 'href="/queues/orders?tab=tags"' in page


def test_what_is_chosen_stays_chosen_in_the_page(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    page = console.get("/queues/orders/monitoring?range=3h&statistic=Maximum&period=5&refresh=1m").text
    assert 'value="3h" aria-pressed="true"' in page
    assert '<option value="Maximum" selected>' in page
    assert '<option value="5" selected>' in page
    assert 'data-refresh-seconds="60"' in page
    assert "metrics.json?range=3h&amp;statistic=Maximum&amp;period=5&amp;refresh=1m" in page


def test_times_that_cannot_be_shown_are_said_and_left_in_the_form(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    query = "range=custom&first=2026-01-02T00:00&last=2026-01-01T00:00"
    answer = console.get(f"/queues/orders/monitoring?{query}")
    assert answer.status == 400
    assert "The range has to begin before it ends." in answer.text
    assert 'value="2026-01-02T00:00"' in answer.text
    refused = console.get(f"/queues/orders/metrics.json?{query}", Accept="application/json")
    assert (refused.status, json.loads(refused.text)["code"]) == (400, "InvalidRange")


def test_a_queue_that_is_not_there_and_a_metric_that_is_not_there_are_said(console: ConsoleUnderTest) -> None:
    answer = console.get("/queues/no-such/monitoring")
    assert (answer.status, "does not exist" in answer.text) == (404, True)
    gone = console.get("/queues/no-such/metrics.json", Accept="application/json")
    assert json.loads(gone.text)["code"] == "AWS.SimpleQueueService.NonExistentQueue"
    console.sqs.create_queue(QueueName="orders")
    unknown = console.get("/queues/orders/metrics.json?metric=none", Accept="application/json")
    assert (unknown.status, json.loads(unknown.text)["code"]) == (400, "UnknownMetric")


# ── What an address asks for ─────────────────────────────────────────────────────────────────────────────


def test_without_anything_said_the_last_hour_is_shown() -> None:
    asked = read({}, NOW_MS)
    assert (asked.range, asked.first_minute, asked.last_minute, asked.period) == ("1h", NOW - 60, NOW - 1, 1)
    assert asked.query() == "range=1h"


def test_a_minute_is_shown_once_its_readings_are_written() -> None:
    assert read({}, NOW * 60_000 + 9_999).last_minute == NOW - 2
    assert read({}, NOW * 60_000 + 10_000).last_minute == NOW - 1


@pytest.mark.parametrize("given", [{"range": "9y"}, {"period": "7"}, {"statistic": "p99"}, {"refresh": "1s"}])
def test_nonsense_counts_as_nothing(given: dict[str, str]) -> None:
    assert read(given, NOW_MS) == read({}, NOW_MS)


def test_an_address_made_of_what_was_read_reads_the_same() -> None:
    given = {"range": "custom", "first": "2023-11-14T01:00", "last": "2023-11-14T02:00", "period": "15"}
    asked = read(given, NOW_MS)
    assert asked.query() == "range=custom&first=2023-11-14T01%3A00&last=2023-11-14T02%3A00&period=15"


def test_a_time_is_utc_unless_it_says_otherwise() -> None:
    utc = read({"first": "2023-11-14T10:00", "last": "2023-11-14T11:00"}, NOW_MS)
    assert utc == read({"first": "2023-11-14T12:00+02:00", "last": "2023-11-14T11:00:59Z"}, NOW_MS)
    assert utc == read({"first": str(utc.first_ms), "last": str(utc.end_ms)}, NOW_MS)


@pytest.mark.parametrize(
    "given",
    [
        {"first": "yesterday"},
        {"first": "9" * 30},
        {"first": "2023-11-14T10:00", "last": "2023-11-14T10:00"},
        {"first": "2001-01-01T00:00", "last": "2001-01-02T00:00"},
        {"first": "9999-12-31T23:00", "last": "9999-12-31T23:59"},
        {"last": "0001-01-01T00:00+23:00"},
    ],
)
def test_a_time_that_is_none_or_has_no_readings_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadRange):
        read(given, NOW_MS)


def test_a_long_range_is_cut_to_what_is_kept() -> None:
    asked = read({"first": "2001-01-01T00:00", "last": "9999-01-01T00:00"}, NOW_MS)
    assert (asked.last_minute, asked.last_minute - asked.first_minute) == (NOW - 1, pytest.approx(14 * DAY, abs=60))


# ── Charts as text ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "Count", "-"),
        (1234.5, "Count", "1,234.5"),
        (0.333, "Count", "0.33"),
        (100, "Count", "100"),
        (1536, "Bytes", "1.5 KiB"),
        (12.5, "Seconds", "12.5 s"),
        (1234, "Seconds", "20 min 34 s"),
        (86_400 + 59, "Seconds", "1 d"),
        (7200, "Seconds", "2 h"),
        (3.14, "Milliseconds", "3.14 ms"),
        (50, "Percent", "50%"),
        (7, "per second", "7 per second"),
    ],
)
def test_a_value_is_written_with_its_unit(value: float | None, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_a_chart_without_values_says_so_and_lines_are_told_apart() -> None:
    empty = Chart("a", "A", "Count", [Series("Sum", [(0, None)])])
    assert empty.summary() == "No data"
    both = Chart("a", "A", "Count", [Series("p50", [(0, 1)]), Series("p99", [(0, 9)])])
    assert both.summary() == "p50: Latest 1, minimum 1, maximum 1; p99: Latest 9, minimum 9, maximum 9"
    assert list(both.rows()) == [(0, ["1", "9"])]


def test_the_page_itself_has_the_newest_values_only() -> None:
    long = Chart("a", "A", "Count", [Series("Sum", [(moment, moment) for moment in range(500)])])
    moments = [moment for moment, _ in long.rows()]
    assert moments == list(range(499, 499 - TABLE_ROWS, -1))


# ── The list's sparklines ────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_what_was_available_in_the_last_hour(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    console.sqs.create_queue(QueueName="unused")
    record(console, NOW - 30, {"orders": Tally(sent=1)})
    console.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(3)])
    record(console, NOW - 1, {"orders": Tally(sent=3)})
    page = console.get("/queues").text
    assert "Last hour" in page
    assert 'aria-label="available: 0 to 3 in the last hour"' in page
    assert page.count('<svg class="sparkline"') == 1


def test_a_page_of_a_hundred_queues_is_read_in_pieces(console: ConsoleUnderTest) -> None:
    for number in range(100):
        console.sqs.create_queue(QueueName=f"queue-{number:02}")
    for minute in (NOW - 60, NOW - 1):
        record(console, minute, {f"queue-{number:02}": Tally(sent=1) for number in range(100)})
    assert console.get("/queues?size=100").text.count("available: 0 to 0 in the last hour") == 200  # label and title
