"""The page about the server: figures of this second, calls, charts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stanchion.clock import ManualClock
from support.console_visit import ConsoleUnderTest


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def turned(tmp_path: Path, clock: ManualClock) -> Iterator[ConsoleUnderTest]:
    """A console whose clock stands still."""
    server = ConsoleUnderTest(tmp_path, clock)
    yield server
    server.stop()


def test_calls_are_listed_with_their_errors_the_most_frequent_first(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    for _ in range(3):
        console.sqs.send_message(QueueUrl=url, MessageBody="x")
    with pytest.raises(console.sqs.exceptions.QueueDoesNotExist):
        console.sqs.get_queue_url(QueueName="gone")
    page = console.get("/server").text
    assert page.index("SendMessage") < page.index("CreateQueue")
    row = page[page.index('<th scope="row">GetQueueUrl') :]
    assert '<td class="number" data-label="Errors">1</td>' in row[: row.index("</tr>")]
    assert "store: memory" in page


def test_minutes_become_charts(turned: ConsoleUnderTest, clock: ManualClock) -> None:
    url = turned.sqs.create_queue(QueueName="orders")["QueueUrl"]
    for sends in (60, 120):
        for _ in range(sends // 10):
            entries = [{"Id": str(each), "MessageBody": "x"} for each in range(10)]
            turned.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        turned.server.call(lambda: clock.advance(60_000))
        turned.server.settle()
    turned.server.call(lambda: clock.advance(15_000))
    answer = turned.get("/server/readings.json?range=1h", Accept="application/json")
    charts = {chart["id"]: chart for chart in json.loads(answer.text)["charts"]}
    requests = {line["name"]: [value for _, value in line["points"]] for line in charts["requests"]["series"]}
    # A create and six batches in the first minute, twelve in the second: points are requests a second.
    assert requests["Requests"][-2:] == [round(7 / 60, 3), round(12 / 60, 3)]
    assert requests["Errors"][-2:] == [0, 0]
    assert charts["seconds"]["series"][0]["points"][-1][1] > 0
    assert charts["store"]["series"][0]["points"][-1][1] > 0
    assert charts["disk"]["series"][0]["points"][-1][1] is None  # a store in memory has no disk


def test_a_range_that_is_none_counts_as_the_last_hour(console: ConsoleUnderTest) -> None:
    assert console.get("/server?range=nonsense").status == 200
    answer = console.get("/server/readings.json?first=x", Accept="application/json")
    assert (answer.status, json.loads(answer.text)["code"]) == (400, "InvalidRange")


def test_figures_are_live(page: Any, console: ConsoleUnderTest) -> None:
    page.goto("/server")
    page.locator("html[data-ready]").wait_for()
    connections = page.locator("[data-cell=connections]")
    assert connections.text_content() == "0"
    console.sqs.list_queues()
    page.locator("[data-cell=connections]", has_text="1").wait_for()
    assert page.locator("[data-chart]").count() == 7


def test_on_a_telephone_it_does_not_scroll_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/server")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
