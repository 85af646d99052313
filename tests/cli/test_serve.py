"""``stanchion serve`` as a process: the banner, how it ends, and what it says when it cannot start."""

import signal
import socket
import sqlite3
from urllib.parse import urlsplit

import pytest

from cli.processes import read_banner, run_stanchion, serving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_banner_names_the_port_that_was_taken_and_a_signal_ends_the_server_well(tmp_path, number) -> None:
    with serving(tmp_path, "--port", "0", "--store", "memory") as process:
        banner = read_banner(process)
        assert banner[0].startswith("Stanchion ")
        address = urlsplit(banner[1].split()[2])
        assert address.port != 0
        socket.create_connection((address.hostname, address.port), timeout=10).close()
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_settings_come_from_flags_environment_and_file(tmp_path) -> None:
    (tmp_path / "stanchion.toml").write_text('port = 0\nregion = "eu-west-1"\naccount = "111111111111"')
    with serving(tmp_path, "--store", "memory", STANCHION_ACCOUNT="222222222222") as process:
        banner = read_banner(process)
    assert banner[1].endswith("region eu-west-1, account 222222222222")


def refused(folder, *arguments: str, **variables: str) -> str:
    """What a server that cannot start says, which is one line."""
    done = run_stanchion(folder, "serve", *arguments, **variables)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("stanchion: ")
    return lines[0].removeprefix("stanchion: ")


def test_a_mistake_in_the_settings_is_one_line(tmp_path) -> None:
    told = refused(tmp_path, "--port", "x")
    assert told == "port, from --port: 'x' is not possible; give a whole number from 0 to 65535"


def test_each_further_mistake_is_a_line_of_its_own(tmp_path) -> None:
    done = run_stanchion(tmp_path, "serve", "--port", "x", STANCHION_ACCOUNT="y")
    assert [line.split(",")[0] for line in done.stderr.splitlines()] == ["stanchion: port", "stanchion: account"]


def test_a_port_that_is_taken_is_one_line(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused(tmp_path, "--port", port, "--store", "memory")


def test_a_store_that_is_no_store_is_one_line(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("This is not a database, and it is long enough to be taken for one. " * 40)
    assert "notes.txt" in refused(tmp_path, "--port", "0", "--store", "sqlite:notes.txt")


def test_a_store_in_a_folder_that_is_not_there_is_one_line(tmp_path) -> None:
    assert "nowhere" in refused(tmp_path, "--port", "0", "--store", "sqlite:nowhere/x.db")


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path) -> None:
    with sqlite3.connect(tmp_path / "theirs.db") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = (tmp_path / "theirs.db").read_bytes()
    assert "theirs.db" in refused(tmp_path, "--port", "0", "--store", "sqlite:theirs.db")
    assert (tmp_path / "theirs.db").read_bytes() == before


def test_credentials_that_are_not_there_are_one_line(tmp_path) -> None:
    assert "keys" in refused(tmp_path, "--port", "0", "--store", "memory", "--credentials", "keys")


def test_credentials_that_are_wrong_are_one_line(tmp_path) -> None:
    (tmp_path / "keys").write_text("[me]\naws_access_key_id = AKIAEXAMPLE\n")
    assert "me" in refused(tmp_path, "--port", "0", "--store", "memory", "--credentials", "keys")


def test_a_declared_queue_that_cannot_be_is_one_line(tmp_path) -> None:
    (tmp_path / "stanchion.toml").write_text('[[queues]]\nname = "jobs"\nattributes = { VisibilityTimeout = -1 }')
    assert "jobs" in refused(tmp_path, "--port", "0", "--store", "memory")
