"""Queue attributes: ranges, defaults, values that are refused, and what a change does to others."""

import json

import pytest

from support.queue_calls import fresh_name

# name: default, least, most
INTEGERS = {
    "DelaySeconds": (0, 0, 900),
    "MaximumMessageSize": (1_048_576, 1024, 1_048_576),
    "MessageRetentionPeriod": (345_600, 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 0, 20),
    "VisibilityTimeout": (30, 0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (300, 60, 86_400),
}

READ_ONLY = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)


def invalid(name: str) -> str:
    return f"Invalid value for the parameter {name}."


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_queue_has_the_defaults(q, server):
    found = q.get("All")
    now_seconds = server.clock.now_ms() // 1000
    assert int(found.pop("CreatedTimestamp")) == int(found.pop("LastModifiedTimestamp")) == now_seconds
    assert found == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{q.name}",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }


def test_a_fresh_fifo_queue_has_the_defaults(fifo):
    assert fifo.get("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit") == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }


@pytest.mark.parametrize("name", INTEGERS)
def test_the_ends_of_a_range_are_accepted_and_what_is_beyond_is_not(q, make, name):
    _, least, most = INTEGERS[name]
    for value in (least, most):
        q.set(**{name: str(value)})
        assert q.get(name) == {name: str(value)}
        assert make(**{name: str(value)}).get(name) == {name: str(value)}
    for value in (least - 1, most + 1):
        q.refuses_attribute(name, str(value), "InvalidAttributeValue", invalid(name))


@pytest.mark.parametrize("value", ["", " ", "x", "1 0", "60.0", "+60", "-60", "6e1", "٦٠", "9" * 30])
@pytest.mark.parametrize("name", ["MessageRetentionPeriod", "DelaySeconds"])
def test_an_integer_is_plain_digits(q, name, value):
    q.refuses_attribute(name, value, "InvalidAttributeValue", invalid(name))


@pytest.mark.parametrize("name", [*READ_ONLY, "All", "Foo", ""])
def test_unknown_and_read_only_attributes_cannot_be_set(q, name):
    q.refuses_attribute(name, "1", "InvalidAttributeName", f"Unknown Attribute {name}.")


@pytest.mark.parametrize("value", ["True", "TRUE", "true"])
def test_booleans_are_read_without_case(q, make, value):
    q.set(SqsManagedSseEnabled=value)
    assert q.get("SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "true"}
    fifo = make(fifo=True, ContentBasedDeduplication=value)
    assert fifo.get("ContentBasedDeduplication") == {"ContentBasedDeduplication": "true"}


@pytest.mark.parametrize("value", ["yes", "1", "", "truely"])
def test_booleans_are_true_or_false(q, fifo, value):
    q.refuses_attribute("SqsManagedSseEnabled", value, "InvalidAttributeValue", invalid("SqsManagedSseEnabled"))
    name = "ContentBasedDeduplication"
    fifo.refuses_attribute(name, value, "InvalidAttributeValue", invalid(name))


@pytest.mark.parametrize("name", ["DeduplicationScope", "FifoThroughputLimit"])
def test_scope_and_limit_take_their_two_words_only(fifo, name):
    for value in ("", "MESSAGEGROUP", "perGroup"):
        fifo.refuses_attribute(name, value, "InvalidAttributeValue", invalid(name))


def test_a_limit_per_group_needs_a_scope_per_group(fifo, make):
    text = "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup"
    fifo.refuses_attribute("FifoThroughputLimit", "perMessageGroupId", "InvalidAttributeValue", text)
    fifo.set(DeduplicationScope="messageGroup")
    fifo.set(FifoThroughputLimit="perMessageGroupId")
    back = {"DeduplicationScope": "queue"}
    fifo.refuses("SetQueueAttributes", "InvalidAttributeValue", text, Attributes=back)
    fifo.set(DeduplicationScope="queue", FifoThroughputLimit="perQueue")
    high = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    assert make(fifo=True, **high).get(*high) == high


# ── Encryption ───────────────────────────────────────────────────────────────────────────────────────────


def test_managed_encryption_removes_the_kms_key(make):
    q = make(KmsMasterKeyId="alias/key")
    assert q.get("SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "false"}
    q.set(SqsManagedSseEnabled="true")
    assert q.get("KmsMasterKeyId", "SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "true"}


def test_the_reuse_period_is_shown_when_it_is_not_300_or_a_key_is_set(q):
    name = "KmsDataKeyReusePeriodSeconds"
    assert q.get(name) == {}
    q.set(**{name: "600"})
    assert q.get(name) == {name: "600"}
    q.set(**{name: "300"})
    assert q.get(name) == {}
    q.set(KmsMasterKeyId="alias/key")
    assert q.get(name) == {name: "300"}


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────────────


def statement(**more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"} | more


def document(*statements: object, **more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | more, indent=2)


def test_a_policy_comes_back_compact_in_its_own_order(q):
    given = document(statement(Sid="z", Condition={"Bool": {"aws:SecureTransport": "true"}}), Id="mine")
    q.set(Policy=given)
    stored = q.get("Policy")["Policy"]
    assert stored == json.dumps(json.loads(given), separators=(",", ":"))


@pytest.mark.parametrize(
    "policy",
    [
        "{}",
        "[]",
        "not json",
        '{"Version":"2012-10-17"}',
        document(),
        document(statement(), Version="2020-01-01"),
        document(statement(), Colour="blue"),
        document(statement(Colour="blue")),
        document(statement(Effect="Maybe")),
        document({"Effect": "Allow"}),
    ],
    ids=[
        "empty",
        "list",
        "text",
        "no statement",
        "no statements",
        "version",
        "key",
        "statement key",
        "effect",
        "bare",
    ],
)
def test_what_is_no_policy_is_refused(q, policy):
    q.refuses_attribute("Policy", policy, "InvalidAttributeValue", invalid("Policy"))


def test_a_single_statement_needs_no_list(q):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement()})
    q.set(Policy=policy)
    assert json.loads(q.get("Policy")["Policy"]) == json.loads(policy)


def test_a_submitted_policy_has_at_most_20_statements(q, call):
    policy = document(*(statement(Sid=f"s{n}") for n in range(21)))
    text = "21 statements were found in the submitted policy, max allowed is 20"
    q.refuses("SetQueueAttributes", "OverLimit", text, status=403, Attributes={"Policy": policy})
    given = {"QueueName": fresh_name(), "Attributes": {"Policy": policy}}
    call.refuses("CreateQueue", "InvalidParameterValue", text, **given)


@pytest.mark.parametrize(
    "policy",
    [
        document(statement(Sid="s" * 8192)),
        document(statement(Principal={"AWS": [f"{n:012}" for n in range(51)]})),
    ],
    ids=["8192 bytes", "51 principals"],
)
def test_a_policy_stays_within_its_quotas(q, policy):
    q.refuses_attribute("Policy", policy, "InvalidAttributeValue", invalid("Policy"))


# ── RedrivePolicy and RedriveAllowPolicy ─────────────────────────────────────────────────────────────────


def refuses_redrive(q, policy: str, reason: str) -> None:
    text = f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}"
    q.refuses_attribute("RedrivePolicy", policy, "InvalidParameterValue", text)


@pytest.mark.parametrize("policy", ["x", "[]", '"x"', "{"])
def test_a_redrive_policy_is_a_json_map(q, policy):
    text = "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
    q.refuses_attribute("RedrivePolicy", policy, "InvalidAttributeValue", text)


def test_a_redrive_policy_has_a_target_and_a_count_and_nothing_else(q):
    mandatory = "Redrive policy does not contain mandatory attribute: "
    arn = q.arn
    refuses_redrive(q, "{}", mandatory + "maxReceiveCount.")
    refuses_redrive(q, json.dumps({"deadLetterTargetArn": arn}), mandatory + "maxReceiveCount.")
    refuses_redrive(q, '{"maxReceiveCount":5}', mandatory + "deadLetterTargetArn.")
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5, "more": 1})
    only = "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."
    refuses_redrive(q, policy, only)


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("q", "Dead-letter target ARN should be fully qualified ARN."),
        ("arn:aws:sqs:us-east-1", "Dead-letter target ARN should be fully qualified ARN."),
        (
            "arn:aws:sns:us-east-1:000000000000:topic",
            "Only SQS queues are valid resources for deadLetterTargetArn.",
        ),
        (
            "arn:aws:sqs:eu-west-1:000000000000:q",
            "Dead-letter target must be in same region as the source.",
        ),
        (
            "arn:aws:sqs:us-east-1:123456789012:q",
            "Dead-letter target owner should be same as the source.",
        ),
        ("arn:aws:sqs:us-east-1:000000000000:missing", "Dead letter target does not exist."),
    ],
)
def test_a_target_is_a_queue_of_the_same_account_and_region(q, arn, reason):
    refuses_redrive(q, json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5}), reason)


@pytest.mark.parametrize(
    "policy",
    [
        "x",
        "[]",
        "{}",
        '{"redrivePermission":"some"}',
        '{"redrivePermission":"allowAll","more":1}',
        '{"redrivePermission":"byQueue","sourceQueueArns":"arn"}',
        '{"redrivePermission":"byQueue","sourceQueueArns":[1]}',
    ],
)
def test_a_redrive_allow_policy_has_one_form(q, policy):
    text = (
        "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow "
        "policy, as it’s in an unsupported format."
    )
    q.refuses_attribute("RedriveAllowPolicy", policy, "InvalidAttributeValue", text)


def test_a_redrive_allow_policy_comes_back_in_canonical_form(q):
    arns = [f"arn:aws:sqs:us-east-1:000000000000:source{n}" for n in range(10)]
    q.set(RedriveAllowPolicy=json.dumps({"sourceQueueArns": arns, "redrivePermission": "byQueue"}, indent=1))
    listed = json.dumps(arns, separators=(",", ":"))
    stored = f'{{"redrivePermission":"byQueue","sourceQueueArns":{listed}}}'
    assert q.get("RedriveAllowPolicy") == {"RedriveAllowPolicy": stored}
    for permission in ("allowAll", "denyAll"):
        q.set(RedriveAllowPolicy=json.dumps({"redrivePermission": permission}))
        assert q.get("RedriveAllowPolicy") == {"RedriveAllowPolicy": f'{{"redrivePermission":"{permission}"}}'}


# ── Effects of changes ───────────────────────────────────────────────────────────────────────────────────


def test_a_change_moves_the_time_of_modification_only(q, server):
    created = q.get("CreatedTimestamp", "LastModifiedTimestamp")
    server.advance(7)
    q.set(DelaySeconds="1")
    changed = q.get("CreatedTimestamp", "LastModifiedTimestamp")
    assert changed["CreatedTimestamp"] == created["CreatedTimestamp"]
    assert int(changed["LastModifiedTimestamp"]) == int(created["LastModifiedTimestamp"]) + 7


def test_tags_do_not_move_the_time_of_modification(q, server):
    before = q.get("LastModifiedTimestamp")
    server.advance(7)
    q("TagQueue", Tags={"a": "b"})
    assert q.get("LastModifiedTimestamp") == before


def test_a_smaller_maximum_concerns_new_messages_only(q):
    q.send("b" * 2000)
    q.set(MaximumMessageSize="1024")
    q.refuses("SendMessage", "InvalidParameterValue", MessageBody="b" * 1025)
    assert len(q.receive_one()["Body"]) == 2000


def test_a_changed_visibility_timeout_concerns_later_receives(q, server):
    q.send("one")
    q.receive_one()
    q.set(VisibilityTimeout="5")
    server.advance(29)
    assert q.counts() == (0, 1, 0)
    server.advance(1)
    q.receive_one()
    server.advance(5)
    q.receive_one()


def test_a_kms_key_changes_nothing_about_messages(q):
    q.send("before")
    q.set(KmsMasterKeyId="alias/key")
    q.send("after")
    assert q.bodies(MaxNumberOfMessages=10) == ["before", "after"]
