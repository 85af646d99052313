"""Programs that drive the server with an SDK of another language. They check inside, and end with a JSON report."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM_SECONDS = 120
BUILD_SECONDS = 600  # the first time, packages are fetched


def build(command: Sequence[str], folder: Path) -> None:
    """Run one step of a build. Raises AssertionError with what it printed when it fails."""
    _run(command, folder, None, BUILD_SECONDS)


def report_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Any:
    """The report that a client program prints as its last line."""
    return json.loads(_run(command, folder, environment, PROGRAM_SECONDS).splitlines()[-1])


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None, seconds: float) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
