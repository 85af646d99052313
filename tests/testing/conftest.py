"""A server for tests, on which it is tested itself."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from stanchion.testing import SqsServer


@pytest.fixture(scope="session")
def clients() -> Any:
    return boto3.Session()


@pytest.fixture(scope="session")
def bench_of_session() -> Iterator[SqsServer]:
    with SqsServer() as server:
        yield server


@pytest.fixture
def bench(bench_of_session: SqsServer) -> Iterator[SqsServer]:
    yield bench_of_session
    bench_of_session.reset()


@pytest.fixture
def client(bench: SqsServer, clients: Any) -> Iterator[Any]:
    made = clients.client(
        "sqs",
        endpoint_url=bench.url,
        region_name=bench.region,
        aws_access_key_id=bench.account,
        aws_secret_access_key="test",
    )
    yield made
    made.close()


@pytest.fixture
def orders(client: Any) -> str:
    return client.create_queue(QueueName="orders")["QueueUrl"]
