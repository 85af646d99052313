"""check: configurations, store files and endpoints."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import pytest

from shell.shell import KEYS, Shell
from support.server_process import ServerProcess
from support.signed_server import KEY_ID, SECRET, SignedServer

SMALL_PAGE = 4096


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("store"), "--durability", "os") as server:
        sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=server.url, **KEYS)
        url = sqs.create_queue(QueueName="held")["QueueUrl"]
        for number in range(30):
            sqs.send_message(QueueUrl=url, MessageBody="x" * 2000, DelaySeconds=900 * (number % 2))
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5)
        yield server


@pytest.fixture
def store(running: ServerProcess, tmp_path: Path) -> Path:
    """A copy of the store as a killed server leaves it, with its write-ahead log."""
    for file in running.folder.glob("stanchion.db*"):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / "stanchion.db"


def test_a_good_configuration_is_called_good(shell: Shell) -> None:
    (shell.folder / "good.toml").write_text('port = 9400\n[[queues]]\nname = "jobs"\n')
    assert shell.done("check", "--config", "good.toml") == "good: good.toml, with 1 declared queues\n"
    assert shell.done("check").startswith("good: no configuration file")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 1\nhots = 1\n", "did you mean host?"),
        ("port = 123456\n", "port, from bad.toml: 123456 is not possible"),
        ("port = \n", "config: bad.toml is not TOML"),
        ('[[queues]]\nname = "a b"\n', "queue a b in bad.toml: "),
        ('[[queues]]\nname = "a"\nattributes = { DelaySeconds = 901 }\n', "queue a in bad.toml: "),
        ('credentials = "missing"\n', "cannot read missing"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_one_line(shell: Shell, text: str, told: str) -> None:
    (shell.folder / "bad.toml").write_text(text)
    said = shell.refused(1, "check", "--config", "bad.toml")
    assert told in said
    assert len(said.splitlines()) == 1


def test_a_store_that_a_server_holds_open_is_checked_and_not_harmed(
    shell: Shell, running: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = running.folder / "stanchion.db"
    log = path.with_name("stanchion.db-wal")
    before = path.read_bytes(), log.read_bytes()
    said = shell.done("check", "--store", str(path))
    assert "integrity: ok" in said
    assert "1 queues, 30 messages" in said
    assert (path.read_bytes(), log.read_bytes()) == before
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=running.url, **KEYS)
    url = sqs.get_queue_url(QueueName="held")["QueueUrl"]
    assert sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]


def test_a_store_of_a_killed_server_is_left_as_it_is(shell: Shell, store: Path) -> None:
    before = {path.name: path.read_bytes() for path in store.parent.glob("stanchion.db*") if path.suffix != ".db-shm"}
    assert f"good: {store}" in shell.done("check", "--store", str(store))
    after = {path.name: path.read_bytes() for path in store.parent.glob("stanchion.db*") if path.suffix != ".db-shm"}
    assert after == before


def test_counts_that_are_off_are_named(shell: Shell, store: Path) -> None:
    sql = sqlite3.connect(store)
    sql.execute("UPDATE queue SET visible = visible + 7")
    sql.commit()
    sql.close()
    said = shell.refused(1, "check", "--store", str(store))
    assert "queue held of 000000000000 in us-east-1 says " in said


def test_a_damaged_store_is_named(shell: Shell, store: Path) -> None:
    sql = sqlite3.connect(store)
    sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sql.close()
    data = bytearray(store.read_bytes())
    for start in range(SMALL_PAGE * 4, len(data), SMALL_PAGE):
        data[start : start + 64] = b"\xee" * 64
    store.write_bytes(data)
    assert str(store) in shell.refused(1, "check", "--store", str(store))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no such file"),
        (b"hello" * 100, "is not a Stanchion store"),
    ],
)
def test_a_file_that_is_no_store_is_named(shell: Shell, content: bytes | None, told: str) -> None:
    if content is not None:
        (shell.folder / "some.db").write_bytes(content)
    assert told in shell.refused(1, "check", "--store", "some.db")


def test_a_database_of_something_else_is_named(shell: Shell) -> None:
    sql = sqlite3.connect(shell.folder / "other.db")
    sql.execute("CREATE TABLE t (a)")
    sql.close()
    assert "is a database of something else" in shell.refused(1, "check", "--store", "other.db")


def test_an_endpoint_is_asked_and_a_message_goes_through(shell: Shell) -> None:
    said = shell.done("check", "--endpoint-url", shell.url, "--round-trip")
    assert f"{shell.url} answers, and takes the signature for region us-east-1" in said
    assert "a message went through the queue stanchion-check-" in said
    assert shell.json("queues", "stanchion-check-") == []


def test_an_endpoint_that_refuses_the_signature_is_named(shell: Shell, tmp_path: Path) -> None:
    with SignedServer(tmp_path) as server:
        keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        assert shell.run("check", "--endpoint-url", server.url, **keys).exit_code == 0
        said = shell.refused(1, "check", "--endpoint-url", server.url, **keys | {"AWS_SECRET_ACCESS_KEY": "wrong"})
        assert said.startswith("stanchion: SignatureDoesNotMatch: ")


def test_only_one_thing_is_checked_at_once(shell: Shell) -> None:
    assert "give one of" in shell.refused(2, "check", "--store", "a", "--config", "b")


class NotSqs(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def test_an_endpoint_that_does_not_speak_sqs_is_named(shell: Shell) -> None:
    with HTTPServer(("127.0.0.1", 0), NotSqs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            told = shell.refused(1, "check", "--endpoint-url", f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
    assert told.endswith(" answers, but not as SQS does\n")
