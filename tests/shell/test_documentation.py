"""The page about the shell, and the examples in help texts: they run, and say what is printed."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from shell.shell import Shell, no_settings
from stanchion.cli.main import COMMANDS
from stanchion.clock import SystemClock
from support.commands import command_named
from support.in_process import InProcessServer
from support.server_process import clean_environment
from support.tools import ROOT

PAGE = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """What is typed, and what it prints."""
    found = []
    for block in blocks("console"):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            found.append((command, printed))
    return found


def test_the_page_shows_what_happens(tmp_path: Path) -> None:
    checker = doctest.OutputChecker()
    bin_folder = Path(sys.executable).parent
    server = InProcessServer(tmp_path, SystemClock())
    try:
        shell = Shell(server.url, tmp_path)
        shell.sqs.create_queue(QueueName="orders")
        env = clean_environment() | {name: value for name, value in no_settings(tmp_path).items() if value}
        env |= {"AWS_ENDPOINT_URL_SQS": server.url, "PATH": f"{bin_folder}:{env['PATH']}"}
        for command, printed in steps():
            if "orders-copy" in command:
                shell.sqs.create_queue(QueueName="orders-copy")
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, (command, done.stdout)
            said = re.sub(r" +\n", "\n", done.stdout)
            assert checker.check_output(printed, said, doctest.ELLIPSIS), (command, said)
    finally:
        server.stop()


def stanchion_lines(text: str) -> list[list[str]]:
    """The arguments of each call of stanchion, whatever stands before and after it in a pipe."""
    parts = [part.strip() for line in text.splitlines() for part in line.split("|")]
    return [shlex.split(part)[1:] for part in parts if part.startswith("stanchion ")]


def examples() -> list[list[str]]:
    helps = [command.help or "" for command in map(command_named, COMMANDS)]
    return [each for text in [*helps, *blocks("sh")] for each in stanchion_lines(text)]


@pytest.mark.parametrize("arguments", examples(), ids=" ".join)
def test_every_example_is_one_that_the_command_takes(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("order.json", "orders.jsonl"):
        (tmp_path / name).touch()
    command = command_named(arguments[0])
    with command.make_context(arguments[0], arguments[1:]) as context:
        assert isinstance(context, click.Context)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"serve", "demo"}))
def test_every_command_is_on_the_page_and_has_examples(name: str) -> None:
    assert f"| `{name}" in PAGE
    assert "Examples:" in (command_named(name).help or "")
