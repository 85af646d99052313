"""The stanchion command as a user runs it: a process with an empty folder and no settings in its environment."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.server_process import clean_environment

PATIENCE_SECONDS = 60
COMMAND = [sys.executable, "-m", "stanchion"]
_FREE_PORT = {"STANCHION_CONSOLE_PORT": "0"}  # the usual one may be another test's at this moment


def run_stanchion(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=clean_environment() | _FREE_PORT | variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A server in the background; killed at the end if it still runs, or when it takes far too long."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        cwd=folder,
        env=clean_environment() | _FREE_PORT | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.start()
    try:
        with process:
            yield process
            process.kill()
    except BaseException:
        process.kill()
        raise
    finally:
        watchdog.cancel()


def read_banner(process: subprocess.Popen[str]) -> list[str]:
    """The lines up to the one about auth, which is the last; fewer when the process ended before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("  Auth"):
            break
    return lines
