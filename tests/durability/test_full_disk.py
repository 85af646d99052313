"""A disk without space under a running server: told to clients and to the log, survived, and left behind."""

import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.server_process import ServerProcess
from support.tools import need
from support.wire_client import Answer, WireClient

BODY_BYTES = 50_000
DISK_MIB = 2


class SmallDisk:
    """A server whose store cannot grow, until ``give_space`` is called."""

    def __init__(self, server: ServerProcess, take_space: Callable[[], None], give_space: Callable[[], None]) -> None:
        self.server = server
        self.take_space = take_space
        self.give_space = give_space


def limited_file_size(folder: Path, _cleanup: ExitStack) -> SmallDisk:
    """The operating system lets the process write no file beyond a size."""
    store = folder / "store.db"
    server = ServerProcess(folder, "--store", f"sqlite:{store}", "--log-format", "text")

    def limit(size: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def take_space() -> None:
        limit(Path(f"{store}-wal").stat().st_size + 10 * BODY_BYTES)

    return SmallDisk(server, take_space, lambda: limit(resource.RLIM_INFINITY))


def small_file_system(folder: Path, cleanup: ExitStack) -> SmallDisk:
    """A file system of two megabytes with a file on it that takes the most."""
    mount, unmount = need("mount", "to make a small file system"), need("umount", "to take it away again")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"this user may not mount a file system: {made.stderr.strip()}")
    cleanup.callback(subprocess.run, [unmount, str(folder)], check=True)
    filler = folder / "filler"
    server = ServerProcess(Path("/"), "--store", f"sqlite:{folder / 'store.db'}", "--log-format", "text")
    return SmallDisk(
        server, lambda: filler.write_bytes(bytes(1_000_000)) and None, lambda: filler.unlink(missing_ok=True)
    )


@pytest.fixture(params=[limited_file_size, small_file_system])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    with ExitStack() as cleanup:
        folder = tmp_path / "disk"
        folder.mkdir()
        disk: SmallDisk = request.param(folder, cleanup)
        try:
            yield disk
        finally:
            disk.give_space()
            code = disk.server.stop()
        assert code == 0


def send(client: WireClient, body: str, queue: str = "q") -> Answer:
    return client.json("SendMessage", QueueUrl=queue, MessageBody=body)


def fill(client: WireClient) -> list[str]:
    """Send until the disk takes no more; what was acknowledged."""
    sent: list[str] = []
    for number in range(1_000):
        body = f"{number} {'x' * BODY_BYTES}"
        answer = send(client, body)
        if answer.status != 200:
            assert (answer.status, answer.code) == (503, "ServiceUnavailable")
            return sent
        sent.append(body)
    raise AssertionError("the disk is too large for this test")


def drain(client: WireClient) -> list[str]:
    got: list[str] = []
    while messages := client.json("ReceiveMessage", QueueUrl="q", MaxNumberOfMessages=10).json.get("Messages"):
        for message in messages:
            got.append(message["Body"])
            deleted = client.json("DeleteMessage", QueueUrl="q", ReceiptHandle=message["ReceiptHandle"])
            assert deleted.status == 200
    return got


def test_a_full_disk_refuses_loses_nothing_and_is_left_behind(disk: SmallDisk) -> None:
    client = WireClient(disk.server.url)
    assert client.json("CreateQueue", QueueName="q").status == 200
    disk.take_space()
    sent = fill(client)
    assert sent, "the disk was full from the start"

    by_json, by_query = send(client, "x" * BODY_BYTES), client.query("SendMessage", _form("x" * BODY_BYTES))
    assert (by_json.status, by_query.status) == (503, 503)
    assert by_json.code == by_query.code == "ServiceUnavailable"
    assert client.json("ListQueues").status == 200, "what needs no space still works"
    assert client.json("GetQueueAttributes", QueueUrl="q", AttributeNames=["All"]).status == 200
    # A receive and a delete need a little space; they work or say that they cannot.
    received = client.json("ReceiveMessage", QueueUrl="q", VisibilityTimeout=0)
    assert received.status in (200, 503)

    disk.give_space()
    assert send(client, "after").status == 200, "no restart is needed"
    assert sorted(drain(client)) == sorted([*sent, "after"])
    assert any("could not commit" in line and ("full" in line or "I/O" in line) for line in disk.server.errors)


def _form(body: str) -> dict[str, object]:
    return {"QueueUrl": "q", "MessageBody": body}


def test_what_was_acknowledged_on_a_full_disk_outlives_the_server(disk: SmallDisk, tmp_path: Path) -> None:
    client = WireClient(disk.server.url)
    assert client.json("CreateQueue", QueueName="q").status == 200
    disk.take_space()
    sent = fill(client)
    disk.server.kill()
    disk.give_space = lambda: None
    _restart(disk)
    assert sorted(drain(WireClient(disk.server.url))) == sorted(sent)


def _restart(disk: SmallDisk) -> None:
    args: Any = disk.server.process.args
    store = args[args.index("--store") + 1]
    filler = Path(store.removeprefix("sqlite:")).with_name("filler")
    filler.unlink(missing_ok=True)
    disk.server = ServerProcess(disk.server.folder, "--store", store)


def test_who_waits_for_messages_waits_on_and_gets_the_first_after_the_disk_has_space(disk: SmallDisk) -> None:
    client = WireClient(disk.server.url)
    for queue in ("q", "awaited"):
        assert client.json("CreateQueue", QueueName=queue).status == 200
    answers: list[Answer] = []

    def wait() -> None:
        answers.append(client.json("ReceiveMessage", QueueUrl="awaited", WaitTimeSeconds=20))

    waiter = threading.Thread(target=wait)
    waiter.start()
    disk.take_space()
    fill(client)
    assert send(client, "x" * BODY_BYTES, "awaited").status == 503
    disk.give_space()
    assert send(client, "at last", "awaited").status == 200
    waiter.join(15)
    (answer,) = answers
    assert [message["Body"] for message in answer.json["Messages"]] == ["at last"]
