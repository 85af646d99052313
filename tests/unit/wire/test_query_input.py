"""Form parameters: forms of today, forms of old clients, and nonsense."""

import time

import pytest

from stanchion.actions import DeleteMessageEntry, MessageAttributeValue, SendMessageEntry
from stanchion.errors import MalformedInput, MissingParameter
from stanchion.wire import HttpRequest
from unit.wire.requests import QUEUE_PATH, decode, form_request, get_request, query_input

BATCHES = ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]


def test_boto_2_asks_for_attributes_without_an_index():
    call = decode(get_request("Action=GetQueueAttributes&AttributeName=All&Version=2012-11-05", path=QUEUE_PATH))
    assert call.input.attribute_names == ["All"]


def test_boto_2_sets_an_attribute_without_an_index():
    given = query_input("SetQueueAttributes", "Attribute.Name=VisibilityTimeout&Attribute.Value=45")
    assert given.attributes == {"VisibilityTimeout": "45"}


def test_boto_2_adds_a_permission_without_indices():
    given = query_input("AddPermission", "Label=l&AWSAccountId=111111111111&ActionName=SendMessage")
    assert (given.aws_account_ids, given.actions) == (["111111111111"], ["SendMessage"])


def test_boto_2_gives_a_list_value_without_an_inner_index():
    prefix = "MessageAttribute.1.Value"
    given = query_input(
        "SendMessage",
        f"MessageBody=b&MessageAttribute.1.Name=n&{prefix}.DataType=String&{prefix}.StringListValue=x",
    )
    assert given.message_attributes == {"n": MessageAttributeValue(data_type="String", string_list_values=["x"])}


def test_list_values_have_an_inner_index():
    prefix = "MessageAttribute.1.Value"
    given = query_input(
        "SendMessage",
        f"MessageAttribute.1.Name=n&{prefix}.StringListValue.2=y&{prefix}.StringListValue.1=x"
        f"&{prefix}.BinaryListValue.1=AQ==",
    )
    value = MessageAttributeValue(string_list_values=["x", "y"], binary_list_values=[b"\x01"])
    assert given.message_attributes == {"n": value}


@pytest.mark.parametrize("action", BATCHES)
def test_botocore_spells_an_empty_batch_as_entries_without_a_value(action):
    assert query_input(action, "Entries=").entries == []


@pytest.mark.parametrize("action", BATCHES)
def test_a_batch_without_entries_has_none(action):
    assert query_input(action, "").entries is None


def test_other_empty_lists_and_maps_have_the_same_spelling():
    assert query_input("GetQueueAttributes", "AttributeNames=").attribute_names == []
    assert query_input("UntagQueue", "TagKeys=").tag_keys == []
    assert query_input("TagQueue", "Tags=").tags == {}


def test_the_name_of_a_list_with_an_empty_value_is_one_empty_element():
    assert query_input("GetQueueAttributes", "AttributeName=").attribute_names == [""]


def test_create_queue_knows_the_visibility_timeout_by_its_old_name():
    given = query_input("CreateQueue", "QueueName=q&DefaultVisibilityTimeout=45")
    assert given.attributes == {"VisibilityTimeout": "45"}


def test_the_attribute_wins_over_its_old_name():
    given = query_input(
        "CreateQueue",
        "DefaultVisibilityTimeout=45&Attribute.Name=VisibilityTimeout&Attribute.Value=7"
        "&Attribute.2.Name=DelaySeconds&Attribute.2.Value=1",
    )
    assert given.attributes == {"VisibilityTimeout": "7", "DelaySeconds": "1"}


def test_indices_count_by_number_with_gaps_and_from_zero():
    names = "&".join(f"AttributeName.{index}=n{index}" for index in (10, 9, 0, 999999999, 100))
    assert query_input("GetQueueAttributes", names).attribute_names == ["n0", "n9", "n10", "n100", "n999999999"]


def test_entries_of_a_batch_count_by_number_too():
    entries = "&".join(f"DeleteMessageBatchRequestEntry.{index}.Id=i{index}" for index in (10, 2, 0))
    assert query_input("DeleteMessageBatch", entries).entries == [
        DeleteMessageEntry(id="i0"),
        DeleteMessageEntry(id="i2"),
        DeleteMessageEntry(id="i10"),
    ]


def test_missing_members_of_an_entry_stay_none():
    given = query_input(
        "SendMessageBatch",
        "SendMessageBatchRequestEntry.1.MessageBody=b&SendMessageBatchRequestEntry.2.Id=x",
    )
    assert given.entries == [SendMessageEntry(message_body="b"), SendMessageEntry(id="x")]


def test_names_are_case_sensitive_and_unknown_ones_are_ignored():
    given = query_input("SendMessage", "messagebody=a&MessageBody.1=b&SignatureVersion=2&x..y=1&.=&=")
    assert given.message_body is None


@pytest.mark.parametrize(
    ("action", "form", "parameter"),
    [
        ("SetQueueAttributes", "Attribute.1.Name=x", "Attribute.Value"),
        ("SetQueueAttributes", "Attribute.1.Value=x", "Attribute.Name"),
        ("SetQueueAttributes", "Attribute.Name=x", "Attribute.Value"),
        ("CreateQueue", "QueueName=q&Attribute.3.Value=x", "Attribute.Name"),
        ("TagQueue", "Tag.1.Key=x", "Tag.Value"),
        ("TagQueue", "Tag.1.Value=x", "Tag.Key"),
    ],
)
def test_half_of_a_name_and_value_is_a_missing_parameter(action, form, parameter):
    with pytest.raises(MissingParameter, match=rf"^The request must contain the parameter {parameter}\.$"):
        query_input(action, form)


def test_half_of_a_message_attribute_is_left_to_the_rules_of_message_attributes():
    given = query_input("SendMessage", "MessageAttribute.1.Name=n&MessageAttribute.2.Value.StringValue=v")
    assert given.message_attributes == {
        "n": MessageAttributeValue(),
        "": MessageAttributeValue(string_value="v"),
    }


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("+5", 5), ("-1", -1), ("007", 7), ("9" * 30, int("9" * 30))])
def test_integers_have_an_optional_sign_and_digits(text, value):
    assert query_input("ReceiveMessage", {"MaxNumberOfMessages": text}).max_number_of_messages == value


@pytest.mark.parametrize("text", ["", "abc", "1.0", " 5", "1_0", "0x5", "+", "٣", "9" * 5000])
def test_anything_else_for_an_integer_is_malformed(text):
    with pytest.raises(MalformedInput):
        query_input("ReceiveMessage", {"MaxNumberOfMessages": text})


@pytest.mark.parametrize("text", ["YQ", "Y Q==", "Y-==", "é", "YQ==YQ=="])
def test_a_binary_value_that_is_not_base64_is_malformed(text):
    with pytest.raises(MalformedInput):
        query_input("SendMessage", {"MessageAttribute.1.Name": "n", "MessageAttribute.1.Value.BinaryValue": text})


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("a+b", "a b"),
        ("a%2Bb%20c", "a+b c"),
        ("%C3%A9", "é"),
        ("é%c3%a9", "éé"),
        (r"\x41%5Cn\u0041", r"\x41\n\u0041"),
        ("a=b", "a=b"),
        ("%00%0D%0A", "\0\r\n"),
        ("", ""),
    ],
)
def test_values_are_percent_decoded_as_utf_8(encoded, text):
    in_form = query_input("SendMessage", f"MessageBody={encoded}")
    in_query = decode(get_request(f"Action=SendMessage&MessageBody={encoded}")).input
    assert in_form.message_body == in_query.message_body == text


@pytest.mark.parametrize("encoded", [b"%FF", b"\xff", b"%ED%A0%80", b"%zz", b"%4", b"100%"])
def test_what_is_not_utf_8_in_percent_encoding_is_malformed(encoded):
    for name, value in ((b"MessageBody", encoded), (encoded, b"x")):
        body = b"Action=SendMessage&" + name + b"=" + value
        with pytest.raises(MalformedInput):
            decode(HttpRequest(method="POST", path="/", query="", headers={}, body=body))


def test_a_query_string_with_half_a_surrogate_pair_is_malformed():
    with pytest.raises(MalformedInput):
        decode(get_request("Action=SendMessage&MessageBody=\ud800"))


def test_the_body_of_a_get_is_not_read():
    request = HttpRequest(method="GET", path="/", query="Action=ListQueues", headers={}, body=b"MaxResults=x")
    assert decode(request).input.max_results is None


def test_empty_parameters_are_skipped():
    assert query_input("SendMessage", "&&MessageBody=b&&").message_body == "b"


ENTRY = "SendMessageBatchRequestEntry"
MANY = 9_900


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("ReceiveMessage", "&".join(f"AttributeName.{999_999_999 - i}=x" for i in range(MANY))),
        ("SendMessageBatch", "&".join(f"{ENTRY}.{i}.MessageAttribute.{i}.Name=x" for i in range(MANY))),
        (
            "SendMessageBatch",
            "&".join(f"{ENTRY}.1.MessageAttribute.1.Value.StringListValue.{i}=x" for i in range(MANY)),
        ),
        ("ReceiveMessage", f"AttributeName.{'9' * 1_000_000}=x"),
        ("ReceiveMessage", "." * 1_000_000),
        ("ReceiveMessage", "a." * 500_000 + "=x"),
        ("ReceiveMessage", "NextToken=" + "%41" * 300_000),
    ],
)
def test_parameters_cost_what_their_bytes_cost(action, form):
    request = form_request(f"Action={action}&{form}")
    started = time.process_time()
    decode(request)
    assert time.process_time() - started < 2  # about 0.1; whatever walks up to an index takes minutes


def test_a_flood_of_parameters_is_refused():
    with pytest.raises(MalformedInput, match="too many parameters"):
        decode(form_request("Action=ReceiveMessage" + "&a" * 10_000))
