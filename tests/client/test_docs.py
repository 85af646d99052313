"""The tutorial is run as it stands, and what the pages name is there."""

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stanchion import client
from stanchion.clock import SystemClock
from support.in_process import InProcessServer
from support.tools import ROOT, need_client

TUTORIAL = (ROOT / "docs" / "tutorial-boto.md").read_text(encoding="utf-8")
MOVING = (ROOT / "docs" / "moving-from-boto.md").read_text(encoding="utf-8")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path, SystemClock())  # long polls end by themselves
    yield server
    server.stop()


@pytest.fixture
def environment(server: InProcessServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_SQS": server.url}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.chdir(tmp_path)
    return given


def test_the_tutorial_says_what_happens(environment: dict[str, str], server: InProcessServer) -> None:
    text = TUTORIAL.replace("http://127.0.0.1:9324", server.url)
    tutorial = doctest.DocTestParser().get_doctest(text, {}, "tutorial-boto.md", "docs/tutorial-boto.md", 0)
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(tutorial, out=report.append)
    assert results.failed == 0, "".join(report)
    assert results.attempted > 40


def test_the_tutorial_s_async_program_runs(environment: dict[str, str]) -> None:
    python = need_client("aioboto3")
    (program,) = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    done = subprocess.run(
        [python, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("This is my first message.\n", "")


def test_every_method_that_the_page_on_moving_names_is_there() -> None:
    owners = {"conn": client.SQSConnection, "q": client.Queue, "m": client.Message}
    here = re.sub(r"\| `q\.save_to_s3.*", "", MOVING)
    named = re.findall(r"`(conn|q|m)\.(\w+)\(", here) + re.findall(r"(?<=, )`(conn|q|m)\.(\w+)\(", here)
    assert len(named) > 25
    assert [name for owner, name in named if not hasattr(owners[owner], name)] == []
