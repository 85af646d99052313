"""kill -9 of dump, load and copy at any moment: nothing is lost, and what is doubled is said."""

import json
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cli.processes import COMMAND
from shell.shell import Shell, no_settings
from support.server_process import ServerProcess, clean_environment

MESSAGES = 200
BODIES = [str(number) for number in range(MESSAGES)]
_PATIENCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.02  # the server is in this process; to look without a pause would slow it down


def start(shell: Shell, *arguments: str) -> subprocess.Popen[str]:
    settings = {name: value for name, value in no_settings(shell.folder).items() if value is not None}
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=shell.folder,
        env=clean_environment() | settings | {"AWS_ENDPOINT_URL_SQS": shell.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_when(shell: Shell, moment: Callable[[], bool], number: signal.Signals, *arguments: str) -> tuple[int, str]:
    """Start a command, end it with a signal as soon as something is true; its exit code and what it said."""
    with start(shell, *arguments) as process:
        while not moment():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_EVERY_SECONDS)
                break
        process.send_signal(number)
        _, said = process.communicate(timeout=_PATIENCE_SECONDS)
    return process.returncode, said


def to_the_end(shell: Shell, *arguments: str) -> str:
    with start(shell, *arguments) as process:
        _, said = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 0, said
    return said


def holds(shell: Shell, name: str, number: int) -> Callable[[], bool]:
    return lambda: shell.counts(name)[0] >= number


def doubled(bodies: list[str]) -> set[str]:
    return {body for body, count in Counter(bodies).items() if count > 1}


@pytest.mark.parametrize("flags", [(), ("--move",)])
def test_a_copy_that_is_killed_again_and_again_loses_nothing_and_names_what_is_doubled(
    shell: Shell, flags: tuple[str, ...]
) -> None:
    source, target = shell.queue(), shell.queue()
    shell.fill(source, BODIES)
    ids = ids_of(shell, source)
    command = ("copy", source, target, *flags, "--wait", "0", "--visibility-timeout", "4")
    said = ""
    for wanted in (30, 70, 120):
        code, words = end_when(shell, holds(shell, target, wanted), signal.SIGKILL, *command)
        assert code == -signal.SIGKILL
        said += words
    said += to_the_end(shell, *command)
    arrived = shell.bodies(target)
    assert set(arrived) == set(BODIES)
    assert doubled(arrived) <= {ids[each] for each in named(said)}
    assert len(named(said)) <= 30  # a batch for each kill
    assert shell.counts(source) == (0 if flags else MESSAGES, 0, 0)
    assert list(shell.folder.iterdir()) == []


def ids_of(shell: Shell, name: str) -> dict[str, str]:
    """Bodies by message id."""
    shell.done("dump", name, "-o", "all.jsonl", "--wait", "0")
    path = shell.folder / "all.jsonl"
    found = {each["id"]: each["body"] for each in map(json.loads, path.read_text().splitlines())}
    path.unlink()
    return found


def named(said: str) -> set[str]:
    lists = re.findall(r"may be in \S+ twice(?:, sent again after [^\n]*)?: (.*)", said)
    return {each for line in lists for each in line.split(", ")}


def test_a_load_that_is_killed_goes_on_and_names_the_lines_that_may_be_doubled(shell: Shell) -> None:
    target = shell.queue()
    lines = "".join(json.dumps({"body": body}) + "\n" for body in BODIES)
    (shell.folder / "in.jsonl").write_text(lines)
    said = ""
    for wanted in (30, 100):
        code, words = end_when(shell, holds(shell, target, wanted), signal.SIGKILL, "load", "in.jsonl", target)
        assert code == -signal.SIGKILL
        said += words
    said += to_the_end(shell, "load", "in.jsonl", target)
    arrived = shell.bodies(target)
    assert set(arrived) == set(BODIES)
    lists = re.findall(r"in\.jsonl:([0-9, ]+): being sent when the last run ended", said)
    may_be = {str(int(number) - 1) for line in lists for number in line.split(", ")}
    assert doubled(arrived) <= may_be
    assert len(may_be) <= 20


def test_a_dump_with_delete_that_is_killed_has_every_message_once(shell: Shell) -> None:
    source, out = shell.queue(), shell.folder / "out.jsonl"
    shell.fill(source, BODIES)
    command = ("dump", source, "-o", "out.jsonl", "--delete", "--wait", "0", "--visibility-timeout", "4")
    for wanted in (30, 100):
        moment = written(out, wanted)
        assert end_when(shell, moment, signal.SIGKILL, *command)[0] == -signal.SIGKILL
    to_the_end(shell, *command)
    assert sorted(int(json.loads(line)["body"]) for line in out.read_text().splitlines()) == list(range(MESSAGES))
    assert shell.counts(source) == (0, 0, 0)


def written(out: Path, lines: int) -> Callable[[], bool]:
    return lambda: out.exists() and out.read_bytes().count(b"\n") >= lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_copy_says_where_it_is_and_doubles_nothing(shell: Shell, number: signal.Signals) -> None:
    source, target = shell.queue(), shell.queue()
    shell.fill(source, BODIES)
    command = ("copy", source, target, "--wait", "0")
    code, said = end_when(shell, holds(shell, target, 50), number, *command)
    assert code == 130
    assert re.search(rf"stanchion: \d+ messages are in {target}; the same command goes on from there", said)
    assert shell.counts(source) == (MESSAGES, 0, 0)
    assert "twice" not in to_the_end(shell, *command)
    assert sorted(shell.bodies(target)) == sorted(BODIES)


def test_a_copy_whose_target_dies_says_so_and_goes_on_when_it_is_back(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    source = shell.queue()
    shell.fill(source, BODIES)
    target = ServerProcess(folder, "--durability", "os")
    away = Shell(target.url, folder)
    away.sqs.create_queue(QueueName="target")
    command = ("copy", source, "target", "--to-endpoint-url", target.url, "--wait", "0", "--state", "copy.state")
    with start(shell, *command) as process:
        while not holds(away, "target", 30)():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_EVERY_SECONDS)
                break
        target.kill()
        _, said = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "the same command goes on from there" in said
    assert said.splitlines()[-1].startswith("stanchion: Could not connect to the endpoint URL")
    assert "Traceback" not in said
    assert (shell.folder / "copy.state").exists()
    with ServerProcess(folder, "--durability", "os", port=target.port):
        said += to_the_end(shell, *command)
        arrived = away.bodies("target")
    assert set(arrived) == set(BODIES)
    assert len(doubled(arrived)) <= len(named(said)) <= 10
    assert shell.counts(source) == (MESSAGES, 0, 0)
