"""Makes the pictures of the console in docs/images: `make screenshots`.

A server with a shop's queues and an hour of history, visited by real Chromium in the light theme, the dark one, and
on a telephone. The clock stands still, so that the pictures change only when the pages do.
"""

import base64
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from stanchion.clock import ManualClock  # noqa: E402
from stanchion.model import ServerReading, Tally  # noqa: E402
from support.console_visit import ConsoleUnderTest  # noqa: E402
from support.recorded import record  # noqa: E402

IMAGES = ROOT / "docs" / "images"
NOW_MS = 1_795_257_000_000  # 2026-11-21 10:30 UTC
HOUR = 60
DESK = {"width": 1280, "height": 860}
TELEPHONE = {"width": 360, "height": 780}
LOOKS = (("", DESK, "light"), ("-dark", DESK, "dark"), ("-phone", TELEPHONE, "light"))


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        console = ConsoleUnderTest(Path(folder), ManualClock(NOW_MS), store=f"sqlite:{folder}/stanchion.db")
        try:
            furnish(console)
            take_all(console)
        finally:
            console.stop()


# ── The shop ─────────────────────────────────────────────────────────────────────────────────────────────


def furnish(console: ConsoleUnderTest) -> None:
    sqs = console.sqs
    dead = sqs.create_queue(QueueName="orders-dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    attributes = {"RedrivePolicy": policy}
    orders = sqs.create_queue(QueueName="orders", Attributes=attributes, tags={"team": "shop"})["QueueUrl"]
    invoices = sqs.create_queue(
        QueueName="invoices.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )["QueueUrl"]
    mails = sqs.create_queue(QueueName="mails")["QueueUrl"]
    for number in range(6):
        sqs.send_message(QueueUrl=orders, **order(1000 + number))
    for _ in range(4):
        sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=10, VisibilityTimeout=0)
    for minute in range(NOW_MS // 60_000 - HOUR, NOW_MS // 60_000):
        fill(sqs, orders, 12 + round(9 * math.sin(minute / 7)))
        fill(sqs, mails, 4 + minute % 5)
        remember(console, minute)
    sqs.purge_queue(QueueUrl=orders)
    for number in range(14):
        sqs.send_message(QueueUrl=orders, **order(2000 + number))
        sqs.send_message(QueueUrl=invoices, MessageBody=f"invoice {number}", MessageGroupId=f"customer-{number % 3}")
    sqs.send_message(QueueUrl=orders, **order(3000), DelaySeconds=600)
    sqs.send_message(QueueUrl=mails, MessageBody=base64.b64encode(b"Dear customer").decode())
    sqs.receive_message(QueueUrl=invoices, MaxNumberOfMessages=3)


def fill(sqs: Any, url: str, count: int) -> None:
    """Let so many messages wait."""
    name = "ApproximateNumberOfMessages"
    waiting = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
    for number in range(waiting, count):
        sqs.send_message(QueueUrl=url, **order(number))
    while waiting > count:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=min(10, waiting - count))["Messages"]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            waiting -= 1


def order(number: int) -> dict[str, Any]:
    body = {"order": number, "lines": [{"sku": f"A-{number % 7}", "pieces": 1 + number % 3, "price": 12.50}]}
    return {
        "MessageBody": json.dumps(body),
        "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "order"}},
    }


def remember(console: ConsoleUnderTest, minute: int) -> None:
    """A minute of traffic that comes and goes in waves."""
    wave = 1 + math.sin(minute / 7)
    sent = round(40 * wave + minute % 5)
    tally = Tally(
        sent=sent,
        sent_bytes=sent * 130,
        smallest_bytes=96,
        largest_bytes=210,
        received=max(0, sent - minute % 3),
        empty_receives=round(12 / (wave + 0.3)),
        deleted=max(0, sent - minute % 4),
    )
    record(console, minute, {"orders": tally, "invoices.fifo": tally, "mails": Tally()})
    reading = ServerReading(
        minute=minute,
        requests=sent * 90,
        errors=minute % 4,
        p50_ms=0.6 + 0.1 * wave,
        p99_ms=2.1 + wave,
        commits=sent * 30,
        commit_p50_ms=0.35,
        commit_p99_ms=1.4 + 0.2 * wave,
        operations=sent * 90,
        connections=round(20 + 8 * wave),
        store_bytes=48_000_000 + (minute % 60) * 40_000,
        free_bytes=71_000_000_000,
    )
    store = console.server.application.store

    async def kept() -> None:
        await store.record_server(reading)

    console.server.run(kept())


# ── The pictures ─────────────────────────────────────────────────────────────────────────────────────────


def take_all(console: ConsoleUnderTest) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=os.getuid() != 0
        )
        for suffix, viewport, scheme in (
            ("", DESK, "light"),
            ("-dark", DESK, "dark"),
            ("-phone", TELEPHONE, "light"),
        ):
            context = browser.new_context(
                base_url=console.url, viewport=viewport, color_scheme=scheme, locale="en-GB", timezone_id="UTC"
            )
            for name, visit in PICTURES.items():
                page = context.new_page()
                visit(page)
                page.screenshot(path=IMAGES / f"console-{name}{suffix}.png", full_page=name not in DIALOGS)
                page.close()
            context.close()
        browser.close()


def at(path: str) -> Callable[[Any], None]:
    def visit(page: Any) -> None:
        page.goto(path)
        page.locator("html[data-ready]").wait_for()
        for board in page.locator(".charts").all():
            board.locator("svg").first.wait_for()

    return visit


def polled(page: Any) -> None:
    at("/queues/orders/messages")(page)
    page.get_by_label("Message body").fill('{"order": 4711}')
    page.get_by_role("button", name="Edit poll settings").click()
    page.get_by_label("Maximum message count", exact=True).fill("5")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Poll for messages").click()
    page.locator("[data-shows=told]", has_text="Polling has ended").wait_for(state="attached")


def opened(page: Any) -> None:
    at("/queues/orders/browse")(page)
    page.locator("[data-message]").first.click()
    page.get_by_role("tab", name="Body").click()


PICTURES: dict[str, Callable[[Any], None]] = {
    "queues": at("/queues"),
    "create": at("/queues/new"),
    "queue": at("/queues/orders"),
    "peek": at("/queues/orders-dead-letters/browse"),
    "message": opened,
    "monitoring": at("/queues/orders/monitoring"),
    "server": at("/server"),
    "messages": polled,  # last: it receives
}
DIALOGS = ("message",)


if __name__ == "__main__":
    main()
