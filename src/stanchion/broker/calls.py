"""How many calls of each action there were, how long they took, and how they ended. On every request's path."""

from collections.abc import Iterable, Iterator
from typing import Any

from stanchion.errors import SQSError
from stanchion.histogram import SECONDS, Histogram
from stanchion.store.base import Received


class CallMeter:
    """The calls of one action since the start.

    ``seconds`` is from the call until the answer, so it has the wait for a commit in it. A receive that found nothing
    and waited for messages is only counted, as ``waited``: how long it took says how busy the queue is.
    """

    __slots__ = ("errors", "seconds", "waited")

    def __init__(self) -> None:
        self.seconds = Histogram(SECONDS)
        self.waited = 0
        self.errors: dict[str, int] = {}  # by code; they are in ``seconds`` too

    @property
    def count(self) -> int:
        return self.seconds.count + self.waited

    def answered(self, answer: object, result: Any, seconds: float) -> None:
        """A call ended with ``answer``, made of what the store said (``result``, if it came to that)."""
        if isinstance(answer, SQSError):
            self.errors[answer.code] = self.errors.get(answer.code, 0) + 1
        if type(result) is Received and result.waited:
            self.waited += 1
        else:
            self.seconds.observe(seconds)


class CallMeters:
    def __init__(self, actions: Iterable[str]) -> None:
        self._by_action = {name: CallMeter() for name in actions}

    def __getitem__(self, action: str) -> CallMeter:
        return self._by_action[action]

    def items(self) -> Iterator[tuple[str, CallMeter]]:
        """Of all actions, called or not, by name."""
        return iter(sorted(self._by_action.items()))

    def seconds(self) -> Histogram:
        """Of all actions together."""
        return sum((meter.seconds for meter in self._by_action.values()), Histogram(SECONDS))

    @property
    def count(self) -> int:
        return sum(meter.count for meter in self._by_action.values())

    @property
    def errors(self) -> int:
        return sum(sum(meter.errors.values()) for meter in self._by_action.values())
