import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.engine.attributes import (
    ATTRIBUTES,
    check_change,
    check_create,
    describe,
    first_difference,
    settings_of,
)
from stanchion.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    SQSError,
)
from stanchion.model import Counts, RedriveAllowPolicy, RedrivePolicy
from unit.engine.queues import arn, queue
from unit.engine.texts import ANY_TEXT

COUNTS = Counts(visible=3, in_flight=2, delayed=1)
FIFO = {"FifoQueue": "true"}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn("q")},
        ],
    }
)
REDRIVE = json.dumps({"maxReceiveCount": "5", "deadLetterTargetArn": arn("dead")})
REDRIVE_CANONICAL = f'{{"deadLetterTargetArn":"{arn("dead")}","maxReceiveCount":5}}'

INTEGERS = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
]
COMPUTED = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
]
FIFO_CHOICES = ["DeduplicationScope", "FifoThroughputLimit"]
FIFO_NAME = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
    "must end with .fifo suffix and be 1 to 80 in length."
)
STANDARD_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
ONE_ENCRYPTION = (
    "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
)
NEEDS_GROUPS = "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup"


def invalid(name: str) -> str:
    return f"Invalid value for the parameter {name}."


def refused_at_create(error: type[SQSError], text: str, name: str | None, attributes: dict[str, str]) -> None:
    with pytest.raises(error) as raised:
        check_create(name, attributes)
    assert raised.value.message == text


def refused_change(error: type[SQSError], text: str, current: dict[str, str], changes: dict[str, str]) -> None:
    before = dict(current)
    with pytest.raises(error) as raised:
        check_change(current, changes)
    assert raised.value.message == text
    assert current == before


# ── Names of queues ──────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_must_have_a_name():
    text = "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
    refused_at_create(InvalidParameterValue, text, None, {})


def test_a_queue_name_must_not_be_empty():
    refused_at_create(InvalidParameterValue, "Queue name cannot be empty", "", {})


@pytest.mark.parametrize("name", ["q", "A_b-9", "x" * 80])
def test_good_names_of_standard_queues(name):
    assert check_create(name, None) == {}


@pytest.mark.parametrize("name", ["x" * 81, "a.b", "a b", "é", "q\n", "x.fifo", "\ud800"])
def test_bad_names_of_standard_queues(name):
    refused_at_create(InvalidParameterValue, STANDARD_NAME, name, {})


@pytest.mark.parametrize("name", ["x.fifo", "x" * 75 + ".fifo"])
@pytest.mark.parametrize("flag", ["true", "True", "TRUE"])
def test_good_names_of_fifo_queues(name, flag):
    assert check_create(name, {"FifoQueue": flag}) == FIFO


@pytest.mark.parametrize("name", ["x", ".fifo", "x" * 76 + ".fifo", "a b.fifo", "x.fifo\n", "x.FIFO", "x.fifo.fifo"])
def test_bad_names_of_fifo_queues(name):
    refused_at_create(InvalidParameterValue, FIFO_NAME, name, FIFO)


@pytest.mark.parametrize("name", ["x", "x.fifo"])
def test_fifo_queue_false_is_an_unknown_attribute(name):
    refused_at_create(InvalidAttributeName, "Unknown Attribute FifoQueue.", name, {"FifoQueue": "false"})


@pytest.mark.parametrize("value", ["", "yes", "1"])
def test_fifo_queue_nonsense_is_an_invalid_value(value):
    refused_at_create(InvalidAttributeValue, invalid("FifoQueue"), "x.fifo", {"FifoQueue": value})


# ── The order of the checks ──────────────────────────────────────────────────────────────────────────────


def test_the_name_must_be_given_before_anything_else_is_looked_at():
    with pytest.raises(InvalidParameterValue):
        check_create(None, {"Foo": "1"})


def test_attribute_names_come_before_values():
    refused_at_create(InvalidAttributeName, "Unknown Attribute Foo.", "a b", {"DelaySeconds": "x", "Foo": "1"})


def test_attribute_values_come_before_the_syntax_of_the_name():
    refused_at_create(InvalidAttributeValue, invalid("DelaySeconds"), "a b", {"DelaySeconds": "x"})


# ── Names of attributes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["Foo", "", "delayseconds", "All", "\x00", "\ud800", *COMPUTED])
def test_unknown_and_read_only_attributes_can_not_be_set(name):
    refused_at_create(InvalidAttributeName, f"Unknown Attribute {name}.", "q", {name: "1"})
    refused_change(InvalidAttributeName, f"Unknown Attribute {name}.", {}, {name: "1"})


@pytest.mark.parametrize("name", FIFO_CHOICES)
def test_fifo_choices_on_a_standard_queue_say_what_they_need(name):
    text = f"You can specify the {name} only when FifoQueue is set to true."
    refused_at_create(InvalidAttributeName, text, "q", {name: "queue"})
    refused_change(InvalidAttributeName, text, {}, {name: "queue"})


def test_content_based_deduplication_is_unknown_to_standard_queues():
    text = "Unknown Attribute ContentBasedDeduplication."
    refused_at_create(InvalidAttributeName, text, "q", {"ContentBasedDeduplication": "true"})
    refused_change(InvalidAttributeName, text, {}, {"ContentBasedDeduplication": "true"})


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "lowest", "highest"), INTEGERS)
def test_integers_are_accepted_up_to_their_limits(name, lowest, highest):
    for value in (lowest, highest):
        assert check_create("q", {name: str(value)}) == {name: str(value)}
        assert check_change({}, {name: str(value)}) == {name: str(value)}


@pytest.mark.parametrize(("name", "lowest", "highest"), INTEGERS)
def test_integers_beyond_their_limits_are_refused(name, lowest, highest):
    for value in (lowest - 1, highest + 1):
        refused_at_create(InvalidAttributeValue, invalid(name), "q", {name: str(value)})
        refused_change(InvalidAttributeValue, invalid(name), {}, {name: str(value)})


@pytest.mark.parametrize(
    "value", ["", " ", "6 0", " 60", "60 ", "60\n", "60.0", "+60", "-60", "1e2", "٦٠", "9" * 5000]
)
@pytest.mark.parametrize("name", [name for name, _, _ in INTEGERS])
def test_what_is_not_plain_digits_is_no_integer(name, value):
    refused_at_create(InvalidAttributeValue, invalid(name), "q", {name: value})


def test_integers_are_stored_without_leading_zeros():
    assert check_create("q", {"DelaySeconds": "007"}) == {"DelaySeconds": "7"}


@pytest.mark.parametrize("value", ["True", "TRUE", "true"])
def test_flags_are_read_in_any_case(value):
    assert check_create("q", {"SqsManagedSseEnabled": value}) == {"SqsManagedSseEnabled": "true"}


@pytest.mark.parametrize("value", ["", "1", "yes", "true "])
def test_other_flags_are_refused(value):
    refused_at_create(InvalidAttributeValue, invalid("SqsManagedSseEnabled"), "q", {"SqsManagedSseEnabled": value})
    attributes = FIFO | {"ContentBasedDeduplication": value}
    refused_at_create(InvalidAttributeValue, invalid("ContentBasedDeduplication"), "q.fifo", attributes)


@pytest.mark.parametrize("name", FIFO_CHOICES)
@pytest.mark.parametrize("value", ["", "Queue", "PERQUEUE", "other"])
def test_choices_take_only_their_named_values(name, value):
    refused_at_create(InvalidAttributeValue, invalid(name), "q.fifo", FIFO | {name: value})


def test_an_illegal_character_in_a_key_id_is_refused():
    for value in ("a\x00", "\ud800"):
        refused_at_create(InvalidAttributeValue, invalid("KmsMasterKeyId"), "q", {"KmsMasterKeyId": value})


def test_per_group_throughput_needs_deduplication_per_group():
    per_group = {"FifoThroughputLimit": "perMessageGroupId"}
    refused_at_create(InvalidAttributeValue, NEEDS_GROUPS, "q.fifo", FIFO | per_group)
    refused_at_create(
        InvalidAttributeValue, NEEDS_GROUPS, "q.fifo", FIFO | per_group | {"DeduplicationScope": "queue"}
    )
    refused_change(InvalidAttributeValue, NEEDS_GROUPS, FIFO, per_group)


def test_per_group_throughput_is_accepted_with_deduplication_per_group():
    both = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    assert check_create("q.fifo", FIFO | both) == FIFO | both
    grouped = FIFO | {"DeduplicationScope": "messageGroup"}
    assert check_change(grouped, {"FifoThroughputLimit": "perMessageGroupId"}) == FIFO | both


def test_deduplication_goes_back_to_the_queue_only_together_with_throughput():
    both = FIFO | {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    refused_change(InvalidAttributeValue, NEEDS_GROUPS, both, {"DeduplicationScope": "queue"})
    back = {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    assert check_change(both, back) == FIFO | back


def test_two_encryptions_in_one_call_are_refused():
    both = {"KmsMasterKeyId": "alias/k", "SqsManagedSseEnabled": "true"}
    refused_at_create(InvalidAttributeName, ONE_ENCRYPTION, "q", both)
    refused_change(InvalidAttributeName, ONE_ENCRYPTION, {}, both)


def test_a_key_turns_managed_encryption_off_and_clearing_it_leaves_it_off():
    keyed = check_change({}, {"KmsMasterKeyId": "alias/k"})
    assert keyed == {"KmsMasterKeyId": "alias/k", "SqsManagedSseEnabled": "false"}
    assert check_change(keyed, {"KmsMasterKeyId": ""}) == {"SqsManagedSseEnabled": "false"}


def test_managed_encryption_removes_the_key():
    keyed = check_create("q", {"KmsMasterKeyId": "alias/k"})
    assert check_change(keyed, {"SqsManagedSseEnabled": "true"}) == {"SqsManagedSseEnabled": "true"}


@pytest.mark.parametrize("name", ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"])
def test_an_empty_value_unsets(name):
    assert check_create("q", {name: ""}) == {}
    assert check_change({name: "something", "DelaySeconds": "1"}, {name: ""}) == {"DelaySeconds": "1"}


def test_json_attributes_are_stored_in_canonical_form():
    allow = ' { "sourceQueueArns" : ["' + arn("s") + '"], "redrivePermission": "byQueue" } '
    assert check_create("q", {"RedrivePolicy": REDRIVE, "RedriveAllowPolicy": allow}) == {
        "RedrivePolicy": REDRIVE_CANONICAL,
        "RedriveAllowPolicy": f'{{"redrivePermission":"byQueue","sourceQueueArns":["{arn("s")}"]}}',
    }


def test_a_policy_is_stored_compact():
    stored = check_create("q", {"Policy": POLICY})["Policy"]
    assert json.loads(stored) == json.loads(POLICY)
    assert ": " not in stored


@pytest.mark.parametrize("value", ["x", "[]", "{}", "\ud800", "[" * 100_000])
def test_what_is_no_policy_document_is_refused(value):
    refused_at_create(InvalidAttributeValue, invalid("Policy"), "q", {"Policy": value})


def test_a_policy_has_at_most_twenty_statements_and_create_and_set_say_so_differently():
    document = json.loads(POLICY)
    document["Statement"] *= 21
    many = {"Policy": json.dumps(document)}
    text = "21 statements were found in the submitted policy, max allowed is 20"
    refused_at_create(InvalidParameterValue, text, "q", many)
    refused_change(OverLimit, text, {}, many)


# ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("changes", [None, {}])
def test_a_change_must_name_something(changes):
    with pytest.raises(MissingParameter) as raised:
        check_change({}, changes)
    assert raised.value.message == "The request must contain the parameter Attribute.Name."


def test_a_change_leaves_the_rest():
    assert check_change({"DelaySeconds": "1"}, {"VisibilityTimeout": "2"}) == {
        "DelaySeconds": "1",
        "VisibilityTimeout": "2",
    }


def test_one_bad_value_refuses_the_whole_change():
    changes = {"VisibilityTimeout": "2", "DelaySeconds": "901"}
    refused_change(InvalidAttributeValue, invalid("DelaySeconds"), {"DelaySeconds": "1"}, changes)


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_type_of_a_standard_queue_is_unknown_to_it(value):
    refused_change(InvalidAttributeName, "Unknown Attribute FifoQueue.", {}, {"FifoQueue": value})


def test_a_fifo_queue_may_be_told_that_it_is_one():
    assert check_change(FIFO, {"FifoQueue": "True"}) == FIFO


def test_a_fifo_queue_stays_one():
    text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    refused_change(InvalidAttributeValue, text, FIFO, {"FifoQueue": "false"})


# ── Creating an existing queue ───────────────────────────────────────────────────────────────────────────


def test_nothing_given_is_no_difference():
    assert first_difference(queue(VisibilityTimeout="1"), {}) is None


def test_a_default_is_a_value_like_any_other():
    assert first_difference(queue(), {"VisibilityTimeout": "30", "SqsManagedSseEnabled": "TRUE"}) is None
    assert first_difference(queue(), {"VisibilityTimeout": "31"}) == "VisibilityTimeout"


def test_numbers_are_compared_by_value():
    assert first_difference(queue(DelaySeconds="5"), {"DelaySeconds": "005"}) is None


def test_the_first_difference_is_named():
    given_now = {"DelaySeconds": "5", "VisibilityTimeout": "1", "MaximumMessageSize": "1024"}
    assert first_difference(queue(DelaySeconds="5"), given_now) == "VisibilityTimeout"


def test_json_is_compared_by_canonical_form():
    existing = queue(RedrivePolicy=REDRIVE)
    assert first_difference(existing, {"RedrivePolicy": REDRIVE_CANONICAL}) is None
    assert first_difference(existing, {"RedrivePolicy": REDRIVE.replace('"5"', "6")}) == "RedrivePolicy"


def test_policies_are_compared_without_the_order_of_their_keys():
    turned = json.dumps(dict(reversed(json.loads(POLICY).items())))
    assert first_difference(queue(Policy=POLICY), {"Policy": turned}) is None
    assert first_difference(queue(), {"Policy": POLICY}) == "Policy"
    other = POLICY.replace("SendMessage", "DeleteMessage")
    assert first_difference(queue(Policy=POLICY), {"Policy": other}) == "Policy"


def test_an_empty_value_differs_from_a_set_one_only():
    assert first_difference(queue(RedrivePolicy=REDRIVE), {"RedrivePolicy": ""}) == "RedrivePolicy"
    assert first_difference(queue(), {"RedrivePolicy": ""}) is None


def test_a_queue_does_not_differ_from_what_it_was_created_with():
    made_with = {"KmsMasterKeyId": "alias/k", "DelaySeconds": "09", "RedrivePolicy": REDRIVE}
    assert first_difference(queue(**made_with), made_with) is None


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_of_a_fresh_standard_queue():
    settings = settings_of({})
    assert settings.delay_seconds == 0
    assert settings.maximum_message_size == 1_048_576
    assert settings.message_retention_seconds == 345_600
    assert settings.receive_wait_seconds == 0
    assert settings.visibility_timeout_seconds == 30
    assert not (settings.fifo or settings.content_based_deduplication or settings.deduplication_per_group)
    assert settings.redrive_policy is settings.redrive_allow_policy is settings.access_policy is None


def test_settings_follow_the_attributes():
    settings = queue(
        "q.fifo",
        ContentBasedDeduplication="true",
        DeduplicationScope="messageGroup",
        DelaySeconds="0",
        MaximumMessageSize="2048",
        MessageRetentionPeriod="60",
        ReceiveMessageWaitTimeSeconds="20",
        VisibilityTimeout="0",
        RedrivePolicy=REDRIVE,
        RedriveAllowPolicy='{"redrivePermission":"denyAll"}',
        Policy=POLICY,
    ).settings
    assert settings.fifo
    assert settings.content_based_deduplication
    assert settings.deduplication_per_group
    assert settings.maximum_message_size == 2048
    assert settings.message_retention_seconds == 60
    assert settings.receive_wait_seconds == 20
    assert settings.visibility_timeout_seconds == 0
    assert settings.redrive_policy == RedrivePolicy(arn("dead"), 5)
    assert settings.redrive_allow_policy == RedriveAllowPolicy("denyAll")
    assert settings.access_policy is not None


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────

FRESH = {
    "ApproximateNumberOfMessages": "3",
    "ApproximateNumberOfMessagesDelayed": "1",
    "ApproximateNumberOfMessagesNotVisible": "2",
    "CreatedTimestamp": "1700000000",
    "DelaySeconds": "0",
    "LastModifiedTimestamp": "1700000009",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "QueueArn": arn("q"),
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
FRESH_FIFO = FRESH | {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
    "QueueArn": arn("q.fifo"),
}


def test_all_of_a_fresh_standard_queue_are_twelve():
    assert describe(queue(), COUNTS, ["All"]) == FRESH


def test_all_of_a_fresh_fifo_queue_are_sixteen():
    assert describe(queue("q.fifo"), COUNTS, ["All"]) == FRESH_FIFO


@pytest.mark.parametrize("names", [None, []])
def test_no_names_show_nothing(names):
    assert describe(queue(), COUNTS, names) == {}


def test_named_attributes_are_shown():
    names = ["VisibilityTimeout", "ApproximateNumberOfMessages", "VisibilityTimeout"]
    assert describe(queue(), COUNTS, names) == {"VisibilityTimeout": "30", "ApproximateNumberOfMessages": "3"}


def test_all_may_stand_among_other_names():
    assert describe(queue(), COUNTS, ["DelaySeconds", "All"]) == FRESH


@pytest.mark.parametrize("name", ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "FifoQueue"])
def test_what_a_queue_does_not_have_is_left_out(name):
    assert describe(queue(), COUNTS, [name]) == {}


@pytest.mark.parametrize("name", ["Foo", "", "all", "\ud800"])
def test_an_unknown_name_is_refused_even_beside_all(name):
    with pytest.raises(InvalidAttributeName) as raised:
        describe(queue(), COUNTS, ["All", name])
    assert raised.value.message == f"Unknown Attribute {name}."


def test_the_reuse_period_is_shown_when_it_is_not_the_default_or_a_key_is_set():
    name = "KmsDataKeyReusePeriodSeconds"
    assert describe(queue(KmsDataKeyReusePeriodSeconds="300"), COUNTS, [name]) == {}
    assert describe(queue(KmsDataKeyReusePeriodSeconds="60"), COUNTS, [name]) == {name: "60"}
    assert describe(queue(KmsMasterKeyId="alias/k"), COUNTS, [name]) == {name: "300"}


# ── Whatever comes ───────────────────────────────────────────────────────────────────────────────────────

SETTABLE = [a for a in ATTRIBUTES if a.kind != "computed" and a.name != "Policy"]


@st.composite
def good_values(draw, attribute):
    match attribute.kind:
        case "integer":
            zeros = "0" * draw(st.integers(0, 2))
            return zeros + str(draw(st.integers(attribute.lowest, attribute.highest)))
        case "flag":
            return draw(st.sampled_from(["true", "True", "false", "FALSE"]))
        case "choice":
            return draw(st.sampled_from(attribute.choices))
        case "text":
            return draw(st.sampled_from(["", "alias/aws/sqs", "é"]))
        case "redrive policy":
            return draw(st.sampled_from(["", REDRIVE, REDRIVE_CANONICAL]))
        case "redrive allow policy":
            return draw(st.sampled_from(["", '{"redrivePermission" : "allowAll"}']))


@st.composite
def good_attributes(draw):
    """Attributes of a FIFO queue, which may have any, before the rules that couple them."""
    chosen = draw(st.lists(st.sampled_from(SETTABLE), unique=True))
    return {a.name: draw(good_values(a)) for a in chosen} | FIFO


@given(good_attributes())
def test_what_is_stored_is_its_own_canonical_form(attributes):
    try:
        stored = check_create("q.fifo", attributes)
    except SQSError as error:
        assert error.message in (ONE_ENCRYPTION, NEEDS_GROUPS)
        return
    assert check_create("q.fifo", stored) == stored
    assert check_change(stored, stored) == stored
    assert first_difference(queue("q.fifo", **stored), attributes) is None


@given(good_attributes())
def test_what_was_set_is_shown(attributes):
    try:
        made = queue("q.fifo", **attributes)
    except SQSError:
        return
    shown = describe(made, COUNTS, ["All"])
    hidden = {"KmsDataKeyReusePeriodSeconds": "300"}.items()
    assert shown.items() >= made.attributes.items() - hidden


names = st.one_of(st.sampled_from([a.name for a in ATTRIBUTES]), ANY_TEXT)
values = st.one_of(st.sampled_from(["", "true", "0", "{}", '{"maxReceiveCount":1}', REDRIVE, "[" * 99]), ANY_TEXT)


@given(st.one_of(st.none(), ANY_TEXT), st.dictionaries(names, values, max_size=4))
def test_whatever_is_sent_only_errors_for_clients_are_raised(name, attributes):
    for attempt in (
        lambda: check_create(name, attributes),
        lambda: check_change(FIFO, attributes),
        lambda: describe(queue(), COUNTS, list(attributes)),
    ):
        try:
            attempt()
        except SQSError as error:
            assert error.message
