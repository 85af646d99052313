"""Every example of docs/testing.md runs, and its tables name what there is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stanchion.testing import SqsServer
from stanchion.testing.faults import Faults
from stanchion.testing.journal import Event
from support.server_process import ServerProcess, clean_environment

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "testing.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run(*command, folder, **environment):
    ran = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_tests_of_the_page_pass(tmp_path):
    tests = [block for block in PYTHON if "def test_" in block]
    for number, block in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(block)
    # Without what is installed beside us: of all plugins, just ours.
    plugin = ("-p", "stanchion.testing.plugin", "-p", "no:cacheprovider", "-W", "error")
    output = run(sys.executable, "-m", "pytest", "-q", *plugin, folder=tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert f"{sum(block.count('def test_') for block in tests)} passed" in output


@pytest.mark.parametrize("block", [block for block in PYTHON if "def test_" not in block])
def test_the_programs_of_the_page_run(block, tmp_path):
    assert run(sys.executable, "-c", block, folder=tmp_path) == "1\n"


def test_the_requests_of_the_page_are_answered(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (block,) = [block for block in SHELL if block.startswith("curl")]
    with ServerProcess(tmp_path, "--test-clock") as server:
        output = run("sh", "-ec", block.replace("http://127.0.0.1:9324", server.url), folder=tmp_path)
    assert '{"id":1}' in output
    assert '"ReceiveMessageResult": null' in output


def names_in_table(heading):
    """The names in code at the beginning of the rows of the table under such a head."""
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0]
    return [name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z_ -]+)`", row.split("|")[1])]


def test_the_table_of_faults_names_every_argument():
    assert sorted(names_in_table("argument")) == sorted(Faults.__struct_fields__)


def test_the_table_of_events_names_every_event():
    named = {*names_in_table("`what`"), "arrived"}
    assert named == set(re.findall(r"``([a-z -]+)``", Event.__doc__.split("\n\n")[2])) - {"receives", "other"}
    assert all(f"`{each}`" in PAGE for each in named)


def test_the_table_of_fixtures_names_every_fixture():
    from stanchion.testing import plugin

    fixtures = [name for name in vars(plugin) if name.startswith("sqs")]
    assert names_in_table("fixture") == ["sqs", "sqs_endpoint", "sqs_server", "sqs_clock"]
    assert sorted(fixtures) == sorted(names_in_table("fixture"))


def test_the_page_speaks_of_methods_that_there_are():
    for name in re.findall(r"`sqs_server\.([a-z_]+)\(", PAGE):
        assert callable(getattr(SqsServer, name))
