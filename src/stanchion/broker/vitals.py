"""How the server is doing: its figures now, and once a minute into the store."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stanchion.broker.broker import Broker
from stanchion.broker.metering import MINUTE_MS
from stanchion.clock import Clock, Timer
from stanchion.errors import SQSError
from stanchion.histogram import Histogram
from stanchion.model import ServerReading
from stanchion.store.base import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Figures:
    """What has happened since the start, and how it is now. The histograms do not grow any more."""

    requests: int
    errors: int
    seconds: Histogram
    commit_seconds: Histogram
    batch_operations: Histogram
    connections: int
    waiting_receives: int
    throttled: int
    store_bytes: int
    free_bytes: int | None


class ServerMeters:
    """Reads figures wherever they are counted; counts nothing itself.

    ``connections`` answers how many are open, ``refused`` how many requests were refused before they came to be
    calls of an action, by code.
    """

    def __init__(
        self, store: Store, broker: Broker, connections: Callable[[], int], refused: Callable[[], Mapping[str, int]]
    ) -> None:
        self._store = store
        self._broker = broker
        self._connections = connections
        self.refused = refused

    def figures(self) -> Figures:
        calls, vitals = self._broker.calls, self._store.vitals()
        refused = sum(self.refused().values())
        return Figures(
            requests=calls.count + refused,
            errors=calls.errors + refused,
            seconds=calls.seconds(),
            commit_seconds=vitals.commit_seconds.copy(),
            batch_operations=vitals.batch_operations.copy(),
            connections=self._connections(),
            waiting_receives=self._broker.polls.waiting,
            throttled=self._broker.throttled,
            store_bytes=vitals.store_bytes,
            free_bytes=vitals.free_bytes,
        )


def reading(minute: int, before: Figures, now: Figures) -> ServerReading:
    """The minute that lies between two looks at the figures."""
    seconds = now.seconds.since(before.seconds)
    commits = now.commit_seconds.since(before.commit_seconds)
    return ServerReading(
        minute=minute,
        requests=now.requests - before.requests,
        errors=now.errors - before.errors,
        p50_ms=milliseconds(seconds.quantile(0.5)),
        p99_ms=milliseconds(seconds.quantile(0.99)),
        commits=commits.count,
        commit_p50_ms=milliseconds(commits.quantile(0.5)),
        commit_p99_ms=milliseconds(commits.quantile(0.99)),
        operations=round(now.batch_operations.total - before.batch_operations.total),
        connections=now.connections,
        store_bytes=now.store_bytes,
        free_bytes=now.free_bytes,
    )


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


class ServerRecorder:
    """Hands the store the server's minute, each time one has ended. One that the store refuses becomes part of the
    next."""

    def __init__(self, store: Store, clock: Clock, meters: ServerMeters) -> None:
        self._store = store
        self._clock = clock
        self._meters = meters
        self._before = meters.figures()
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> None:
        minute = self._clock.now_ms() // MINUTE_MS
        self._timer = self._clock.call_at((minute + 1) * MINUTE_MS, lambda: self._minute_ended(minute))

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _minute_ended(self, minute: int) -> None:
        self._task = asyncio.get_running_loop().create_task(self._record(minute))

    async def _record(self, minute: int) -> None:
        """The timer is set again when this is done: a clock turned by two weeks ends one minute, not 20,160."""
        now = self._meters.figures()
        try:
            await self._store.record_server(reading(minute, self._before, now))
        except SQSError:  # the disk is full, say: the store has logged it
            _log.debug("the server's minute was not recorded; it becomes part of the next")
        else:
            self._before = now
        if not self._stopped:
            self.start()
