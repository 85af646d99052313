"""Runs the tests of a script and prints what came of them as JSON.

Client libraries live in environments of their own, which hold nothing else: no pytest, nothing of the server. So a
script takes the site as its only argument, runs every function whose name starts with ``test_``, and prints a report.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

REGION = "us-east-1"


class Key(NamedTuple):
    id: str
    secret: str
    account: str


class Site(NamedTuple):
    """Where the server is, and two accounts on it. ``signed``: it verifies signatures."""

    url: str
    signed: bool
    owner: Key
    guest: Key

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0


def read_site(argument: str) -> Site:
    given = json.loads(argument)
    return Site(given["url"], given["signed"], Key(*given["owner"]), Key(*given["guest"]))


def run(*modules: ModuleType, facts: Callable[[], dict[str, Any]] = dict) -> None:
    """Run the tests of the modules and print the report; ``facts`` are asked for at the end and added to it."""
    site = read_site(sys.argv[1])
    failures, seconds = {}, {}
    for module in modules:
        for name, test in [*vars(module).items()]:
            if name.startswith("test_"):
                started = time.monotonic()
                try:
                    test(site)
                except Exception:
                    failures[name] = traceback.format_exc()
                seconds[name] = round(time.monotonic() - started, 2)
    print(json.dumps({"failures": failures, "seconds": seconds, **facts()}))


def expect(wanted: type[BaseException], call: Callable[..., object], *args: object, **named: object) -> Any:
    """The error that a call must raise."""
    try:
        answer = call(*args, **named)
    except wanted as error:
        return error
    raise AssertionError(f"{wanted.__name__} was expected, and this was answered: {answer!r}")
