"""Live counts of the queues that open pages show.

All pages share one look a second; while none is open, nobody looks.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.clock import Clock
from stanchion.console.desk import desk_of
from stanchion.console.streaming import stream
from stanchion.console.visitors import parts_of
from stanchion.errors import QueueDoesNotExist, SQSError
from stanchion.model import Counts, Queue, QueueKey
from stanchion.store.base import Store

EVERY_SECONDS: Final = 1.0
MOST_NAMES: Final = 200  # more rows than the largest page has


class Glance:
    """Counts that are at most a second old. Every page asks here, and only the first of a second asks the store,
    for all queues that were asked for in the second before."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._looking = asyncio.Lock()
        self._wanted: set[QueueKey] = set()
        self._found: dict[QueueKey, Counts | None] = {}
        self._looked_at_ms = 0
        self.looks = 0

    async def counts(self, keys: Sequence[QueueKey]) -> dict[QueueKey, Counts | None]:
        """None for a queue that is gone; a queue that could not be asked just now is left out."""
        self._wanted.update(keys)
        async with self._looking:
            now_ms = self._clock.now_ms()
            # Pages come once a second, give or take a little: those a little early count as the next second's.
            if now_ms - self._looked_at_ms >= EVERY_SECONDS * 900 or now_ms < self._looked_at_ms:
                self._found = await self._look(self._wanted, now_ms)
                self._wanted = set()
                self._looked_at_ms = now_ms
                self.looks += 1
            unknown = {key for key in keys if key not in self._found}
            if unknown:  # a page that was opened within this second
                self._found |= await self._look(unknown, now_ms)
        return {key: self._found[key] for key in keys if key in self._found}

    async def _look(self, keys: set[QueueKey], now_ms: int) -> dict[QueueKey, Counts | None]:
        asked = [(key, self._store.queue_status(key, _anybody, now_ms)) for key in keys]
        found: dict[QueueKey, Counts | None] = {}
        for key, answer in asked:
            try:
                found[key] = (await answer).counts
            except QueueDoesNotExist:
                found[key] = None
            except SQSError:
                continue  # the store is busy or stopping: the next look may tell
        return found


def _anybody(_queue: Queue) -> None:
    """An account's queues and their counts are shown to all who may list them."""


async def live_queues(request: Request) -> Response:
    """A stream of ``{name: [available, in flight, delayed]}``, with null for a queue that is gone."""
    desk, glance = desk_of(request), _glance_of(request)
    names = [name for name in request.query_params.get("names", "").split(",") if name][:MOST_NAMES]
    keys = [desk.queue_key(name) for name in names]

    async def look() -> dict[str, list[int] | None]:
        found = await glance.counts(keys)
        return {key.name: list(counts) if counts else None for key, counts in found.items()}

    return stream(request, look, EVERY_SECONDS)


def _glance_of(request: Request) -> Glance:
    state = request.app.state
    if not hasattr(state, "glance"):
        parts = parts_of(request)
        state.glance = Glance(parts.store, parts.clock)
    glance: Glance = state.glance
    return glance


ROUTES: Final = [Route("/live/queues", live_queues)]
