"""Measures Stanchion beside other servers that speak SQS, in one run.

    make bench-peers                              all of them; about an hour
    make bench-peers ARGS="--only moto --rounds 1 --seconds 2"

Each server is installed from its registry into benchmarks/.peers, where it is not there yet, and gets one core; wrk
has another. Rounds go A B C A B C. Writes benchmarks/raw/peers.md, which report.py puts into RESULTS.md, and the raw
figures beside it. What cannot be installed, fails, or takes too long is a row that says so.
"""

import argparse
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import machine
import servers
import wrk
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from peer_recipes import PEERS, NotInstalled, Peer, installed, without_places
from report import PEERS as FRAGMENT
from report import table
from results import Results, Sample
from servers import KEY_ID, LOAD_CORE, REGION, SECRET, SERVER_CORE, Server, Variant

DEPTHS = (10_000, 100_000)
GROUPS = 1_000
_WARM_UP_STEP_SECONDS, _WARM_UP_SECONDS_AT_MOST = 3, 90
_BETTER = 1.05
_START_SECONDS = 90
_STOP_SECONDS = 5
_FAILED_AT_MOST = 0.01  # of the calls; above it a throughput means nothing
_CALLS_A_MESSAGE = 3
_OURS = "Stanchion"
_TIMES_THE_BEST = 2


class Unable(Exception):
    """A server cannot do what is measured; says why."""


class Contender(NamedTuple):
    """``start`` takes a folder for what the server writes."""

    name: str
    version: str
    keeps: str
    start: Callable[[Path], AbstractContextManager[Server]]


Measured = Iterator[tuple[str, wrk.Figures]]


class Load(NamedTuple):
    connections: int
    seconds: int
    fill_seconds: int


def main() -> None:
    options = _options()
    wrk.check_installed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # by way of what stops the servers
    reasons: dict[str, dict[str, str]] = {}
    contenders = [*_ourselves(), *_installed_peers(options.only, reasons)]
    run = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "rounds": options.rounds,
        "load": options.load._asdict(),
        "machine": machine.facts(FRAGMENT.parent),
        "reasons": reasons,
    }
    servers.stay_off_the_servers_core()
    servers.allow_many_connections()
    samples = [
        sample
        for round_ in range(1, options.rounds + 1)
        for sample in _round(round_, contenders, options.load, reasons)
    ]
    raw = FRAGMENT.parent / f"peers-{time.strftime('%Y%m%d-%H%M%S')}.json"
    raw.write_text(json.dumps(run | {"samples": [sample._asdict() for sample in samples]}, indent=1))
    FRAGMENT.write_text(_fragment(run, contenders, Results(samples)))
    print(f"written: {FRAGMENT}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is repeated (3)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (5)")
    parser.add_argument("--connections", type=int, default=64, help="(64)")
    parser.add_argument("--fill-seconds", type=int, default=150, help="limit for making one backlog (150)")
    options = parser.parse_args()
    options.load = Load(options.connections, options.seconds, options.fill_seconds)
    FRAGMENT.parent.mkdir(exist_ok=True)
    return options


# --- who is measured


def _ourselves() -> list[Contender]:
    def durable(folder: Path) -> AbstractContextManager[Server]:
        return servers.stanchion(Variant(folder / "bench.db"), folder)

    def in_memory(folder: Path) -> AbstractContextManager[Server]:
        return servers.stanchion(Variant(None, signed=False), folder)

    return [
        Contender(_OURS, "", "SQLite file, fsync before each reply; signatures verified", durable),
        Contender("Stanchion, as the others do", "", "memory; signatures not looked at", in_memory),
    ]


def _installed_peers(only: list[str] | None, reasons: dict[str, dict[str, str]]) -> Iterator[Contender]:
    """A peer that cannot be installed is among them, with its reason noted for all that is measured."""
    for peer in PEERS:
        if only and peer.name not in only:
            continue
        print(f"{peer.name} {peer.version}", flush=True)
        try:
            home = installed(peer)
        except NotInstalled as why:
            home = Path()
            reason = f"cannot be had: {without_places(str(why))}"
            reasons[peer.name] = dict.fromkeys(_COLUMNS, reason)
            print(f"  {reason}", flush=True)
        yield Contender(peer.name, peer.version, peer.keeps, functools.partial(_peer, peer, home))


@contextmanager
def _peer(peer: Peer, home: Path, folder: Path) -> Iterator[Server]:
    """A peer on the server's core, once it answers. It is stopped at the end with all that it started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start = peer.start(home, port, folder)
    environment = os.environ | {"TMPDIR": str(folder)} | start.environment
    output = folder / "output"
    os.sched_setaffinity(0, {SERVER_CORE})  # inherited: a thread that starts at once must not stay on the other core
    try:
        with output.open("w") as log:
            process = subprocess.Popen(
                start.command, cwd=folder, env=environment, stdout=log, stderr=log, text=True, start_new_session=True
            )
    finally:
        os.sched_setaffinity(0, {LOAD_CORE})
    try:
        server = Server(process, f"http://127.0.0.1:{port}")
        _wait_for_answer(server, output)
        yield server
    finally:
        _stop(process)


def _wait_for_answer(server: Server, output: Path) -> None:
    """Until a message can be sent, received and deleted with boto3."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return _use_once(server)
        except (BotoCoreError, ClientError, KeyError) as error:
            failure = error
        if server.process.poll() is not None:
            last = (output.read_text(errors="replace").strip() or "no message").splitlines()[-1]
            raise Unable(f"does not start: {last}")
        if time.monotonic() > deadline:
            raise Unable(f"does not work with boto3 {_START_SECONDS} seconds after its start: {failure}")
        time.sleep(0.2)


def _use_once(server: Server) -> None:
    client = _client(server)
    url = _create_queue(server, "first")
    client.send_message(QueueUrl=url, MessageBody="first")
    message = client.receive_message(QueueUrl=url)["Messages"][0]
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _client(server: Server) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
    )


def _create_queue(server: Server, name: str, **attributes: str) -> str:
    return str(_client(server).create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


# --- what is measured


def _round(
    number: int, contenders: list[Contender], load: Load, reasons: dict[str, dict[str, str]]
) -> Iterator[Sample]:
    with _scratch() as folder, servers.echo(folder) as server:
        ceiling = wrk.echo(server, load.connections, load.seconds)
    print(f"round {number}: ceiling {ceiling['requests_per_second']:,.0f} requests/s", flush=True)
    yield Sample("cycle", "echo", number, ceiling)
    for contender in contenders:
        for column, figures in _contend(contender, load, reasons.setdefault(contender.name, {})):
            print(f"  {contender.name:28} {column:14} {figures['received_per_second']:10,.1f} messages/s", flush=True)
            yield Sample(column, contender.name, number, figures)


def _contend(contender: Contender, load: Load, unable: dict[str, str]) -> Measured:
    """All that is measured of a server. What fails is noted in ``unable`` and not tried again; the next step then
    gets a fresh server, since calls of the failed one may still be under way.
    """
    steps = list(_STEPS)
    while steps := [step for step in steps if step.columns[0] not in unable]:
        waiting = [column for step in steps for column in step.columns]
        try:
            with _scratch() as folder, contender.start(folder) as server:
                while steps:
                    step = steps.pop(0)
                    waiting = [column for column in step.columns if column not in unable]
                    for column, figures in step.measure(server, load):
                        waiting.remove(column)
                        yield column, figures
                        if not waiting:
                            break
        except (Unable, servers.NotStarted, BotoCoreError, ClientError, subprocess.SubprocessError) as failure:
            reason = without_places(_reason(failure))
            unable |= dict.fromkeys(waiting, reason)
            print(f"  {contender.name:28} {', '.join(waiting)}: {reason}", flush=True)


def _reason(failure: Exception) -> str:
    if isinstance(failure, subprocess.CalledProcessError):
        return f"{failure.cmd[0]} failed: {str(failure.stderr).strip()}"
    return str(failure)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FRAGMENT.parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _cycle(server: Server, load: Load) -> Measured:
    url = _create_queue(server, "cycle")
    _warm_up(server, url, load)
    yield "cycle", _checked_cycle(server, url, load)


def _fifo(server: Server, load: Load) -> Measured:
    url, groups = _create_queue(server, "cycle.fifo", FifoQueue="true"), f"groups={GROUPS}"
    _warm_up(server, url, load, groups)
    yield "FIFO", _checked_cycle(server, url, load, groups)


def _depth(server: Server, load: Load) -> Measured:
    """The cycle leaves a backlog as deep as it is."""
    url = _create_queue(server, "deep")
    filled = 0
    for depth in DEPTHS:
        filled += _fill(server, url, depth - filled, load.fill_seconds)
        yield f"depth {depth:,}", _checked_cycle(server, url, load)


class Step(NamedTuple):
    """``columns``: what ``measure`` answers, one after another."""

    columns: tuple[str, ...]
    measure: Callable[[Server, Load], Measured]


_STEPS = (
    Step(("cycle",), _cycle),
    Step(("FIFO",), _fifo),
    Step(tuple(f"depth {depth:,}" for depth in DEPTHS), _depth),
)
_COLUMNS = tuple(column for step in _STEPS for column in step.columns)


def _warm_up(server: Server, url: str, load: Load, *options: str) -> None:
    """Until it gets no faster: Java takes most of a minute of use to reach ten times its first speed."""
    best, no_better = 0.0, 0
    deadline = time.monotonic() + _WARM_UP_SECONDS_AT_MOST
    while no_better < 2 and time.monotonic() < deadline:
        figures = wrk.load(server, "cycle.lua", load.connections, _WARM_UP_STEP_SECONDS, *_arguments(url, options))
        no_better = 0 if figures["received_per_second"] > best * _BETTER else no_better + 1
        best = max(best, figures["received_per_second"])


def _arguments(url: str, options: tuple[str, ...]) -> tuple[str, ...]:
    return (url, KEY_ID, SECRET, REGION, *options)


def _checked_cycle(server: Server, url: str, load: Load, *options: str) -> wrk.Figures:
    """Received messages are counted when their answer comes, so they are what a slow server has really done."""
    figures = wrk.load(server, "cycle.lua", load.connections, load.seconds, *_arguments(url, options))
    failed = figures["failed"] + figures["broken"]
    if failed > _FAILED_AT_MOST * max(1, figures["requests"]):
        first = figures["first_error"] or "connections broke"
        raise Unable(f"{failed} calls of {figures['requests'] + figures['broken']} failed: {first}")
    if not figures["received"]:
        raise Unable(f"too slow: {figures['requests']} answers and no message in {load.seconds} seconds")
    return figures


def _fill(server: Server, url: str, messages: int, seconds: int) -> int:
    """Sends about so many messages; answers how many it were."""
    command = [
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(servers.HERE / "load/peer_fill.lua"),
    ]
    options = _arguments(url, ("batch=10", f"messages={messages}"))
    done = subprocess.run([*command, server.url, "--", *options], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    if "filled" not in report:
        first = f"; {report['failed']} calls failed: {report['first_error']}" if report["failed"] else ""
        raise Unable(f"too slow: {messages:,} messages could not be sent in {seconds} seconds{first}")
    return int(report["filled"])


# --- what is reported

_INTRODUCTION = """## Beside other servers

Written by `make bench-peers`, a run of its own: {date}, {rounds} rounds of {seconds} seconds, {connections}
connections, single messages of 256 bytes, JSON protocol, each server on one core and warmed up until it gets no
faster. All are sent signed requests; {ours} verifies them and has each message on disk before it answers. A message
through is one that was sent, received and deleted: three calls. The ceiling of the same run is {ceiling:,.0f}
requests/s. CPU: {cpu}; load before the run: {load_before}.
"""

_DEPTHS = """
Messages through a second on a FIFO queue with {groups:,} groups, and on a standard queue with a backlog in it; in
brackets, as a fraction of the same server's empty standard queue.
"""


def _fragment(run: dict[str, Any], contenders: list[Contender], results: Results) -> str:
    facts, load = run["machine"], run["load"]
    ceiling = results.median("cycle", "echo", "requests_per_second") or 0.0
    introduction = _INTRODUCTION.format(
        **{name: run[name] for name in ("date", "rounds")},
        **load,
        ours=_OURS,
        ceiling=ceiling,
        cpu=facts["CPU"],
        load_before=facts["Load before"],
    )
    parts = [
        introduction,
        _table_of_cycles(contenders, results, ceiling),
        _goal(results),
        _DEPTHS.format(groups=GROUPS),
        _table_of_depths(contenders, results),
        _list_of_reasons(run["reasons"]),
    ]
    return "\n".join(parts)


def _table_of_cycles(contenders: list[Contender], results: Results, ceiling: float) -> str:
    headings = ["server", "version", "messages are in", "messages through/s", "of the ceiling", "Stanchion is"]
    ours = results.median("cycle", _OURS, "received_per_second")
    rows = []
    for name, version, keeps, _ in contenders:
        row = [name, version, keeps]
        through = results.median("cycle", name, "received_per_second")
        if through and ours:
            several = len(results.values("cycle", name, "received_per_second")) > 1
            spread = f" ± {results.spread('cycle', name, 'received_per_second'):.0%}" if several else ""
            latency = [f"{results.median('cycle', name, figure):,.1f}" for figure in ("p50_ms", "p99_ms")]
            fraction = through * _CALLS_A_MESSAGE / ceiling
            row += [f"{through:,.0f}{spread}", f"{fraction:.3f}", f"{ours / through:.1f} ×", *latency]
        rows.append(row + ["—"] * (8 - len(row)))
    return table([*headings, "p50 ms", "p99 ms"], rows)


def _goal(results: Results) -> str:
    """Whether Stanchion, with signatures and fsync, is far enough ahead of the fastest."""
    through = {peer.name: results.median("cycle", peer.name, "received_per_second") or 0.0 for peer in PEERS}
    best = max(through, key=lambda name: through[name])
    ours = results.median("cycle", _OURS, "received_per_second")
    if not ours or not through[best]:
        return "**Goal**: not measured."
    times = ours / through[best]
    verdict = "met" if times >= _TIMES_THE_BEST else "missed"
    return f"**Goal**: {_TIMES_THE_BEST} × the fastest of them, {best}. Measured: {times:.1f} ×, {verdict}."


def _table_of_depths(contenders: list[Contender], results: Results) -> str:
    rows = [[each.name, *(_through(each.name, column, results) for column in _COLUMNS)] for each in contenders]
    return table(["server", "empty", "FIFO", *(f"{depth:,} messages" for depth in DEPTHS)], rows)


def _through(name: str, column: str, results: Results) -> str:
    through = results.median(column, name, "received_per_second")
    empty = results.median("cycle", name, "received_per_second")
    if through is None:
        return "—"
    fraction = f" ({through / empty:.2f})" if empty and column != "cycle" else ""
    return f"{through:,.0f}{fraction}" if through >= 10 else f"{through:.1f}{fraction}"


def _list_of_reasons(reasons: dict[str, dict[str, str]]) -> str:
    """One line for each reason, with all that it kept from being measured."""
    lines = ""
    for name, by_column in reasons.items():
        for reason in dict.fromkeys(by_column.values()):
            columns = [column for column, why in by_column.items() if why == reason]
            what = "" if len(columns) == len(_COLUMNS) else f" ({', '.join(columns)})"
            lines += f"- **{name}**{what}: {reason}\n"
    return lines


if __name__ == "__main__":
    main()
