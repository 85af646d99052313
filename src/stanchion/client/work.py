"""What a consumer has in hand, and what is to be done next. Pure: no clock, no call; both twins use it.

A message that was received is *waiting* until a handler is free for it, then *running* until the handler has ended.
All that time its visibility timeout is extended before it is over. On a FIFO queue the messages of a group run one
after the other; when one fails, those of its group that wait are given back too, so that none overtakes it.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from stanchion.client.exceptions import BotoClientError, SQSError
from stanchion.client.messages import RawMessage
from stanchion.client.plans import AnyQueue, Plan, get_messages
from stanchion.client.resultset import ResultSet

Backoff = Callable[[int], int]
"""How many seconds a message that failed is hidden, from how often it was received."""

LONGEST_VISIBILITY_SECONDS: Final = 43_200


def exponential(receives: int) -> int:
    """2, 4, 8, … seconds, a quarter of an hour at most."""
    return min(1 << max(1, min(receives, 10)), 900)


class Consuming(NamedTuple):
    """How to consume. See `stanchion.client.consuming.Consumer`."""

    concurrency: int = 1
    visibility_timeout: int = 30
    wait_time_seconds: int = 20
    backoff: Backoff = exponential

    def checked(self) -> "Consuming":
        """Raises ValueError, with the cure, for what cannot be."""
        if self.concurrency < 1:
            raise ValueError("concurrency must be 1 or more: so many handlers run at once.")
        if not 2 <= self.visibility_timeout <= LONGEST_VISIBILITY_SECONDS:
            raise ValueError("visibility_timeout must be 2 to 43200 seconds; it is extended while a handler works.")
        if not 0 <= self.wait_time_seconds <= 20:
            raise ValueError("wait_time_seconds must be 0 to 20.")
        return self


DEFAULTS = Consuming()


Change = tuple[RawMessage, int | None]
"""What is to become of a message: hidden for so many seconds, or deleted (None)."""

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0  # between two tries to reach a server that is away


def longer(pause: float) -> float:
    return min(2 * pause, LONGEST_PAUSE_SECONDS)


def passes(problem: Exception) -> bool:
    """Whether a failure to receive goes away by itself, so that it is worth while to try again."""
    if not isinstance(problem, SQSError):
        return isinstance(problem, BotoClientError)
    throttled = ("RequestThrottled", "ThrottlingException", "OverLimit", "RequestTimeout")
    return problem.status >= 500 or problem.error_code in throttled


def settled(changes: Iterable[Change]) -> tuple[list[RawMessage], list[tuple[RawMessage, int]]]:
    """What to delete and what to hide: of two changes of a message the later one counts."""
    last = {id(message): (message, seconds) for message, seconds in changes}.values()
    deleted = [message for message, seconds in last if seconds is None]
    return deleted, [(message, seconds) for message, seconds in last if seconds is not None]


class Outcome(NamedTuple):
    """What becomes of messages: ``release`` are pairs of message and seconds to hide it."""

    delete: list[RawMessage]
    release: list[tuple[RawMessage, int]]

    def changes(self) -> list[Change]:
        return [*((message, None) for message in self.delete), *self.release]


class _Held:
    __slots__ = ("hidden_at", "message", "running")

    def __init__(self, message: RawMessage, now: float) -> None:
        self.message = message
        self.hidden_at = now  # when its timeout last began
        self.running = False

    @property
    def group(self) -> str | None:
        return self.message.attributes.get("MessageGroupId")


class Work:
    """The messages in hand. Not for several threads at once."""

    def __init__(self, how: Consuming, *, fifo: bool) -> None:
        self._how = how
        self._fifo = fifo
        # Some wait while others run, so that no handler waits for the network; but few, for nobody else gets them.
        self._capacity = max(how.concurrency, min(10, 2 * how.concurrency))
        self._held: list[_Held] = []  # in the order in which they came
        self._stopping = False

    def room(self) -> int:
        """How many messages to ask for, 0 to 10."""
        return 0 if self._stopping else max(0, min(10, self._capacity - len(self._held)))

    @property
    def running(self) -> int:
        return sum(held.running for held in self._held)

    def take(self, messages: Iterable[RawMessage], now: float) -> Outcome:
        """Messages that were received at ``now``; given back at once when the consumer is stopping."""
        if self._stopping:
            return Outcome([], [(message, 0) for message in messages])
        self._held += [_Held(message, now) for message in messages]
        return Outcome([], [])

    def start(self) -> list[RawMessage]:
        """Messages whose handlers are to begin now."""
        begun: list[RawMessage] = []
        busy = {held.group for held in self._held if held.running} if self._fifo else set()
        running = self.running
        for held in self._held:
            if running >= self._how.concurrency or self._stopping:
                break
            if held.running or (self._fifo and held.group in busy):
                continue
            held.running = True
            running += 1
            begun.append(held.message)
            if self._fifo:
                busy.add(held.group)
        return begun

    def finish(self, message: RawMessage, *, failed: bool) -> Outcome:
        """The handler of a message has ended."""
        done = next(held for held in self._held if held.message is message)
        self._held.remove(done)
        if not failed:
            return Outcome([message], [])
        receives = int(message.attributes.get("ApproximateReceiveCount", 1))
        seconds = max(0, min(self._how.backoff(receives), LONGEST_VISIBILITY_SECONDS))
        behind = [held for held in self._held if self._fifo and held.group == done.group]
        self._held = [held for held in self._held if held not in behind]
        # The last first: when those in front can be received again, those behind them already can.
        return Outcome([], [*((held.message, 0) for held in reversed(behind)), (message, seconds)])

    def due(self, now: float) -> list[Change]:
        """The messages whose timeout is half over, to be hidden anew; they count as hidden from now on."""
        timeout = self._how.visibility_timeout
        found = [held for held in self._held if now - held.hidden_at >= timeout / 2]
        for held in found:
            held.hidden_at = now
        return [(held.message, timeout) for held in found]

    def stop(self) -> Outcome:
        """Begin nothing more; what has not begun is given back."""
        self._stopping = True
        waiting = [held for held in self._held if not held.running]
        self._held = [held for held in self._held if held.running]
        return Outcome([], [(held.message, 0) for held in reversed(waiting)])

    def asking(self, queue: AnyQueue) -> Plan[ResultSet[RawMessage]]:
        """The next receive: as many messages as there is room for, with all that rules need to know of them."""
        how = self._how
        return get_messages(
            queue, self.room(), how.visibility_timeout, "All", how.wait_time_seconds, ["All"], strict=False
        )
