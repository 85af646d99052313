"""A server for all tests of the specification, its time turned by hand, and callers in both protocols.

Tests share the server and each makes queues of its own, so turning the clock never disturbs another test.
"""

from collections.abc import Callable, Iterator

import pytest

from support.both_protocols import Caller
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls

PROTOCOLS = ("json", "query")

NewQueue = Callable[..., QueueCalls]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "k(*rows): rows of the table of edge cases that a test covers")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    running = InProcessServer(tmp_path_factory.mktemp("spec"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def callers(server: InProcessServer) -> Iterator[dict[str, Caller]]:
    made = {protocol: Caller(server.url, protocol) for protocol in PROTOCOLS}
    yield made
    for caller in made.values():
        caller.close()


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(callers: dict[str, Caller], protocol: str) -> Caller:
    return callers[protocol]


@pytest.fixture
def json_call(callers: dict[str, Caller]) -> Caller:
    return callers["json"]


@pytest.fixture
def query_call(callers: dict[str, Caller]) -> Caller:
    return callers["query"]


@pytest.fixture
def make(call: Caller) -> NewQueue:
    """Makes queues: ``make(VisibilityTimeout="1")``, ``make(fifo=True)``."""
    return lambda name=None, **given: QueueCalls.create(call, name, **given)


@pytest.fixture
def q(make: NewQueue) -> QueueCalls:
    """A fresh standard queue."""
    return make()


@pytest.fixture
def fifo(make: NewQueue) -> QueueCalls:
    """A fresh FIFO queue; deduplication ids must be given."""
    return make(fifo=True)


@pytest.fixture
def json_q(json_call: Caller) -> QueueCalls:
    """A fresh standard queue for tests that are about one protocol."""
    return QueueCalls.create(json_call)
