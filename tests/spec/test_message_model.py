"""What a message is made of: ids, receipt handles, attributes of users and of the system."""

import re
from typing import Any

import pytest

from support.queue_calls import QueueCalls

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def refuses(q: QueueCalls, value: dict[str, Any], text: str | None = None, name: str = "name") -> None:
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageAttributes={name: value})


def comes_back(q: QueueCalls, value: dict[str, Any]) -> None:
    q.send(MessageAttributes={"name": value})
    message = q.receive_one(MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == {"name": value}
    q.delete(message)


# ── Identifiers ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_id_is_a_uuid_and_stays_through_all_receives(q):
    sent = q.send()["MessageId"]
    assert re.fullmatch(UUID, sent)
    assert [q.receive_one(VisibilityTimeout=0)["MessageId"] for _ in range(3)] == [sent] * 3


def test_every_receive_has_a_handle_of_its_own(q):
    q.send()
    handles = {q.receive_one(VisibilityTimeout=0)["ReceiptHandle"] for _ in range(5)}
    assert len(handles) == 5
    assert all(len(handle) <= 1024 for handle in handles)


def test_a_standard_message_has_no_sequence_number_even_if_asked_for(q):
    q.send()
    message = q.receive_one(MessageSystemAttributeNames=["SequenceNumber", "AWSTraceHeader", "MessageGroupId"])
    assert "Attributes" not in message


# ── System attributes ────────────────────────────────────────────────────────────────────────────────────


def test_times_are_milliseconds_and_counts_count_this_receive(q, server):
    sent_at = server.clock.now_ms()
    q.send()
    server.advance(1.234)
    received_at = server.clock.now_ms()
    for count in (1, 2, 3):
        assert q.receive_one(VisibilityTimeout=0)["Attributes"] == {
            "SenderId": q.account,
            "SentTimestamp": str(sent_at),
            "ApproximateReceiveCount": str(count),
            "ApproximateFirstReceiveTimestamp": str(received_at),
        }
        server.advance(1)


@pytest.mark.parametrize(
    "name", ["SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"]
)
def test_system_attributes_can_be_asked_for_one_by_one(q, name):
    q.send()
    for member in ("AttributeNames", "MessageSystemAttributeNames"):
        (message,) = q("ReceiveMessage", VisibilityTimeout=0, **{member: [name]})["Messages"]
        assert set(message["Attributes"]) == {name}


# ── User attributes: how many, which types ───────────────────────────────────────────────────────────────


def test_a_message_has_at_most_10_attributes(q):
    eleven = {f"name{n}": string("x") for n in range(11)}
    text = "Number of message attributes [11] exceeds the allowed maximum [10]."
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageAttributes=eleven)
    del eleven["name10"]
    q.send(MessageAttributes=eleven)


def test_a_bad_attribute_in_a_batch_fails_its_entry(q):
    result = q.send_batch(
        {"MessageBody": "good", "MessageAttributes": {"name": string("x")}},
        {"MessageBody": "bad", "MessageAttributes": {"name": string("")}},
    )
    assert [entry["Id"] for entry in result["Successful"]] == ["1"]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in result["Failed"]] == [
        ("2", "InvalidParameterValue", True)
    ]


@pytest.mark.parametrize("given", [{}, {"DataType": ""}], ids=["absent", "empty"])
def test_an_attribute_needs_a_type(q, given):
    text = "The message (user) attribute 'name' must contain a non-empty message attribute type."
    refuses(q, {"StringValue": "x"} | given, text)


@pytest.mark.parametrize("data_type", ["string", "Text", "Strings", "Boolean", "StringX.label", "List"])
def test_types_begin_with_string_number_or_binary(q, data_type):
    text = (
        "The type of message (user) attribute 'name' is invalid. You must use only the following supported type "
        "prefixes: Binary, Number, String."
    )
    refuses(q, {"DataType": data_type, "StringValue": "x"}, text)


@pytest.mark.parametrize("data_type", ["String.label", "Number.int", "String.a.b c ü", "Number.java.lang.Long"])
def test_a_type_may_have_a_label_which_comes_back(q, data_type):
    comes_back(q, {"DataType": data_type, "StringValue": "17"})


def test_a_binary_type_may_have_a_label_too(q):
    comes_back(q, {"DataType": "Binary.png", "BinaryValue": "AQID"})


def test_a_type_has_at_most_256_characters(q):
    comes_back(q, {"DataType": "String." + "x" * 249, "StringValue": "x"})
    text = "Message (user) attribute type must be shorter than 256 bytes."
    refuses(q, {"DataType": "String." + "x" * 250, "StringValue": "x"}, text)


# ── User attributes: values ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("String", {}),
        ("String", {"StringValue": ""}),
        ("Number", {}),
        ("Number", {"StringValue": ""}),
        ("Binary", {}),
        ("Binary", {"BinaryValue": ""}),
    ],
)
def test_an_attribute_needs_a_value(q, data_type, value):
    text = f"Message (user) attribute 'name' must contain a non-empty value of type '{data_type}'."
    refuses(q, {"DataType": data_type} | value, text)


def test_an_attribute_has_one_value(q):
    text = "Message (user) attribute 'name' must have a single value."
    refuses(q, {"DataType": "String", "StringValue": "x", "BinaryValue": "AQID"}, text)


@pytest.mark.parametrize("data_type", ["String", "Number"])
def test_texts_and_numbers_come_as_string_values(q, data_type):
    text = f"Message (user) attribute 'name' with type '{data_type}' must use field 'String'."
    refuses(q, {"DataType": data_type, "BinaryValue": "AQID"}, text)


def test_binaries_come_as_binary_values(q):
    text = "Message (user) attribute 'name' with type 'Binary' must use field 'Binary'."
    refuses(q, {"DataType": "Binary", "StringValue": "x"}, text)


@pytest.mark.parametrize("value", ["\u0001", "a\uffff"])
def test_a_string_value_has_the_characters_of_a_body(q, value):
    text = (
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
        "#xE000 to #xFFFD | #x10000 to #x10FFFF"
    )
    refuses(q, string(value), text)


@pytest.mark.parametrize("value", [" ", "a\r\n\tb", "<&\">'", "Grüße 🦀"])
def test_a_string_value_comes_back_as_it_was_sent(q, value):
    comes_back(q, string(value))


@pytest.mark.parametrize(
    "value", ["0", "-1", "+1", "007", "1.50", ".5", "1e10", "-1.5E-10", "9" * 38, "1e126", "1e-128", "1.0"]
)
def test_a_number_comes_back_as_it_was_written(q, value):
    comes_back(q, {"DataType": "Number", "StringValue": value})


@pytest.mark.parametrize("value", ["x", "1,5", "0x10", "1 000", "--1", "NaN", "Infinity", "1e", " 1", "1_000", "٣"])
def test_what_is_no_number_is_refused(q, value):
    text = "Can't cast the value of message (user) attribute 'name' to a number."
    refuses(q, {"DataType": "Number", "StringValue": value}, text)


@pytest.mark.parametrize("value", ["1e127", "1e-129", "1" * 39])
def test_a_number_stays_within_its_range(q, value):
    refuses(q, {"DataType": "Number", "StringValue": value})


@pytest.mark.parametrize("value", ["AA==", "AQID", "/+8=", "DQoJAAH/"])
def test_a_binary_value_comes_back_as_it_was_sent(q, value):
    comes_back(q, {"DataType": "Binary", "BinaryValue": value})


@pytest.mark.parametrize("value", ["not base64!", "AQI", "AQID\n"])
def test_a_binary_value_is_base64(q, value):
    attributes = {"name": {"DataType": "Binary", "BinaryValue": value}}
    q.refuses("SendMessage", "MalformedInput", MessageBody="b", MessageAttributes=attributes)


# ── System attributes on send ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"DataType": "String"},
            "Message system attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.",
        ),
        (
            {"StringValue": "x"},
            "The message system attribute 'AWSTraceHeader' must contain a non-empty message attribute type.",
        ),
    ],
)
def test_errors_of_a_system_attribute_say_system(q, value, text):
    given = {"MessageBody": "b", "MessageSystemAttributes": {"AWSTraceHeader": value}}
    q.refuses("SendMessage", "InvalidParameterValue", text, **given)


def test_a_trace_header_is_not_looked_into(q):
    q.send(MessageSystemAttributes={"AWSTraceHeader": string("anything at all")})
    assert q.receive_one()["Attributes"]["AWSTraceHeader"] == "anything at all"
