"""What a verb gets, and what it has at hand."""

import asyncio
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from stanchion import ids, limits
from stanchion.actions import Action, Shape
from stanchion.broker.metering import Meters
from stanchion.engine.access_policy import authorize
from stanchion.errors import AccessDenied, QueueDoesNotExist
from stanchion.model import Caller, Queue, QueueKey, RequestContext
from stanchion.promise import Promise
from stanchion.store.base import Store


class Rules(msgspec.Struct, frozen=True):
    """Limits that an operator may set; the defaults are the service's."""

    in_flight_limit: int = limits.IN_FLIGHT
    recreate_wait_seconds: int = limits.RECREATE_AFTER_DELETE_SECONDS
    purge_interval_seconds: int = limits.PURGE_INTERVAL_SECONDS
    max_waiting_requests: int = 10_000


class Request(msgspec.Struct, frozen=True):
    """One call, with who makes it and when. ``query`` tells the protocol: a few answers differ."""

    action: Action
    input: Any
    caller: Caller
    context: RequestContext
    query: bool
    now_ms: int

    @property
    def anonymous(self) -> bool:
        return self.caller.access_key_id is None and not self.caller.trusted

    def queue_key(self) -> QueueKey:
        """The queue that ``QueueUrl`` names: an URL, or the bare name of one of the caller's queues."""
        url = self.input.queue_url
        if url is None:
            raise QueueDoesNotExist
        read = _queue_key if len(url) <= _USUAL_URL_LENGTH else _queue_key.__wrapped__
        return read(url, self.caller.account, self.caller.region)

    def admit(self, queue: Queue) -> None:
        """Refuse callers whom neither ownership nor the queue's policy lets in."""
        self.admit_to(self.action, queue)

    def admit_to(self, action: Action, queue: Queue) -> None:
        """``admit`` for something that this action does on the side."""
        authorize(
            queue.settings.access_policy,
            self.caller,
            action,
            queue.arn,
            queue.key.account,
            self.context,
            self.now_ms,
        )

    def admit_owner_of(self, key: QueueKey) -> None:
        """For actions that name a queue by ARN: only its account may, and others do not learn whether it exists."""
        authorize(None, self.caller, self.action, ids.queue_arn(key), key.account, self.context, self.now_ms)

    def admit_signed(self) -> None:
        """For actions on the account itself."""
        if self.anonymous:
            raise AccessDenied.to_resource(self.context.address)


_USUAL_URL_LENGTH = 512  # longer ones are somebody's mistake or malice, and stay out of the cache


@lru_cache(maxsize=4096)
def _queue_key(url: str, account: str, region: str) -> QueueKey:
    named_account, name = ids.read_queue_url(url)
    return QueueKey(named_account or account, region, name)


Translate = Callable[[Any], Shape | None]
"""Makes the output of an action of what the store answered; may raise SQSError."""


Pending = Promise[Any] | asyncio.Task[Any]


class Outcome(msgspec.Struct, frozen=True):
    """An answer that is on its way."""

    answer: Pending
    translate: Translate


class MessageIds:
    """Fresh message ids. The operating system is asked once for many: the call costs more than the bytes."""

    _BYTES = 16
    _AT_ONCE = 256

    def __init__(self) -> None:
        self._entropy = b""
        self._used = 0

    def __call__(self) -> str:
        if self._used >= len(self._entropy):
            self._entropy = os.urandom(self._BYTES * self._AT_ONCE)
            self._used = 0
        start = self._used
        self._used += self._BYTES
        return ids.message_id(self._entropy[start : self._used])


class RequestIds:
    """Ids of requests: unique, not secret. A random beginning for each process, and a count."""

    def __init__(self) -> None:
        random = ids.message_id(os.urandom(16))
        self._beginning, last = random[:24], random[24:]
        self._count = int(last, 16) >> 1  # room for as many again

    def __call__(self) -> str:
        self._count += 1
        return f"{self._beginning}{self._count:012x}"


class Tools(NamedTuple):
    """What verbs work with."""

    store: Store
    rules: Rules
    new_message_id: MessageIds
    meters: Meters
