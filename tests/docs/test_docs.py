"""The documentation builds, its links hold, its reference is that of the program, and its examples run."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server_process import ServerProcess
from support.tools import ROOT, need

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"(?P<mark><!--[^>]*-->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
TUTORIALS = ("first-queue", "course-exercise", "dead-letters")


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "INFO" not in line]) == (0, [])
    page = (tmp_path / "site" / "index.html").read_text()
    assert not re.findall(r'(?:src|rel="stylesheet" href)="https?:', page)  # nothing is loaded from elsewhere


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    lost = []
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        if re.match(r"\w+:", target):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(link)
    assert lost == []


def anchors(path: Path) -> set[str]:
    """Of a page's headings, as they are made of their text."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def generated() -> dict[str, str]:
    specification = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert specification is not None and specification.loader is not None
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


@pytest.mark.parametrize("name", ["settings.md", "actions.md", "commands.md", "client.md"])
def test_a_page_of_the_reference_says_what_the_program_does(name: str) -> None:
    assert (DOCS / "reference" / name).read_text() == generated()[name], "run: make reference"


# ── Examples ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path, "--store", "sqlite:stanchion.db")
    yield server
    assert server.stop() == 0


def blocks(name: str, language: str) -> list[str]:
    """The examples of a page, without those that say why they are not run."""
    found = BLOCK.finditer((DOCS / f"{name}.md").read_text())
    return [
        each["text"]
        for each in found
        if each["language"] == language and not (each["mark"] or "").startswith("<!-- not run: ")
    ]


@pytest.mark.parametrize("name", TUTORIALS)
def test_the_python_of_a_tutorial_runs_from_its_first_line_to_its_last(
    name: str, server: ServerProcess, tmp_path: Path
) -> None:
    program = "\n".join(blocks(name, "python")).replace("http://127.0.0.1:9324", server.url)
    assert server.url in program
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_running_servers_store_is_backed_up_and_restored(server: ServerProcess, tmp_path: Path) -> None:
    need("sqlite3", "to back up a store as the documentation says")
    import boto3

    keys = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
    sqs = boto3.client("sqs", endpoint_url=server.url, **keys)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    commands = blocks("backup", "sh")
    assert len(commands) == 2
    for command in commands:
        subprocess.run(["/bin/sh", "-ec", command], cwd=tmp_path, check=True)
    sqs.purge_queue(QueueUrl=url)
    sqs.close()
    for name in ("backup", "backup-small"):
        copy = ServerProcess(tmp_path, "--store", f"sqlite:{name}.db")
        sqs = boto3.client("sqs", endpoint_url=copy.url, **keys)
        (message,) = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"])["Messages"]
        sqs.close()
        assert message["Body"] == "kept"
        assert copy.stop() == 0


def test_the_policy_of_the_documentation_is_one(server: ServerProcess) -> None:
    import boto3

    keys = {"region_name": "us-east-1", "aws_access_key_id": "111111111111", "aws_secret_access_key": "any"}
    sqs = boto3.client("sqs", endpoint_url=server.url, **keys)
    (policy,) = blocks("policies", "json")
    sqs.create_queue(QueueName="orders", Attributes={"Policy": policy})
    sqs.close()


def test_the_declared_queues_of_the_documentation_are_made(tmp_path: Path) -> None:
    import boto3

    (declared,) = blocks("moving", "toml")
    (tmp_path / "stanchion.toml").write_text(declared)
    server = ServerProcess(tmp_path, "--store", "memory")
    sqs = boto3.client(
        "sqs",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.close()
    assert (shown["VisibilityTimeout"], shown["DelaySeconds"]) == ("10", "5")
    assert "orders-dead" in shown["RedrivePolicy"]
    assert server.stop() == 0


def test_the_unit_of_systemd_is_well_formed(tmp_path: Path) -> None:
    analyze = need("systemd-analyze", "to check the systemd unit")
    (tmp_path / "stanchion").write_text("#!/bin/sh\n")
    (tmp_path / "stanchion").chmod(0o755)
    unit = tmp_path / "stanchion.service"
    text = (ROOT / "deploy" / "stanchion.service").read_text()
    unit.write_text(text.replace("/usr/local/bin/stanchion", str(tmp_path / "stanchion")))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
