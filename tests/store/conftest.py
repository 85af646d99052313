"""Every store that the contract holds for. The reference model has to keep it too."""

from collections.abc import Generator
from pathlib import Path

import pytest

from model.bench import Bench


@pytest.fixture(params=["sqlite", "memory", "reference"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench, None, None]:
    bench = Bench(request.param, tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Generator[Bench, None, None]:
    """For what only a store with a file can promise."""
    bench = Bench("sqlite", tmp_path)
    yield bench
    bench.close()
