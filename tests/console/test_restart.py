"""A page that is open while the server is restarted."""

import socket
from pathlib import Path
from typing import Any

from support.console_visit import ConsoleUnderTest


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return str(listening.getsockname()[1])


def test_a_page_finds_the_server_again_by_itself(browser: Any, tmp_path: Path) -> None:
    ports = {"port": free_port(), "console_port": free_port()}
    console = ConsoleUnderTest(tmp_path, store=f"sqlite:{tmp_path}/queues.db", **ports)
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    page = browser.new_page(base_url=console.url)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/queues")
    console.sqs.send_message(QueueUrl=url, MessageBody="one")
    page.locator("[data-queue=orders] [data-cell=available]", has_text="1").wait_for()
    with page.expect_event("requestfailed"):
        console.stop()
    console = ConsoleUnderTest(tmp_path, store=f"sqlite:{tmp_path}/queues.db", **ports)
    try:
        console.sqs.send_message(QueueUrl=url, MessageBody="two")
        page.locator("[data-queue=orders] [data-cell=available]", has_text="2").wait_for(timeout=20_000)
    finally:
        page.close()
        console.stop()
    assert errors == []


def test_a_poll_that_loses_its_server_says_so_and_ends(browser: Any, tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path)
    console.sqs.create_queue(QueueName="orders")
    page = browser.new_page(base_url=console.url)
    try:
        page.goto("/queues/orders/messages")
        page.get_by_role("button", name="Poll for messages").click()
        console.server.waiting(1)
        console.stop()
        page.get_by_text("The server cannot be reached.").wait_for()
        assert page.get_by_role("button", name="Poll for messages").is_enabled()
    finally:
        page.close()
