"""The programs that prove real boto 2.49 here run unchanged, but for their imports, against `stanchion.client`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from support.server_process import ServerProcess
from support.tools import ROOT

# botocore is all Python, and so is what it needs: other versions can import it from here.
BOTOCORE = str(Path(botocore.__file__).parents[1])
PROGRAMS = Path(__file__).parents[1] / "clients" / "python"
IMPORTS = {
    "import boto\n": "import stanchion.client as boto\n",
    "import boto.sqs.queue\n": "",
    "from boto.exception import SQSError\n": "from stanchion.client import SQSError\n",
    "from boto.regioninfo import RegionInfo\n": "from stanchion.client import RegionInfo\n",
    "from boto.sqs.connection import SQSConnection\n": "from stanchion.client import SQSConnection\n",
    "from boto.sqs.jsonmessage import JSONMessage\n": "from stanchion.client import JSONMessage\n",
    "from boto.sqs.message import Message\n": "from stanchion.client import Message\n",
    "from boto.sqs.message import MHMessage, RawMessage\n": "from stanchion.client import MHMessage, RawMessage\n",
    "from boto.sqs.queue import Queue\n": "from stanchion.client import Queue\n",
}
# What is not the same here as it was there.
CHANGES = {
    # botocore speaks JSON to the service, whose text for this is shorter than that of boto's Query protocol.
    "The specified queue does not exist for this wsdl version.": "The specified queue does not exist.",
    # Python 3 broke boto's dump, so the program mends it.
    "    boto.sqs.queue.open = _open_for_text\n": "",
    "boto.Version": "'ours'",
    "boto.sqs.queue.Queue(": "boto.Queue(",
    # A batch whose ids are not distinct is told without asking the service.
    'error = expect(SQSError, q.write_batch, [("same"': 'error = expect(ValueError, q.write_batch, [("same"',
    '    assert error.error_code == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"\n': "",
    # A queue that holds messages is deleted only when that is wanted.
    "    assert q.delete()\n": "    assert q.delete(force_deletion=True)\n",
}


def pythons() -> list[str]:
    """The Python that runs the tests, and one of each other version that there is."""
    found = {sys.version_info[:2]: sys.executable}
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for minor in range(11, 15):
        installed = sorted(str(each) for each in versions.glob(f"3.{minor}.*/bin/python3.{minor}"))
        other = shutil.which(f"python3.{minor}", path=os.defpath) or (installed and installed[-1])
        if other:
            found.setdefault((3, minor), other)
    return [found[version] for version in sorted(found)]


def translated(name: str) -> str:
    text = (PROGRAMS / name).read_text(encoding="utf-8")
    for old, new in (IMPORTS | CHANGES).items():
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
@pytest.mark.parametrize(
    ("program", "flags"), [("boto_tutorial.py", ["--recreate-wait-seconds", "0"]), ("boto_calls.py", [])]
)
def test_a_program_for_boto_runs_with_only_its_imports_changed(
    program: str, flags: list[str], python: str, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path, "--store", "memory", *flags)
    for name in (program, "boto_connection.py"):
        (tmp_path / name).write_text(translated(name), encoding="utf-8")
    site = {
        "url": server.url,
        "signed": False,
        "owner": ("111111111111", "anything", "111111111111"),
        "guest": ("222222222222", "anything", "222222222222"),
    }
    done = subprocess.run(
        [python, program, json.dumps(site)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(PROGRAMS), str(ROOT / "src"), BOTOCORE])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert server.stop() == 0
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert not report["failures"], "\n".join(report["failures"].values())
    assert report["seconds"]
