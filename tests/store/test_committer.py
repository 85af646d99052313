"""Batches of the group commit: as large as possible, but never so long that others wait for their turn."""

import asyncio
import itertools
import threading
from pathlib import Path

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


async def committing_threads(path: Path, at_once: int) -> list[str]:
    """Which thread made each of some 50 commits; this many operations are submitted together."""
    connection, threads = apsw.Connection(str(path)), []
    connection.execute("CREATE TABLE written (number)")

    def note() -> bool:
        threads.append(threading.current_thread().name)
        return False

    connection.set_commit_hook(note)
    group = Committer(connection, Observer(), threaded=True)

    def write() -> None:
        connection.execute("INSERT INTO written VALUES (1)")

    for _ in range(50):
        for promise in [group.submit(write) for _ in range(at_once)]:
            await promise
    await group.close()
    connection.close()
    return threads


HERE, COMMIT_THREAD = threading.main_thread().name, "stanchion-commit"


def test_on_a_quick_disk_an_operation_alone_is_committed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(committer, "stopwatch", lambda: 0.0)
    threads = asyncio.run(committing_threads(tmp_path / "store.db", at_once=1))
    assert threads[0] == COMMIT_THREAD and threads[-1] == HERE


def test_operations_that_share_a_commit_never_keep_the_loop_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(committer, "stopwatch", lambda: 0.0)
    assert set(asyncio.run(committing_threads(tmp_path / "store.db", at_once=2))) == {COMMIT_THREAD}


def test_a_slow_disk_never_keeps_the_loop_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ticks = itertools.count()
    monkeypatch.setattr(committer, "stopwatch", lambda: next(ticks) * committer.QUICK_COMMIT_SECONDS)
    assert set(asyncio.run(committing_threads(tmp_path / "store.db", at_once=1))) == {COMMIT_THREAD}
