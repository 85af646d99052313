"""Server-sent events: what is sent, and when a stream ends."""

import itertools
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.console.streaming import stream
from stanchion.errors import QueueDoesNotExist
from support.console_visit import ConsoleUnderTest


class Listener:
    """A browser that listens to a stream."""

    def __init__(self, url: str) -> None:
        self.connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        self.connection.request("GET", "/live/test", headers={"Accept": "text/event-stream"})
        self.response: HTTPResponse = self.connection.getresponse()

    def events(self) -> Iterator[str]:
        """Each event without the empty line after it; ends with the stream."""
        lines: list[str] = []
        for raw in self.response:
            line = raw.decode().rstrip("\n")
            if line:
                lines.append(line)
            else:
                yield "\n".join(lines)
                lines = []

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def serve(console: ConsoleUnderTest, look: Any, every_seconds: float = 0.01) -> None:
    """Give the console a page that streams what ``look`` answers."""

    async def page(request: Request) -> Response:
        return stream(request, look, every_seconds)

    app = console.server.application.console._config.app
    console.server.call(lambda: app.router.routes.append(Route("/live/test", page)))


@pytest.fixture
def counting(console: ConsoleUnderTest) -> ConsoleUnderTest:
    numbers = itertools.count()

    async def look() -> dict[str, int]:
        return {"n": next(numbers) // 3}

    serve(console, look)
    return console


def test_what_has_changed_is_sent_and_what_has_not_is_not(counting) -> None:
    listener = Listener(counting.url)
    assert listener.response.headers["Content-Type"].startswith("text/event-stream")
    assert listener.response.headers["Cache-Control"] == "no-store"
    heard = list(itertools.islice(listener.events(), 4))
    assert heard == ["retry: 2000", 'data: {"n":0}', 'data: {"n":1}', 'data: {"n":2}']
    listener.close()


def test_an_error_is_an_event_and_not_the_end(console) -> None:
    answers = iter([{"n": 1}])

    async def look() -> dict[str, int]:
        for answer in answers:
            return answer
        raise QueueDoesNotExist

    serve(console, look)
    listener = Listener(console.url)
    *_, last = itertools.islice(listener.events(), 3)
    problem = '{"code":"AWS.SimpleQueueService.NonExistentQueue","message":"The specified queue does not exist."}'
    assert last == f"event: problem\ndata: {problem}"
    listener.close()


def test_a_stream_that_has_nothing_to_say_shows_that_it_is_there(console, monkeypatch) -> None:
    monkeypatch.setattr("stanchion.console.streaming._QUIET_SECONDS", 0.03)

    async def look() -> int:
        return 1

    serve(console, look)
    listener = Listener(console.url)
    assert list(itertools.islice(listener.events(), 4))[2:] == [": nothing new", ": nothing new"]
    listener.close()


def test_streams_end_at_once_when_the_server_stops(tmp_path) -> None:
    async def look() -> int:
        return 1

    console = ConsoleUnderTest(tmp_path)
    serve(console, look, every_seconds=60)
    listener = Listener(console.url)
    events = listener.events()
    assert [next(events), next(events)] == ["retry: 2000", "data: 1"]
    began = time.monotonic()
    console.stop()
    assert time.monotonic() - began < 2
    assert list(events) == []
    listener.close()


def test_a_stream_ends_with_the_session(counting, monkeypatch) -> None:
    listener = Listener(counting.url)
    events = listener.events()
    next(events)
    monkeypatch.setattr("stanchion.console.streaming.is_still_welcome", lambda _: False)
    assert list(events)[-1] == "event: signed-out\ndata: {}"
    listener.close()


def test_there_are_not_more_streams_than_places_and_a_place_becomes_free_again(counting, monkeypatch) -> None:
    monkeypatch.setattr("stanchion.console.streaming.MOST_STREAMS", 1)
    first = Listener(counting.url)
    second = Listener(counting.url)
    assert second.response.status == 503
    assert b"TooManyStreams" in second.response.read()
    first.close()
    second.close()
    give_up_at = time.monotonic() + 10
    while (again := Listener(counting.url)).response.status != 200:
        again.close()
        assert time.monotonic() < give_up_at
    again.close()
