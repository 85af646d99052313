"""Messages that real boto 2.49 wrote are read by ours, and the other way round."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stanchion import client
from stanchion.client import SQSConnection
from support.in_process import InProcessServer

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="boto 2.49 cannot be imported by Python 3.12")

PEER = Path(__file__).with_name("boto_peer.py")
PROGRAMS = Path(__file__).parents[1] / "clients" / "python"
BODIES: dict[str, Any] = {
    "RawMessage": "räw ☃ & <text>",
    "Message": "This is my first message. ☃",
    "MHMessage": {"name": "value", "with": "a: colon"},
    "EncodedMHMessage": {"name": "välue"},
    "JSONMessage": {"a": [1, {"b": None}], "ü": "☃"},
}
ATTRIBUTES = {
    "colour": {"data_type": "String", "string_value": "grün"},
    "picture": {"data_type": "Binary", "binary_value": "AP8="},
}


def boto(server: InProcessServer, what: str) -> dict[str, Any]:
    key = ("000000000000", "anything", "000000000000")
    site = json.dumps({"url": server.url, "signed": False, "owner": key, "guest": key})
    done = subprocess.run(
        [sys.executable, PEER, site, what],
        input=json.dumps(BODIES),
        env=os.environ | {"PYTHONPATH": str(PROGRAMS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_we_read_what_boto_wrote(conn: SQSConnection, server: InProcessServer) -> None:
    boto(server, "write")
    for name, body in BODIES.items():
        q = conn.get_queue(f"peer-{name}")
        assert q is not None
        q.set_message_class(getattr(client, name))
        (message,) = q.get_messages(message_attributes=["All"])
        assert (type(message).__name__, message.get_body()) == (name, body)
        assert message.message_attributes == ATTRIBUTES


def test_boto_reads_what_we_wrote(conn: SQSConnection, server: InProcessServer) -> None:
    for name, body in BODIES.items():
        q = conn.create_queue(f"peer-{name}")
        q.set_message_class(getattr(client, name))
        message = q.new_message(body)
        message.message_attributes = ATTRIBUTES
        q.write(message)
    assert boto(server, "read") == {name: [body, ATTRIBUTES] for name, body in BODIES.items()}
