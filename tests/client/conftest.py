"""A server in the process, and a connection of `stanchion.client` to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stanchion.client import SQSConnection, connect_sqs
from support.in_process import InProcessServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def conn(server: InProcessServer) -> Iterator[SQSConnection]:
    with connect_sqs("key", "secret", endpoint_url=server.url) as connection:
        yield connection
