import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.actions import MessageAttributeValue, SendMessageEntry, SendMessageInput
from stanchion.engine.messages import new_message, size_of
from stanchion.errors import (
    INVALID_CHARACTERS,
    InvalidMessageContents,
    InvalidParameterValue,
    MissingParameter,
    SQSError,
    UnsupportedOperation,
)
from stanchion.model import MessageAttribute, NewMessage
from unit.engine.queues import queue
from unit.engine.texts import ANY_TEXT

STANDARD = queue()
FIFO = queue("q.fifo")
CONTENT_BASED = queue("q.fifo", ContentBasedDeduplication="true")
IDENTIFIER_RULE = "can only include alphanumeric and punctuation characters. 1 to 128 in length."
NOT_FOR_THIS_TYPE = "Reason: The request include parameter that is not valid for this queue type."
NO_DEDUPLICATION_ID = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)


def text(value: str | None, data_type: str | None = "String") -> MessageAttributeValue:
    return MessageAttributeValue(string_value=value, data_type=data_type)


def send(to=STANDARD, *, trace_header=None, entry=None, body="hello", **members) -> NewMessage:
    kind = SendMessageInput if entry is None else SendMessageEntry
    sent = kind(message_body=body, **members)
    return new_message(
        to, sent, message_id="m1", body_md5="md5", sender_id="AIDA", trace_header=trace_header, entry=entry
    )


def refused(error: type[SQSError], message: str, *args, **members) -> None:
    with pytest.raises(error) as raised:
        send(*args, **members)
    assert type(raised.value) is error
    assert raised.value.message == message


def refused_attribute(message: str, name: str, attribute: MessageAttributeValue) -> None:
    refused(InvalidParameterValue, message, message_attributes={name: attribute})


# ── Body and size ────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_message():
    plain = NewMessage(message_id="m1", body="hello", body_md5="md5", sender_id="AIDA", delay_seconds=0, size_bytes=5)
    assert send() == plain


@pytest.mark.parametrize("body", [None, ""])
def test_a_message_must_have_a_body(body):
    refused(MissingParameter, "The request must contain the parameter MessageBody.", body=body)
    batched = "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody."
    refused(MissingParameter, batched, body=body, entry=2)


def test_a_body_may_be_a_mebibyte_and_no_more():
    assert len(send(body="x" * 1_048_576).body) == 1_048_576
    message = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    refused(InvalidParameterValue, message, body="x" * 1_048_577)


def test_attributes_count_for_the_size():
    attributes = {"k": text("x")}  # 1 + 6 + 1 bytes
    assert send(body="x" * 1_048_568, message_attributes=attributes).attributes
    message = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    refused(InvalidParameterValue, message, body="x" * 1_048_569, message_attributes=attributes)


def test_the_queues_own_maximum_counts_bytes():
    small = queue(MaximumMessageSize="1024")
    assert send(small, body="é" * 512)
    message = "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
    refused(InvalidParameterValue, message, small, body="é" * 512 + "x")


def test_a_batch_entry_that_is_too_big_has_words_of_its_own():
    small = queue(MaximumMessageSize="1024")
    message = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    refused(InvalidParameterValue, message, small, body="x" * 1025, entry=1)


def test_size_is_body_names_types_and_values():
    sent = SendMessageInput(
        message_body="é",
        message_group_id="group",
        message_deduplication_id="id",
        message_attributes={
            "ключ": text("значение", "String.ярлык"),
            "b": MessageAttributeValue(binary_value=b"\x00\xff", data_type="Binary"),
        },
        message_system_attributes={"AWSTraceHeader": text("Root=1")},
    )
    assert size_of(sent) == 2 + (8 + 17 + 16) + (1 + 6 + 2)


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff", "\ud800", "\udfff"]
)
@pytest.mark.parametrize("around", ["{}", "abc{}", "line\n{}", "é{}é"])
def test_illegal_characters_in_the_body(character, around):
    refused(InvalidMessageContents, INVALID_CHARACTERS, body=around.format(character))


@pytest.mark.parametrize(
    "body", [" ", "\t\n\r", "\r\n &quot; ", "\x20", "\x7f\x85", "\ud7ff", "\ue000", "\ufffd", "\U00010000\U0010ffff"]
)
def test_legal_characters_come_through_as_sent(body):
    assert send(body=body).body == body


def test_the_size_is_checked_before_the_characters():
    small = queue(MaximumMessageSize="1024")
    with pytest.raises(InvalidParameterValue):
        send(small, body="\x00" * 1025)
    with pytest.raises(InvalidParameterValue):
        send(small, body="\ud800" * 1024)


# ── Attributes: names ────────────────────────────────────────────────────────────────────────────────────


def test_attributes_are_kept_as_sent():
    sent = {
        "color": text("blue", "String.shade"),
        "count": text("1.50", "Number.int"),
        "blob": MessageAttributeValue(binary_value=b"\x01", data_type="Binary.png"),
    }
    assert send(message_attributes=sent).attributes == {
        "color": MessageAttribute("String.shade", "blue"),
        "count": MessageAttribute("Number.int", "1.50"),
        "blob": MessageAttribute("Binary.png", b"\x01"),
    }


def test_an_empty_map_of_attributes_is_none():
    assert send(message_attributes={}).attributes is None


def test_ten_attributes_are_enough():
    assert len(send(message_attributes={str(n): text("v") for n in range(10)}).attributes) == 10
    refused(
        InvalidParameterValue,
        "Number of message attributes [11] exceeds the allowed maximum [10].",
        message_attributes={str(n): text("v") for n in range(11)},
    )


@pytest.mark.parametrize("name", ["n", "n" * 256, "a.b-c_d9", "attr.1øßä", "AWS", "Amazonas", "awsx.y"])
def test_good_attribute_names(name):
    assert send(message_attributes={name: text("v")}).attributes == {name: MessageAttribute("String", "v")}


RESERVED = (
    "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
    "These strings are reserved for internal use."
)
BAD_NAMES = [
    ("", "The request must contain non-empty message (user) attribute names."),
    ("n" * 257, "Message (user) attribute name must be shorter than 256 bytes."),
    ("AWS.x", RESERVED),
    ("aws.x", RESERVED),
    ("Amazon.y", RESERVED),
    ("aMaZoN.y", RESERVED),
    (".a", "Message (user) attribute name must not begin with character '.'."),
    ("a.", "Message (user) attribute name must not end with character '.'."),
    ("a..b", "Message (user) attribute name must not have successive '.' characters."),
]


@pytest.mark.parametrize(("name", "message"), BAD_NAMES)
def test_bad_attribute_names(name, message):
    refused_attribute(message, name, text("v"))


@pytest.mark.parametrize("name", ["a!", 'a"', "§", "(", "?", "a b", "a\n", "\x00", "\ud800"])
def test_bad_characters_in_attribute_names(name):
    refused_attribute(
        f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
        "underscore (_), hyphen (-), and period (.) characters.",
        name,
        text("v"),
    )


# ── Attributes: types and values ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data_type", [None, ""])
def test_an_attribute_must_have_a_type(data_type):
    refused_attribute(
        "The message (user) attribute 'k' must contain a non-empty message attribute type.", "k", text("v", data_type)
    )


@pytest.mark.parametrize(
    "data_type",
    ["string", "Strings", "String.", "Integer", "StringList", "String .x", "String.\x00", "String.\ud800"],
)
def test_bad_types(data_type):
    refused_attribute(
        "The type of message (user) attribute 'k' is invalid. You must use only the following supported type "
        "prefixes: Binary, Number, String.",
        "k",
        text("v", data_type),
    )


@pytest.mark.parametrize("data_type", ["String.a.b", "String..", "String. é\n", "String." + "x" * 249])
def test_labels_of_types_are_free(data_type):
    assert send(message_attributes={"k": text("v", data_type)}).attributes["k"].data_type == data_type


def test_a_type_has_at_most_256_characters():
    refused_attribute(
        "Message (user) attribute type must be shorter than 256 bytes.", "k", text("v", "String." + "x" * 250)
    )


@pytest.mark.parametrize(
    "attribute",
    [
        text("", "Binary.x"),
        text(None, "Binary.x"),
        MessageAttributeValue(binary_value=b"", data_type="Binary.x"),
    ],
)
def test_an_attribute_must_have_a_value(attribute):
    refused_attribute(
        "Message (user) attribute 'k' must contain a non-empty value of type 'Binary.x'.", "k", attribute
    )


def test_an_empty_string_is_no_value():
    refused_attribute("Message (user) attribute 'k' must contain a non-empty value of type 'String'.", "k", text(""))


def test_an_attribute_has_one_value():
    both = MessageAttributeValue(string_value="v", binary_value=b"v", data_type="String")
    refused_attribute("Message (user) attribute 'k' must have a single value.", "k", both)


@pytest.mark.parametrize("data_type", ["String", "Number.int"])
def test_text_types_use_the_text_field(data_type):
    binary = MessageAttributeValue(binary_value=b"v", data_type=data_type)
    refused_attribute(f"Message (user) attribute 'k' with type '{data_type}' must use field 'String'.", "k", binary)


def test_the_binary_type_uses_the_binary_field():
    refused_attribute(
        "Message (user) attribute 'k' with type 'Binary' must use field 'Binary'.", "k", text("v", "Binary.png")
    )


@pytest.mark.parametrize("value", ["\x00", "a\x1fb", "\uffff", "\ud800"])
def test_illegal_characters_in_values(value):
    refused_attribute(INVALID_CHARACTERS, "k", text(value))


@pytest.mark.parametrize(
    "attribute",
    [
        MessageAttributeValue(string_list_values=["a"], data_type="String"),
        MessageAttributeValue(binary_list_values=[b"a"], data_type="StringList"),
        MessageAttributeValue(string_value="v", string_list_values=["a"], data_type="String"),
    ],
)
def test_lists_are_not_supported(attribute):
    message = "Message attribute list values in SendMessage operation are not supported."
    refused(UnsupportedOperation, message, message_attributes={"k": attribute})


@pytest.mark.parametrize(
    "number",
    [
        "0", "-0", "0.000", "007", "+1", "-1.5", "1.", ".5", "1e5", "1E-5", "1493147359900", "9" * 38,
        "1e126", "1e-128", "0." + "0" * 127 + "1", "1" + "0" * 126, "0" * 500 + "1", "0e999999",
    ],
)  # fmt: skip
def test_numbers_are_kept_as_sent(number):
    assert send(message_attributes={"k": text(number, "Number")}).attributes["k"].value == number


@pytest.mark.parametrize(
    "number",
    [
        "x", "1x", "1 ", " 1", "1\n", "--1", "1e", "e5", ".", "+", "1.2.3", "0x1", "NaN", "Infinity", "1_000", "١",
        "9" * 39, "1e127", "1e-129", "0." + "0" * 128 + "1", "1e9999999", "1e" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_number(number):
    refused_attribute(
        "Can't cast the value of message (user) attribute 'k' to a number.", "k", text(number, "Number")
    )


# ── System attributes ────────────────────────────────────────────────────────────────────────────────────


def test_the_trace_header_of_the_request_is_kept():
    assert send(trace_header="Root=1").trace_header == "Root=1"


def test_the_trace_header_given_as_parameter_wins():
    given_explicitly = {"AWSTraceHeader": text("Root=2")}
    assert send(trace_header="Root=1", message_system_attributes=given_explicitly).trace_header == "Root=2"


@pytest.mark.parametrize("header", ["", "a\x00", "\udc80"])
def test_a_request_header_that_can_not_be_stored_is_left_out(header):
    assert send(trace_header=header).trace_header is None


@pytest.mark.parametrize("name", ["Other", "awstraceheader", ""])
def test_other_system_attributes_are_refused(name):
    refused(
        InvalidParameterValue,
        f"Message system attribute name '{name}' is invalid.",
        message_system_attributes={"AWSTraceHeader": text("v"), name: text("v")},
    )


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (
            text("v", None),
            "The message system attribute 'AWSTraceHeader' must contain a non-empty message attribute type.",
        ),
        (text(""), "Message system attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'."),
        (
            text("v", "Blob"),
            "The type of message system attribute 'AWSTraceHeader' is invalid. You must use only the following "
            "supported type prefixes: Binary, Number, String.",
        ),
        (
            text("1", "Number"),
            "The type of message system attribute 'AWSTraceHeader' is invalid. You must use only the following "
            "supported type: String.",
        ),
        (text("\x00"), INVALID_CHARACTERS),
    ],
)
def test_the_trace_header_parameter_must_be_a_good_string(attribute, message):
    refused(InvalidParameterValue, message, message_system_attributes={"AWSTraceHeader": attribute})


# ── Group and deduplication ids ──────────────────────────────────────────────────────────────────────────

ALL_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))
BAD_IDENTIFIERS = ["x" * 129, "a b", "é", "a\n", "\x7f", "\x00", "\ud800"]


@pytest.mark.parametrize("group", ["g", "x" * 128, ALL_CHARACTERS])
def test_a_standard_queue_takes_groups(group):
    assert send(message_group_id=group).group_id == group


@pytest.mark.parametrize("group", ["", *BAD_IDENTIFIERS])
def test_bad_groups_on_a_standard_queue(group):
    message = f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId {IDENTIFIER_RULE}"
    refused(InvalidParameterValue, message, message_group_id=group)


@pytest.mark.parametrize("group", BAD_IDENTIFIERS)
def test_bad_groups_on_a_fifo_queue(group):
    message = f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId {IDENTIFIER_RULE}"
    refused(InvalidParameterValue, message, CONTENT_BASED, message_group_id=group)


@pytest.mark.parametrize("group", [None, ""])
def test_a_fifo_queue_needs_a_group(group):
    message = "The request must contain the parameter MessageGroupId."
    refused(MissingParameter, message, CONTENT_BASED, message_group_id=group)


@pytest.mark.parametrize("deduplication_id", ["", *BAD_IDENTIFIERS])
@pytest.mark.parametrize("to", [FIFO, CONTENT_BASED])
def test_bad_deduplication_ids(to, deduplication_id):
    message = (
        f"Value {deduplication_id} for parameter MessageDeduplicationId is invalid. "
        f"Reason: MessageDeduplicationId {IDENTIFIER_RULE}"
    )
    refused(InvalidParameterValue, message, to, message_group_id="g", message_deduplication_id=deduplication_id)


def test_a_standard_queue_takes_no_deduplication_id():
    message = f"Value d for parameter MessageDeduplicationId is invalid. {NOT_FOR_THIS_TYPE}"
    refused(InvalidParameterValue, message, message_deduplication_id="d")
    batched = "The request include parameter that is not valid for this queue type"
    refused(InvalidParameterValue, batched, message_deduplication_id="d", entry=1)


def test_a_fifo_queue_needs_a_deduplication_id():
    refused(InvalidParameterValue, NO_DEDUPLICATION_ID, FIFO, message_group_id="g")


@pytest.mark.parametrize("to", [FIFO, CONTENT_BASED])
def test_an_explicit_deduplication_id_wins(to):
    sent = send(to, message_group_id="g", message_deduplication_id=ALL_CHARACTERS)
    assert (sent.group_id, sent.deduplication_id) == ("g", ALL_CHARACTERS)


def test_a_content_based_deduplication_id_is_the_digest_of_the_body_alone():
    known = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"
    assert send(CONTENT_BASED, body="same", message_group_id="g").deduplication_id == known
    attributes = {"k": text("v")}
    assert (
        send(CONTENT_BASED, body="same", message_group_id="h", message_attributes=attributes).deduplication_id
        == known
    )
    assert (
        send(CONTENT_BASED, body="é", message_group_id="g").deduplication_id
        == hashlib.sha256("é".encode()).hexdigest()
    )


# ── Delay ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("own", "effective"), [(None, 5), (0, 0), (900, 900)])
def test_on_a_standard_queue_the_messages_own_delay_wins(own, effective):
    assert send(queue(DelaySeconds="5"), delay_seconds=own).delay_seconds == effective


@pytest.mark.parametrize("delay", [-1, 901, 10**30])
def test_the_delay_has_limits(delay):
    message = f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
    refused(InvalidParameterValue, message, delay_seconds=delay)


@pytest.mark.parametrize("own", [None, 0])
def test_on_a_fifo_queue_the_queues_delay_always_applies(own):
    slow = queue("q.fifo", DelaySeconds="2", ContentBasedDeduplication="true")
    assert send(slow, message_group_id="g", delay_seconds=own).delay_seconds == 2


@pytest.mark.parametrize("delay", [2, -1])
def test_a_fifo_message_has_no_delay_of_its_own(delay):
    message = f"Value {delay} for parameter DelaySeconds is invalid. {NOT_FOR_THIS_TYPE}"
    refused(InvalidParameterValue, message, CONTENT_BASED, message_group_id="g", delay_seconds=delay)


# ── Order, and whatever comes ────────────────────────────────────────────────────────────────────────────


def test_the_order_of_the_checks():
    """Each step cures the fault that was reported, and the next one in order comes up."""
    members = {
        "body": "\x00",
        "message_attributes": {"a!": text("v")},
        "message_system_attributes": {"Other": text("v")},
        "message_deduplication_id": "",
        "message_group_id": "a b",
        "delay_seconds": 1,
    }
    cures = [
        ("Invalid characters found", {"body": "b"}),
        ("The message attribute name 'a!'", {"message_attributes": None}),
        ("Message system attribute name 'Other'", {"message_system_attributes": None}),
        ("Value  for parameter MessageDeduplicationId", {"message_deduplication_id": None}),
        ("Value a b for parameter MessageGroupId", {"message_group_id": None}),
        ("Value 1 for parameter DelaySeconds", {"delay_seconds": 0}),
        ("The request must contain the parameter MessageGroupId.", {"message_group_id": "g"}),
        (NO_DEDUPLICATION_ID, {"message_deduplication_id": "d"}),
    ]
    for start, cure in cures:
        with pytest.raises(SQSError) as raised:
            send(FIFO, **members)
        assert raised.value.message.startswith(start)
        members |= cure
    assert send(FIFO, **members)


maybe = st.none() | ANY_TEXT
attribute_values = st.builds(
    MessageAttributeValue,
    string_value=maybe,
    binary_value=st.none() | st.binary(max_size=4),
    data_type=st.sampled_from(["String", "Number", "Binary"]) | maybe,
)
attribute_maps = st.none() | st.dictionaries(
    st.sampled_from(["k", "AWSTraceHeader"]) | ANY_TEXT, attribute_values, max_size=3
)


@given(
    st.sampled_from([STANDARD, FIFO, CONTENT_BASED]),
    st.builds(
        SendMessageInput,
        message_body=maybe,
        delay_seconds=st.none() | st.integers(),
        message_attributes=attribute_maps,
        message_system_attributes=attribute_maps,
        message_deduplication_id=maybe,
        message_group_id=maybe,
    ),
    maybe,
    st.none() | st.integers(1, 10),
)
def test_whatever_is_sent_can_be_stored_or_is_an_error(to, sent, trace_header, entry):
    assert size_of(sent) >= 0
    try:
        message = new_message(
            to, sent, message_id="m", body_md5="d", sender_id="s", trace_header=trace_header, entry=entry
        )
    except SQSError as error:
        assert error.message
        return
    assert message.body == sent.message_body
    texts = [message.body, message.trace_header, message.group_id, message.deduplication_id]
    for name, attribute in (message.attributes or {}).items():
        texts += [name, attribute.data_type, attribute.value if isinstance(attribute.value, str) else ""]
    for stored in texts:
        (stored or "").encode()
