"""The same over HTTP, for suites in other languages: a server of `stanchion serve --test-clock`."""

import http.client
import json
import subprocess
import sys
import time
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import boto3
import pytest

from stanchion.clock import SystemClock
from stanchion.settings import SettingsError, load
from support.server_process import ServerProcess, clean_environment
from support.signing import signer
from testing.helpers import bodies

ACCOUNT = "000000000000"
CREDENTIALS = "[default]\naws_access_key_id = AKIATESTS\naws_secret_access_key = secret\n"


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes

    @property
    def json(self) -> Any:
        assert self.kind.startswith("application/json"), self
        return json.loads(self.body)


def ask(url, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    encoded = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        connection.request(method, path, encoded, given)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get("Content-Type", ""), response.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ServerProcess(tmp_path_factory.mktemp("server"), "--test-clock") as process:
        yield process


@pytest.fixture
def url(server):
    yield server.url
    assert ask(server.url, "POST", "/_stanchion/reset").status == 200


@pytest.fixture
def client(url, clients):
    made = client_of(clients, url)
    yield made
    made.close()


def client_of(clients, url, key="test", secret="test", **more):
    return clients.client(
        "sqs", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret, **more
    )


@pytest.fixture
def orders(client):
    return client.create_queue(QueueName="orders")["QueueUrl"]


# Clock and reset


def test_the_clock_turns_over_http(url, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    assert bodies(client.receive_message(QueueUrl=orders, VisibilityTimeout=43_200)) == ["1"]
    before = ask(url, "GET", "/_stanchion/clock").json
    assert before["ahead_seconds"] == 0
    after = ask(url, "POST", "/_stanchion/clock", {"advance_seconds": 43_200}).json
    assert 43_200 <= after["ahead_seconds"] < 43_201
    assert 43_200_000 <= after["now_ms"] - before["now_ms"] < 43_260_000
    assert datetime.fromisoformat(after["now"]).timestamp() * 1000 == pytest.approx(after["now_ms"], abs=1)
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]


@pytest.mark.parametrize("moment", ["2050-01-01T00:00:00Z", "2050-01-01T00:00:00.5+00:00", "2050-01-01T02:00+02:00"])
def test_the_clock_is_set_over_http(url, moment):
    assert ask(url, "POST", "/_stanchion/clock", {"set": moment}).json["now"].startswith("2050-01-01T00:00:0")


def test_a_reset_leaves_nothing(url, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    ask(url, "POST", "/_stanchion/faults", {"queue": "other", "error": 1})
    ask(url, "POST", "/_stanchion/clock", {"advance_seconds": 60})
    assert ask(url, "POST", "/_stanchion/reset").json["ahead_seconds"] == 0
    assert "QueueUrls" not in client.list_queues()
    assert ask(url, "GET", "/_stanchion/journal").json == {"events": []}
    assert ask(url, "GET", "/_stanchion/faults").json == {"rules": []}
    client.create_queue(QueueName="orders")


# Journal and faults


def test_the_journal_is_read_over_http(url, client, orders):
    other = client.create_queue(QueueName="other")["QueueUrl"]
    client.send_message(QueueUrl=other, MessageBody="elsewhere")
    sent = client.send_message(QueueUrl=orders, MessageBody="1")["MessageId"]
    client.receive_message(QueueUrl=orders)
    events = ask(url, "GET", f"/_stanchion/journal?QueueUrl={quote(orders, safe='')}").json["events"]
    times = [event.pop("at_ms") for event in events]
    due = events[1].pop("due_at_ms")
    assert due - times[1] == pytest.approx(30_000, abs=2_000)
    common = {"queue": "orders", "account": ACCOUNT, "message_id": sent}
    assert events == [
        {"what": "sent", "receives": 0, "body": "1", **common},
        {"what": "received", "receives": 1, **common},
    ]
    assert len(ask(url, "GET", f"/_stanchion/journal?MessageId={sent}").json["events"]) == 2
    assert len(ask(url, "GET", "/_stanchion/journal").json["events"]) == 3


def test_faults_are_put_into_force_and_ended_over_http(url, client, orders):
    faults = {"queue": "orders", "duplicate": 1, "seed": 7}
    number = ask(url, "POST", "/_stanchion/faults", faults).json["id"]
    client.send_message(QueueUrl=orders, MessageBody="1")
    for _ in range(2):
        assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]
    (rule,) = ask(url, "GET", "/_stanchion/faults").json["rules"]
    assert (rule["id"], rule["struck"], rule["faults"]["seed"]) == (number, {"duplicate": 1}, 7)
    ask(url, "POST", "/_stanchion/faults", {"throttle": 1})
    assert len(ask(url, "DELETE", f"/_stanchion/faults?id={number}").json["rules"]) == 1
    assert ask(url, "DELETE", "/_stanchion/faults").json == {"rules": []}
    client.list_queues()


# A look at messages


def test_messages_are_seen_in_the_form_of_emulators(url, client, orders):
    path = f"/_aws/sqs/messages?QueueUrl={quote(orders, safe='')}"
    assert ask(url, "GET", path, Accept="application/json").json["ReceiveMessageResponse"][
        "ReceiveMessageResult"
    ] is None  # fmt: skip
    sent = client.send_message(
        QueueUrl=orders,
        MessageBody="1",
        MessageAttributes={
            "color": {"DataType": "String", "StringValue": "red"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    )
    message = ask(url, "GET", path, Accept="application/json").json["ReceiveMessageResponse"]["ReceiveMessageResult"][
        "Message"
    ]
    attributes = {each["Name"]: each["Value"] for each in message.pop("Attribute")}
    assert abs(int(attributes.pop("SentTimestamp")) / 1000 - time.time()) < 60
    assert attributes == {
        "SenderId": ACCOUNT,
        "ApproximateReceiveCount": "0",
        "ApproximateFirstReceiveTimestamp": "0",
    }
    assert message == {
        "MessageId": sent["MessageId"],
        "MD5OfBody": sent["MD5OfMessageBody"],
        "Body": "1",
        "ReceiptHandle": "SQS/BACKDOOR/ACCESS",
        "MD5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "MessageAttribute": [
            {"Name": "color", "Value": {"StringValue": "red", "DataType": "String"}},
            {"Name": "raw", "Value": {"BinaryValue": "AA==", "DataType": "Binary"}},
        ],
    }
    client.send_message(QueueUrl=orders, MessageBody="2")
    two = ask(url, "GET", path, Accept="application/json").json["ReceiveMessageResponse"]["ReceiveMessageResult"]
    assert [each["Body"] for each in two["Message"]] == ["1", "2"]


@pytest.mark.parametrize("path", ["?QueueUrl={url}", "?Action=ReceiveMessage&QueueUrl={url}", "/us-east-1/{key}"])
def test_messages_are_seen_as_xml(url, client, orders, path):
    client.send_message(QueueUrl=orders, MessageBody="a < b")
    path = path.format(url=quote(orders, safe=""), key=f"{ACCOUNT}/orders")
    answer = ask(url, "GET", f"/_aws/sqs/messages{path}")
    assert (answer.status, answer.kind) == (200, "text/xml")
    root = ElementTree.fromstring(answer.body)
    assert [each.text for each in root.iter("{http://queue.amazonaws.com/doc/2012-11-05/}Body")] == ["a < b"]


def test_an_sdk_sees_messages_through_that_address(url, client, orders, clients):
    for number in range(3):
        client.send_message(QueueUrl=orders, MessageBody=str(number))
    looking = client_of(clients, f"{url}/_aws/sqs/messages")
    assert bodies(looking.receive_message(QueueUrl=orders)) == ["0", "1", "2"]
    with pytest.raises(looking.exceptions.ClientError, match="only shows messages"):
        looking.send_message(QueueUrl=orders, MessageBody="no")
    looking.close()


def test_looking_changes_nothing_and_shows_hidden_messages_on_demand(url, client, orders):
    for number, delay in enumerate((0, 0, 900)):
        client.send_message(QueueUrl=orders, MessageBody=str(number), DelaySeconds=delay)
    client.receive_message(QueueUrl=orders)

    def seen(more=""):
        path = f"/_aws/sqs/messages?QueueUrl={quote(orders, safe='')}{more}"
        root = ElementTree.fromstring(ask(url, "GET", path).body)
        return [each.text for each in root.iter("{http://queue.amazonaws.com/doc/2012-11-05/}Body")]

    assert seen() == ["1"]
    assert seen("&ShowInvisible=true") == ["0", "1"]
    assert seen("&ShowDelayed=true") == ["1", "2"]
    assert seen("&ShowInvisible=true&ShowDelayed=true") == ["0", "1", "2"]
    message = client.receive_message(QueueUrl=orders, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("1", "1")


@pytest.mark.parametrize("path", ["?QueueUrl=http://127.0.0.1/000000000000/absent", "/us-east-1/000000000000/absent"])
def test_looking_into_a_queue_that_is_not_there_is_an_error_of_sqs(url, path):
    answer = ask(url, "GET", f"/_aws/sqs/messages{path}")
    assert answer.status == 400
    assert b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in answer.body


def test_many_messages_are_all_seen(url, client, orders):
    for start in range(0, 450, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(start, start + 10)]
        client.send_message_batch(QueueUrl=orders, Entries=entries)
    path = f"/_aws/sqs/messages?QueueUrl={quote(orders, safe='')}"
    result = ask(url, "GET", path, Accept="application/json").json["ReceiveMessageResponse"]["ReceiveMessageResult"]
    assert [each["Body"] for each in result["Message"]] == [str(number) for number in range(450)]


# Mistakes


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "clock", {"advance_seconds": -5}, 400, "the clock only turns forward, not by -5 seconds"),
        ("POST", "clock", {"advance": 5}, 400, "unknown field `advance`"),
        (
            "POST",
            "clock",
            {"advance_seconds": "5"},
            400,
            "Expected `float | null`, got `str` - at `$.advance_seconds`",
        ),
        ("POST", "clock", {}, 400, 'give either {"advance_seconds": 60} or {"set": "2030-01-01T00:00:00Z"}'),
        ("POST", "clock", {"advance_seconds": 1, "set": "2050-01-01T00:00:00Z"}, 400, "give either"),
        ("POST", "clock", {"set": "tomorrow"}, 400, "'tomorrow' is no moment"),
        ("POST", "clock", {"set": "2050-01-01T00:00:00"}, 400, "has no timezone"),
        ("POST", "clock", {"set": "2020-01-01T00:00:00Z"}, 400, "the clock only turns forward"),
        ("POST", "clock", b"", 400, "the body is not what is wanted: "),
        ("POST", "clock", b"\xff", 400, "the body is not what is wanted: "),
        ("POST", "clock", b'{"advance_seconds": 1e400}', 400, ""),
        ("POST", "faults", {"duplicate": 2}, 400, "duplicate is a chance, and 2 is none"),
        ("POST", "faults", {"duplicates": 1}, 400, "unknown field `duplicates`"),
        ("DELETE", "faults?id=one", None, 400, "id 'one' is no number"),
        ("DELETE", "faults?number=1", None, 400, "/_stanchion/faults has no parameter number; it has id"),
        ("GET", "journal?Queue=orders", None, 400, "has no parameter Queue; it has QueueUrl, MessageId"),
        ("GET", "journal?QueueUrl=/x", None, 404, "The address"),
        ("GET", "reset", None, 405, "/_stanchion/reset takes POST"),
        ("GET", "time", None, 404, "there is no /_stanchion/time; there are /_stanchion/clock, "),
        ("GET", "", None, 404, "there is no /_stanchion/; there are "),
    ],
)
def test_a_mistake_is_told_in_one_line(url, method, path, body, status, text):
    answer = ask(url, method, f"/_stanchion/{path}", body)
    assert answer.status == status
    assert text in answer.json["error"]
    assert "\n" not in answer.json["error"]


# Who may


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"X_Forwarded_For": "203.0.113.9"},
        {"X_Forwarded_For": "127.0.0.1"},
    ],
)
@pytest.mark.parametrize("path", ["/_stanchion/reset", "/_aws/sqs/messages?QueueUrl=/000000000000/orders"])
def test_pages_of_others_and_clients_of_a_proxy_stay_out(url, headers, path):
    answer = ask(url, "POST" if "reset" in path else "GET", path, **headers)
    assert answer.status == 403


def test_others_than_this_machine_have_to_sign(tmp_path):
    (tmp_path / "keys").write_text(CREDENTIALS)
    flags = ("--test-clock", "--credentials", "keys", "--trusted-proxies", "127.0.0.1", "--store", "memory")
    with ServerProcess(tmp_path, *flags) as server:
        elsewhere = {"X-Forwarded-For": "203.0.113.9"}
        path = "/_stanchion/clock"

        def turn(headers):
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
            connection.request("POST", path, b'{"advance_seconds": 43200}', headers)
            status = connection.getresponse().status
            connection.close()
            return status

        assert turn({}) == 200
        assert turn(elsewhere) == 403
        # Signatures carry the wall clock's time, and are checked against it, whatever the server's clock says.
        sign = signer(server.url, SystemClock(), "AKIATESTS", "secret")
        host = {"Host": urlsplit(server.url).netloc}
        assert turn(sign("POST", path, b'{"advance_seconds": 43200}', host) | elsewhere) == 200
        forged = signer(server.url, SystemClock(), "AKIATESTS", "guessed")
        assert turn(forged("POST", path, b'{"advance_seconds": 43200}', host) | elsewhere) == 403
        client = client_of(boto3, server.url, "AKIATESTS", "secret")
        client.create_queue(QueueName="orders")
        client.close()


# Only on a server for tests


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    with ServerProcess(tmp_path_factory.mktemp("usual"), "--store", "memory") as process:
        yield process.url


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stanchion/clock"),
        ("GET", "/_stanchion/journal"),
        ("GET", "/_stanchion/faults"),
        ("DELETE", "/_stanchion/faults"),
        ("GET", "/_aws/sqs/messages?QueueUrl=/000000000000/orders"),
    ],
)
def test_a_server_that_is_not_for_tests_knows_nothing_of_it(usual, method, path):
    answer = ask(usual, method, path)
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


@pytest.mark.parametrize("path", ["/_stanchion/reset", "/_stanchion/clock", "/_stanchion/faults"])
def test_a_server_that_is_not_for_tests_takes_a_post_for_a_call_without_action(usual, path):
    answer = ask(usual, "POST", path)
    assert answer.status == 400
    assert b"<Code>MissingAction</Code>" in answer.body


def test_a_server_that_is_not_for_tests_does_not_load_the_kit():
    program = (
        "import sys, stanchion.cli.main, stanchion.app; print([m for m in sys.modules if 'stanchion.testing' in m])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# How it is started


def test_a_server_with_a_test_clock_says_so_and_keeps_its_queues_in_memory(server):
    assert any(line.split()[:3] == ["Test", "clock", "on"] for line in server.output)
    assert any(line.split()[:2] == ["Store", "memory"] for line in server.output)
    assert not list(server.folder.glob("*.db"))


@pytest.mark.parametrize("named", [("--store", "sqlite:kept.db"), ("--store", "sqlite:stanchion.db")])
def test_a_test_clock_with_a_file_is_refused(tmp_path, named):
    command = [sys.executable, "-m", "stanchion", "serve", "--port", "0", "--no-console", "--test-clock", *named]
    ran = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert ran.returncode == 1
    assert ran.stderr == (
        f"stanchion: test-clock, from --test-clock: with time turned, messages of {named[1]} would expire; "
        "give --store memory\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flags", [{}, {"store": "memory"}])
def test_a_test_clock_may_be_asked_for_in_the_file(tmp_path, flags):
    (tmp_path / "stanchion.toml").write_text("test-clock = true\n")
    settings = load(flags, {}, folder=tmp_path)
    assert (settings.test_clock, settings.store) == (True, "memory")
    with pytest.raises(SettingsError, match=r"stanchion\.toml: with time turned, messages of sqlite:x would expire"):
        load({}, {"STANCHION_STORE": "sqlite:x"}, folder=tmp_path)
