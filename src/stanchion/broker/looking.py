"""What a console needs beyond the actions of the API: lists with counts, and messages that nobody receives."""

from collections.abc import Iterable, Mapping, Sequence

from stanchion.actions import ACTIONS, ReceiveMessageInput
from stanchion.broker.request import Request
from stanchion.clock import Clock
from stanchion.engine.browsing import filtering
from stanchion.errors import AccessDenied
from stanchion.model import Caller, Queue, QueueKey, Reading, RequestContext
from stanchion.store.base import BrowseFilter, BrowsePage, Overview, Store


class Looking:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def overview(
        self,
        caller: Caller,
        context: RequestContext,
        search: str,
        sort: str,
        descending: bool,
        offset: int,
        limit: int,
    ) -> Overview:
        """The caller's own queues. Raises AccessDenied for who has not signed."""
        now_ms = self._clock.now_ms()
        request = Request(ACTIONS["ListQueues"], None, caller, context, False, now_ms)
        request.admit_signed()
        return await self._store.overview(
            caller.account, caller.region, search, sort, descending, offset, limit, now_ms
        )

    async def browse(
        self,
        caller: Caller,
        context: RequestContext,
        queue_url: str,
        after_sequence: int,
        limit: int,
        wanted: BrowseFilter,
    ) -> BrowsePage:
        """Messages of a queue, for whoever may receive them: a body is a body, received or not."""
        now_ms = self._clock.now_ms()
        given = ReceiveMessageInput(queue_url=queue_url)
        request = Request(ACTIONS["ReceiveMessage"], given, caller, context, False, now_ms)
        return await self._store.browse(
            request.queue_key(), request.admit, filtering(wanted, now_ms), after_sequence, limit, now_ms
        )

    def refused(
        self, caller: Caller, context: RequestContext, queue: Queue, actions: Iterable[str]
    ) -> dict[str, str]:
        """Why the queue's policy refuses some of these actions to the caller, in the API's words, by action."""
        now_ms = self._clock.now_ms()
        reasons: dict[str, str] = {}
        for name in actions:
            try:
                Request(ACTIONS[name], None, caller, context, False, now_ms).admit(queue)
            except AccessDenied as error:
                reasons[name] = error.message
        return reasons

    async def refusals(
        self, caller: Caller, context: RequestContext, name: str, actions: Iterable[str]
    ) -> dict[str, str]:
        """``refused`` for one of the caller's own queues, by its name. Raises QueueDoesNotExist, and AccessDenied
        for who has not signed."""
        request = Request(ACTIONS["ListQueues"], None, caller, context, False, self._clock.now_ms())
        request.admit_signed()
        # Whether it exists is no secret from its account, whatever the policy says.
        queue = await self._store.find_queue(QueueKey(caller.account, caller.region, name), _anybody)
        return self.refused(caller, context, queue, actions)

    async def readings(
        self,
        caller: Caller,
        context: RequestContext,
        names: Sequence[str],
        first_minute: int,
        last_minute: int,
    ) -> Mapping[str, Sequence[Reading]]:
        """The metrics of the caller's own queues, by name; names of queues that there are not are left out.

        Minutes count since the epoch, both ends included. Raises ValueError for more than MOST_READINGS pairs of
        minute and queue, AccessDenied for who has not signed.
        """
        request = Request(ACTIONS["ListQueues"], None, caller, context, False, self._clock.now_ms())
        request.admit_signed()
        keys = [QueueKey(caller.account, caller.region, name) for name in names]
        found = await self._store.readings(keys, first_minute, last_minute)
        return {key.name: readings for key, readings in found.items()}


def _anybody(_queue: Queue) -> None:
    """Admits all."""
