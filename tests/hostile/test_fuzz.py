"""Nearly right input for every action in both protocols: SQS's own error or an answer, and nothing else suffers."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile.canary import Canary
from hostile.shapes import flatten, inputs
from stanchion.actions import ACTIONS
from support.in_process import InProcessServer

EXAMPLES = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


class Target:
    """The server under attack, over one kept-alive connection; the canary has its own."""

    def __init__(self, server: InProcessServer) -> None:
        self._netloc = urlsplit(server.url).netloc
        self._connection = http.client.HTTPConnection(self._netloc, timeout=10)
        self.canary = Canary(server.url)

    def ready(self) -> None:
        """The queues that the attacks aim at are there, whatever the last one did to them."""
        self.json("CreateQueue", b'{"QueueName": "q"}')
        self.json("CreateQueue", b'{"QueueName": "f.fifo", "Attributes": {"FifoQueue": "true"}}')

    def json(self, action: str, body: bytes) -> None:
        headers = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
        status, answer, error = self._ask(body, headers)
        document = json.loads(answer) if answer else {}
        if status != 200:
            assert document["__type"].startswith("com.amazon") and isinstance(document["message"], str), document
            assert error

    def query(self, body: bytes) -> None:
        status, answer, error = self._ask(body, {"Content-Type": "application/x-www-form-urlencoded"})
        root = ElementTree.fromstring(answer)
        if status != 200:
            assert root.tag.endswith("ErrorResponse") and error

    def _ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str | None]:
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status < 500, answer
        return response.status, answer, response.headers["x-amzn-query-error"]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    server = InProcessServer(tmp_path_factory.mktemp("server"), recreate_wait_seconds="0", purge_interval_seconds="0")
    target = Target(server)
    yield target
    target.close()
    server.stop()


@pytest.mark.parametrize("action", ACTIONS)
def test_json(target: Target, action: str) -> None:
    @EXAMPLES
    @given(inputs(action), st.booleans())
    def attack(members: object, escaped: bool) -> None:
        target.ready()
        target.json(action, json.dumps(members, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))

    attack()
    target.canary.sings()


@pytest.mark.parametrize("action", ACTIONS)
def test_query(target: Target, action: str) -> None:
    @EXAMPLES
    @given(inputs(action))
    def attack(members: object) -> None:
        target.ready()
        pairs = [("Action", action), *flatten(action, members)]
        target.query(urlencode(pairs, errors="surrogatepass").encode())

    attack()
    target.canary.sings()


BODIES = [
    b"",
    b"\0",
    b"[1]",
    b'"x"',
    b"null",
    b"{" * 100_000,
    b"[" * 1_000_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"MessageBody": "' + b"x" * 2_000_000 + b'"}',
    b'{"QueueUrl": "q", "DelaySeconds": ' + b"9" * 1_000_000 + b"}",
    b'{"QueueUrl": "q", "DelaySeconds": 1e999999999}',
    b'{"QueueUrl": "q", "MessageBody": "a", "MessageBody": "b", "QueueUrl": 7}',
    b'{"QueueUrl": "q", "MessageBody": "\xff\xfe"}',
    b'{"QueueUrl": "q", "Entries": [' + b"{}," * 9_999 + b"{}]}",
    b'{"QueueUrl": "q", "Entries": [' + b"[]," * 1_000_000 + b"[]]}",
    b'{"QueueUrl": "q", "MessageAttributes": {' + b",".join(b'"%d":{}' % n for n in range(9_000)) + b"}}",
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[:24]!r} of {len(body)}")
@pytest.mark.parametrize("action", ["SendMessage", "SendMessageBatch", "CreateQueue"])
def test_json_that_was_never_meant_well(target: Target, action: str, body: bytes) -> None:
    target.ready()
    target.json(action, body)
    target.canary.sings()


FORMS = [
    b"",
    b"\0",
    b"&" * 500_000,
    b"=" * 500_000,
    b"Action=SendMessage&" + b"a=b&" * 10_000,
    b"Action=SendMessage&QueueUrl=q&" + b"&".join(b"Attribute.%d.Name=a" % n for n in range(9_000)),
    b"Action=SendMessage&QueueUrl=q&MessageBody=" + b"%41" * 1_000_000,
    b"Action=SendMessage&QueueUrl=q&MessageBody=%ff%fe%00",
    b"Action=SendMessage&QueueUrl=q&MessageBody=%ed%a0%80",
    b"Action=SendMessage&Action=ReceiveMessage&QueueUrl=q",
    b"Action=SendMessageBatch&QueueUrl=q&" + b"." * 1_000_000 + b"=1",
    b"Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry." + b"9" * 100_000 + b".Id=1",
    b"Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.-1.Id=1",
    b"Action=ReceiveMessage&QueueUrl=q&MaxNumberOfMessages=" + b"9" * 100_000,
    b"Action=" + b"A" * 1_000_000,
    b"Action=%00",
    b"Action=SendMessage&Version=1999-01-01",
    b"Action=SendMessage%",
    b"Action=__class__",
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form[:40]!r} of {len(form)}")
def test_forms_that_were_never_meant_well(target: Target, form: bytes) -> None:
    target.ready()
    target.query(form)
    target.canary.sings()
