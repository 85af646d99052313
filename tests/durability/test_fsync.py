"""What a reply waits for, seen from the operating system: fsync after each commit, or none."""

import signal
import subprocess
from pathlib import Path

import pytest

from support.server_process import ServerProcess
from support.tools import need
from support.wire_client import WireClient

SENDS = 20


def syncs_while_sending(server: ServerProcess, trace: Path) -> int:
    """How often the server asks for its data to be on disk during SENDS sends, one after the other."""
    tracer = subprocess.Popen(
        [
            need("strace", "to see the server call fsync"),
            *("-f", "-p", str(server.process.pid), "-e", "trace=fsync,fdatasync", "-o", str(trace)),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    first_words = tracer.stderr.readline()
    if "attached" not in first_words:
        tracer.communicate(timeout=10)
        pytest.skip(f"this user may not trace a process: {first_words.strip()}")
    client = WireClient(server.url)
    for number in range(SENDS):
        assert client.json("SendMessage", QueueUrl="q", MessageBody=str(number)).status == 200
    tracer.send_signal(signal.SIGINT)
    tracer.communicate(timeout=10)
    return trace.read_text().count("sync(")


@pytest.mark.parametrize(("durability", "expected"), [("fsync", SENDS), ("os", 0)])
def test_every_reply_waits_for_the_disk_only_where_that_is_promised(
    tmp_path: Path, durability: str, expected: int
) -> None:
    store = f"sqlite:{tmp_path / 'store.db'}"
    with ServerProcess(tmp_path, "--store", store, "--durability", durability) as server:
        assert WireClient(server.url).json("CreateQueue", QueueName="q").status == 200
        syncs = syncs_while_sending(server, tmp_path / "trace")
    assert expected <= syncs <= expected + 3  # background work may commit something of its own
