"""The async twin, in an environment that has aiobotocore."""

import json
import os
import subprocess
from pathlib import Path

from support.server_process import ServerProcess
from support.tools import ROOT, need_client

PROGRAM = Path(__file__).with_name("aio_walk.py")


def test_the_async_twin_does_what_the_blocking_one_does(tmp_path: Path) -> None:
    python = need_client("aioboto3")
    server = ServerProcess(tmp_path, "--store", "memory")
    key = ("111111111111", "anything", "111111111111")
    # No server package is in that environment: the client is imported without one.
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "clients" / "python")])
    done = subprocess.run(
        [python, PROGRAM, json.dumps({"url": server.url, "signed": False, "owner": key, "guest": key})],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert server.stop() == 0
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert not report["failures"], "\n".join(report["failures"].values())
    assert report["seconds"]
