"""Everything that is measured: what it is called, what is done, what is reported."""

from collections.abc import Callable
from typing import NamedTuple

import housekeeping
import latency
import open_console
import overload
import throughput
import wakeup
from bench import Bench, Measured


class Column(NamedTuple):
    """A figure in a workload's table. ``per_cent``: shown times a hundred. ``spread``: with how far rounds differ."""

    heading: str
    figure: str
    digits: int = 0
    per_cent: bool = False
    spread: bool = False

    def text(self, value: float) -> str:
        return f"{value * 100:.{self.digits}f} %" if self.per_cent else f"{value:,.{self.digits}f}"


class Plot(NamedTuple):
    """Lines over the cases of a workload. ``lines``: name → (start of the cases' names, figure)."""

    name: str
    title: str
    lines: tuple[tuple[str, str, str], ...]


class Workload(NamedTuple):
    """``pivot``: the cases are called "row, column", and the first figure alone is shown."""

    name: str
    title: str
    what: str
    measure: Callable[[Bench], Measured]
    columns: tuple[Column, ...]
    plots: tuple[Plot, ...] = ()
    pivot: bool = False


_REQUESTS = Column("requests/s", "requests_per_second", spread=True)
_DELETED = Column("messages through/s", "deleted_per_second")
_OF_CEILING = Column("of the ceiling", "of_ceiling", 2)
_P50, _P99 = Column("p50 ms", "p50_ms", 2), Column("p99 ms", "p99_ms", 2)
_EMPTY = Column("empty receives", "empty")
_CPU = Column("server CPU", "server_cpu", 0, per_cent=True)


def _of(what: str) -> Column:
    return Column(f"of {what}", "of_baseline", 2)


WORKLOADS = (
    Workload(
        "cycle",
        "Send, receive, delete, one at a time",
        "Single messages of 256 bytes on one standard queue; every request is signed and verified, every reply "
        "follows an fsync. wrk in a closed loop on the other core.",
        throughput.cycles,
        (_REQUESTS, _DELETED, _OF_CEILING, _P50, _P99, _EMPTY, _CPU),
        (
            Plot(
                "throughput-connections",
                "Requests a second against connections",
                (("echo", "echo, ", "requests_per_second"), ("cycle", "cycle, ", "requests_per_second")),
            ),
            Plot(
                "latency-connections",
                "Milliseconds a request against connections",
                (("p50", "cycle, ", "p50_ms"), ("p99", "cycle, ", "p99_ms")),
            ),
        ),
    ),
    Workload(
        "batches",
        "Batches of ten",
        "The cycle with SendMessageBatch, ReceiveMessage for ten and DeleteMessageBatch, and then each of the three "
        "alone: receives from a backlog, deletions of messages that were in flight. 64 connections.",
        throughput.batches,
        (
            _REQUESTS,
            Column("sent/s", "sent_per_second"),
            Column("received/s", "received_per_second"),
            Column("deleted/s", "deleted_per_second"),
            Column("messages a request of the ceiling", "messages_of_ceiling", 2),
            _P50,
            _P99,
            _CPU,
        ),
    ),
    Workload(
        "fifo",
        "FIFO queues",
        "The cycle on a FIFO queue, each message with a deduplication id of its own. With one group only one message "
        "(or batch) can be in flight at a time, so most receives come away empty: what counts is how many messages "
        "get through. 64 connections.",
        throughput.fifo,
        (_REQUESTS, _DELETED, _of("standard"), _OF_CEILING, _P50, _P99, _EMPTY, _CPU),
    ),
    Workload(
        "depth",
        "The cycle on a backlog",
        "The queue holds this many visible messages all the while: receives take the oldest, sends append. "
        "64 connections.",
        throughput.depth,
        (_REQUESTS, _DELETED, _of("the smallest"), _OF_CEILING, _P50, _P99, _CPU, Column("RSS MB", "resident_mb")),
        (
            Plot(
                "throughput-depth",
                "Requests a second against the backlog",
                (("cycle", "", "requests_per_second"),),
            ),
            Plot(
                "latency-depth",
                "Milliseconds a request against the backlog",
                (("p50", "", "p50_ms"), ("p99", "", "p99_ms")),
            ),
        ),
    ),
    Workload(
        "crowded",
        "Many in flight, many queues",
        "The cycle while so many messages of the queue are in flight, and spread over so many queues. "
        "64 connections.",
        throughput.crowded_stores,
        (_REQUESTS, _DELETED, _of("one queue"), _OF_CEILING, _P50, _P99, _CPU, Column("RSS MB", "resident_mb")),
    ),
    Workload(
        "actions",
        "Each action against the backlog",
        "Milliseconds of a call (p50) over one keep-alive connection, signed, one call at a time; what writes waits "
        "for an fsync. A purge and a queue deletion happen once in each round, everything else 200 times.",
        latency.actions,
        (Column("p50 ms", "p50_ms", 2),),
        pivot=True,
    ),
    Workload(
        "costs",
        "What each promise costs",
        "The cycle at 64 connections with one thing changed.",
        throughput.costs,
        (_REQUESTS, _DELETED, _of("the first"), _OF_CEILING, _P50, _P99, _CPU),
    ),
    Workload(
        "wakeup",
        "A thousand long polls",
        "1,000 connections wait in ReceiveMessage; one producer sends a message every 20 ms or so. Milliseconds from "
        "the answer to the send, and from its first byte, to the answer of the receive. CPU is what the server uses "
        "while all wait and nobody sends.",
        wakeup.wake_ups,
        (
            _P50,
            _P99,
            Column("whole p50 ms", "whole_p50_ms", 2),
            Column("whole p99 ms", "whole_p99_ms", 2),
            Column("idle CPU", "idle_cpu", 1, per_cent=True),
            Column("wake-ups", "count"),
            Column("RSS MB", "resident_mb"),
        ),
    ),
    Workload(
        "boto3",
        "boto3, one thread",
        "send_message in a loop. Against the echo server the same call shows what the SDK itself takes.",
        latency.boto3_sends,
        (_P50, _P99, Column("added ms (p50)", "added_ms", 2), Column("calls", "count")),
    ),
    Workload(
        "start",
        "Start until the first answer",
        "From the start of the process to the answer of ListQueues, its files in the page cache.",
        latency.starts,
        (Column("ms", "start_ms", spread=True),),
    ),
    Workload(
        "memory",
        "Resident memory",
        "As the kernel counts it (VmRSS); traffic is cycles and batches at 64 connections.",
        latency.memory,
        (Column("MB", "resident_mb"),),
    ),
    Workload(
        "housekeeping",
        "Housekeeping beside a steady load",
        "Some 2,000 requests a second of the cycle, below what the server can do, while another queue is purged, "
        "deleted, runs out of retention, or is moved.",
        housekeeping.housekeeping,
        (
            _REQUESTS,
            _P50,
            _P99,
            Column("p99 of the usual", "of_usual_p99", 2),
            Column("slowest ms", "max_ms", 1),
            Column("messages dealt with", "dealt_with"),
            _CPU,
        ),
    ),
    Workload(
        "console",
        "The console",
        "What three open pages (a list of 25 queues, a queue, the server) take while nobody calls; the cycle with "
        "and without them, in turns; then how long each page takes, over a connection of its own, with 10,000 queues "
        "and a queue of a million messages. Auth is off. 64 connections.",
        open_console.open_console,
        (
            _REQUESTS,
            _of("no page open"),
            _P50,
            _P99,
            Column("slowest ms", "max_ms", 1),
            Column("server CPU", "server_cpu", 1, per_cent=True),
        ),
    ),
    Workload(
        "overload",
        "Overload",
        "Twice the capacity for sends, over 2,000 connections that do not wait for answers, and another client that "
        "sends a message every 20 ms: its latency is what p50 and p99 tell. Memory is the peak.",
        overload.overload,
        (
            Column("offered/s", "offered_per_second"),
            Column("served/s", "served_per_second"),
            Column("of capacity", "of_capacity", 2),
            Column("throttled/s", "throttled_per_second"),
            Column("other answers", "other_answers"),
            Column("connections lost", "connections_lost"),
            _P50,
            _P99,
            Column("refused of the other", "refused"),
            Column("RSS MB", "resident_mb"),
        ),
    ),
)
