"""A server for the commands to talk to, and short forms of what every test of them does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shell.shell import Shell, no_settings
from stanchion.clock import SystemClock
from support.in_process import InProcessServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    """Its clock is the machine's, since commands wait for what the clock brings."""
    running = InProcessServer(tmp_path_factory.mktemp("server"), SystemClock())
    yield running
    running.stop()


@pytest.fixture
def shell(server: InProcessServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands run in an empty folder, with no settings but the endpoint's URL."""
    monkeypatch.chdir(tmp_path)
    return Shell(server.url, tmp_path)


@pytest.fixture
def no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what is configured on this machine."""
    for name, value in no_settings(tmp_path).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
