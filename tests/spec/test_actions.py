"""The errors of the actions that the other files leave out, and the order of checks within a request."""

import pytest

from support.queue_calls import QueueCalls, fresh_name

ACCOUNT = "123456789012"
GRANT = {"Label": "l", "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"]}


def missing(parameter: str) -> str:
    return f"The request must contain the parameter {parameter}."


# ── AddPermission, RemovePermission ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"Label": None}, "Label"),
        ({"Actions": None}, "ActionName"),
        ({"Actions": []}, "ActionName"),
        ({"AWSAccountIds": None}, "AWSAccountIds"),
        ({"AWSAccountIds": []}, "AWSAccountIds"),
    ],
)
def test_a_permission_needs_label_actions_and_accounts(q, given, parameter):
    q.refuses("AddPermission", "MissingParameter", missing(parameter), **GRANT | given)


@pytest.mark.parametrize(
    "action",
    [
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueues",
        "ListQueueTags",
        "RemovePermission",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
        "SetQueueAttributes",
    ],
)
def test_what_is_the_owners_cannot_be_granted(q, action):
    text = (
        f"Value SQS:{action} for parameter ActionName is invalid. "
        "Reason: Only the queue owner is allowed to invoke this action."
    )
    q.refuses("AddPermission", "InvalidParameterValue", text, **GRANT | {"Actions": [action]})


@pytest.mark.parametrize("action", ["SendMessageBatch", "Foo", "sendmessage", "DeleteMessageBatch"])
def test_an_unknown_action_cannot_be_granted(q, action):
    text = (
        f"Value SQS:{action} for parameter ActionName is invalid. "
        "Reason: Please refer to the appropriate WSDL for a list of valid actions."
    )
    q.refuses("AddPermission", "InvalidParameterValue", text, **GRANT | {"Actions": [action]})


GRANTABLE = [
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
]


def test_a_permission_has_at_most_7_actions(q):
    text = "8 Actions were found, maximum allowed is 7."
    q.refuses("AddPermission", "OverLimit", text, status=403, **GRANT | {"Actions": GRANTABLE})
    q("AddPermission", **GRANT | {"Actions": GRANTABLE[:7]})


@pytest.mark.parametrize("account", ["1234", "alice", "1234567890123"])
def test_an_account_id_has_12_digits(q, account):
    text = f"Value [{account}] for parameter PrincipalId is invalid. Reason: Unable to verify."
    q.refuses("AddPermission", "InvalidParameterValue", text, **GRANT | {"AWSAccountIds": [account]})


@pytest.mark.parametrize("label", ["a b", "l" * 81, "ü", "a.b"])
def test_a_label_has_up_to_80_letters_digits_hyphens_and_underscores(q, label):
    text = (
        f"Value {label} for parameter Label is invalid. "
        "Reason: Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
    )
    q.refuses("AddPermission", "InvalidParameterValue", text, **GRANT | {"Label": label})
    q("AddPermission", **GRANT | {"Label": "l" * 80})


def test_a_policy_has_at_most_20_statements(q):
    for n in range(20):
        q("AddPermission", **GRANT | {"Label": f"l{n}"})
    text = "21 Statements were found, maximum allowed is 20."
    q.refuses("AddPermission", "OverLimit", text, status=403, **GRANT)


def test_a_label_to_remove_must_be_given(q):
    q.refuses("RemovePermission", "MissingParameter", missing("Label"))


# ── Receipt handles ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", [{}, {"ReceiptHandle": ""}], ids=["absent", "empty"])
def test_a_receipt_handle_must_be_given(q, given):
    q.refuses("DeleteMessage", "MissingParameter", missing("ReceiptHandle"), **given)
    q.refuses("ChangeMessageVisibility", "MissingParameter", missing("ReceiptHandle"), VisibilityTimeout=1, **given)


def test_a_visibility_timeout_must_be_given(q):
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    text = missing("VisibilityTimeout")
    q.refuses("ChangeMessageVisibility", "MissingParameter", text, ReceiptHandle=handle)


@pytest.mark.parametrize(
    ("timeout", "code", "text"),
    [
        (None, "MissingParameter", missing("ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout")),
        (
            43201,
            "InvalidParameterValue",
            "Value 43201 for parameter VisibilityTimeout is invalid. "
            "Reason: VisibilityTimeout must be an integer between 0 and 43200.",
        ),
    ],
)
def test_a_bad_visibility_timeout_in_a_batch_fails_its_entry(q, timeout, code, text):
    q.send("one")
    q.send("two")
    one, two = (message["ReceiptHandle"] for message in q.receive(MaxNumberOfMessages=2))
    entries = [
        {"Id": "a", "ReceiptHandle": one, "VisibilityTimeout": 0},
        {"Id": "b", "ReceiptHandle": two, "VisibilityTimeout": timeout},
    ]
    assert q("ChangeMessageVisibilityBatch", Entries=entries) == {
        "Successful": [{"Id": "a"}],
        "Failed": [{"Id": "b", "Code": code, "SenderFault": True, "Message": text}],
    }
    assert q.bodies() == ["one"]


def test_a_handle_twice_in_a_batch_is_deleted_twice(q):
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    entries = [{"Id": each, "ReceiptHandle": handle} for each in "ab"]
    assert q("DeleteMessageBatch", Entries=entries) == {"Successful": [{"Id": "a"}, {"Id": "b"}]}


# ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────

BATCHES = ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")


@pytest.mark.parametrize("given", [{}, {"Entries": []}], ids=["absent", "empty"])
@pytest.mark.parametrize("action", BATCHES)
def test_a_batch_has_at_least_one_entry(q, action, given):
    text = f"There should be at least one {action}RequestEntry in the request."
    q.refuses(action, "AWS.SimpleQueueService.EmptyBatchRequest", text, **given)


@pytest.mark.parametrize("action", BATCHES)
def test_an_entry_without_an_id_is_missing_it(q, action):
    entry = {"MessageBody": "b", "ReceiptHandle": "h", "VisibilityTimeout": 1}
    text = missing(f"{action}RequestEntry.2.Id")
    q.refuses(action, "MissingParameter", text, Entries=[{"Id": "a"} | entry, entry])


def test_all_entries_may_fail_and_the_batch_still_answers_200(q):
    result = q.send_batch({"MessageBody": "\u0001"}, {"MessageBody": ""})
    assert [(entry["Id"], entry["Code"]) for entry in result["Failed"]] == [
        ("1", "InvalidMessageContents"),
        ("2", "MissingParameter"),
    ]
    assert "Successful" not in result


def test_results_keep_the_order_of_the_request(q):
    result = q.send_batch(*({"MessageBody": f"{n}"} for n in range(10)))
    assert [entry["Id"] for entry in result["Successful"]] == [str(n) for n in range(1, 11)]
    received = q.receive(MaxNumberOfMessages=10)
    assert [m["MessageId"] for m in received] == [entry["MessageId"] for entry in result["Successful"]]


# ── SetQueueAttributes ───────────────────────────────────────────────────────────────────────────────────


def test_attributes_to_set_must_be_given(q):
    q.refuses("SetQueueAttributes", "MissingParameter", missing("Attribute.Name"))
    q.refuses("SetQueueAttributes", "MissingParameter", missing("Attribute.Name"), Attributes={})


def test_one_bad_attribute_rejects_the_whole_call(q):
    given = {"DelaySeconds": "7", "VisibilityTimeout": "-1"}
    q.refuses("SetQueueAttributes", "InvalidAttributeValue", Attributes=given)
    assert q.get("DelaySeconds") == {"DelaySeconds": "0"}


def test_attributes_that_are_not_named_stay(make):
    q = make(DelaySeconds="7")
    q.set(VisibilityTimeout="8")
    assert q.get("DelaySeconds", "VisibilityTimeout") == {"DelaySeconds": "7", "VisibilityTimeout": "8"}


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────────────

TAG_KEY_LENGTH = "Tag keys must be between 1 and 128 characters in length."
TAG_KEY_CHARACTERS = (
    "Tag keys may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @"
)
TAG_VALUE_CHARACTERS = (
    "Tag values may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @'"
)


@pytest.mark.parametrize("given", [{}, {"Tags": {}}], ids=["absent", "empty"])
def test_tags_must_be_given(q, given):
    q.refuses("TagQueue", "MissingParameter", missing("Tags"), **given)


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"": "v"}, TAG_KEY_LENGTH),
        ({"k" * 129: "v"}, TAG_KEY_LENGTH),
        ({"a*b": "v"}, TAG_KEY_CHARACTERS),
        ({"k": "a*b"}, TAG_VALUE_CHARACTERS),
        ({"k": "v" * 257}, None),
        ({"aws:k": "v"}, None),
    ],
    ids=["empty key", "long key", "key characters", "value characters", "long value", "reserved"],
)
def test_tags_follow_rules_also_when_a_queue_is_created(call, q, tags, text):
    q.refuses("TagQueue", "InvalidParameterValue", text, Tags=tags)
    call.refuses("CreateQueue", "InvalidParameterValue", text, QueueName=fresh_name(), tags=tags)
    assert q("ListQueueTags") == {}


def test_tags_may_be_as_long_and_as_colourful_as_the_rules_say(q):
    tags = {"k" * 128: "v" * 256, "Grüße _.:/=+-@ 7": "ключ _.:/=+-@ 8"}
    q("TagQueue", Tags=tags)
    assert q("ListQueueTags") == {"Tags": tags}


def test_a_queue_has_at_most_50_tags(q):
    q("TagQueue", Tags={f"k{n}": "" for n in range(50)})
    text = f"Too many tags added for queue {q.name}."
    q.refuses("TagQueue", "InvalidParameterValue", text, Tags={"one more": ""})
    q("TagQueue", Tags={"k0": "changed"})
    assert len(q("ListQueueTags")["Tags"]) == 50


@pytest.mark.parametrize("given", [{}, {"TagKeys": []}], ids=["absent", "empty"])
def test_tag_keys_to_remove_must_be_given(q, given):
    q.refuses("UntagQueue", "InvalidParameterValue", TAG_KEY_LENGTH, **given)


# ── The order of checks ──────────────────────────────────────────────────────────────────────────────────


def test_body_presence_comes_before_everything_else(fifo):
    fifo.refuses("SendMessage", "MissingParameter", missing("MessageBody"), DelaySeconds=1)


def test_syntax_of_ids_comes_before_the_rules_of_the_queue(q, fifo):
    bad = {"MessageBody": "b", "MessageDeduplicationId": "a b"}
    text = (
        "Value a b for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include "
        "alphanumeric and punctuation characters. 1 to 128 in length."
    )
    q.refuses("SendMessage", "InvalidParameterValue", text, **bad)
    fifo.refuses("SendMessage", "InvalidParameterValue", text, **bad)


def test_unknown_attributes_are_named_before_bad_values(call):
    given = {"DelaySeconds": "-1", "Foo": "x"}
    text = "Unknown Attribute Foo."
    call.refuses("CreateQueue", "InvalidAttributeName", text, QueueName="a b", Attributes=given)


def test_batch_checks_go_from_number_to_ids_to_repetition(q):
    many = [{"Id": "a b", "MessageBody": "b"} for _ in range(11)]
    q.refuses("SendMessageBatch", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", Entries=many)
    q.refuses("SendMessageBatch", "AWS.SimpleQueueService.InvalidBatchEntryId", Entries=many[:2])


def test_the_queue_is_resolved_before_parameters_are_looked_at(call):
    code = "AWS.SimpleQueueService.NonExistentQueue"
    for action in ("SetQueueAttributes", "TagQueue", "UntagQueue", "AddPermission", "SendMessage"):
        call.refuses(action, code, call.no_such_queue, QueueUrl="missing")


def test_a_fifo_queue_sorts_its_send_errors_by_delay_group_and_deduplication(fifo: QueueCalls):
    text = missing("MessageGroupId")
    fifo.refuses("SendMessage", "MissingParameter", text, MessageBody="b")
    fifo.refuses("SendMessage", "InvalidParameterValue", MessageBody="b", DelaySeconds=1)
