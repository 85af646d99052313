"""Sending and receiving: sizes, characters, attributes, digests, batches."""

from typing import Any

import pytest

from support.queue_calls import QueueCalls, fresh_name

MEBIBYTE = 1_048_576

TOO_BIG = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
BAD_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF"
)
NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type"
GROUP_RULE = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."


def string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def number(value: str) -> dict[str, str]:
    return {"DataType": "Number", "StringValue": value}


def binary(base64: str) -> dict[str, str]:
    return {"DataType": "Binary", "BinaryValue": base64}


# ── Sizes ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(67)
def test_a_body_may_have_a_mebibyte_and_not_a_byte_more(q):
    q.send("b" * MEBIBYTE)
    q.refuses("SendMessage", "InvalidParameterValue", TOO_BIG, MessageBody="b" * (MEBIBYTE + 1))
    assert len(q.receive_one()["Body"]) == MEBIBYTE


@pytest.mark.k(68)
def test_attributes_count_with_name_type_and_value(q):
    attributes = {"k": string("x")}  # 1 + 6 + 1 bytes
    q.send("b" * (MEBIBYTE - 8), MessageAttributes=attributes)
    longer = {"MessageBody": "b" * (MEBIBYTE - 7), "MessageAttributes": attributes}
    q.refuses("SendMessage", "InvalidParameterValue", TOO_BIG, **longer)


def test_a_binary_value_counts_decoded_and_system_attributes_and_ids_do_not_count(make):
    q = make(MaximumMessageSize="1024")
    attributes = {"k": binary("AQIDBA==")}  # 1 + 6 + 4 bytes
    trace = {"AWSTraceHeader": string("Root=1-5759e988-bd862e3fe1be46a994272793")}
    given = {"MessageAttributes": attributes, "MessageSystemAttributes": trace, "MessageGroupId": "g" * 100}
    q.send("b" * 1013, **given)
    q.refuses("SendMessage", "InvalidParameterValue", MessageBody="b" * 1014, **given)


@pytest.mark.k(69)
def test_sizes_are_bytes_not_characters(make):
    q = make(MaximumMessageSize="1024")
    text = "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
    q.send("é" * 512)
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="é" * 512 + "b")


@pytest.mark.k(70)
def test_a_batch_may_have_a_mebibyte_and_not_a_byte_more(q):
    entries = [{"Id": "a", "MessageBody": "b" * 524_288}, {"Id": "b", "MessageBody": "b" * 524_288}]
    assert len(q("SendMessageBatch", Entries=entries)["Successful"]) == 2
    entries[1]["MessageBody"] += "b"
    text = "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    q.refuses("SendMessageBatch", "AWS.SimpleQueueService.BatchRequestTooLong", text, Entries=entries)


def test_the_size_of_a_batch_counts_attributes(q):
    entries = [{"Id": "a", "MessageBody": "b" * (MEBIBYTE - 7), "MessageAttributes": {"k": string("x")}}]
    text = "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    q.refuses("SendMessageBatch", "AWS.SimpleQueueService.BatchRequestTooLong", text, Entries=entries)


@pytest.mark.k(71)
def test_an_entry_over_the_queues_own_maximum_fails_alone(make):
    q = make(MaximumMessageSize="1024")
    result = q.send_batch({"MessageBody": "good"}, {"MessageBody": "b" * 1025}, {"MessageBody": "b" * 1024})
    assert [entry["Id"] for entry in result["Successful"]] == ["1", "3"]
    text = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    assert result["Failed"] == [{"Id": "2", "Code": "InvalidParameterValue", "SenderFault": True, "Message": text}]


# ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────


def entries_with(*ids: str) -> list[dict[str, str]]:
    return [{"Id": each, "MessageBody": "b"} for each in ids]


@pytest.mark.k(72)
@pytest.mark.parametrize(
    ("ids", "code", "text"),
    [
        (
            "abcdefghijk",
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        ("1221", "BatchEntryIdsNotDistinct", "Id 2 repeated."),
        (["a b"], "InvalidBatchEntryId", None),
        ([""], "InvalidBatchEntryId", None),
        (["i" * 81], "InvalidBatchEntryId", None),
        (["good", "ü"], "InvalidBatchEntryId", None),
    ],
    ids=["eleven entries", "repeated", "blank", "empty", "81 characters", "not ASCII"],
)
def test_batch_entries_are_at_most_ten_with_distinct_plain_ids(q, ids, code, text):
    text = text or (
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
        "It can be at most 80 letters long."
    )
    handles = [{"Id": each, "ReceiptHandle": "garbage", "VisibilityTimeout": 1} for each in ids]
    for action, entries in (
        ("SendMessageBatch", entries_with(*ids)),
        ("DeleteMessageBatch", [{"Id": entry["Id"], "ReceiptHandle": "garbage"} for entry in handles]),
        ("ChangeMessageVisibilityBatch", handles),
    ):
        q.refuses(action, f"AWS.SimpleQueueService.{code}", text, Entries=entries)
    assert q.counts() == (0, 0, 0)


def test_an_id_of_80_characters_is_fine(q):
    result = q("SendMessageBatch", Entries=entries_with("i" * 80, "a-B_9"))
    assert [entry["Id"] for entry in result["Successful"]] == ["i" * 80, "a-B_9"]


@pytest.mark.k(73)
def test_an_entry_with_a_bad_character_fails_alone(q):
    result = q.send_batch({"MessageBody": "one"}, {"MessageBody": "\u0001"}, {"MessageBody": "three"})
    assert [entry["Id"] for entry in result["Successful"]] == ["1", "3"]
    assert result["Failed"] == [
        {"Id": "2", "Code": "InvalidMessageContents", "SenderFault": True, "Message": BAD_CHARACTERS}
    ]
    assert q.bodies(MaxNumberOfMessages=10) == ["one", "three"]


@pytest.mark.k(74)
@pytest.mark.parametrize("character", ["\u0000", "\u0001", "\u001f", "\ufffe", "\uffff"])
def test_a_body_has_characters_of_xml_only(q, character):
    q.refuses("SendMessage", "InvalidMessageContents", BAD_CHARACTERS, MessageBody=f"a{character}b")


def test_half_a_surrogate_pair_is_no_character(json_q):
    json_q.refuses("SendMessage", "InvalidMessageContents", BAD_CHARACTERS, MessageBody="\ud800")


@pytest.mark.k(75)
@pytest.mark.parametrize("given", [{}, {"MessageBody": ""}], ids=["absent", "empty"])
def test_a_message_needs_a_body(q, given):
    q.refuses("SendMessage", "MissingParameter", "The request must contain the parameter MessageBody.", **given)


def test_an_entry_without_a_body_fails_alone_and_is_counted_from_one(q):
    result = q.send_batch({"MessageBody": "good"}, {"MessageBody": ""})
    assert [entry["Id"] for entry in result["Successful"]] == ["1"]
    text = "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody."
    assert result["Failed"] == [{"Id": "2", "Code": "MissingParameter", "SenderFault": True, "Message": text}]


# ── Digests ──────────────────────────────────────────────────────────────────────────────────────────────

COLORS = {"color": string("blue"), "count": number("3"), "blob": binary("AQID")}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

VECTORS: dict[str, dict[str, Any]] = {
    "a45daa70926828a2f0a1db3418e6feb4": {"k": string("x")},
    "235c5c510d26fb653d073faed50ae77c": {"timestamp": number("1493147359900")},
    "ae7155c6026991b6d54b11589678bf9c": {"Foo": string("Bar")},
    "d838729972a4b70e2d2acd9d59ac847c": COLORS,
    "da1b33cc3cbfe8b1630921e78e6b9880": {"color": string("blue")},
    "4c360f3fdafd970e05fae2f149d997f5": {
        "General": string("Kenobi"),
        "Hello": string("There"),
        "Help.Me": string("Me"),
    },
    "8cbe4db156db8a94db8b801b7addb984": {
        # "traceparent", the byte 0x1E, then the value
        "attr1": binary(
            "dHJhY2VwYXJlbnQeMDAtNzc0MDYyZDZjMzcwODFhNWEwYjliNWI4OGUzMDYyN2MtMmQyNDgyMjExZjY0ODlkYS0wMQ=="
        )
    },
}


@pytest.mark.k(76)
@pytest.mark.parametrize("digest", VECTORS)
def test_the_digest_of_attributes_is_that_of_the_published_vectors(q, digest):
    attributes = VECTORS[digest]
    sent = q.send("hello", MessageAttributes=attributes)
    assert sent["MD5OfMessageAttributes"] == digest
    assert sent["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    (entry,) = q.send_batch({"MessageBody": "hello", "MessageAttributes": attributes})["Successful"]
    assert entry["MD5OfMessageAttributes"] == digest
    for message in q.receive(MaxNumberOfMessages=2, MessageAttributeNames=["All"]):
        assert message["MD5OfMessageAttributes"] == digest
        assert message["MD5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
        assert message["MessageAttributes"] == attributes


@pytest.mark.k(87)
def test_a_trace_header_has_a_digest_of_its_own(q):
    sent = q.send(MessageSystemAttributes={"AWSTraceHeader": string(TRACE)})
    assert sent["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"
    assert "MD5OfMessageAttributes" not in sent
    message = q.receive_one(MessageAttributeNames=["All"])
    assert message["Attributes"]["AWSTraceHeader"] == TRACE
    assert "MD5OfMessageAttributes" not in message
    assert "MD5OfMessageSystemAttributes" not in message


def test_a_trace_header_in_a_batch_has_its_digest_too(q):
    (entry,) = q.send_batch({"MessageBody": "b", "MessageSystemAttributes": {"AWSTraceHeader": string(TRACE)}})[
        "Successful"
    ]
    assert entry["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"


# ── Attributes ───────────────────────────────────────────────────────────────────────────────────────────


def refuses_attribute(q: QueueCalls, name: str, value: dict[str, Any], text: str | None = None) -> None:
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageAttributes={name: value})


@pytest.mark.k(77)
def test_a_string_attribute_is_not_empty(q):
    text = "Message (user) attribute 'name' must contain a non-empty value of type 'String'."
    refuses_attribute(q, "name", string(""), text)


@pytest.mark.k(78)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aws.x", "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
                  "These strings are reserved for internal use."),
        ("Amazon.y", "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
                     "These strings are reserved for internal use."),
        (".a", "Message (user) attribute name must not begin with character '.'."),
        ("a.", "Message (user) attribute name must not end with character '.'."),
        ("a..b", "Message (user) attribute name must not have successive '.' characters."),
        ("a!", "The message attribute name 'a!' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
               "underscore (_), hyphen (-), and period (.) characters."),
        ("", "The request must contain non-empty message (user) attribute names."),
    ],
)  # fmt: skip
def test_attribute_names_follow_rules(q, name, text):
    refuses_attribute(q, name, string("x"), text)


@pytest.mark.parametrize("character", ['"', "§", "(", "?", " "])
def test_attribute_names_have_no_other_characters(q, character):
    refuses_attribute(q, f"a{character}", string("x"))


@pytest.mark.k(79)
def test_an_attribute_name_may_have_256_characters(q):
    q.send(MessageAttributes={"n" * 256: string("x")})
    refuses_attribute(q, "n" * 257, string("x"), "Message (user) attribute name must be shorter than 256 bytes.")


@pytest.mark.k(80)
def test_accented_letters_are_fine_in_attribute_names(q):
    q.send(MessageAttributes={"attr.1øßä": string("x")})
    assert q.receive_one(MessageAttributeNames=["All"])["MessageAttributes"] == {"attr.1øßä": string("x")}


@pytest.mark.k(81)
@pytest.mark.parametrize(
    "lists",
    [{"StringListValues": ["a", "b"]}, {"BinaryListValues": ["AQID"]}],
    ids=["strings", "binaries"],
)
def test_list_values_are_not_supported(q, lists):
    attributes = {"name": string("x") | lists}
    text = "Message attribute list values in SendMessage operation are not supported."
    code = "AWS.SimpleQueueService.UnsupportedOperation"
    q.refuses("SendMessage", code, text, MessageBody="b", MessageAttributes=attributes)
    (failed,) = q.send_batch({"MessageBody": "b", "MessageAttributes": attributes})["Failed"]
    assert (failed["Code"], failed["SenderFault"]) == (code, True)


@pytest.mark.k(82)
@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Hel.*"], {"Hello", "Help.Me"}),
        (["All"], {"General", "Hello", "Help.Me"}),
        ([".*"], {"General", "Hello", "Help.Me"}),
        (["*"], {"General", "Hello", "Help.Me"}),
        (["Hello", "General"], {"Hello", "General"}),
        (["hello"], set()),
        (["AWS."], set()),
        (["..foo", "a!", ""], set()),
    ],
)
def test_attributes_are_chosen_by_name_or_prefix(q, names, found):
    q.send(MessageAttributes=VECTORS["4c360f3fdafd970e05fae2f149d997f5"])
    message = q.receive_one(MessageAttributeNames=names)
    assert set(message.get("MessageAttributes", {})) == found


@pytest.mark.k(83)
def test_the_digest_on_receive_covers_what_is_returned(q):
    q.send(MessageAttributes=COLORS)
    message = q.receive_one(MessageAttributeNames=["color"])
    assert message["MessageAttributes"] == {"color": string("blue")}
    assert message["MD5OfMessageAttributes"] == "da1b33cc3cbfe8b1630921e78e6b9880"


@pytest.mark.k(84)
def test_nothing_requested_nothing_returned(q):
    q.send(MessageAttributes=COLORS)
    (message,) = q("ReceiveMessage")["Messages"]
    assert set(message) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}


FOUR = {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}


@pytest.mark.k(85)
def test_in_json_system_attribute_names_add_to_attribute_names(json_q):
    json_q.send()
    message = json_q.receive_one(MessageSystemAttributeNames=["All"], AttributeNames=["SenderId"])
    assert set(message["Attributes"]) == FOUR


def test_in_query_attribute_names_decide(query_call):
    q = QueueCalls.create(query_call)
    q.send()
    message = q.receive_one(MessageSystemAttributeNames=["All"], AttributeNames=["SenderId"])
    assert set(message["Attributes"]) == {"SenderId"}


@pytest.mark.parametrize("member", ["AttributeNames", "MessageSystemAttributeNames"])
def test_all_on_a_standard_message_is_four_attributes(q, member):
    q.send()
    (message,) = q("ReceiveMessage", **{member: ["All"]})["Messages"]
    assert set(message["Attributes"]) == FOUR


@pytest.mark.k(86)
def test_the_trace_header_of_the_request_becomes_an_attribute(q):
    sent = q("SendMessage", MessageBody="b", headers={"X-Amzn-Trace-Id": TRACE})
    assert "MD5OfMessageSystemAttributes" not in sent
    assert q.receive_one()["Attributes"]["AWSTraceHeader"] == TRACE


def test_a_trace_parameter_wins_over_the_header(q):
    given = {"MessageSystemAttributes": {"AWSTraceHeader": string(TRACE)}}
    q("SendMessage", MessageBody="b", headers={"X-Amzn-Trace-Id": "Root=other"}, **given)
    assert q.receive_one()["Attributes"]["AWSTraceHeader"] == TRACE


def test_no_other_system_attribute_can_be_sent(q):
    text = "Message system attribute name 'Other' is invalid."
    q.refuses(
        "SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageSystemAttributes={"Other": string("x")}
    )


# ── Receive parameters ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(88)
@pytest.mark.parametrize(
    ("parameter", "value", "rule"),
    [
        ("MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided."),
        ("MaxNumberOfMessages", 0, "Must be between 1 and 10, if provided."),
        ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."),
        ("WaitTimeSeconds", -1, "Must be >= 0 and <= 20, if provided."),
        ("VisibilityTimeout", 43201, "Must be >= 0 and <= 43200, if provided."),
        ("VisibilityTimeout", -1, "Must be >= 0 and <= 43200, if provided."),
    ],
)
def test_receive_parameters_have_ranges(q, parameter, value, rule):
    text = f"Value {value} for parameter {parameter} is invalid. Reason: {rule}"
    q.refuses("ReceiveMessage", "InvalidParameterValue", text, **{parameter: value})


def test_an_unknown_system_attribute_cannot_be_requested(q):
    q.refuses("ReceiveMessage", "InvalidAttributeName", "Unknown Attribute Foo.", MessageSystemAttributeNames=["Foo"])
    q.refuses("ReceiveMessage", "InvalidAttributeName", "Unknown Attribute Foo.", AttributeNames=["Foo"])


def test_a_standard_queue_knows_no_receive_attempts(q):
    text = f"Value a for parameter ReceiveRequestAttemptId is invalid. Reason: {NOT_FOR_THIS_TYPE}."
    q.refuses("ReceiveMessage", "InvalidParameterValue", text, ReceiveRequestAttemptId="a")


# ── Groups and deduplication on standard queues ──────────────────────────────────────────────────────────


@pytest.mark.k(89)
def test_a_standard_queue_knows_no_deduplication(q):
    text = f"Value d for parameter MessageDeduplicationId is invalid. Reason: {NOT_FOR_THIS_TYPE}."
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageDeduplicationId="d")


def test_a_deduplication_id_in_a_standard_batch_fails_its_entry(q):
    result = q.send_batch({"MessageBody": "good"}, {"MessageBody": "b", "MessageDeduplicationId": "d"})
    assert [entry["Id"] for entry in result["Successful"]] == ["1"]
    (failed,) = result["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("2", "InvalidParameterValue", True)
    assert NOT_FOR_THIS_TYPE in failed["Message"]


@pytest.mark.k(90)
def test_a_standard_message_may_name_a_group(q):
    sent = q.send(MessageGroupId="g")
    assert "SequenceNumber" not in sent
    assert q.receive_one()["Attributes"]["MessageGroupId"] == "g"


def test_groups_in_a_standard_batch_are_fine(q):
    result = q.send_batch({"MessageBody": "b", "MessageGroupId": "g"}, {"MessageBody": "b"})
    assert len(result["Successful"]) == 2


@pytest.mark.k(91)
@pytest.mark.parametrize("group", ["", "g" * 129, "a b", "ü", "a\tb"], ids=["empty", "129", "blank", "ü", "tab"])
def test_a_group_id_of_a_standard_message_follows_the_rule(q, group):
    text = f"Value {group} for parameter MessageGroupId is invalid. Reason: {GROUP_RULE}"
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", MessageGroupId=group)
    q.send(MessageGroupId="g" * 128)


def test_every_printable_ascii_character_is_fine_in_a_group_id(q):
    printable = "".join(map(chr, range(0x21, 0x7F)))
    q.send(MessageGroupId=printable)
    assert q.receive_one()["Attributes"]["MessageGroupId"] == printable


# ── Delay ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delay", [901, -1])
def test_a_delay_is_at_most_900_seconds(q, delay):
    text = f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
    q.refuses("SendMessage", "InvalidParameterValue", text, MessageBody="b", DelaySeconds=delay)
    (failed,) = q.send_batch({"MessageBody": "b", "DelaySeconds": delay})["Failed"]
    assert (failed["Code"], failed["SenderFault"]) == ("InvalidParameterValue", True)


def test_a_batch_to_an_unknown_queue_says_so_before_anything_else(call):
    code = "AWS.SimpleQueueService.NonExistentQueue"
    call.refuses("SendMessageBatch", code, call.no_such_queue, QueueUrl=fresh_name(), Entries=entries_with("a b"))
