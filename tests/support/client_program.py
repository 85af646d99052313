"""Programs in other languages that drive the server with an SDK of theirs, and the steps that build them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM_SECONDS = 120
BUILD_SECONDS = 600  # the first time, packages are fetched


def cases_passed(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> set[str]:
    """The names of its cases, from a program that checks inside and reports in JSON as its last line."""
    last_line = output_of(command, folder, environment, PROGRAM_SECONDS).splitlines()[-1]
    return set(json.loads(last_line)["passed"])


def output_of(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = BUILD_SECONDS,
) -> str:
    """What a command prints. Raises AssertionError with all of it when the command fails."""
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
