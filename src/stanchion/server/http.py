"""The HTTP server: listeners, the sweep that keeps time for all connections, the way it stops."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from socket import socket
from typing import Final

from stanchion.clock import Clock
from stanchion.server import listener
from stanchion.server.connection import Connection
from stanchion.server.cors import Cors
from stanchion.server.hub import Hub, Limits, Reply, Service
from stanchion.server.responses import Heads

__all__ = ["HttpServer", "Limits", "Reply", "Service"]

_SWEEP_SECONDS: Final = 1.0


class HttpServer:
    """Serves one service over HTTP/1.1, on the running event loop.

    ``clock`` dates the answers. ``monotonic_seconds`` is what timeouts are measured with (the loop's own time if
    none is given); they are checked once a second. ``cors_origins`` are the origins browsers may call from.
    """

    def __init__(
        self,
        service: Service,
        limits: Limits,
        clock: Clock,
        cors_origins: Iterable[str] = (),
        monotonic_seconds: Callable[[], float] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._monotonic_seconds = monotonic_seconds or self._loop.time
        origins = tuple(cors_origins)
        self._heads = Heads(clock.now_ms)
        self._hub = Hub(
            service,
            limits,
            self._heads,
            Cors(origins) if origins else None,
            self._loop,
            self._monotonic_seconds(),
        )
        self._listeners: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None

    # ── Figures ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._hub.connections)

    @property
    def connections_accepted(self) -> int:
        return self._hub.accepted

    @property
    def requests(self) -> int:
        """Requests that the service has been given, and OPTIONS."""
        return self._hub.requests

    @property
    def refused(self) -> dict[int, int]:
        """How many answers the server gave by itself, by status."""
        return dict(self._hub.refused)

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for clients: requests without an answer, and answers that a client does not read."""
        return self._hub.buffered_bytes

    # ── Life ─────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, host: str, port: int) -> int:
        """Listen on ``host``; answer the port, which for ``port`` 0 is a free one. Raises CannotListen."""
        sockets = listener.bind(host, port)
        await self.serve(sockets)
        return int(sockets[0].getsockname()[1])

    async def serve(self, sockets: Sequence[socket]) -> None:
        """Accept connections from sockets that listen."""
        for each in sockets:
            self._listeners.append(await self._loop.create_server(self._connect, sock=each, backlog=listener.BACKLOG))
        if self._timer is None:
            self._timer = self._loop.call_later(_SWEEP_SECONDS, self._sweep_again)

    def stop_accepting(self) -> None:
        for each in self._listeners:
            each.close()
        self._listeners.clear()

    async def drain(self, timeout_seconds: float) -> bool:
        """Let requests under way get their answers, and close all connections; False when some are left."""
        self._hub.draining = True
        for connection in list(self._hub.connections):
            connection.drain()
        try:
            await asyncio.wait_for(self._hub.empty.wait(), timeout_seconds)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop accepting and cut every connection."""
        self.stop_accepting()
        for connection in list(self._hub.connections):
            connection.abort()
        await self._hub.empty.wait()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sweep(self) -> None:
        """Enforce every timeout. One pass over the connections is cheaper than a timer for each request."""
        now = self._monotonic_seconds()
        self._heads.tick()
        self._hub.tick(now)
        for connection in list(self._hub.connections):
            if connection.deadline <= now:
                connection.expire()

    def _sweep_again(self) -> None:
        self._timer = self._loop.call_later(_SWEEP_SECONDS, self._sweep_again)
        self.sweep()

    def _connect(self) -> Connection:
        return Connection(self._hub)
