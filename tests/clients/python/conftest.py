"""A server for the clients, with two accounts, and a way to run the scripts of this folder against it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server_process import ServerProcess

FOLDER = Path(__file__).parent
OWNER_ACCOUNT, GUEST_ACCOUNT = "111111111111", "222222222222"
CREDENTIALS = f"""\
[owner]
aws_access_key_id = AKIAOWNEROWNEROWNER1
aws_secret_access_key = owner/secret+with/slashes
aws_account_id = {OWNER_ACCOUNT}

[guest]
aws_access_key_id = AKIAGUESTGUESTGUEST1
aws_secret_access_key = guest/secret
aws_account_id = {GUEST_ACCOUNT}
"""
KEYS = {
    "owner": ("AKIAOWNEROWNEROWNER1", "owner/secret+with/slashes", OWNER_ACCOUNT),
    "guest": ("AKIAGUESTGUESTGUEST1", "guest/secret", GUEST_ACCOUNT),
}
# With authentication off, an access key id of twelve digits is the account.
NAMES = {
    "owner": (OWNER_ACCOUNT, "anything", OWNER_ACCOUNT),
    "guest": (GUEST_ACCOUNT, "anything", GUEST_ACCOUNT),
}

Serve = Callable[..., dict[str, Any]]
Walk = Callable[..., dict[str, Any]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server that verifies signatures or does not; its answer is the site that scripts take."""
    servers = []

    def start(*flags: str, signed: bool) -> dict[str, Any]:
        if signed:
            (tmp_path / "credentials").write_text(CREDENTIALS, encoding="utf-8")
            flags += ("--credentials", "credentials")
        server = ServerProcess(tmp_path, "--no-console", "--store", "sqlite:queues.db", *flags)
        servers.append(server)
        return {"url": server.url, "signed": signed, **(KEYS if signed else NAMES)}

    yield start
    for server in servers:
        assert server.stop() == 0


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    """Run a script of this folder with some Python, insist that its tests passed, and give its report."""

    def run(script: str, site: dict[str, Any], python: str = sys.executable) -> dict[str, Any]:
        done = subprocess.run(
            [python, FOLDER / script, json.dumps(site)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert not report["failures"], "\n".join(report["failures"].values())
        assert report["seconds"], "the script has no tests"
        return report

    return run
