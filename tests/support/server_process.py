"""A real `stanchion serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

_ENDPOINT = re.compile(r"SQS endpoint\s+(http://\S+)")
START_SECONDS = 30


class ServerProcess:
    """``stanchion serve`` on a free port in ``folder``; ready when the constructor returns."""

    def __init__(
        self, folder: Path, *flags: str, environment: Mapping[str, str] | None = None, port: int = 0
    ) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "stanchion", "serve", "--port", str(port), "--no-console", *flags]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.output: list[str] = []
        self.errors: list[str] = []
        self._endpoint: SimpleQueue[str | None] = SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.url = self._wait_for_endpoint()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            match = _ENDPOINT.search(line)
            if match:
                self._endpoint.put(match[1])
        self._endpoint.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    def _wait_for_endpoint(self) -> str:
        try:
            url = self._endpoint.get(timeout=START_SECONDS)
        except Empty:
            url = None
        if url is None:
            self.kill()
            raise RuntimeError(f"the server did not start:\n{''.join(self.output + self.errors)}")
        return url

    def stop(self) -> int:
        """SIGTERM; the exit code. Kills it, and fails, if it does not end within ten seconds."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self._wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        self.process.kill()
        self._wait(10)

    def _wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def clean_environment() -> dict[str, str]:
    """Ours, without what would configure the server or its clients by accident."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("STANCHION_", "AWS_"))}
