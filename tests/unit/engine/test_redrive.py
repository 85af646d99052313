import base64
import json
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.actions import StartMessageMoveTaskInput
from stanchion.engine.redrive import (
    allow_policy_text,
    check_cancel,
    check_source_arn,
    check_start,
    check_target,
    check_task_results,
    no_such_queue,
    policy_text,
    read_allow_policy,
    read_policy,
    read_task_handle,
    target_key,
    task_entry,
    task_handle,
)
from stanchion.errors import (
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    ResourceNotFound,
    SQSError,
)
from stanchion.model import MoveTask, Queue, QueueKey, RedriveAllowPolicy, RedrivePolicy
from unit.engine.queues import ACCOUNT, REGION, arn, key, queue
from unit.engine.texts import ANY_TEXT

# ── RedrivePolicy ────────────────────────────────────────────────────────────────────────────────────────

DEAD = arn("dead")
TEXT = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 5})


def refused_policy(reason: str, given_policy: object) -> None:
    sent = given_policy if isinstance(given_policy, str) else json.dumps(given_policy)
    with pytest.raises(InvalidParameterValue) as raised:
        read_policy(sent)
    assert raised.value.message == f"Value {sent} for parameter RedrivePolicy is invalid. Reason: {reason}"


@pytest.mark.parametrize(("count", "read"), [(1, 1), (1000, 1000), ("5", 5), ("0005", 5)])
def test_a_good_redrive_policy_and_its_canonical_form(count, read):
    policy = read_policy(json.dumps({"maxReceiveCount": count, "deadLetterTargetArn": DEAD}))
    assert policy == RedrivePolicy(DEAD, read)
    assert policy_text(policy) == f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":{read}}}'
    assert read_policy(policy_text(policy)) == policy


@pytest.mark.parametrize(
    "sent", ["x", "[]", "1", '"text"', "null", "{", "{} x", "\ud800", "[" * 100_000, '{"a":NaN}', "1" * 5000]
)
def test_what_is_no_json_map_is_no_redrive_policy(sent):
    with pytest.raises(InvalidAttributeValue) as raised:
        read_policy(sent)
    assert raised.value.message == (
        "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
    )


@pytest.mark.parametrize("policy", [{}, {"deadLetterTargetArn": DEAD}, {"other": 1}])
def test_a_redrive_policy_needs_the_count(policy):
    refused_policy("Redrive policy does not contain mandatory attribute: maxReceiveCount.", policy)


def test_a_redrive_policy_needs_the_target():
    refused_policy(
        "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.", {"maxReceiveCount": 5}
    )


def test_a_redrive_policy_has_no_other_keys():
    refused_policy(
        "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].",
        {"deadLetterTargetArn": DEAD, "maxReceiveCount": 5, "more": 1},
    )


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (1001, "1001"), (-1, "-1"), ("x", "x"), ("", ""), ("-1", "-1"), (5.0, "5.0"), (True, "True"),
     (None, "None"), ("٥", "٥"), (10**4000, str(10**4000)), ("9" * 5000, "9" * 5000)],
)  # fmt: skip
def test_the_receive_count_is_1_to_1000(count, shown):
    refused_policy(
        f"Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive.",
        {"deadLetterTargetArn": DEAD, "maxReceiveCount": count},
    )


def test_a_receive_count_that_is_a_list_is_quoted_with_the_whole_policy():
    sent = '{"deadLetterTargetArn":"x","maxReceiveCount":[1]}'
    refused_policy(
        f"Invalid value for maxReceiveCount: {sent}, valid values are from 1 to 1000 both inclusive.", sent
    )


@pytest.mark.parametrize(
    "target",
    ["", "dead", "arn:aws:sqs", "x" + DEAD, DEAD + "!", DEAD + "\n", "arn:aws:sqs:us-east-1:1:dead", 5, None, [DEAD]],
)
def test_the_target_must_be_a_full_arn(target):
    refused_policy(
        "Dead-letter target ARN should be fully qualified ARN.",
        {"deadLetterTargetArn": target, "maxReceiveCount": 5},
    )


def test_the_target_must_be_a_queue():
    refused_policy(
        "Only SQS queues are valid resources for deadLetterTargetArn.",
        {"deadLetterTargetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:dead", "maxReceiveCount": 5},
    )


def test_a_policy_names_its_targets_key():
    assert target_key(read_policy(TEXT)) == key("dead")


# ── The target itself ────────────────────────────────────────────────────────────────────────────────────


def point(target_arn: str, target: Queue | None, source: str = "source") -> None:
    check_target(key(source), source.endswith(".fifo"), "{}", RedrivePolicy(target_arn, 5), target)


def refused_target(reason: str, target_arn: str, target: Queue | None, source: str = "source") -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        point(target_arn, target, source)
    assert raised.value.message == f"Value {{}} for parameter RedrivePolicy is invalid. Reason: {reason}"


def test_a_queue_of_the_same_type_may_be_the_target():
    point(DEAD, queue("dead"))
    point(arn("dead.fifo"), queue("dead.fifo"), "source.fifo")


def test_the_target_must_be_in_the_region_of_the_source():
    other = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:dead"
    refused_target("Dead-letter target must be in same region as the source.", other, queue("dead"))


def test_the_target_must_have_the_owner_of_the_source():
    other = f"arn:aws:sqs:{REGION}:999999999999:dead"
    refused_target("Dead-letter target owner should be same as the source.", other, queue("dead"))


def test_the_target_must_exist():
    refused_target("Dead letter target does not exist.", DEAD, None)


def test_an_arn_of_another_partition_names_no_queue_of_this_region():
    other = DEAD.replace("arn:aws:", "arn:aws-cn:")
    refused_target("Dead letter target does not exist.", other, queue("dead"))
    refused_target("Dead letter target does not exist.", other, None, "dead")


@pytest.mark.parametrize(("source", "target"), [("source", "dead.fifo"), ("source.fifo", "dead")])
def test_the_target_must_be_of_the_type_of_the_source(source, target):
    reason = "Dead-letter queue must be same type of queue as the source.."
    refused_target(reason, arn(target), queue(target), source)


@pytest.mark.parametrize("name", ["self", "self.fifo"])
def test_a_queue_may_name_itself_even_while_it_is_created(name):
    point(arn(name), queue(name), name)
    point(arn(name), None, name)


FORBIDDEN = (
    "Amazon SQS can't configure the dead-letter queue: the redrive allow policy of the target "
    "does not permit this source."
)


def allowing(policy: dict) -> Queue:
    return queue("dead", RedriveAllowPolicy=json.dumps(policy))


def test_a_target_that_denies_all_is_refused():
    refused_target(FORBIDDEN, DEAD, allowing({"redrivePermission": "denyAll"}))


def test_a_target_may_allow_all_or_by_name():
    point(DEAD, allowing({"redrivePermission": "allowAll"}))
    by_queue = allowing({"redrivePermission": "byQueue", "sourceQueueArns": [arn("other"), arn("source")]})
    point(DEAD, by_queue)
    refused_target(FORBIDDEN, DEAD, by_queue, "stranger")


# ── RedriveAllowPolicy ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_policy", "read", "canonical"),
    [
        ({"redrivePermission": "allowAll"}, RedriveAllowPolicy("allowAll"), '{"redrivePermission":"allowAll"}'),
        (
            {"sourceQueueArns": [], "redrivePermission": "denyAll"},
            RedriveAllowPolicy("denyAll"),
            '{"redrivePermission":"denyAll"}',
        ),
        (
            {"sourceQueueArns": [DEAD], "redrivePermission": "byQueue"},
            RedriveAllowPolicy("byQueue", (DEAD,)),
            f'{{"redrivePermission":"byQueue","sourceQueueArns":["{DEAD}"]}}',
        ),
    ],
)
def test_good_redrive_allow_policies_and_their_canonical_form(given_policy, read, canonical):
    policy = read_allow_policy(json.dumps(given_policy))
    assert policy == read
    assert allow_policy_text(policy) == canonical
    assert read_allow_policy(canonical) == policy


@pytest.mark.parametrize(
    "sent",
    [
        "x",
        "[]",
        "{}",
        '{"redrivePermission":"all"}',
        '{"redrivePermission":["allowAll"]}',
        '{"redrivePermission":"allowAll","more":1}',
        '{"redrivePermission":"byQueue","sourceQueueArns":"arn"}',
        '{"redrivePermission":"byQueue","sourceQueueArns":[1]}',
        '{"redrivePermission":"byQueue","sourceQueueArns":null}',
        '{"sourceQueueArns":["arn"]}',
        "[" * 100_000,
    ],
)
def test_redrive_allow_policies_of_another_format(sent):
    with pytest.raises(InvalidAttributeValue) as raised:
        read_allow_policy(sent)
    assert raised.value.message == (
        "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow "
        "policy, as it’s in an unsupported format."
    )


BY_QUEUE_NEEDS_ARNS = (
    "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
)
ARNS_NEED_BY_QUEUE = "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."


@pytest.mark.parametrize(
    ("given_policy", "reason"),
    [
        ({"redrivePermission": "byQueue"}, BY_QUEUE_NEEDS_ARNS),
        ({"redrivePermission": "byQueue", "sourceQueueArns": []}, BY_QUEUE_NEEDS_ARNS),
        ({"redrivePermission": "allowAll", "sourceQueueArns": [DEAD]}, ARNS_NEED_BY_QUEUE),
        ({"redrivePermission": "denyAll", "sourceQueueArns": [DEAD]}, ARNS_NEED_BY_QUEUE),
        (
            {"redrivePermission": "byQueue", "sourceQueueArns": [arn(str(n)) for n in range(11)]},
            "The maximum number of source queue ARNs you can specify is 10.",
        ),
    ],
)
def test_redrive_allow_policies_that_contradict_themselves(given_policy, reason):
    sent = json.dumps(given_policy)
    with pytest.raises(InvalidParameterValue) as raised:
        read_allow_policy(sent)
    assert raised.value.message == (
        f"Value {sent} for parameter RedriveAllowPolicy is invalid. "
        f"Reason: Amazon SQS can't create the redrive allow policy. {reason}"
    )


# ── Task handles ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_handle_is_base64_of_compact_json():
    handle = task_handle("t-1", DEAD)
    assert base64.b64decode(handle).decode() == f'{{"taskId":"t-1","sourceArn":"{DEAD}"}}'
    assert read_task_handle(handle) == ("t-1", DEAD)


@pytest.mark.parametrize("handle", [None, ""])
def test_a_task_handle_must_be_given(handle):
    with pytest.raises(MissingParameter) as raised:
        read_task_handle(handle)
    assert raised.value.message == "The request must contain the parameter TaskHandle."


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "handle",
    [
        "garbage",
        "é",
        "\ud800",
        encoded(b"x"),
        encoded(b"{}"),
        encoded(b"[" * 100_000),
        encoded(b'{"taskId":"\xff","sourceArn":""}'),
        encoded(b'{"taskId":1,"sourceArn":"' + DEAD.encode() + b'"}'),
        encoded(b'{"taskId":"t","sourceArn":"no arn"}'),
        encoded(b'{"taskId":"t","sourceArn":"' + DEAD.encode() + b'","more":1}'),
        task_handle("t", DEAD) + "\n",
    ],
)
def test_a_text_that_is_no_task_handle(handle):
    with pytest.raises(InvalidParameterValue) as raised:
        read_task_handle(handle)
    assert raised.value.message == "Value for parameter TaskHandle is invalid."


# ── Starting, cancelling, listing move tasks ─────────────────────────────────────────────────────────────


@dataclass
class Queues:
    """A directory of a few queues."""

    queues: list[Queue] = field(default_factory=lambda: [queue("dead"), queue("other"), queue("other.fifo")])
    dead_letter_arns: tuple[str, ...] = (DEAD,)
    tasks: list[MoveTask] = field(default_factory=list)

    def find(self, wanted: QueueKey) -> Queue | None:
        return next((found for found in self.queues if found.key == wanted), None)

    def deleted_at_ms(self, wanted: QueueKey) -> int | None:
        return None

    def is_dead_letter_queue(self, wanted: str) -> bool:
        return wanted in self.dead_letter_arns

    def active_move_tasks(self, account: str) -> list[MoveTask]:
        return [task for task in self.tasks if task.account == account]


def task(**changes: object) -> MoveTask:
    running = MoveTask(
        id="t-1",
        account=ACCOUNT,
        source_arn=DEAD,
        destination_arn=None,
        max_per_second=None,
        status="RUNNING",
        moved=1,
        to_move=4,
        started_at_ms=1_700_000_000_123,
    )
    return msgspec.structs.replace(running, **changes)


def start(directory: Queues | None = None, **asked):
    return check_start(StartMessageMoveTaskInput(**{"source_arn": DEAD} | asked), directory or Queues())


def refused_start(error: type[SQSError], message: str, directory: Queues | None = None, **asked) -> None:
    with pytest.raises(error) as raised:
        start(directory, **asked)
    assert raised.value.message == message


def format_text(parameter: str) -> str:
    return (
        f"You must use this format to specify the {parameter}: "
        "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
    )


def missing_text(parameter: str) -> str:
    return f"The resource that you specified for the {parameter} parameter doesn't exist."


def test_a_task_back_to_the_sources():
    assert start() == (key("dead"), None, None)


@pytest.mark.parametrize("rate", [1, 500])
def test_a_task_to_another_queue_at_a_rate(rate):
    asked = {"destination_arn": arn("other"), "max_number_of_messages_per_second": rate}
    assert start(**asked) == (key("dead"), key("other"), rate)


def test_a_task_needs_a_source():
    refused_start(MissingParameter, "The request must contain the parameter SourceArn.", source_arn=None)


@pytest.mark.parametrize("bad", ["dead", "arn:aws:sns:us-east-1:123456789012:dead", DEAD + "\n", "\ud800"])
def test_arns_of_tasks_must_have_the_format_of_a_queues(bad):
    refused_start(InvalidParameterValue, format_text("SourceArn"), source_arn=bad)
    refused_start(InvalidParameterValue, format_text("DestinationArn"), destination_arn=bad)


@pytest.mark.parametrize("unknown", [arn("unknown"), arn("other").replace("arn:aws:", "arn:aws-cn:")])
def test_queues_of_tasks_must_exist(unknown):
    refused_start(ResourceNotFound, missing_text("SourceArn"), source_arn=unknown)
    refused_start(ResourceNotFound, missing_text("DestinationArn"), destination_arn=unknown)


def test_the_source_must_be_some_queues_dead_letter_queue():
    message = "Source queue must be configured as a Dead Letter Queue."
    refused_start(InvalidParameterValue, message, source_arn=arn("other"), destination_arn="bad")


def test_the_destination_must_not_be_the_source():
    message = "Source queue arn and destination queue arn cannot be the same."
    refused_start(InvalidParameterValue, message, destination_arn=DEAD)


def test_the_destination_must_be_of_the_type_of_the_source():
    message = "The source queue and destination queue must be of the same queue type."
    refused_start(InvalidParameterValue, message, destination_arn=arn("other.fifo"))


@pytest.mark.parametrize("rate", [0, 501, -1])
def test_the_rate_has_limits(rate):
    message = (
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
        "Reason: You must enter a number that's between 1 and 500."
    )
    refused_start(InvalidParameterValue, message, max_number_of_messages_per_second=rate)


@pytest.mark.parametrize("status", ["RUNNING", "CANCELLING"])
def test_a_source_has_one_active_task(status):
    message = (
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    )
    refused_start(InvalidParameterValue, message, Queues(tasks=[task(status=status)]))


def test_an_account_has_at_most_a_hundred_active_tasks():
    others = [task(id=str(n), source_arn=arn(str(n))) for n in range(100)]
    assert start(Queues(tasks=others[:99]))
    with pytest.raises(OverLimit):
        start(Queues(tasks=others))


def test_the_tasks_of_other_accounts_do_not_count():
    assert start(Queues(tasks=[task(account="999999999999", source_arn=arn(str(n))) for n in range(100)]))


def test_only_a_running_task_can_be_cancelled():
    check_cancel(task(), DEAD)
    for status in ("CANCELLING", "CANCELLED", "COMPLETED", "FAILED"):
        with pytest.raises(InvalidParameterValue) as raised:
            check_cancel(task(status=status), DEAD)
        assert raised.value.message == "Only active tasks can be cancelled."


@pytest.mark.parametrize(("found", "source_arn"), [(None, DEAD), (task(), arn("other"))])
def test_only_a_task_of_the_source_can_be_cancelled(found, source_arn):
    with pytest.raises(ResourceNotFound) as raised:
        check_cancel(found, source_arn)
    assert raised.value.message == "Task does not exist."


def test_the_source_of_a_list_must_be_an_arn():
    assert check_source_arn(DEAD) == key("dead")
    with pytest.raises(MissingParameter) as missing:
        check_source_arn(None)
    assert missing.value.message == "The request must contain the parameter SourceArn."
    with pytest.raises(InvalidParameterValue) as bad:
        check_source_arn("dead")
    assert bad.value.message == format_text("SourceArn")
    assert no_such_queue("SourceArn").message == missing_text("SourceArn")


@pytest.mark.parametrize(("asked", "shown"), [(None, 1), (1, 1), (10, 10)])
def test_how_many_tasks_are_listed(asked, shown):
    assert check_task_results(asked) == shown


@pytest.mark.parametrize("asked", [0, 11, -1])
def test_the_number_of_listed_tasks_has_limits(asked):
    with pytest.raises(InvalidParameterValue) as raised:
        check_task_results(asked)
    assert raised.value.message == (
        "Value for parameter MaxResults is invalid. Reason: You must enter a number that's between 1 and 10."
    )


def shown_members(listed: MoveTask) -> dict:
    return json.loads(msgspec.json.encode(task_entry(listed)))


def test_a_running_task_shows_its_handle():
    assert shown_members(task()) == {
        "TaskHandle": task_handle("t-1", DEAD),
        "Status": "RUNNING",
        "SourceArn": DEAD,
        "ApproximateNumberOfMessagesMoved": 1,
        "ApproximateNumberOfMessagesToMove": 4,
        "StartedTimestamp": 1_700_000_000_123,
    }


@pytest.mark.parametrize("status", ["CANCELLING", "CANCELLED", "COMPLETED"])
def test_a_task_that_no_longer_runs_shows_no_handle_and_no_failure(status):
    shown = shown_members(task(status=status, failure_reason="x"))
    assert shown.keys().isdisjoint({"TaskHandle", "FailureReason"})


def test_what_was_given_at_the_start_and_why_it_failed_are_shown():
    shown = shown_members(
        task(status="FAILED", destination_arn=arn("o"), max_per_second=3, moved=0, failure_reason="x")
    )
    assert shown["DestinationArn"] == arn("o")
    assert shown["MaxNumberOfMessagesPerSecond"] == 3
    assert shown["ApproximateNumberOfMessagesMoved"] == 0
    assert shown["FailureReason"] == "x"


# ── Whatever comes ───────────────────────────────────────────────────────────────────────────────────────

json_values = st.sampled_from(
    [None, True, 0, 5, 1e400, "5", "", DEAD, "\ud800", [], [DEAD], [1], {}, {"a": [{}]}, "byQueue"]
)
members = st.sampled_from(["deadLetterTargetArn", "maxReceiveCount", "redrivePermission", "sourceQueueArns"])
documents = st.dictionaries(members, json_values).map(json.dumps)


@given(documents | ANY_TEXT, st.none() | ANY_TEXT | st.binary().map(encoded))
def test_whatever_is_sent_only_errors_for_clients_are_raised(document, handle):
    for attempt in (
        lambda: read_policy(document),
        lambda: read_allow_policy(document),
        lambda: read_task_handle(handle),
        lambda: check_source_arn(handle),
    ):
        try:
            attempt()
        except SQSError as error:
            assert error.message
