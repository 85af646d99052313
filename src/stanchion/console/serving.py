"""The console's HTTP server, within the event loop that the SQS endpoint runs on."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from stanchion.console.security import HEADERS

MOST_CONNECTIONS: Final = 256  # a browser opens six at most
KEEP_ALIVE_SECONDS: Final = 30
STOP_SECONDS: Final = 1


class ConsoleServer:
    """Serves ``app`` on sockets that listen already. ``stopping`` is set first when it stops: streams end then."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket], stopping: asyncio.Event) -> None:
        self._sockets = list(sockets)
        self._stopping = stopping
        self._config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=list(HEADERS),
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(self._config)
        self._ticks: asyncio.Task[None] | None = None

    async def start(self) -> None:
        # What ``Server.serve`` does, without its signal handlers: signals belong to the program.
        self._config.load()
        self._server.lifespan = self._config.lifespan_class(self._config)
        self._server.server_state.default_headers = self._config.encoded_headers
        await self._server.startup(sockets=self._sockets)
        self._ticks = asyncio.create_task(self._server.main_loop(), name="console")

    async def stop(self) -> None:
        """End the streams, answer what is under way, close. Takes a second at most."""
        self._stopping.set()
        if self._ticks is None:
            for each in self._sockets:
                each.close()
            return
        self._ticks.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticks
        await self._server.shutdown(sockets=self._sockets)
