"""What the tutorial does not show: attributes, batches, permissions, dead letters, files, errors."""

import io
import json
from pathlib import Path

import pytest

from stanchion.client import (
    BotoClientError,
    EncodedMHMessage,
    JSONMessage,
    Message,
    MHMessage,
    RawMessage,
    RegionInfo,
    SQSConnection,
    SQSDecodeError,
    SQSError,
    connect_sqs,
    connect_to_region,
    regions,
)
from support.in_process import InProcessServer


def test_attributes_are_read_and_set(conn: SQSConnection) -> None:
    q = conn.create_queue("q", attributes={"DelaySeconds": "0"})
    assert q.set_timeout(45)
    assert q.set_attribute("ReceiveMessageWaitTimeSeconds", 3)
    shown = q.get_attributes()
    assert (shown["VisibilityTimeout"], shown["ReceiveMessageWaitTimeSeconds"]) == ("45", "3")
    assert conn.get_queue_attributes(q, "VisibilityTimeout") == {"VisibilityTimeout": "45"}
    assert conn.set_queue_attribute(q, "VisibilityTimeout", "50")
    assert q.get_timeout() == 50
    assert q.arn == "arn:aws:sqs:us-east-1:000000000000:q"
    assert (q.name, q.id) == ("q", "/000000000000/q")


def test_batches_of_any_length_are_sent_and_what_fails_is_told(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    results = q.write_batch((str(number), f"text {number}", 0) for number in range(25))
    assert (results.status, len(results.results)) == (True, 25)
    assert q.count() == 25
    results = q.write_batch([("good", Message(body="encoded"), 0), ("bad", "x", 901)])
    assert [each["id"] for each in results.results] == ["good"]
    (error,) = results.errors
    assert (error["id"], error["error_code"], results.status) == ("bad", "InvalidParameterValue", False)


def test_ids_of_a_batch_must_differ(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    with pytest.raises(ValueError, match="messages: the id 1 is there twice"):
        q.write_batch([("1", "a", 0), ("1", "b", 0)])
    with pytest.raises(ValueError, match="messages: an entry is"):
        q.write_batch([("1",)])


def test_large_messages_are_sent_in_calls_of_a_mebibyte(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    assert q.write_batch([(str(number), "x" * 400_000, 0) for number in range(5)]).status
    assert q.count() == 5


def test_messages_are_deleted_and_hidden_in_batches(conn: SQSConnection, server: InProcessServer) -> None:
    q = conn.create_queue("q")
    q.write_batch([(str(number), "x", 0) for number in range(3)])
    one, two, three = q.get_messages(10)
    assert q.delete_message_batch([one, two]).status
    assert q.change_message_visibility_batch([(three, 0)]).status
    (again,) = q.get_messages(10)
    assert again.change_visibility(100)
    server.advance(99)
    assert q.read() is None
    assert conn.delete_message_from_handle(q, again.receipt_handle)


def test_a_message_has_its_attributes(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    q.set_message_class(RawMessage)
    message = q.new_message("x")
    message.message_attributes = {
        "name": {"data_type": "String", "string_value": "Ann"},
        "raw": {"data_type": "Binary", "binary_value": "/w=="},
    }
    q.write(message)
    (found,) = q.get_messages(attributes="All", message_attributes=["All"])
    assert found.message_attributes == message.message_attributes
    assert found.attributes["ApproximateReceiveCount"] == "1"
    assert (found.id, found.md5) == (message.id, message.md5)


def test_fifo_queues_take_groups(conn: SQSConnection) -> None:
    q = conn.create_queue("q.fifo", attributes={"FifoQueue": "true"})
    first = q.write("one", group="g", deduplication_id="1")
    again = q.write("one", group="g", deduplication_id="1")
    assert first.sequence_number == again.sequence_number
    assert first.sequence_number is not None
    assert [m.get_body() for m in q.get_messages(10)] == ["one"]


def test_permissions_and_dead_letter_sources(conn: SQSConnection) -> None:
    dead, q = conn.create_queue("dead"), conn.create_queue("q")
    assert q.add_permission("label", "123456789012", "SendMessage")
    assert "label" in q.get_attributes("Policy")["Policy"]
    assert q.remove_permission("label")
    q.set_attribute("RedrivePolicy", json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}))
    assert conn.get_dead_letter_source_queues(dead) == [q]


def test_iterating_a_queue_reads_what_is_there(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    q.write_batch([(str(number), Message(body=str(number)), 0) for number in range(15)])
    assert sorted(int(m.get_body()) for m in q) == list(range(15))
    assert q.purge()


def test_messages_are_saved_and_loaded(conn: SQSConnection, tmp_path: Path) -> None:
    q = conn.create_queue("q")
    for body in ("one", "two\r\nlines", "ü"):
        q.write(body)
    file = tmp_path / "bodies"
    assert q.save(file, sep="\x1e") == 3
    assert q.count() == 0
    assert q.load(file, sep="\x1e") == 3
    assert sorted(m.get_body() for m in q) == sorted(["one", "two\r\nlines", "ü"])
    with pytest.raises(BotoClientError, match="Cannot open"):
        q.load(tmp_path / "absent")
    with pytest.raises(ValueError, match="sep is empty"):
        q.load_from_file(io.StringIO("x"), sep="")


# ── Classes of messages ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("message", "encoded"),
    [
        (RawMessage(body="text"), "text"),
        (Message(body="text"), "dGV4dA=="),
        (MHMessage(body={"a": "1", "b": "two"}), "a: 1\nb: two\n"),
        (EncodedMHMessage(body={"a": "1"}), "YTogMQo="),
        (JSONMessage(body={"a": [1]}), "eyJhIjogWzFdfQ=="),
    ],
)
def test_a_body_is_written_and_read_by_its_class(message: RawMessage, encoded: str) -> None:
    assert message.get_body_encoded() == encoded
    assert message.decode(encoded) == message.get_body()
    assert len(message) == len(encoded)


def test_what_is_no_base64_is_read_as_it_is() -> None:
    assert Message().decode("plain text!") == "plain text!"
    assert Message().decode("test") == "test"  # it is Base64, but of no text
    assert Message(body=b"\xff\x00").get_body_encoded() == "/wA="


def test_header_lines_are_used_like_a_dictionary() -> None:
    message = MHMessage()
    message["subject"] = "hello"
    message.update({"from": "Ann"})
    assert ("subject" in message, message.has_key("to"), message.get("to", "-")) == (True, False, "-")
    assert sorted(message) == sorted(message.keys()) == ["from", "subject"]
    assert dict(message.items()) == {"subject": "hello", "from": "Ann"}


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (MHMessage, "no colon here", "not of the form name: value"),
        (JSONMessage, "%%%", "not in Base64"),
        (JSONMessage, "/w==", "no UTF-8"),
        (JSONMessage, "bm8=", "no JSON"),
    ],
)
def test_a_body_that_is_something_else_is_told_with_its_message(
    conn: SQSConnection, kind: type[RawMessage], text: str, reason: str
) -> None:
    q = conn.create_queue("q")
    sent = conn.send_message(q, text)
    q.set_message_class(kind)
    with pytest.raises(SQSDecodeError, match=reason) as problem:
        q.read()
    assert str(sent.id) in str(problem.value)
    assert problem.value.message.id == sent.id


def test_a_message_that_was_not_read_cannot_be_deleted(conn: SQSConnection) -> None:
    with pytest.raises(ValueError, match="was not read from a queue"):
        Message(body="x").delete()
    with pytest.raises(ValueError, match="message has no receipt handle"):
        conn.create_queue("q").delete_message(Message(body="x"))


# ── Connections ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_service_refuses_has_its_code(conn: SQSConnection) -> None:
    with pytest.raises(SQSError) as problem:
        conn.create_queue("not a name")
    error = problem.value
    assert (error.status, error.error_code, error.code) == (400, "InvalidParameterValue", "InvalidParameterValue")
    assert "alphanumeric" in error.error_message
    assert error.request_id
    q = conn.create_queue("q")
    q.delete()
    with pytest.raises(SQSError, match="NonExistentQueue"):
        q.count()


def test_a_server_that_is_away_is_one_line() -> None:
    conn = connect_sqs("key", "secret", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(BotoClientError, match="Could not connect to the endpoint URL") as problem:
        conn.get_all_queues()
    assert "\n" not in str(problem.value)


def test_half_a_pair_of_keys_is_told() -> None:
    with pytest.raises(ValueError, match="aws_secret_access_key is missing"):
        connect_sqs("key")


def test_an_endpoint_is_given_as_boto_did(server: InProcessServer) -> None:
    port = int(server.url.rpartition(":")[2])
    region = RegionInfo(name="eu-west-1", endpoint="127.0.0.1")
    for conn in (
        connect_sqs("key", "secret", port=port, is_secure=False, region=region),
        SQSConnection("key", "secret", False, port, region=region),
        region.connect(aws_access_key_id="key", aws_secret_access_key="secret", port=port, is_secure=False),
    ):
        assert (conn.get_all_queues(), conn.region.name) == ([], "eu-west-1")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"port": 9324}, "port and is_secure say nothing without a host: give endpoint_url"),
        ({"endpoint_url": "127.0.0.1:9324"}, "endpoint_url must begin with http:// or https://"),
        ({"region": 7}, "region must be the name of a region or a RegionInfo, not 7"),
        ({"endpoint": "http://x"}, "endpoint is no argument of a connection: there are proxy, "),
        ({"debug": 2}, "debug is no argument of a connection: leave it out"),
        ({"profile_name": "nobody"}, "The config profile .nobody. could not be found"),
    ],
)
def test_a_wrong_argument_of_a_connection_is_told_with_the_cure(arguments: dict[str, object], text: str) -> None:
    with pytest.raises((TypeError, ValueError, BotoClientError), match=text) as problem:
        connect_sqs("key", "secret", **arguments)
    assert "\n" not in str(problem.value)


def test_a_wrong_argument_of_a_method_is_told_with_the_cure(conn: SQSConnection) -> None:
    q = conn.create_queue("q")
    with pytest.raises(ValueError, match="visibility_timeout must be a whole number, not 'long'"):
        q.read("long")
    with pytest.raises(ValueError, match="delay_seconds must be a whole number"):
        q.write("x", delay_seconds="soon")
    with pytest.raises(TypeError, match="queue must be a Queue, not None; lookup answers None"):
        conn.delete_queue(conn.lookup("absent"))
    with pytest.raises(TypeError, match="message_class must be a class such as RawMessage"):
        q.set_message_class(RawMessage())
    with pytest.raises(ValueError, match="binary_value of x must be bytes or Base64"):
        conn.send_message(q, "x", message_attributes={"x": {"data_type": "Binary", "binary_value": "ä"}})
    with pytest.raises(ValueError, match="Invalid type for parameter QueueName"):
        conn.create_queue(7)
    assert q.read("60") is None  # numbers may be texts, as with boto


def test_a_proxy_is_asked_as_boto_did(server: InProcessServer) -> None:
    """A server that knows nothing of proxies refuses, and so shows that it was asked."""
    port = int(server.url.rpartition(":")[2])
    conn = connect_sqs(
        "key", "secret", endpoint_url="http://elsewhere.invalid", proxy="127.0.0.1", proxy_port=port, proxy_user="me"
    )
    assert conn.get_all_queues() == []  # the request came through: it would not have found elsewhere.invalid


def test_regions_are_known_and_connected_to() -> None:
    assert "ap-southeast-2" in [region.name for region in regions()]
    assert connect_to_region("ap-southeast-2").endpoint_url == "https://sqs.ap-southeast-2.amazonaws.com"
