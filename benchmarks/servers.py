"""The servers under test, each on a core of its own: Stanchion in its variants, and the echo server."""

import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = _CORES[0], _CORES[-1]
ACCOUNT, REGION = "123456789012", "us-east-1"
KEY_ID, SECRET = "AKIABENCHMARK0000000", "a-secret-for-the-benchmark"
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def two_cores() -> bool:
    return SERVER_CORE != LOAD_CORE


def stay_off_the_servers_core() -> None:
    """Puts this process, and so the load that it starts, on a core of its own."""
    os.sched_setaffinity(0, {LOAD_CORE})


def allow_many_connections() -> None:
    """As many open files as the machine lets us have; usual is a thousand, and the servers inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Server:
    """A running server; ``url`` is where it answers."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process = process
        self.url = url

    def resident_mb(self) -> float:
        return self._status_mb("VmRSS")

    def peak_resident_mb(self) -> float:
        """The most that it ever held."""
        return self._status_mb("VmHWM")

    def _status_mb(self, name: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found, "the server has ended"
        return int(found[1]) / 1024

    def cpu_seconds(self) -> float:
        """What all its threads have used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


class NotStarted(Exception):
    """A server ended before it was ready."""


@contextmanager
def running(command: Sequence[str], folder: Path, url: str | None = None) -> Iterator[Server]:
    """A server, once it is ready: it prints its URL, or ``ready`` when ``url`` is known. It is stopped at the end."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {SERVER_CORE})  # its threads come later and inherit it
    try:
        yield Server(process, _url_once_ready(process, url))
    finally:
        process.terminate()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def _url_once_ready(process: "subprocess.Popen[str]", url: str | None) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if url and line.startswith("ready"):
            return url
        found = re.search(r"http://\S+", line)
        if found:
            return found[0]
    raise NotStarted(f"{process.args!r} did not start")


class Variant(NamedTuple):
    """How Stanchion is run. ``store``: a file, or None for one in memory. ``flags`` go to ``stanchion serve``."""

    store: Path | None
    durability: str = "fsync"
    signed: bool = True
    flags: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        store = f"sqlite:{self.store}" if self.store else "memory"
        auth = ["--credentials", str(_credentials(folder))] if self.signed else ["--account", ACCOUNT]
        return [
            *(sys.executable, "-m", "stanchion", "serve", "--port", "0", "--no-console", "--region", REGION),
            *("--store", store, "--durability", self.durability),
            *auth,
            *self.flags,
        ]


def _credentials(folder: Path) -> Path:
    file = folder / "keys"
    file.write_text(
        f"[bench]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_account_id = {ACCOUNT}\n"
    )
    return file


@contextmanager
def stanchion(variant: Variant, folder: Path) -> Iterator[Server]:
    with running(variant.command(folder), folder) as server:
        yield server


@contextmanager
def echo(folder: Path) -> Iterator[Server]:
    """The ceiling: the shortest httptools protocol that decodes JSON and answers it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "echo.py"), "--bare", "--port", str(port)]
    with running(command, folder, f"http://127.0.0.1:{port}") as server:
        yield server


def queue_url(server: Server, name: str) -> str:
    return f"{server.url}/{ACCOUNT}/{name}"


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def seconds_until_first_answer(variant: Variant, folder: Path) -> float:
    """From the start of the process to the answer of ListQueues."""
    from client import Client

    began = time.perf_counter()
    with stanchion(variant, folder) as server, Client(server.url) as client:
        client.call("ListQueues")
        return time.perf_counter() - began
