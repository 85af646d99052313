"""What the console costs: the broker's throughput beside open pages, and how long a page takes to make."""

import http.client
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import wrk
from bench import Bench, Figures, Measured
from fill import Fill, QueueFill
from servers import Server, queue_url, stanchion
from wrk import RunFailed

CONNECTIONS = 64
QUEUES, QUICK_QUEUES = 10_000, 500
MESSAGES, QUICK_MESSAGES = 1_000_000, 10_000
IDLE_SECONDS = 10
ALTERNATIONS = 10  # without pages, with pages, and so on: a machine that changes its speed hits both
PAGE_REPEATS = 10
_LISTED = ",".join(f"q{number}" for number in range(25))
_STREAMS = (f"/live/queues?names={_LISTED}", "/live/queues?names=bench", "/live/server")  # what open pages listen to
_PAGES = (
    "/queues",
    "/queues?sort=available&order=descending",
    "/queues?sort=oldest",
    "/queues?sort=visibility_timeout",
    "/queues?search=99",
    "/queues?size=100&page=50",
    "/queues/new",
    "/queues/big",
    "/queues/big?tab=dead-letters",
    "/queues/big/edit",
    "/queues/big/messages",
    "/queues/big/monitoring",
    "/queues/big/browse",
    "/queues/big/browse?text=not-in-any-message",
    "/queues/big/browse?after=500000",
    "/server",
    "/metrics",
)


def open_console(bench: Bench) -> Measured:
    queues, messages = (QUICK_QUEUES, QUICK_MESSAGES) if bench.quick else (QUEUES, MESSAGES)
    fill = Fill((QueueFill("bench"), QueueFill("q", copies=queues), QueueFill("big", visible=messages)))
    with _with_console(bench, fill) as (server, address):
        yield from _idle(server, address)
        yield from _beside_pages(bench, server, address)
        yield from _pages(address)


@contextmanager
def _with_console(bench: Bench, fill: Fill) -> Iterator[tuple[Server, str]]:
    """A server over a copy of the fill, and where its console is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = ("--console", "--console-port", str(port))
    variant = bench.variant(bench.fresh_copy(fill), signed=False, flags=flags)
    with stanchion(variant, bench.folder) as server:
        yield server, f"127.0.0.1:{port}"


# ── What open pages cost by themselves ───────────────────────────────────────────────────────────────────


def _idle(server: Server, address: str) -> Measured:
    """The part of a core that the server uses while nobody calls it: that much is missing when somebody does."""
    yield "nobody calls, no page open", {"server_cpu": _cpu(server)}
    with _open_pages(address):
        yield "nobody calls, three pages open", {"server_cpu": _cpu(server)}


def _cpu(server: Server) -> float:
    time.sleep(1)  # what opening the pages took is not meant
    before, began = server.cpu_seconds(), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    return (server.cpu_seconds() - before) / (time.perf_counter() - began)


# ── Throughput beside open pages ─────────────────────────────────────────────────────────────────────────


def _beside_pages(bench: Bench, server: Server, address: str) -> Measured:
    url = queue_url(server, "bench")
    alone, beside = [], []
    for _ in range(ALTERNATIONS):
        alone.append(wrk.cycle(server, url, CONNECTIONS, bench.seconds))
        with _open_pages(address):
            beside.append(wrk.cycle(server, url, CONNECTIONS, bench.seconds))
    usual = _middle(alone)
    yield "no page open", usual
    opened = _middle(beside)
    yield "three pages open", opened | {"of_baseline": _ratio(alone, beside)}


def _middle(runs: list[Figures]) -> Figures:
    return {
        name: statistics.median(run[name] for run in runs) for name in ("requests_per_second", "p50_ms", "p99_ms")
    }


def _ratio(alone: list[Figures], beside: list[Figures]) -> float:
    """Neighbours are compared with each other: the speed of a machine drifts."""
    pairs = zip(alone, beside, strict=True)
    return statistics.median(two["requests_per_second"] / one["requests_per_second"] for one, two in pairs)


@contextmanager
def _open_pages(address: str) -> Iterator[None]:
    """The streams of a list of queues, of one queue and of the server, read by threads as browsers would."""
    with ExitStack() as stack:
        for path in _STREAMS:
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", path, headers={"Accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status != 200:
                raise RunFailed(f"{path}: {response.status}")
            assert connection.sock is not None
            reader = threading.Thread(target=_read_to_the_end, args=(response,), daemon=True)
            reader.start()
            stack.callback(reader.join)
            stack.callback(connection.sock.shutdown, socket.SHUT_RDWR)
        yield


def _read_to_the_end(response: http.client.HTTPResponse) -> None:
    try:
        while response.readline():
            pass
    except (OSError, http.client.HTTPException):
        return  # it was closed


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────


def _pages(address: str) -> Measured:
    for path in _PAGES:
        times = sorted(_milliseconds(address, path) for _ in range(PAGE_REPEATS))
        yield f"page {urlsplit(path).path}{_query(path)}", {"p50_ms": statistics.median(times), "max_ms": times[-1]}


def _query(path: str) -> str:
    query = urlsplit(path).query
    return f"?{query}" if query else ""


def _milliseconds(address: str, path: str) -> float:
    connection = http.client.HTTPConnection(address, timeout=30)
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    took = (time.perf_counter() - began) * 1000
    connection.close()
    if response.status != 200:
        raise RunFailed(f"{path}: {response.status}")
    return took
