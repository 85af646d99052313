"""The pytest plugin as its users have it: installed from the wheel, in a project of theirs."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "pytest_project"


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A folder with what the wheel installs, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("wheel")
    # Without hatchling here, pip fetches it, as it does for everybody who builds.
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    pip("wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    pip("install", "--no-deps", "--target", str(folder / "site"), str(wheel))
    return folder / "site"


class Project:
    """A folder with tests, and pytest runs in it."""

    def __init__(self, folder, installed):
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # Nothing of this leads to AWS: no credentials, no region.
        self.environment = kept | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}

    def write(self, text):
        (self.folder / "test_it.py").write_text(text)

    def run(self, *arguments, **environment):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=results.xml", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def seconds(self, module):
        """How long each test of a module took, with what it needed before and after."""
        cases = ElementTree.parse(self.folder / "results.xml").iter("testcase")
        return {case.get("name"): float(case.get("time")) for case in cases if case.get("classname").endswith(module)}


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, installed)


@pytest.fixture
def example(tmp_path, installed):
    shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    return Project(tmp_path / "project", installed)


def test_the_example_proves_half_a_month_in_under_a_second(example):
    ran = example.run("-q", "-W", "error")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout
    # The tests of the program itself come first, and with them what a process loads once.
    seconds = example.seconds("test_time")
    assert len(seconds) == 4
    assert sum(seconds.values()) < 1


def test_the_example_passes_in_several_processes(example):
    pytest.importorskip("xdist")
    ran = example.run("-q", "-n", "2", "--dist", "load")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout


def test_a_test_gets_an_account_a_time_and_an_environment_of_its_own(project):
    project.write("""
import datetime, os, boto3, pytest

seen = set()

@pytest.mark.parametrize("number", range(20))
def test_alone(number, sqs, sqs_server, sqs_clock, sqs_endpoint):
    assert sqs_server.account not in seen
    seen.add(sqs_server.account)
    assert "QueueUrls" not in sqs.list_queues()
    assert sqs_server.journal() == []
    real = datetime.datetime.now(datetime.UTC)
    assert abs(sqs_clock.now() - real) < datetime.timedelta(seconds=5)
    assert os.environ["AWS_ENDPOINT_URL_SQS"] == sqs_endpoint == sqs_server.url
    url = boto3.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
    assert url == f"{sqs_endpoint}/{sqs_server.account}/mine"
    sqs.send_message(QueueUrl=url, MessageBody="1")
    strangers = boto3.client("sqs", aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    assert "QueueUrls" not in strangers.list_queues()
    strangers.create_queue(QueueName="theirs")
    sqs_clock.advance(days=number + 1)

def test_afterwards():
    assert "AWS_ENDPOINT_URL_SQS" not in os.environ
    assert "AWS_ACCESS_KEY_ID" not in os.environ
""")
    ran = project.run("-q")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_clean_account_costs_next_to_nothing(project):
    project.write("""
import pytest

@pytest.mark.parametrize("number", range(20))
def test_alone(number, sqs):
    sqs.create_queue(QueueName="mine")
""")
    ran = project.run("-q")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # The first pays for the server and for what boto3 reads.
    later = list(project.seconds("test_it").values())[1:]
    assert sorted(later)[len(later) // 2] < 0.05


def test_a_profile_of_the_developer_does_not_get_in_the_way(project):
    project.write("""
import boto3

def test_it(sqs):
    url = boto3.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
    assert sqs.list_queues()["QueueUrls"] == [url]
""")
    ran = project.run("-q", AWS_PROFILE="absent", AWS_SESSION_TOKEN="t", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_plugin_costs_nothing_where_it_is_not_used(project):
    project.write("""
import sys

def test_it():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"boto3", "botocore", "apsw", "uvloop"}
    assert {name for name in sys.modules if name.startswith("stanchion.")} == {
        "stanchion.testing", "stanchion.testing.plugin"
    }
""")
    ran = project.run("-q")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_mistake_shows_the_line_of_the_test_and_says_what_is_wrong(project):
    project.write("""
def test_back(sqs_clock):
    sqs_clock.advance(hours=-1)

def test_nothing_came(sqs, sqs_server):
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs_server.expect_message(queue, body="1", timeout=0)
""")
    ran = project.run("-q")
    assert ran.returncode == 1
    assert "Mistake: the clock only turns forward, not by -3600 seconds" in ran.stdout
    assert "AssertionError: in 0 seconds, no message with the body '1' came to orders; none came at all" in ran.stdout
    # Two tracebacks, each of one place: the test's own line.
    assert set(re.findall(r"^(\S+\.py):\d+: \w+", ran.stdout, re.MULTILINE)) == {"test_it.py"}
    assert "stanchion/testing" not in ran.stdout


def test_without_boto3_the_server_is_there_and_the_client_says_what_is_missing(project):
    (project.folder / "boto3.py").write_text("raise ImportError('no boto3')")
    project.write("""
import urllib.request

def test_server(sqs_endpoint):
    assert urllib.request.urlopen(sqs_endpoint + "/?Action=ListQueues").status == 200

def test_client(sqs):
    raise AssertionError("not reached")
""")
    ran = project.run("-q", PYTHONPATH=f"{project.folder}:{project.environment['PYTHONPATH']}")
    assert "1 passed, 1 error" in ran.stdout
    assert "the fixture sqs needs boto3: pip install 'stanchion[testing]'" in ran.stdout
