"""Charts as a person reads them: with the eyes, the pointer, the keyboard, and a screen reader."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stanchion.model import Tally
from support.console_visit import ConsoleUnderTest
from support.recorded import record

SENT = (4, 9, 2)


@pytest.fixture
def newest(console: ConsoleUnderTest) -> int:
    """The newest of three minutes in which messages were sent; two minutes ago, so it has all its readings."""
    console.sqs.create_queue(QueueName="orders")
    newest = int(time.time()) // 60 - 2
    for minute, sent in zip(range(newest - 2, newest + 1), SENT, strict=True):
        size = {"sent_bytes": sent * 100, "smallest_bytes": 100, "largest_bytes": 100}
        record(console, minute, {"orders": Tally(sent=sent, **size)})
    return newest


def clock_text(minute: int) -> str:
    return time.strftime("%H:%M UTC", time.gmtime(minute * 60))


def opened(page: Any, query: str = "") -> Any:
    """The chart of what was sent."""
    page.goto(f"/queues/orders/monitoring{query}")
    chart = page.locator("[data-chart=sent]")
    chart.locator("path.chart-line").first.wait_for()
    return chart


def test_a_chart_is_drawn_with_its_axes_and_summed_up_in_words(page: Any, newest: int) -> None:
    chart = opened(page)
    label = chart.get_by_role("img").get_attribute("aria-label")
    assert label.startswith("Number Of Messages Sent: Latest ")
    assert label.endswith(", maximum 9")
    marks = chart.locator(".chart-value-mark").all_text_contents()
    assert (marks[0], marks[-1]) == ("0", "10")
    assert all(text.endswith(("0", "5")) for text in chart.locator(".chart-time-mark").all_text_contents())
    # Nothing is known before the first reading: the line does not begin at the left.
    first_x = float(chart.locator(".chart-line").get_attribute("d").split()[0].removeprefix("M"))
    assert first_x > chart.locator("[data-plot]").bounding_box()["width"] / 2


def test_the_pointer_shows_the_value_below_it(page: Any, newest: int) -> None:
    chart = opened(page)
    # Where the line is highest, the most was sent.
    numbers = chart.locator(".chart-line").get_attribute("d").removeprefix("M").split("L")
    x, y = min((tuple(map(float, place.split())) for place in numbers), key=lambda place: place[1])
    chart.locator("[data-plot]").hover(position={"x": x, "y": y + 20})
    tip = chart.locator(".chart-tip")
    assert tip.is_visible()
    assert clock_text(newest - 1) in tip.inner_text()
    assert "Sum 9" in tip.inner_text()
    page.mouse.move(0, 0)
    assert tip.is_hidden()


def test_the_arrow_keys_tell_value_after_value(page: Any, newest: int) -> None:
    chart = opened(page, f"?first={(newest - 3) * 60_000}&last={(newest + 1) * 60_000}")
    chart.locator("[data-plot]").focus()
    told = chart.locator("[aria-live]")
    for key, minute, words in (
        ("ArrowLeft", newest, "Sum 2"),
        ("ArrowLeft", newest - 1, "Sum 9"),
        ("Home", newest - 3, "Sum no data"),
        ("ArrowRight", newest - 2, "Sum 4"),
        ("End", newest, "Sum 2"),
    ):
        page.keyboard.press(key)
        assert told.text_content().endswith(f"{clock_text(minute)}, {words}")
    page.keyboard.press("Escape")
    assert chart.locator(".chart-tip").is_hidden()


def test_what_is_chosen_is_shown_at_once_and_kept_by_the_address(page: Any, newest: int) -> None:
    chart = opened(page)
    page.get_by_label("Statistic").select_option("Sample count")
    chart.locator("[data-subtitle]", has_text="Sample count").wait_for()
    page.get_by_role("button", name="3h").click()
    page.get_by_role("button", name="3h", pressed=True).wait_for()
    page.get_by_label("Period").select_option("1 hour")
    page.get_by_text("Period: 1 hour.").wait_for()
    page.get_by_label("Auto refresh").select_option("1 minute")
    page.wait_for_url("**refresh=1m")
    asked = {"range": ["3h"], "statistic": ["SampleCount"], "period": ["60"], "refresh": ["1m"]}
    assert parse_qs(urlsplit(page.url).query) == asked
    page.reload()
    chart.get_by_role("img").wait_for()
    assert page.get_by_role("button", name="3h", pressed=True).is_visible()
    assert chart.locator("[data-subtitle]").inner_text() == "Sample count"
    assert page.get_by_label("Period").input_value() == "60"


def test_a_range_of_ones_own_is_shown_or_said_to_be_wrong(page: Any, newest: int) -> None:
    opened(page)
    page.watch.allowed.append("status of 400")
    page.get_by_label("From (UTC)").fill("2001-01-01T00:00")
    page.get_by_label("To (UTC)").fill("2001-01-02T00:00")
    page.get_by_role("button", name="Custom").click()
    page.get_by_text("There are values of the last 14 days, and none of the future.").wait_for()
    moment = time.strftime("%Y-%m-%dT%H:%M", time.gmtime((newest - 30) * 60))
    page.get_by_label("From (UTC)").fill(moment)
    page.get_by_label("To (UTC)").fill("2100-01-01T00:00")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Custom", pressed=True).wait_for()
    assert page.locator("#range-error").is_hidden()
    assert parse_qs(urlsplit(page.url).query)["first"] == [moment]


def test_a_chart_is_enlarged_and_closed_with_the_keyboard(page: Any, newest: int) -> None:
    chart = opened(page)
    button = chart.get_by_role("button", name="Enlarge Number Of Messages Sent")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Number Of Messages Sent")
    dialog.locator("path.chart-line").wait_for()
    assert dialog.locator("svg").bounding_box()["height"] > chart.locator("svg").bounding_box()["height"]
    page.keyboard.press("ArrowLeft")
    assert dialog.locator(".chart-tip").is_visible()
    page.keyboard.press("Escape")  # ends the reading
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("it => it === document.activeElement")


def test_all_values_are_in_a_table(page: Any, newest: int) -> None:
    chart = opened(page, f"?first={(newest - 3) * 60_000}&last={(newest + 1) * 60_000}")
    chart.get_by_text("Show as table").click()
    chart.locator("tbody tr").first.wait_for()
    assert chart.locator("tbody td.number").all_text_contents() == ["2", "9", "4", "-"]


def test_charts_that_cannot_be_fetched_again_stay_and_that_is_said(page: Any, newest: int) -> None:
    chart = opened(page)
    page.watch.allowed += ["status of 503", "Failed to load"]
    page.route("**/metrics.json*", lambda route: route.fulfill(status=503, body=""))
    page.evaluate(
        """async () => {
          const element = document.querySelector("[data-module=charting]");
          const script = document.querySelector("script[src*='console.js']").src.replace("console.js", "charting.js");
          await (await import(script)).boardOf(element).refresh();
        }"""
    )
    page.get_by_text("The charts are not up to date").wait_for()
    assert chart.locator("path.chart-line").is_visible()


def test_charts_are_fetched_again_each_minute_if_somebody_wants_that(page: Any, newest: int) -> None:
    page.clock.install()
    opened(page)
    with page.expect_response("**/metrics.json*"):
        page.get_by_label("Auto refresh").select_option("1 minute")
    for _ in range(2):
        with page.expect_response("**/metrics.json*"):
            page.clock.fast_forward(60_000)


def test_several_lines_are_told_apart_by_their_names(page: Any, newest: int) -> None:
    times = [{"name": name, "points": [[0, value], [60_000, value * 2]]} for name, value in (("p50", 3), ("p99", 20))]
    answer = {"charts": [{"id": "sent", "title": "Times", "unit": "Milliseconds", "series": times}]}
    page.route("**/metrics.json*", lambda route: route.fulfill(json=answer))
    chart = opened(page)
    assert chart.locator("path.chart-line").count() == 2
    assert chart.locator(".chart-legend text").all_text_contents() == ["p50", "p99"]
    words = "p50: Latest 6 ms, minimum 3 ms, maximum 6 ms; p99: Latest 40 ms, minimum 20 ms, maximum 40 ms"
    assert chart.locator("[data-summary]").inner_text() == words
    chart.locator("[data-plot]").focus()
    page.keyboard.press("End")
    assert chart.locator(".chart-tip span").all_text_contents() == ["1 Jan 00:01 UTC", "p50 6 ms", "p99 40 ms"]
    chart.get_by_text("Show as table").click()
    assert chart.locator("thead th").all_text_contents() == ["Time (UTC)", "p50", "p99"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_charts_fit_and_nothing_moves_when_they_come(page: Any, newest: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    chart = opened(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert chart.locator("svg").bounding_box()["width"] <= 360
    moved = page.evaluate(
        """() => new Promise((done) => {
          new PerformanceObserver((list) => done(list.getEntries().reduce((sum, each) => sum + each.value, 0)))
            .observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(0), 200);
        })"""
    )
    assert moved < 0.02
    line, panel = page.evaluate(
        """() => [getComputedStyle(document.querySelector(".chart-line")).stroke,
                  getComputedStyle(document.querySelector(".chart")).backgroundColor]"""
    )
    assert contrast(line, panel) >= 3


def contrast(one: str, other: str) -> float:
    """Of two colours written as rgb(1, 2, 3), as WCAG reckons it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_list_has_a_small_line_for_each_queue_with_a_history(page: Any, newest: int) -> None:
    page.goto("/queues")
    line = page.get_by_role("img", name="available: 0 to 0 in the last hour")
    assert line.bounding_box()["width"] == 96


# ── Axes ─────────────────────────────────────────────────────────────────────────────────────────────────

AXES = """async ([name, ...given]) => {
  const script = document.querySelector("script[src*='console.js']").src.replace("console.js", "chart_axes.js");
  return (await import(script))[name](...given);
}"""


def test_axes_have_marks_at_nice_numbers(page: Any) -> None:
    page.goto("/queues")
    for top, unit, most, marks in (
        (0, "Count", 4, [0, 1]),
        (9, "Count", 4, [0, 5, 10]),
        (120, "Count", 4, [0, 50, 100, 150]),
        (0.3, "Count", 3, [0, 0.1, 0.2, 0.3]),
        (700, "Bytes", 4, [0, 256, 512, 768]),
        (1_500_000, "Bytes", 3, [0, 524_288, 1_048_576, 1_572_864]),
        (100, "Seconds", 4, [0, 30, 60, 90, 120]),
        (5000, "Seconds", 4, [0, 1800, 3600, 5400]),
        (30 * 86_400, "Seconds", 4, [0, 864_000, 1_728_000, 2_592_000]),
    ):
        assert page.evaluate(AXES, ["valueMarks", top, unit, most]) == pytest.approx(marks), (top, unit)


def test_times_are_marked_at_round_ones_and_days_by_their_date(page: Any) -> None:
    page.goto("/queues")
    hour = 3_600_000
    first = 1_699_999_200_000  # 2023-11-14 22:00
    found = page.evaluate(AXES, ["timeMarks", first + 60_000, first + 4 * hour, 4])
    assert found == {"step": hour, "marks": [first + hours * hour for hours in (1, 2, 3, 4)]}
    texts = [page.evaluate(AXES, ["markText", mark]) for mark in found["marks"]]
    assert texts == ["23:00", "15 Nov", "01:00", "02:00"]
    assert page.evaluate(AXES, ["periodText", first, 60_000]) == "14 Nov 22:00 UTC"
    assert page.evaluate(AXES, ["periodText", first, 6 * hour]) == "14 Nov 22:00 – 15 Nov 04:00 UTC"


def test_values_are_written_as_the_page_without_scripts_writes_them(page: Any) -> None:
    page.goto("/queues")
    for value, unit, text in (
        (None, "Count", "-"),
        (1234.5, "Count", "1,234.5"),
        (1536, "Bytes", "1.5 KiB"),
        (1, "Bytes", "1 byte"),
        (1234, "Seconds", "20 min 34 s"),
        (86_459, "Seconds", "1 d"),
        (3.14, "Milliseconds", "3.14 ms"),
        (7, "per second", "7 per second"),
    ):
        assert page.evaluate(AXES, ["valueText", value, unit]) == text
