"""Receives that wait for messages.

A receive is tried once; if it finds nothing and may wait, it joins its queue's line. The line is woken by what
the store says after its commits, or at the moment that the next hidden message comes due. Whoever waits longest
is served first, and a waiter that tries in vain keeps its place.
"""

import heapq
import itertools
from collections.abc import Callable

import msgspec

from stanchion.clock import Clock, Timer
from stanchion.errors import ServiceUnavailable
from stanchion.model import Queue, QueueKey
from stanchion.promise import Promise
from stanchion.store.base import Received, ReceiveOrder, Store

STALE_TICKETS = 64  # tickets, beyond as many as there are waiters, of those who have left
MOST_AT_ONCE = 64  # waiters that try in one go, when messages keep coming

Decide = Callable[[Queue], tuple[ReceiveOrder, int]]


class _Poll:
    """One receive, from its first try to its answer."""

    __slots__ = ("answer", "deadline_ms", "decide", "key", "last", "line", "ticket", "timer")

    def __init__(self, key: QueueKey, decide: Decide, answer: Promise[Received]) -> None:
        self.key = key
        self.decide = decide
        self.answer = answer
        self.deadline_ms: int | None = None  # set by the first try; None: does not wait
        self.line: _Line | None = None
        self.ticket = 0
        self.timer: Timer | None = None
        self.last: Received | None = None


class _Line:
    """The receives that wait for one queue, oldest ticket first."""

    __slots__ = ("again", "burst", "parked", "tickets", "timer", "timer_ms", "trying")

    def __init__(self) -> None:
        self.parked: dict[int, _Poll] = {}
        self.tickets: list[int] = []  # a heap; tickets of those who have left are skipped
        self.trying = 0
        self.again = False  # messages came while a try was under way
        self.burst = 1
        self.timer: Timer | None = None
        self.timer_ms = 0

    def park(self, poll: _Poll) -> None:
        self.parked[poll.ticket] = poll
        heapq.heappush(self.tickets, poll.ticket)
        if len(self.tickets) > 2 * len(self.parked) + STALE_TICKETS:
            self.tickets = sorted(self.parked)  # a sorted list is a heap

    def take_first(self) -> _Poll | None:
        while self.tickets:
            poll = self.parked.pop(heapq.heappop(self.tickets), None)
            if poll is not None:
                return poll
        return None

    @property
    def empty(self) -> bool:
        return not self.parked and not self.trying


class Polls:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lines: dict[QueueKey, _Line] = {}
        self._tickets = itertools.count()
        self._released = False
        store.on_available(self._on_available)

    @property
    def waiting(self) -> int:
        """Receives that wait in line."""
        return sum(len(line.parked) for line in self._lines.values())

    @property
    def trying(self) -> int:
        """Receives that may wait and are being tried, for the first time or again."""
        return sum(line.trying for line in self._lines.values())

    def receive(self, key: QueueKey, decide: Decide, now_ms: int) -> Promise[Received]:
        """Receive, waiting if the decision says so. Cancel the promise when the client has gone."""
        answer: Promise[Received] = Promise()
        self._try(_Poll(key, decide, answer), now_ms)
        return answer

    def release(self) -> None:
        """Answer all who wait with nothing, and let nobody wait any more: the server stops."""
        self._released = True
        for line in list(self._lines.values()):
            for poll in list(line.parked.values()):
                self._time_out(poll)

    # Trying

    def _try(self, poll: _Poll, now_ms: int) -> None:
        def decide(queue: Queue) -> ReceiveOrder:
            if poll.answer.done():  # the client went while this waited for its commit: hand it nothing
                raise ServiceUnavailable
            order, wait_seconds = poll.decide(queue)
            if poll.line is None and wait_seconds and not self._released:
                # From here on the line hears of new messages, those of this very commit included.
                poll.deadline_ms = now_ms + wait_seconds * 1000
                poll.ticket = next(self._tickets)
                poll.line = self._lines.setdefault(poll.key, _Line())
                poll.line.trying += 1
            return order

        self._store.receive(poll.key, decide, now_ms).add_done_callback(lambda done: self._tried(poll, done))

    def _tried(self, poll: _Poll, done: Promise[Received]) -> None:
        line = poll.line
        if line is not None:
            line.trying -= 1
        error = done.exception()
        received = None if error is not None else done.result()
        if error is None and received is not None and not received.deliveries and not poll.answer.done():
            if received.more:
                self._retry(poll)
                return
            if self._may_wait(poll):
                self._park(poll, received)
                return
        self._settle(poll, received, error)
        if line is not None:
            self._pass_on(poll.key, line, fruitful=error is not None or bool(received and received.deliveries))

    def _pass_on(self, key: QueueKey, line: _Line, *, fruitful: bool) -> None:
        """After an answer: where one found something there may be more, and a deleted queue concerns all."""
        if fruitful:
            line.burst = min(line.burst * 2, MOST_AT_ONCE)
        if fruitful or line.again:
            self._wake(key, line)
        else:
            self._drop_if_empty(key, line)

    def _retry(self, poll: _Poll) -> None:
        if poll.line is not None:
            poll.line.trying += 1
        self._try(poll, self._clock.now_ms())

    def _may_wait(self, poll: _Poll) -> bool:
        return poll.deadline_ms is not None and not self._released and self._clock.now_ms() < poll.deadline_ms

    def _settle(self, poll: _Poll, received: Received | None, error: BaseException | None) -> None:
        if poll.timer is not None:
            poll.timer.cancel()
            poll.timer = None
        if poll.answer.done():  # the client has gone; what it was given comes back after its timeout
            return
        if error is not None:
            poll.answer.set_exception(error)
        else:
            assert received is not None
            if poll.last is not None:
                received = msgspec.structs.replace(received, waited=True)
            poll.answer.set_result(received)

    # Waiting

    def _park(self, poll: _Poll, received: Received) -> None:
        line = poll.line
        assert line is not None and poll.deadline_ms is not None
        poll.last = received
        if poll.timer is None:
            poll.timer = self._clock.call_at(poll.deadline_ms, lambda: self._time_out(poll))
            poll.answer.add_done_callback(lambda _: self._leave(poll))
        line.park(poll)
        line.burst = 1
        if line.again:
            self._wake(poll.key, line)
        elif received.next_due_ms is not None:
            self._wake_at(poll.key, line, received.next_due_ms)

    def _time_out(self, poll: _Poll) -> None:
        line = poll.line
        assert line is not None
        if poll.ticket in line.parked:  # else a try is under way, which will see that time is up
            self._settle(poll, poll.last, None)

    def _leave(self, poll: _Poll) -> None:
        """The poll was answered, or its client has gone."""
        if poll.timer is not None:
            poll.timer.cancel()
            poll.timer = None
        assert poll.line is not None
        poll.line.parked.pop(poll.ticket, None)
        self._drop_if_empty(poll.key, poll.line)

    def _drop_if_empty(self, key: QueueKey, line: _Line) -> None:
        if line.empty and self._lines.get(key) is line:
            del self._lines[key]
            if line.timer is not None:
                line.timer.cancel()

    # Waking

    def _on_available(self, key: QueueKey, at_ms: int) -> None:
        line = self._lines.get(key)
        if line is None:
            return
        if at_ms > self._clock.now_ms():
            self._wake_at(key, line, at_ms)
        elif line.trying:
            line.again = True
        else:
            self._wake(key, line)

    def _wake_at(self, key: QueueKey, line: _Line, at_ms: int) -> None:
        if line.timer is not None:
            if line.timer_ms <= at_ms:
                return
            line.timer.cancel()

        def fire() -> None:
            line.timer = None
            self._on_available(key, at_ms)

        line.timer_ms = at_ms
        line.timer = self._clock.call_at(at_ms, fire)

    def _wake(self, key: QueueKey, line: _Line) -> None:
        now_ms = self._clock.now_ms()
        while line.trying < line.burst and (poll := line.take_first()) is not None:
            line.trying += 1
            line.again = False  # this try comes after whatever was reported
            self._try(poll, now_ms)
        self._drop_if_empty(key, line)
