"""A server whose clock turns: the composition root for tests."""

from typing import cast

from stanchion.app import Application
from stanchion.auth.browsers import KnownPages
from stanchion.clock import Clock, TurnableClock
from stanchion.server.hub import Service
from stanchion.server.service import Answering
from stanchion.settings import Settings
from stanchion.store.base import Store
from stanchion.testing.front import Front
from stanchion.testing.store import WatchedStore
from stanchion.testing.trouble import Troubled
from stanchion.testing.works import Works


class ApplicationForTests(Application):
    """All parts of a server that keeps its queues in memory and does what tests ask of it (``works``)."""

    store: WatchedStore
    works: Works

    @classmethod
    async def start(cls, settings: Settings, _clock: Clock | None = None) -> "ApplicationForTests":
        return cast(ApplicationForTests, await super().start(settings, TurnableClock()))

    @staticmethod
    def _open_store(_settings: Settings, clock: Clock) -> Store:
        return WatchedStore.open_for_tests(clock)

    def _answering(self) -> Answering:
        return Troubled(super()._answering(), self.store.faults, lambda: self._front_for_tests.cutter())

    def _front(self) -> Service:
        settings = self._settings
        self.works = Works(cast(TurnableClock, self._clock), self.store, self.broker)
        pages = KnownPages(settings.cors_origins, settings.public_url)
        self._front_for_tests = Front(self.service, self.works, pages)
        return self._front_for_tests
