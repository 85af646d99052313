"""Ctrl-C between two steps rather than within one, so that a transfer knows where it stopped."""

import signal
from types import FrameType
from typing import Any, Self


class Interruption:
    """While it is entered, SIGINT and SIGTERM are noted, and ``check`` raises KeyboardInterrupt. A second one does so
    at once."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        if self._asked:
            raise KeyboardInterrupt

    def heeded(self) -> None:
        """What was asked for is being done; the next one is a new wish."""
        self._asked = False
