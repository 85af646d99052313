"""Faults on demand: what a queue in the cloud does now and then, as often as a test asks for, and again alike."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

import msgspec

from stanchion import ids
from stanchion.actions import ACTIONS
from stanchion.errors import SQSError
from stanchion.model import QueueKey
from stanchion.testing.mistakes import Mistake

OF_MESSAGES: Final = ("duplicate", "reorder", "delay")
"""What a FIFO queue never does."""

OF_REQUESTS: Final = ("throttle", "error", "drop_request", "drop_answer")
"""At most one of these befalls a request; who comes first here is asked first."""

_CHANCES: Final = (*OF_MESSAGES, *OF_REQUESTS)
LONGEST_LATENCY_SECONDS: Final = 60.0
LONGEST_DELAY_SECONDS: Final = 900  # as long as a sender may ask for


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to go wrong, each with a chance from 0 to 1.

    ``queue`` is the name or the URL of the queue that is concerned; without it all are. ``actions`` are the actions
    that faults of requests concern; without them all are. ``seed``: the same seed and the same requests in the same
    order bring the same faults.

    Of messages, on standard queues only:

    - ``duplicate``: a message that is handed out for the first time is there once more, with the same id, also when
      the first copy is deleted
    - ``reorder``: a message that is sent changes places with one of the ten before it
    - ``delay``: a message that is sent is not to be seen for ``delay_seconds`` (by the server's clock)

    Of requests:

    - ``throttle``: RequestThrottled; nothing is done
    - ``error``: InternalFailure, status 500; nothing is done
    - ``drop_request``: the connection is cut; nothing is done
    - ``drop_answer``: it is done, and then the connection is cut
    - ``latency_seconds``: every request waits so long (by the wall clock) before anything is done
    """

    queue: str | None = None
    actions: tuple[str, ...] = ()
    seed: int | str = 0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    delay_seconds: int = 5
    throttle: float = 0.0
    error: float = 0.0
    drop_request: float = 0.0
    drop_answer: float = 0.0
    latency_seconds: float = 0.0

    @classmethod
    def read(cls, given: Mapping[str, object]) -> "Faults":
        """Faults as somebody has written them. Raises Mistake for what cannot be meant."""
        try:
            faults = msgspec.convert(given, cls)
        except msgspec.ValidationError as problem:
            raise Mistake(f"these are no faults: {problem}; there are {', '.join(cls.__struct_fields__)}") from None
        faults.check()
        return faults

    def check(self) -> None:
        """Raise Mistake for what cannot be meant."""
        for name in _CHANCES:
            if not 0 <= (chance := getattr(self, name)) <= 1:
                raise Mistake(f"{name} is a chance, and {chance:g} is none; give a number from 0 to 1")
        if not 0 <= self.latency_seconds <= LONGEST_LATENCY_SECONDS:
            raise Mistake(
                f"latency_seconds cannot be {self.latency_seconds:g}; "
                f"give a number from 0 to {LONGEST_LATENCY_SECONDS:g}"
            )
        if not 1 <= self.delay_seconds <= LONGEST_DELAY_SECONDS:
            raise Mistake(
                f"delay_seconds cannot be {self.delay_seconds}; give a whole number from 1 to {LONGEST_DELAY_SECONDS}"
            )
        if not (self.latency_seconds or any(getattr(self, name) for name in _CHANCES)):
            raise Mistake(f"no fault is asked for; give one of {', '.join(_CHANCES)}, latency_seconds")
        for name in self.actions:
            if name not in ACTIONS:
                raise Mistake(f"{name} is no action of SQS; give names such as ReceiveMessage")
        unknown_to_fifo = [name for name in OF_MESSAGES if getattr(self, name)]
        if unknown_to_fifo and (self.queue or "").endswith(".fifo"):
            raise Mistake(
                f"{', '.join(unknown_to_fifo)}: a FIFO queue never does that; leave it out, or use a standard queue"
            )


class Rule:
    """Faults that are in force, and the dice for them."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.struck: Counter[str] = Counter()
        self._account, self._name = _read_queue(faults.queue)
        # Dice of their own: more of one fault does not change when another strikes.
        self._dice = {name: Random(f"{faults.seed} {name}") for name in _CHANCES}  # noqa: S311 (no secret)

    def concerns(self, queue: QueueKey | None) -> bool:
        if self._name is None:
            return True
        return queue is not None and self._name == queue.name and self._account in (None, queue.account)

    def concerns_action(self, action: str) -> bool:
        return not self.faults.actions or action in self.faults.actions

    def strikes(self, name: str) -> bool:
        chance: float = getattr(self.faults, name)
        if not chance or self._dice[name].random() >= chance:
            return False
        self.struck[name] += 1
        return True

    def one_of(self, count: int) -> int:
        """A place among so many, for the message that is reordered."""
        return self._dice["reorder"].randrange(count)


def _read_queue(queue: str | None) -> tuple[str | None, str | None]:
    if queue is None:
        return None, None
    try:
        return ids.read_queue_url(queue)
    except SQSError:
        raise Mistake(f"{queue!r} names no queue; give its name or its URL") from None


class FaultBook:
    """The rules that are in force in a server."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[tuple[int, Rule]]:
        return iter(self._rules.items())

    def add(self, faults: Faults) -> int:
        """Put faults into force; the number by which to end them. Raises Mistake."""
        rule = Rule(faults)
        number = next(self._numbers)
        self._rules[number] = rule
        return number

    def __getitem__(self, number: int) -> Rule:
        return self._rules[number]

    def remove(self, number: int) -> None:
        """End them; they may have ended before."""
        self._rules.pop(number, None)

    def clear(self) -> None:
        self._rules.clear()

    def of_message(self, name: str, queue: QueueKey) -> Rule | None:
        """The rule by which a fault befalls a message of a queue, if one does."""
        for rule in self._rules.values():
            if rule.concerns(queue) and rule.strikes(name):
                return rule
        return None

    def of_request(self, action: str, queue: QueueKey | None) -> tuple[str | None, float]:
        """Which fault befalls a request, if one does, and how many seconds it has to wait before."""
        struck = None
        latency_seconds = 0.0
        for rule in self._rules.values():
            if rule.concerns(queue) and rule.concerns_action(action):
                latency_seconds += rule.faults.latency_seconds
                for name in OF_REQUESTS:
                    if struck is None and rule.strikes(name):
                        struck = name
        return struck, latency_seconds
