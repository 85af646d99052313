"""The programs that a page of a queue offers run as they stand, and name the endpoint that the visitor reaches."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.built_once import built_once
from support.client_program import output_of
from support.console_visit import ConsoleUnderTest
from support.tools import need, need_client

JS_FOLDER = Path(__file__).parents[1] / "clients" / "js"
QUEUES = pytest.mark.parametrize("name", ["orders", "orders.fifo"])


def snippet(console: ConsoleUnderTest, name: str, program: str) -> str:
    """What is on the page of a queue that is made for this."""
    console.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})
    found = re.search(
        rf'<pre id="snippet-{program}"[^>]*>(.*?)</pre>', console.get(f"/queues/{name}").text, re.DOTALL
    )
    assert found is not None
    return html.unescape(found[1])


def printed(command: list[str], folder: Path) -> str:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PAGER": ""}
    # With nothing of the machine's own settings, which might name another endpoint.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **keys}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@QUEUES
def test_boto3(console: ConsoleUnderTest, tmp_path: Path, name: str) -> None:
    (tmp_path / "program.py").write_text(snippet(console, name, "boto3"))
    assert printed([sys.executable, "program.py"], tmp_path) == "Hello\n"


@QUEUES
def test_aioboto3(console: ConsoleUnderTest, tmp_path: Path, name: str) -> None:
    python = need_client("aioboto3")
    (tmp_path / "program.py").write_text(snippet(console, name, "aioboto3"))
    assert printed([str(python), "program.py"], tmp_path) == "Hello\n"


@QUEUES
def test_the_aws_cli(console: ConsoleUnderTest, tmp_path: Path, name: str) -> None:
    folder = Path(need_client("awscli")).parent
    (tmp_path / "program.sh").write_text(f'PATH="{folder}:$PATH"\n' + snippet(console, name, "cli"))
    assert '"Body": "Hello"' in printed(["sh", "-e", "program.sh"], tmp_path)


@QUEUES
def test_javascript(console: ConsoleUnderTest, tmp_path: Path, name: str) -> None:
    node, npm = need("node", "to run the snippet"), need("npm", "to fetch the SDK")
    command = [npm, "ci", "--no-progress"]
    packages = built_once(
        JS_FOLDER, "node_modules", ["package*.json", ".npmrc"], lambda: output_of(command, JS_FOLDER)
    )
    (tmp_path / "node_modules").symlink_to(packages)
    (tmp_path / "program.mjs").write_text(snippet(console, name, "javascript"))
    assert printed([node, "program.mjs"], tmp_path) == "Hello\n"


def endpoint_shown(console: ConsoleUnderTest, **headers: str) -> str:
    console.sqs.create_queue(QueueName="orders")
    found = re.search(r'data-copies="(http[^"]*)/[0-9]{12}/orders"', console.get("/queues/orders", **headers).text)
    assert found is not None
    return found[1]


def test_the_endpoint_is_where_the_server_listens(console: ConsoleUnderTest) -> None:
    assert endpoint_shown(console) == console.sqs_url


def test_a_public_url_is_the_endpoint(tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path, public_url="https://queues.example")
    try:
        assert endpoint_shown(console) == "https://queues.example"
    finally:
        console.stop()


def test_a_server_that_listens_everywhere_is_where_the_console_was_found(tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path, host="0.0.0.0", auth="off")
    try:
        port = console.sqs_url.rpartition(":")[2]
        console_port = console.url.rpartition(":")[2].rstrip("/")
        assert endpoint_shown(console, Host=f"localhost:{console_port}") == f"http://localhost:{port}"
    finally:
        console.stop()
