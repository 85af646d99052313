"""Every scenario runs on both event loops."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
import uvloop

from server.harness import Bench, bench_of
from stanchion.server.http import Limits

Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@pytest.fixture
def play(runner):
    """Run a scenario against a server of its own."""

    def run(scenario: Scenario, limits: Limits | None = None, cors_origins: Iterable[str] = ()) -> None:
        async def with_bench() -> None:
            async with bench_of(limits, cors_origins) as bench:
                await scenario(bench)

        runner.run(with_bench())

    return run
