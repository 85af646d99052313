"""The programs in examples/, run as a user runs them."""

import os
import re
import subprocess
import sys

import pytest

from support.tools import ROOT, need_client
from support.wire_client import WireClient

LINE = re.compile(r"(sent|received|deleted) +([0-9a-f-]{36})(?: +from (\S+): (.*))?")


def run(python, script, *arguments, **variables):
    """The lines that an example prints, taken apart: what, message id, sender, body."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = inherited | {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"} | variables
    if "AWS_SHARED_CREDENTIALS_FILE" not in environment:
        environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    done = subprocess.run(
        [python, ROOT / "examples" / script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [match.groups() for line in done.stdout.splitlines() if (match := LINE.fullmatch(line))]


@pytest.fixture(params=["boto3", "aioboto3"])
def demo(request):
    python = sys.executable if request.param == "boto3" else need_client(request.param)
    return python, f"demo_{request.param}.py"


def test_a_demo_sends_receives_and_deletes(serve, demo):
    _, script = demo
    site = serve(signed=False)
    lines = run(*demo, "--endpoint", site["url"], "--queue", "orders", "--message", "a text ☃")
    message_id = lines[0][1]
    assert lines == [
        ("sent", message_id, None, None),
        ("received", message_id, script, "a text ☃"),
        ("deleted", message_id, None, None),
    ]
    client = WireClient(site["url"])
    url = client.json("GetQueueUrl", QueueName="orders").json["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = client.json("GetQueueAttributes", QueueUrl=url, AttributeNames=names).json["Attributes"]
    assert set(counts.values()) == {"0"}


def test_a_demo_uses_the_key_that_it_finds(serve, demo, tmp_path):
    site = serve(signed=True)
    credentials = str(tmp_path / "credentials")
    lines = run(*demo, "--endpoint", site["url"], AWS_SHARED_CREDENTIALS_FILE=credentials, AWS_PROFILE="guest")
    kinds = [kind for kind, *_ in lines]
    assert kinds.count("sent") == kinds.count("received") == kinds.count("deleted") > 0


def test_the_asynchronous_demo_takes_as_many_messages_as_it_sent(serve):
    site = serve(signed=False)
    texts = [f"text {number}" for number in range(12)]
    arguments = [argument for text in texts for argument in ("--message", text)]
    lines = run(need_client("aioboto3"), "demo_aioboto3.py", "--endpoint", site["url"], *arguments)
    assert sorted(body for _, _, _, body in lines if body) == sorted(texts)
    assert sum(kind == "deleted" for kind, *_ in lines) == 12
