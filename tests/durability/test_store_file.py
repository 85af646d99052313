"""Store files that are damaged, foreign, newer, in use or out of reach: refused in a line, left as they were."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from durability.store_file import copy_store
from durability.workload import Line
from stanchion.app import Application, StartError
from stanchion.clock import SystemClock
from stanchion.settings import load
from support.in_process import InProcessServer
from support.server_process import ServerProcess
from support.tools import need

PAGE = 4_096


def refusal(store: Path) -> str:
    """What a start has to say, in one line."""
    settings = load({"port": "0", "store": f"sqlite:{store}"}, {}, folder=Path("/"))
    with pytest.raises(StartError) as refused:
        asyncio.run(Application.start(settings, SystemClock()))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def refusal_of_command(store: Path, *prefix: str) -> str:
    """What serve says on its way out, in one line, with exit code 1."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "stanchion", "serve", "--port", "0", "--store", f"sqlite:{store}"],
        cwd=store.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def fingerprints(store: Path) -> dict[str, str]:
    """Of the file and its logs. An empty log says nothing."""
    files = [path for path in (store, Path(f"{store}-wal"), Path(f"{store}-journal")) if path.is_file()]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path == store or path.stat().st_size
    }


def assert_refused_untouched(store: Path, *words: str) -> None:
    before = fingerprints(store)
    text = refusal(store)
    for word in (str(store), *words):
        assert word in text
    assert fingerprints(store) == before


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A sound store with some messages, closed in good order."""
    path = tmp_path / "store.db"
    server = InProcessServer(tmp_path, store=f"sqlite:{path}")
    call = Line(server.url)
    call("CreateQueue", QueueName="q")
    for number in range(200):
        call("SendMessage", "q", MessageBody=f"{number} {'x' * 500}")
    call.close()
    server.stop()
    assert not Path(f"{path}-wal").exists()
    return path


@pytest.fixture
def killed_store(tmp_path: Path) -> Path:
    """A store whose server was killed: all that was sent is still in the log, and nothing but the log."""
    path = tmp_path / "killed.db"
    server = ServerProcess(tmp_path, "--store", f"sqlite:{path}")
    call = Line(server.url)
    call("CreateQueue", QueueName="q")
    for number in range(20):
        call("SendMessage", "q", MessageBody=str(number))
    call.close()
    server.kill()
    assert Path(f"{path}-wal").stat().st_size > 0
    return path


# ── Damage ───────────────────────────────────────────────────────────────────────────────────────────────


def cut_in_half(store: Path) -> None:
    os.truncate(store, store.stat().st_size // 2)


def cut_within_a_page(store: Path) -> None:
    os.truncate(store, store.stat().st_size - 100)


def cut_within_the_header(store: Path) -> None:
    os.truncate(store, 50)


def scribble(store: Path, start: int, size: int) -> None:
    with store.open("r+b") as file:
        file.seek(start)
        file.write(bytes(range(256)) * (size // 256) + b"#" * (size % 256))


def scribble_over_the_header(store: Path) -> None:
    scribble(store, 0, 100)


def scribble_over_the_schema(store: Path) -> None:
    scribble(store, 100, PAGE - 100)


def scribble_over_a_root(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'message'").fetchone()
    scribble(store, (page - 1) * PAGE, PAGE)


def write_zeros(store: Path) -> None:
    store.write_bytes(bytes(store.stat().st_size))


def write_text(store: Path) -> None:
    store.write_text("[default]\naws_access_key_id = not a database\n" * 10)


@pytest.mark.parametrize(
    "damage",
    [
        cut_in_half,
        cut_within_a_page,
        cut_within_the_header,
        scribble_over_the_header,
        scribble_over_the_schema,
        scribble_over_a_root,
        write_zeros,
        write_text,
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_was(store: Path, damage: Callable[[Path], None]) -> None:
    damage(store)
    assert_refused_untouched(store)


def test_damage_that_a_start_cannot_see_is_told_to_those_who_meet_it_and_to_nobody_else(
    store: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(store)) as connection:
        pages = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf' ORDER BY path"
        ).fetchall()
    scribble(store, (pages[len(pages) // 2][0] - 1) * PAGE, PAGE)
    server = InProcessServer(tmp_path, store=f"sqlite:{store}")
    try:
        call = Line(server.url)
        call("CreateQueue", QueueName="sound")
        call("SendMessage", "sound", MessageBody="unharmed")
        assert call("ReceiveMessage", "sound")["Messages"][0]["Body"] == "unharmed"
        statuses = _receive_until_it_fails(call)
        assert statuses[-1] == 503
        assert call("SendMessage", "sound", MessageBody="still unharmed")["MessageId"]
        call.close()
    finally:
        server.stop()


def _receive_until_it_fails(call: Line) -> list[int]:
    statuses = []
    for _ in range(30):
        try:
            call("ReceiveMessage", "q", MaxNumberOfMessages=10)
            statuses.append(200)
        except Exception as error:
            statuses.append(getattr(error, "status", 0))
            break
    return statuses


# ── Not ours, not yet ours, not for us ───────────────────────────────────────────────────────────────────


def test_the_database_of_another_application_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "theirs.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE invoice (number INTEGER)")
        connection.commit()
    assert_refused_untouched(store, "something else")


def test_the_database_of_another_application_with_a_live_log_is_refused(tmp_path: Path) -> None:
    original, store = tmp_path / "original.db", tmp_path / "theirs.db"
    with closing(sqlite3.connect(original)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE invoice (number INTEGER)")
        connection.commit()
        shutil.copyfile(original, store)
        shutil.copyfile(f"{original}-wal", f"{store}-wal")
    assert_refused_untouched(store, "something else")


@pytest.mark.parametrize("version", [2**31 - 1, 1_000])
def test_a_newer_schema_is_refused(store: Path, version: int) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    assert_refused_untouched(store, "newer", str(version), "upgrade")


def test_a_newer_schema_that_is_still_in_the_log_is_refused(store: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA user_version = 1000")
        connection.commit()
        shutil.copyfile(store, newer)
        shutil.copyfile(f"{store}-wal", f"{newer}-wal")
    assert_refused_untouched(newer, "newer", "1000", "upgrade")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "Is a directory" in refusal(tmp_path / "folder")


def test_a_missing_folder_is_refused_and_not_made(tmp_path: Path) -> None:
    assert "No such file or directory" in refusal(tmp_path / "absent" / "store.db")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("mode", [0o000, 0o400], ids=["unreadable", "read only"])
def test_a_file_without_permission_is_refused(store: Path, mode: int) -> None:
    before = fingerprints(store)
    store.chmod(mode)
    assert str(store) in refusal_of_command(store, *_without_privileges())
    store.chmod(0o600)
    assert fingerprints(store) == before


def _without_privileges() -> list[str]:
    """What to put before a command so that permissions mean something to it."""
    if os.geteuid() != 0:
        return []
    return [need("setpriv", "to be root without root's privileges"), "--bounding-set=-dac_override,-dac_read_search"]


def test_a_file_whose_first_start_was_cut_short_becomes_a_store(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # the first thing that a start writes
    assert store.stat().st_size == PAGE
    server = InProcessServer(tmp_path, store=f"sqlite:{store}")
    server.stop()


def test_the_command_says_it_in_one_line_and_fails(store: Path) -> None:
    write_text(store)
    assert str(store) in refusal_of_command(store)


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    store.touch()
    with ServerProcess(tmp_path, "--store", f"sqlite:{store}") as server:
        call = Line(server.url)
        call("CreateQueue", QueueName="q")
        call.close()
    assert store.stat().st_size > 0


# ── One server a file ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("alias", [None, "symlink"])
def test_a_second_server_on_the_file_is_refused_and_the_first_goes_on(tmp_path: Path, alias: str | None) -> None:
    store = tmp_path / "store.db"
    with ServerProcess(tmp_path, "--store", f"sqlite:{store}") as server:
        call = Line(server.url)
        call("CreateQueue", QueueName="q")
        other = store
        if alias is not None:
            other = tmp_path / "alias.db"
            other.symlink_to(store)
        assert "in use by another server" in refusal_of_command(other)
        call("SendMessage", "q", MessageBody="unharmed")
        assert call("ReceiveMessage", "q")["Messages"][0]["Body"] == "unharmed"
        call.close()


def test_neither_lock_nor_log_of_a_killed_server_stops_the_next(killed_store: Path) -> None:
    with ServerProcess(killed_store.parent, "--store", f"sqlite:{killed_store}") as server:
        call = Line(server.url)
        got: list[str] = []
        while messages := call("ReceiveMessage", "q", MaxNumberOfMessages=10).get("Messages"):
            got += [message["Body"] for message in messages]
        assert sorted(got, key=int) == [str(number) for number in range(20)]
        call.close()


def test_a_killed_store_whose_log_was_cut_opens_with_what_is_whole(killed_store: Path, tmp_path: Path) -> None:
    copy = copy_store(killed_store, tmp_path / "copy")
    log = Path(f"{copy}-wal")
    os.truncate(log, log.stat().st_size - 1_000)  # power failed in the midst of the last commit
    with ServerProcess(tmp_path, "--store", f"sqlite:{copy}") as server:
        call = Line(server.url)
        names = ["ApproximateNumberOfMessages"]
        assert call("GetQueueAttributes", "q", AttributeNames=names)["Attributes"] == {names[0]: "19"}
        call.close()


def test_a_new_store_is_readable_by_its_owner_only(tmp_path):
    with ServerProcess(tmp_path, "--store", f"sqlite:{tmp_path / 'new.db'}"):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("new.db*")}
    assert set(modes) >= {"new.db", "new.db-wal", "new.db.lock"}
    assert set(modes.values()) == {0o600}
