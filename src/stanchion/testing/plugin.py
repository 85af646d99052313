"""Fixtures for pytest: ``sqs``, ``sqs_endpoint``, ``sqs_server`` and ``sqs_clock``.

One server runs in each process that runs tests (so one for each worker of pytest-xdist), from the first test that
needs it to the end. Each test finds it empty, in an account of its own and with the right time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stanchion.testing.server import SqsClock, SqsServer


@pytest.fixture(scope="session")
def _sqs_server_of_session() -> Iterator[SqsServer]:
    from stanchion.testing.server import SqsServer

    with SqsServer() as server:
        yield server


@pytest.fixture
def sqs_server(_sqs_server_of_session: SqsServer) -> Iterator[SqsServer]:
    """A server that is empty. The environment leads AWS SDKs to it, as long as the test runs."""
    server = _sqs_server_of_session
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        for name in (
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_SESSION_TOKEN",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        ):
            patch.delenv(name, raising=False)
        _forget_default_session(patch)
        yield server
    server.reset()


@pytest.fixture
def sqs_endpoint(sqs_server: SqsServer) -> str:
    """The URL of the server."""
    return sqs_server.url


@pytest.fixture
def sqs_clock(sqs_server: SqsServer) -> SqsClock:
    """The server's clock."""
    return sqs_server.clock


@pytest.fixture
def sqs(sqs_server: SqsServer) -> Iterator[Any]:
    """A boto3 client of the server."""
    client = _client_session().client(
        "sqs",
        endpoint_url=sqs_server.url,
        region_name=sqs_server.region,
        aws_access_key_id=sqs_server.account,
        aws_secret_access_key="test",  # noqa: S106 (nobody checks it)
    )
    yield client
    client.close()


@cache
def _client_session() -> Any:
    """What a client takes long to read, read once: with it, the next one is made in four milliseconds."""
    try:
        import boto3
    except ImportError:
        pytest.fail("the fixture sqs needs boto3: pip install 'stanchion[testing]'", pytrace=False)
    return boto3.Session()


def _forget_default_session(patch: pytest.MonkeyPatch) -> None:
    """``boto3.client`` keeps the credentials that it found first: those of another test's account."""
    try:
        import boto3
    except ImportError:
        return
    patch.setattr(boto3, "DEFAULT_SESSION", None)
