"""The console as a program visits it: requests over HTTP, with a cookie jar and the CSRF token of the page."""

import re
from http.client import HTTPConnection, HTTPMessage
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import boto3

from stanchion.clock import Clock, SystemClock
from support.in_process import InProcessServer

REGION = "us-east-1"
_CSRF = re.compile(r'<meta name="csrf" content="([^"]*)">')


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    text: str

    @property
    def location(self) -> str | None:
        return self.headers["Location"]


class Visit:
    """One browser, as far as cookies go. Redirects are not followed."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = headers
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, **form: str) -> Answer:
        """Send a form as the browser would, with the CSRF token of a page of the console."""
        return self.ask_with_form(path, {"csrf": self.csrf(), **form})

    def post_json(self, path: str, body: str, **headers: str) -> Answer:
        given = {"Content-Type": "application/json", "X-CSRF-Token": self.csrf()} | headers
        return self.ask("POST", path, body, given)

    def ask_with_form(self, path: str, form: dict[str, str]) -> Answer:
        return self.ask("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def csrf(self) -> str:
        """The token in a page. Error pages have one too, so it does not matter which pages there are."""
        for path in ("/sign-in", "/no-such-page"):
            found = _CSRF.search(self.get(path).text)
            if found:
                return found[1]
        raise AssertionError("no page has a CSRF token")

    def ask(self, method: str, path: str, body: str | bytes = "", headers: dict[str, str] | None = None) -> Answer:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        given = (cookies if self.cookies else {}) | self.headers | (headers or {})
        try:
            connection.request(method, path, body or None, given)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()
        self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


class ConsoleUnderTest(Visit):
    """A server with a console, and somebody who visits it. ``url`` is the console's, ``sqs`` a boto3 client."""

    def __init__(self, folder: Path, clock: Clock | None = None, **flags: object) -> None:
        flags = {"console": True, "console_port": "0"} | flags
        self.server = InProcessServer(folder, clock or SystemClock(), **flags)
        super().__init__(self.server.application.console_url or "")
        self.sqs: Any = boto3.client(
            "sqs",
            endpoint_url=self.server.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @property
    def sqs_url(self) -> str:
        return self.server.url

    def another(self, **headers: str) -> Visit:
        """Somebody else at the same console."""
        return Visit(self.url, **headers)

    def stop(self) -> None:
        self.sqs.close()
        self.server.stop()
