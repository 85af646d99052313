"""What the console is built of: handed in by whoever starts the server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from stanchion.auth.credentials import Credentials
from stanchion.broker.broker import Broker
from stanchion.broker.vitals import ServerMeters
from stanchion.clock import Clock
from stanchion.store.base import Store
from stanchion.wire.proxies import TrustedProxies


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The server as the console sees it.

    ``credentials`` answers the keys that hold at this moment, or None while auth is off. ``sqs_host`` and
    ``sqs_port`` are where the SQS endpoint listens; ``public_url`` is what queue URLs start with, if that was set.
    ``port`` is the console's own: browsers share cookies between all ports of a host, so it is in their names.
    ``metrics_token`` is what a scraper of ``/metrics`` must send while auth is on; without one it gets nothing.
    ``store_kind`` says in words where the queues are and what a reply promises.
    ``accepting`` says whether the server takes requests. ``stopping`` is set when every stream has to end.
    """

    store: Store
    broker: Broker
    meters: ServerMeters
    clock: Clock
    credentials: Callable[[], Credentials | None]
    accepting: Callable[[], bool]
    account: str
    region: str
    regions: tuple[str, ...] = ()
    sqs_host: str
    sqs_port: int
    public_url: str | None = None
    port: int
    read_only: bool = False
    metrics_token: str | None = None
    store_kind: str = ""
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
