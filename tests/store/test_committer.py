"""Batches of the group commit: as large as possible, but never so long that others wait for their turn."""

import asyncio
import itertools

import apsw
import pytest

from stanchion.store.sqlite import committer
from stanchion.store.sqlite.committer import BATCH_SECONDS, Committer, Observer


class Commits(Observer):
    """Counts the batches."""

    def __init__(self) -> None:
        self.batches = 0

    def committed(self) -> None:
        self.batches += 1


async def run_together(operations: int) -> tuple[list[int], int]:
    """The results of operations that were submitted at once, and how many batches they took."""
    commits = Commits()
    group = Committer(apsw.Connection(":memory:"), commits, threaded=False)
    numbers = itertools.count()
    promises = [group.submit(lambda: next(numbers)) for _ in range(operations)]
    results = [await promise for promise in promises]
    await group.close()
    return results, commits.batches


def test_quick_operations_that_come_together_share_one_batch():
    assert asyncio.run(run_together(500)) == (list(range(500)), 1)


def test_long_operations_are_spread_over_batches_in_their_order(monkeypatch: pytest.MonkeyPatch):
    ticks = itertools.count()
    monkeypatch.setattr(committer, "stopwatch", lambda: next(ticks) * BATCH_SECONDS / 10)  # ten looks fill a batch
    assert asyncio.run(run_together(95)) == (list(range(95)), 10)
