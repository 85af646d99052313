"""The composition root: builds everything, starts it, stops it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stanchion import actions, logs, store
from stanchion.auth.authenticate import AuthRules, authenticate, unverified_caller
from stanchion.auth.browsers import KnownPages
from stanchion.auth.credentials import Credentials, CredentialsError
from stanchion.broker.broker import Broker
from stanchion.broker.request import Rules
from stanchion.clock import Clock, SystemClock
from stanchion.errors import SQSError
from stanchion.model import Caller, QueueKey
from stanchion.server.http import HttpServer, Limits
from stanchion.server.listener import CannotListen
from stanchion.server.service import Identify, SqsService
from stanchion.settings import DeclaredQueue, Settings, SettingsError, reread_queues
from stanchion.store.base import Store, StoreUnusable
from stanchion.wire.http import HttpRequest

DRAIN_SECONDS = 4.0  # leaves a second of the five that a stop may take for the last commit

_log = logging.getLogger(__name__)


class StartError(Exception):
    """Why the server cannot start, in one line for the operator."""


class Running(NamedTuple):
    """A server that accepts requests."""

    sqs_url: str
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
    application = await Application.start(settings, clock or SystemClock())
    try:
        _on_hangup(application.reload)
        ready(Running(application.sqs_url, settings))
        await stop.wait()
    finally:
        await application.stop()


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
        self.store = opened
        self.broker = Broker(opened, clock, rules)
        self.service = SqsService(
            self.broker,
            _identify(settings, clock),
            public_url=settings.public_url,
            trusted_proxies=settings.trusted_proxies,
        )
        self.server = HttpServer(self.service, _limits(settings), clock, settings.cors_origins)
        self.sqs_url = ""

    @classmethod
    async def start(cls, settings: Settings, clock: Clock) -> "Application":
        try:
            opened = store.open_store(settings.store, durability=settings.durability)
        except StoreUnusable as problem:
            raise StartError(str(problem)) from None
        try:
            application = cls(settings, clock, opened)
            await application._begin()
        except BaseException:
            await opened.close()
            raise
        return application

    async def _begin(self) -> None:
        await self.declare(self._settings.queues)
        try:
            port = await self.server.start(self._settings.host, self._settings.port)
        except CannotListen as problem:
            raise StartError(str(problem)) from None
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        self.service.own_address = f"{host}:{port}"
        self.sqs_url = f"http://{host}:{port}"
        self.broker.start()

    async def stop(self) -> None:
        """Accept nothing more, answer what is under way, finish the last commit."""
        self.server.stop_accepting()
        self.broker.stop()
        await self.server.drain(DRAIN_SECONDS)
        await self.server.close()
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
            identify = _identify(self._settings, self._clock)
            await self.declare(reread_queues(self._settings))
            self.service.identify = identify
        except (StartError, SettingsError) as problem:
            _log.error("not reloaded: %s", problem)
        else:
            _log.info("access keys and declared queues reloaded")


def _identify(settings: Settings, clock: Clock) -> Identify:
    rules = AuthRules(default_region=settings.region, regions=settings.regions, allow_sigv2=settings.sigv2)
    if settings.auth == "off":
        return _believe(settings, rules)
    credentials = _read_credentials(settings)

    def identify(request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> Caller:
        return authenticate(request, parameters, credentials, rules, clock.now_ms())

    return identify


def _believe(settings: Settings, rules: AuthRules) -> Identify:
    pages = KnownPages(settings.cors_origins, settings.public_url)

    def identify(request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> Caller:
        pages.admit(request)
        return unverified_caller(request, parameters, rules, settings.account)

    return identify


def _read_credentials(settings: Settings) -> Credentials:
    path = settings.credentials
    assert path is not None, "settings insist on a file when auth is on"
    try:
        return Credentials.parse(path.read_text(encoding="utf-8"), settings.account)
    except (OSError, UnicodeDecodeError) as problem:
        raise StartError(f"cannot read {path}: {problem}") from None
    except CredentialsError as problem:
        raise StartError(f"{path}: {problem}") from None


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
