"""JSON bodies that the fast decoder refuses: SQS's texts for what is wrong, and what passes all the same."""

import json
import time

import pytest

from stanchion.actions import MessageAttributeValue
from stanchion.errors import MalformedInput
from stanchion.wire.aws_json import AWS_JSON
from unit.wire.requests import REQUEST_ID, decode, json_input, json_request


@pytest.mark.parametrize(
    "body",
    [
        *(b"[1]", b'"x"', b"5", b"null", b"true", b'{"a":', b"{", b"}", b"x", b" ", b"\0", b"{}x", b"{'a':1}"),
        *(
            b'{"MessageBody":"\xff"}',
            b'{"MessageBody":"\xed\xa0\x80"}',
            b"\xef\xbb\xbf{}",
            '{"a":1}'.encode("utf-16"),
        ),
        *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"MessageBody":"a\0b"}', b'{"MessageBody":"a\nb"}'),
        *(b'{"a":' * 100_000, b"[" * 100_000, b'{"MessageBody":' + b"[" * 100_000),
        b'{"DelaySeconds":' + b"9" * 5_000 + b"}",
    ],
    ids=repr,
)
def test_what_is_not_a_json_object_could_not_be_parsed(body):
    with pytest.raises(MalformedInput) as caught:
        json_input("SendMessage", body)
    assert caught.value.message == "Could not parse the request body."
    response = AWS_JSON.encode_error(caught.value, REQUEST_ID)
    assert json.loads(response.body) == {
        "__type": "com.amazon.coral.service#SerializationException",
        "message": "Could not parse the request body.",
    }
    assert ("x-amzn-query-error", "MalformedInput;Sender") in response.headers


STRUCTURE = "Start of structure or map found where not expected."
LIST = "Start of list found where not expected"


@pytest.mark.parametrize(
    ("action", "body", "text"),
    [
        ("SendMessage", {"MessageBody": {}}, STRUCTURE),
        ("SendMessage", {"DelaySeconds": {"a": 1}}, STRUCTURE),
        ("SendMessage", {"MessageBody": []}, LIST),
        ("SendMessage", {"DelaySeconds": [1]}, LIST),
        ("SendMessage", {"DelaySeconds": "abc"}, "STRING_VALUE can not be converted to an Integer"),
        ("SendMessage", {"DelaySeconds": "5"}, "STRING_VALUE can not be converted to an Integer"),
        ("SendMessage", {"DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer"),
        ("SendMessage", {"DelaySeconds": False}, "FALSE_VALUE can not be converted to an Integer"),
        ("SendMessage", {"DelaySeconds": 1.5}, "NUMBER_VALUE can not be converted to an Integer"),
        ("SendMessage", {"MessageBody": 5}, "NUMBER_VALUE can not be converted to a String"),
        ("SendMessage", {"MessageBody": 5.5}, "NUMBER_VALUE can not be converted to a String"),
        ("SendMessage", {"MessageBody": True}, "TRUE_VALUE can not be converted to a String"),
        ("SendMessage", {"MessageAttributes": []}, LIST),
        ("SendMessage", {"MessageAttributes": "x"}, "STRING_VALUE can not be converted to a Map"),
        ("SendMessage", {"MessageAttributes": {"a": []}}, LIST),
        ("SendMessage", {"MessageAttributes": {"a": 1}}, "NUMBER_VALUE can not be converted to a Structure"),
        ("SendMessage", {"MessageAttributes": {"a": {"StringValue": {}}}}, STRUCTURE),
        (
            "SendMessage",
            {"MessageAttributes": {"a": {"StringValue": 1}}},
            "NUMBER_VALUE can not be converted to a String",
        ),
        (
            "SendMessage",
            {"MessageAttributes": {"a": {"BinaryValue": 1}}},
            "NUMBER_VALUE can not be converted to a String",
        ),
        ("SendMessageBatch", {"Entries": {}}, STRUCTURE),
        ("SendMessageBatch", {"Entries": "x"}, "STRING_VALUE can not be converted to a List"),
        ("SendMessageBatch", {"Entries": [[]]}, LIST),
        (
            "SendMessageBatch",
            {"Entries": [{"Id": "a", "DelaySeconds": "1"}]},
            "STRING_VALUE can not be converted to an Integer",
        ),
        ("GetQueueAttributes", {"AttributeNames": "All"}, "STRING_VALUE can not be converted to a List"),
        ("GetQueueAttributes", {"AttributeNames": [1]}, "NUMBER_VALUE can not be converted to a String"),
        ("TagQueue", {"Tags": {"a": 1}}, "NUMBER_VALUE can not be converted to a String"),
        ("TagQueue", {"Tags": {"a": []}}, "Unrecognized collection type class java.lang.String"),
        ("CreateQueue", {"Attributes": {"a": []}}, "Unrecognized collection type class java.lang.String"),
        ("CreateQueue", {"Attributes": {"a": {}}}, STRUCTURE),
        ("CreateQueue", {"Attributes": []}, LIST),
        ("CreateQueue", {"Attributes": 1}, "NUMBER_VALUE can not be converted to a Map"),
        ("CreateQueue", {"tags": {"a": True}}, "TRUE_VALUE can not be converted to a String"),
    ],
)
def test_a_value_of_the_wrong_type_gets_the_text_of_sqs(action, body, text):
    with pytest.raises(MalformedInput) as caught:
        json_input(action, body)
    assert caught.value.message == text


@pytest.mark.parametrize("text", ["YQ", "Y Q==", "Y-==", "é", "YQ==YQ==", "\ud800"])
def test_a_binary_value_that_is_not_base64_is_malformed(text):
    with pytest.raises(MalformedInput):
        json_input("SendMessage", {"MessageAttributes": {"a": {"BinaryValue": text}}})


def test_an_empty_body_is_an_empty_object():
    assert json_input("ListQueues", b"") == json_input("ListQueues", b"{}")


def test_nulls_count_as_absent_everywhere():
    given = json_input(
        "SendMessageBatch",
        {"QueueUrl": None, "Entries": [{"Id": None, "MessageBody": "b", "MessageAttributes": {"a": None}}, None]},
    )
    assert given.queue_url is None
    assert [(entry.id, entry.message_body, entry.message_attributes) for entry in given.entries] == [(None, "b", {})]
    assert json_input("GetQueueAttributes", {"AttributeNames": [None, "All"]}).attribute_names == ["All"]
    assert json_input("CreateQueue", {"Attributes": {"a": None, "b": "1"}}).attributes == {"b": "1"}


@pytest.mark.parametrize("action", ["CreateQueue", "SetQueueAttributes"])
def test_numbers_and_booleans_as_queue_attributes_become_text(action):
    body = {"Attributes": {"a": 5, "b": True, "c": False, "d": 1.5, "e": "5", "f": -(10**30)}}
    expected = {"a": "5", "b": "true", "c": "false", "d": "1.5", "e": "5", "f": str(-(10**30))}
    assert json_input(action, body).attributes == expected


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_half_a_surrogate_pair_comes_through(half):
    given = json_input(
        "SendMessage",
        {"MessageBody": half, "DelaySeconds": 1, "MessageAttributes": {half: {"StringValue": half}}},
    )
    assert (given.message_body, given.delay_seconds) == (half, 1)
    assert given.message_attributes == {half: MessageAttributeValue(string_value=half)}


def test_a_whole_surrogate_pair_is_one_character():
    assert json_input("SendMessage", rb'{"MessageBody":"\ud83d\ude00\u0000"}').message_body == "😀\0"


def test_unknown_members_are_ignored_and_names_are_case_sensitive():
    given = json_input("SendMessage", {"messageBody": "a", "X": {"y": [1, None]}, "MessageBody": "b"})
    assert given.message_body == "b"
    assert json_input("CreateQueue", {"Tags": {"a": "b"}}).create_tags is None
    assert json_input("TagQueue", {"tags": {"a": "b"}}).tags is None


def test_integers_of_any_size_are_integers():
    assert json_input("SendMessage", {"DelaySeconds": 10**400}).delay_seconds == 10**400


def test_the_fast_and_the_slow_way_agree():
    body = {"QueueUrl": "u", "MessageBody": "é", "MessageAttributes": {"a": {"BinaryValue": "AQ=="}}}
    slow = json_input("SendMessage", body | {"MessageSystemAttributes": {"x": None}})
    fast = json_input("SendMessage", body | {"MessageSystemAttributes": {}})
    assert slow == fast


@pytest.mark.parametrize(
    "body",
    [
        b'{"Entries":[' + b"{}," * 1_000_000 + b"[]]}",
        b'{"Entries":[' + b"[]," * 1_000_000 + b"[]]}",
        b'{"QueueUrl":5,"x":[' + b"[]," * 1_000_000 + b"[]]}",
        b'{"Entries":5,"x":' + b"9" * 4_000_000 + b"}",
    ],
    ids=lambda body: body[:20].decode(),
)
def test_a_large_wrong_body_is_refused_without_much_work(body):
    request = json_request("SendMessageBatch", body)
    started = time.process_time()
    with pytest.raises(MalformedInput):
        decode(request)
    assert time.process_time() - started < 1.5
