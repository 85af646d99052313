"""A server with a console, visited by a program (``console``) or by a person in a browser (``page``)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.console_visit import ConsoleUnderTest

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleUnderTest]:
    """An in-process server in real time; its store is in memory, and auth is off."""
    server = ConsoleUnderTest(tmp_path)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. One for each module: Playwright holds an event loop of this thread, and tests elsewhere want
    one of their own."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to work for root, which test machines often are.
        sandbox = os.getuid() != 0
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=sandbox)
        yield browser
        browser.close()


class Watch:
    """What a page must not do. ``allowed`` are texts; a complaint with one of them in it is expected."""

    def __init__(self, page: Any, console_url: str) -> None:
        self.complaints: list[str] = []
        self.allowed: list[str] = []
        self._host = urlsplit(console_url).netloc
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error in a script: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)

    def _said(self, message: Any) -> None:
        # Chromium tells of a broken content security policy here too.
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self._host:
            self.complaints.append(f"request to another host: {request.url}")

    def _failed(self, request: Any) -> None:
        # A stream, or what was still loading, ends when its page is left.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.complaints.append(f"failed request: {request.url}: {request.failure}")

    def verdict(self) -> list[str]:
        return [each for each in self.complaints if not any(text in each for text in self.allowed)]


@pytest.fixture
def page(browser: Any, console: ConsoleUnderTest) -> Iterator[Any]:
    """A page in real Chromium, whose addresses are relative to the console: ``page.goto("/queues")``.

    The test fails on any console error, broken content security policy, failed request or request to another host.
    A test that means to cause one says so: ``page.watch.allowed.append("status of 404")``.
    """
    context = browser.new_context(base_url=console.url, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.watch = Watch(page, console.url)
    yield page
    verdict = page.watch.verdict()
    context.close()
    assert verdict == []
