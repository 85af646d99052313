"""The composition root: builds everything, starts it, stops it."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from stanchion import actions, logs, store
from stanchion.auth.authenticate import AuthRules, authenticate, unverified_caller
from stanchion.auth.browsers import KnownPages
from stanchion.auth.credentials import Credentials, CredentialsError
from stanchion.broker.broker import Broker
from stanchion.broker.request import Rules
from stanchion.broker.vitals import ServerMeters, ServerRecorder
from stanchion.clock import Clock, SystemClock, TurnableClock
from stanchion.errors import SQSError
from stanchion.model import Caller, QueueKey
from stanchion.server import listener
from stanchion.server.http import HttpServer, Limits, Service
from stanchion.server.listener import CannotListen
from stanchion.server.service import Answering, Identify, SqsService
from stanchion.settings import DeclaredQueue, Settings, SettingsError, reread_queues
from stanchion.store.base import Store, StoreUnusable
from stanchion.wire.http import HttpRequest
from stanchion.wire.proxies import TrustedProxies

if TYPE_CHECKING:
    from stanchion.console.serving import ConsoleServer

_LOOPBACK = "127.0.0.1"
DRAIN_SECONDS = 4.0  # leaves a second of the five that a stop may take for the last commit

_log = logging.getLogger(__name__)


class StartError(Exception):
    """Why the server cannot start, in one line for the operator."""


class Running(NamedTuple):
    """A server that accepts requests. ``console_url`` is None when there is no console."""

    sqs_url: str
    console_url: str | None
    settings: Settings


async def run(
    settings: Settings,
    *,
    ready: Callable[[Running], None],
    stop: asyncio.Event,
    clock: Clock | None = None,
) -> None:
    """Serve until ``stop`` is set. ``ready`` is called once requests are accepted. Raises StartError."""
    logs.configure(settings.log_format)
    application = await kind_of_application(settings).start(settings, clock or SystemClock())
    try:
        _on_hangup(application.reload)
        ready(Running(application.sqs_url, application.console_url, settings))
        await stop.wait()
    finally:
        await application.stop()


def kind_of_application(settings: Settings) -> "type[Application]":
    if not settings.test_clock:
        return Application
    # Loaded here only: a server that is not for tests has nothing of it.
    from stanchion.testing.application import ApplicationForTests

    return ApplicationForTests


class Application:
    """All parts of one server, put together."""

    def __init__(self, settings: Settings, clock: Clock, opened: Store) -> None:
        rules = Rules(
            in_flight_limit=settings.in_flight_limit,
            recreate_wait_seconds=settings.recreate_wait_seconds,
            purge_interval_seconds=settings.purge_interval_seconds,
            max_waiting_requests=settings.max_waiting_requests,
        )
        self._settings = settings
        self._clock = clock
        self._wall = clock.wall if isinstance(clock, TurnableClock) else clock
        self._credentials = _credentials(settings)
        self._metrics_token = _metrics_token(settings)
        self._accepting = False
        self.store = opened
        self.broker = Broker(opened, clock, rules)
        self.service = SqsService(
            self._answering(),
            _identify(settings, self._wall, self._credentials),
            public_url=settings.public_url,
            proxies=TrustedProxies(settings.trusted_proxies),
        )
        self.server = HttpServer(self._front(), _limits(settings), self._wall, settings.cors_origins)
        self.meters = ServerMeters(opened, self.broker, lambda: self.server.connections, lambda: self.service.refused)
        self.recorder = ServerRecorder(opened, clock, self.meters)
        self.console: ConsoleServer | None = None
        self.sqs_url = ""
        self.console_url: str | None = None

    @classmethod
    async def start(cls, settings: Settings, clock: Clock) -> "Application":
        try:
            opened = cls._open_store(settings, clock)
        except StoreUnusable as problem:
            raise StartError(str(problem)) from None
        try:
            application = cls(settings, clock, opened)
            await application._begin()
        except BaseException:
            await opened.close()
            raise
        return application

    # What a server for tests has instead

    @staticmethod
    def _open_store(settings: Settings, _clock: Clock) -> Store:
        return store.open_store(settings.store, durability=settings.durability)

    def _answering(self) -> Answering:
        """Who does the actions."""
        return self.broker

    def _front(self) -> Service:
        """Who gets the requests."""
        return self.service

    async def _begin(self) -> None:
        await self.declare(self._settings.queues)
        settings = self._settings
        # Both ports are taken before anything is served: with one of them in use, nothing has begun.
        with ExitStack() as taken:
            sqs_sockets = _bind(taken, settings.host, settings.port)
            console_sockets = _bind_console(taken, settings) if settings.console else []
            taken.pop_all()
        port = _port_of(sqs_sockets)
        await self.server.serve(sqs_sockets)
        self.service.own_address = _address(settings.host, port)
        self.sqs_url = f"http://{self.service.own_address}"
        self.broker.start()
        self.recorder.start()
        self._accepting = True
        if console_sockets:
            await self._start_console(console_sockets, port)

    async def _start_console(self, sockets: list[socket.socket], sqs_port: int) -> None:
        # Loaded here only: a server without a console does without its libraries.
        from stanchion.console.parts import Parts
        from stanchion.console.serving import ConsoleServer
        from stanchion.console.site import build

        settings = self._settings
        port = _port_of(sockets)
        parts = Parts(
            store=self.store,
            broker=self.broker,
            meters=self.meters,
            clock=self._clock,
            credentials=lambda: self._credentials,
            accepting=lambda: self._accepting,
            account=settings.account,
            region=settings.region,
            regions=settings.regions,
            sqs_host=settings.host,
            sqs_port=sqs_port,
            public_url=settings.public_url,
            port=port,
            read_only=settings.console_read_only,
            metrics_token=self._metrics_token,
            store_kind=_store_kind(settings),
            proxies=TrustedProxies(settings.trusted_proxies),
        )
        self.console = ConsoleServer(build(parts), sockets, parts.stopping)
        await self.console.start()
        self.console_url = f"http://{_address(_console_host(settings), port)}"

    async def stop(self) -> None:
        """Accept nothing more, answer what is under way, finish the last commit."""
        self._accepting = False
        self.server.stop_accepting()
        self.broker.stop()
        self.recorder.stop()
        ends: list[Coroutine[Any, Any, object]] = [self.server.drain(DRAIN_SECONDS)]
        if self.console is not None:
            ends.append(self.console.stop())
        await asyncio.gather(*ends)
        await self.server.close()
        await self.broker.finish()
        await self.store.close()

    # Declared queues and keys

    async def declare(self, queues: Sequence[DeclaredQueue]) -> None:
        """Create the queues that the settings file wants. Raises StartError for one that cannot be."""
        for declared in queues:
            key = QueueKey(declared.account, declared.region, declared.name)
            wanted = actions.CreateQueueInput(
                queue_name=declared.name, attributes=declared.attributes, create_tags=declared.tags
            )
            try:
                await self.broker.queues.declare_queue(key, wanted, self._clock.now_ms())
            except SQSError as error:
                raise StartError(f"queue {declared.name} in {self._settings.config}: {error.message}") from None

    def reload(self) -> None:
        """Read access keys and declared queues again; keep what holds if they cannot be used."""
        self._reloading = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        try:
            credentials = _credentials(self._settings)
            await self.declare(reread_queues(self._settings))
            self._credentials = credentials
            self.service.identify = _identify(self._settings, self._wall, credentials)
        except (StartError, SettingsError) as problem:
            _log.error("not reloaded: %s", problem)
        else:
            _log.info("access keys and declared queues reloaded")


def _bind(taken: ExitStack, host: str, port: int) -> list[socket.socket]:
    """Listening sockets, which ``taken`` closes again. Raises StartError."""
    try:
        sockets = listener.bind(host, port)
    except CannotListen as problem:
        raise StartError(str(problem)) from None
    for each in sockets:
        taken.callback(each.close)
    return sockets


def _bind_console(taken: ExitStack, settings: Settings) -> list[socket.socket]:
    try:
        return _bind(taken, _console_host(settings), settings.console_port)
    except StartError as problem:
        raise StartError(f"{problem} It is for the console; give another --console-port, or --no-console.") from None


def _console_host(settings: Settings) -> str:
    """Where the console listens. Without authentication it shows and does everything, to whoever reaches it: so only
    this machine may, even where the SQS endpoint is open to others."""
    return settings.host if settings.auth != "off" or settings.loopback_only else _LOOPBACK


def _port_of(sockets: Sequence[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _identify(settings: Settings, clock: Clock, credentials: Credentials | None) -> Identify:
    rules = AuthRules(default_region=settings.region, regions=settings.regions, allow_sigv2=settings.sigv2)
    if credentials is None:
        return _believe(settings, rules)

    def identify(request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> Caller:
        return authenticate(request, parameters, credentials, rules, clock.now_ms())

    return identify


def _believe(settings: Settings, rules: AuthRules) -> Identify:
    pages = KnownPages(settings.cors_origins, settings.public_url)

    def identify(request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> Caller:
        pages.admit(request)
        return unverified_caller(request, parameters, rules, settings.account)

    return identify


def _credentials(settings: Settings) -> Credentials | None:
    """The keys of the file; None while auth is off. Raises StartError."""
    if settings.auth == "off":
        return None
    path = settings.credentials
    assert path is not None, "settings insist on a file when auth is on"
    try:
        return Credentials.parse(path.read_text(encoding="utf-8"), settings.account)
    except (OSError, UnicodeDecodeError) as problem:
        raise StartError(f"cannot read {path}: {problem}") from None
    except CredentialsError as problem:
        raise StartError(f"{path}: {problem}") from None


def _metrics_token(settings: Settings) -> str | None:
    """Raises StartError."""
    path = settings.metrics_token
    if path is None:
        return None
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise StartError(f"cannot read {path}: {problem}") from None
    if not token:
        raise StartError(f"{path} is empty: it must hold the token for /metrics.")
    return token


def _store_kind(settings: Settings) -> str:
    if settings.store == "memory":
        return "memory"
    kind = settings.store.partition(":")[0]
    return f"{kind}, every reply is on disk (fsync)" if settings.durability == "fsync" else f"{kind}, without fsync"


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_connections=settings.max_connections,
        max_body_bytes=settings.max_body_bytes,
        idle_timeout_seconds=settings.idle_timeout_seconds,
    )


def _on_hangup(reload: Callable[[], None]) -> None:
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
    except (NotImplementedError, RuntimeError, ValueError):
        _log.debug("no SIGHUP here: not the main thread, or not a POSIX system")
