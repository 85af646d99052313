"""What the figures must be."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from results import Results


class Goal(NamedTuple):
    """``figure`` answers None when it was not measured. ``sign`` is ≥ or ≤; ``text`` says the figure and its unit."""

    what: str
    figure: Callable[[Results], float | None]
    sign: str
    bound: float
    text: str = "{:.2f}"

    def met(self, value: float) -> bool:
        return value >= self.bound if self.sign == "≥" else value <= self.bound


def _median(workload: str, case: str, figure: str) -> Callable[[Results], float | None]:
    return lambda results: results.median(workload, case, figure)


def _last(workload: str, figure: str) -> Callable[[Results], float | None]:
    """Of the last case: the deepest, which is another one in a quick run."""
    return lambda results: results.median(workload, (results.cases(workload) or [""])[-1], figure)


def _case_with(words: str, workload: str, figure: str) -> Callable[[Results], float | None]:
    def find(results: Results) -> float | None:
        found = [case for case in results.cases(workload) if words in case]
        return results.median(workload, found[0], figure) if found else None

    return find


def _worst(pick: Callable[[Iterable[float]], float], workload: str, figure: str) -> Callable[[Results], float | None]:
    def find(results: Results) -> float | None:
        medians = [results.median(workload, case, figure) for case in results.cases(workload)]
        known = [value for value in medians if value is not None]
        return pick(known) if known else None

    return find


# Sixty thousand messages a second where the ceiling is 78 thousand requests.
_BATCHES = 60 / 78

GOALS = (
    Goal(
        "cycle, 64 connections: part of the ceiling",
        _median("cycle", "cycle, 64 connections", "of_ceiling"),
        "≥",
        0.25,
    ),
    Goal(
        "cycle, 256 connections: part of the ceiling",
        _median("cycle", "cycle, 256 connections", "of_ceiling"),
        "≥",
        0.33,
    ),
    *(
        Goal(
            f"batches of ten, {verb} alone: messages for a request of the ceiling",
            _median("batches", f"{verb} alone", "messages_of_ceiling"),
            "≥",
            _BATCHES,
        )
        for verb in ("send", "receive", "delete")
    ),
    Goal("FIFO, 1,000 groups: part of a standard queue", _case_with("groups", "fifo", "of_baseline"), "≥", 0.6),
    Goal("deepest backlog: part of the smallest's throughput", _last("depth", "of_baseline"), "≥", 0.85),
    Goal(
        "120,000 in flight: part of the usual throughput",
        _case_with("in flight", "crowded", "of_baseline"),
        "≥",
        0.85,
    ),
    Goal("10,000 queues: part of one queue's throughput", _case_with("queues", "crowded", "of_baseline"), "≥", 0.85),
    Goal("wake-up of a long poll, 1,000 waiting: p99", _worst(max, "wakeup", "p99_ms"), "≤", 20, "{:.1f} ms"),
    Goal("idle CPU, 1,000 waiting", _worst(max, "wakeup", "idle_cpu"), "≤", 0.01, "{:.1%}"),
    Goal(
        "boto3, one thread, send: added by the server",
        _median("boto3", "stanchion", "added_ms"),
        "≤",
        0.5,
        "{:.2f} ms",
    ),
    Goal(
        "start until the first answer, empty store",
        _median("start", "empty store", "start_ms"),
        "≤",
        500,
        "{:.0f} ms",
    ),
    Goal("start until the first answer, deepest store", _last("start", "start_ms"), "≤", 500, "{:.0f} ms"),
    Goal("resident memory, idle", _median("memory", "idle, empty store", "resident_mb"), "≤", 70, "{:.0f} MB"),
    Goal("resident memory, deepest store, after traffic", _last("memory", "resident_mb"), "≤", 200, "{:.0f} MB"),
    Goal(
        "throughput beside three open pages of the console",
        _median("console", "three pages open", "of_baseline"),
        "≥",
        0.98,
    ),
    Goal("slowest page of the console", _worst(max, "console", "max_ms"), "≤", 200, "{:.0f} ms"),
    Goal("housekeeping: p99 of others, of the usual", _worst(max, "housekeeping", "of_usual_p99"), "≤", 3, "{:.1f}"),
)
