"""Twice as many requests as the server can serve, over 2,000 connections that do not wait for answers.

What is measured: how much is still served, what the rest is told, how much memory it takes, and how another client
fares meanwhile that sends a message now and then.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from typing import cast
from urllib.parse import urlsplit

import client
import uvloop
import wrk
from bench import Bench, Figures, Measured, create_queue
from latency import percentiles
from servers import Server

CONNECTIONS = 2_000
TIMES_CAPACITY = 2
CAPACITY_CONNECTIONS = 256
FEW_WAITING = 500  # of a server that had rather throttle than let wait
TICK_SECONDS = 0.005
UNANSWERED_AT_MOST = 100  # on a connection; then even a client without manners has to wait
POLITE_PAUSE_SECONDS = 0.02
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_STATUS_BYTES = 12


class Sender(asyncio.Protocol):
    """A connection that is written to without waiting. Counts the answers by status, whatever they say."""

    def __init__(self, statuses: Counter[int]) -> None:
        self._statuses = statuses
        self._rest = b""
        self.unanswered = 0
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        for status in _STATUS.findall(data):
            self._statuses[int(status)] += 1
            self.unanswered -= 1
        self._rest = data[1 - _STATUS_BYTES :]  # part of a status line may be here, a whole one cannot

    def connection_lost(self, _error: Exception | None) -> None:
        self.open = False

    def send(self, request: bytes) -> bool:
        if not self.open or self.unanswered >= UNANSWERED_AT_MOST:
            return False
        self.unanswered += 1
        self._transport.write(request)
        return True

    def close(self) -> None:
        self._transport.close()


async def flood(server: Server, url: str, per_second: float, seconds: int) -> Figures:
    """What was offered and what came of it; ``refused`` holds all other statuses than 200."""
    parts = urlsplit(server.url)
    statuses: Counter[int] = Counter()
    senders = []
    for _ in range(CONNECTIONS):
        _, sender = await asyncio.get_running_loop().create_connection(
            lambda: Sender(statuses), parts.hostname, parts.port
        )
        senders.append(sender)
    began = time.perf_counter()
    offered = due = 0
    while (now := time.perf_counter() - began) < seconds:
        request = client.request(parts.netloc, "SendMessage", {"QueueUrl": url, "MessageBody": "m" * 256})
        until = int(now * per_second)
        for number in range(due, until):
            offered += senders[number % CONNECTIONS].send(request)
        due = until
        await asyncio.sleep(TICK_SECONDS)
    lost = sum(not sender.open for sender in senders)
    served = statuses[200]
    for sender in senders:
        sender.close()
    return {
        "offered_per_second": offered / seconds,
        "held_back_per_second": (due - offered) / seconds,
        "served_per_second": served / seconds,
        "throttled_per_second": statuses[403] / seconds,
        "other_answers": sum(statuses.values()) - served - statuses[403],
        "connections_lost": lost,
    }


def overload(bench: Bench) -> Measured:
    with bench.stanchion() as server:
        url = create_queue(server, "bench")
        capacity = wrk.verb(server, url, CAPACITY_CONNECTIONS, bench.seconds, "send")["sent_per_second"]
        usual = _polite_figures(_polite_client(server, url, bench.seconds))
        yield "at rest", usual | {"served_per_second": capacity, "resident_mb": server.resident_mb()}
    yield "overloaded", _overloaded(bench, capacity)
    flags = ("--max-waiting-requests", str(FEW_WAITING))
    yield f"overloaded, {' '.join(flags)}", _overloaded(bench, capacity, flags)


def _overloaded(bench: Bench, capacity: float, flags: tuple[str, ...] = ()) -> Figures:
    with bench.stanchion(flags=flags) as server:
        url = create_queue(server, "bench")
        polite = _polite_client(server, url, bench.seconds)
        flooded = uvloop.run(flood(server, url, TIMES_CAPACITY * capacity, bench.seconds))
        figures = flooded | _polite_figures(polite) | {"of_capacity": flooded["served_per_second"] / capacity}
        return figures | {"resident_mb": server.peak_resident_mb()}


# ── The other client, in a process of its own ────────────────────────────────────────────────────────────


def _polite_client(server: Server, url: str, seconds: int) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, server.url, url, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _polite_figures(process: "subprocess.Popen[str]") -> Figures:
    output, _ = process.communicate(timeout=300)
    figures: Figures = json.loads(output)
    return figures


def _send_now_and_then(server_url: str, queue_url: str, seconds: int) -> Figures:
    took_ms, refused = [], 0
    end = time.perf_counter() + seconds
    with client.Client(server_url) as connection:
        while time.perf_counter() < end:
            try:
                took_ms.append(connection.timed("SendMessage", QueueUrl=queue_url, MessageBody="m" * 256)[1])
            except client.BadAnswer:
                refused += 1
            time.sleep(POLITE_PAUSE_SECONDS)
    return percentiles(took_ms or [0.0]) | {"refused": refused}


def main() -> None:
    parser = argparse.ArgumentParser(description=_send_now_and_then.__doc__)
    parser.add_argument("server_url")
    parser.add_argument("queue_url")
    parser.add_argument("seconds", type=int)
    given = parser.parse_args()
    print(json.dumps(_send_now_and_then(given.server_url, given.queue_url, given.seconds)))


if __name__ == "__main__":
    main()
