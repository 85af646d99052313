"""What happened to each message, in order."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from stanchion.model import QueueKey

KEPT: Final = 100_000  # events; the oldest go first
KEPT_CHARACTERS: Final = 100_000_000  # of their bodies

ARRIVALS: Final = frozenset({"sent", "arrived"})
"""The ways into a queue."""


class Event(NamedTuple):
    """One thing that happened to one message, by the server's clock.

    ``what`` is one of

    - ``sent``: stored; with ``due_at_ms`` when it is delayed until then
    - ``repeated``: sent again within five minutes to a FIFO queue, and not stored
    - ``received``: handed out for the ``receives``-th time, hidden until ``due_at_ms``
    - ``hidden``: its visibility timeout was changed; it is hidden until ``due_at_ms``
    - ``visible``: a timeout or a delay is over, or the timeout was set to 0
    - ``deleted``, ``expired`` (older than the retention period), ``purged``, ``queue deleted``: it is gone
    - ``dead-lettered`` or ``redriven`` to the queue ``other``; there it ``arrived`` from the queue ``other``
    - ``duplicated``: a fault made a second copy

    ``body`` is what came in: None in events other than ``sent``, ``repeated``, ``arrived`` and ``duplicated``.
    """

    at_ms: int
    queue: QueueKey
    message_id: str
    what: str
    receives: int = 0
    due_at_ms: int | None = None
    other: str | None = None
    body: str | None = None


class Journal:
    """Of one server. Only the event loop's thread touches it."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._characters = 0  # of the bodies in them
        self._count = 0  # of all that ever happened
        self.news = asyncio.Event()
        """Set when something more happens; from then on there is another one here."""

    def add(self, events: Sequence[Event]) -> None:
        self._events.extend(events)
        self._count += len(events)
        self._characters += sum(len(event.body or "") for event in events)
        while len(self._events) > KEPT or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._events.popleft().body or "")
        self._tell()

    def clear(self) -> None:
        self._events.clear()
        self._characters = 0
        self._tell()

    def _tell(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()

    def since(self, place: int) -> tuple[list[Event], int]:
        """What has happened since a place in the journal (0: its beginning), and the place that it has come to."""
        new = islice(reversed(self._events), min(self._count - place, len(self._events)))
        return list(new)[::-1], self._count

    def of(self, queue: QueueKey | None = None, message_id: str | None = None) -> list[Event]:
        """The events of a queue, of a message, or of all, oldest first."""
        return [
            event
            for event in self._events
            if (queue is None or event.queue == queue) and (message_id is None or event.message_id == message_id)
        ]
