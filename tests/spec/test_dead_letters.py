"""Dead-letter queues and the tasks that move messages out of them."""

import base64
import json
import re

import pytest

from support.both_protocols import Caller
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls

ARN_FORM = "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"


def policy(target: QueueCalls, count: int = 1) -> str:
    return json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": count})


@pytest.fixture
def target(make) -> QueueCalls:
    """A standard queue that is to get dead letters."""
    return make()


@pytest.fixture
def source(make, target) -> QueueCalls:
    """A queue whose messages go to ``target`` after one receive."""
    return make(RedrivePolicy=policy(target))


def bury(source: QueueCalls, *bodies: str) -> None:
    """Send messages and receive them until they are dead letters."""
    for body in bodies:
        source.send(body)
    taken = source.receive(MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert [message["Body"] for message in taken] == list(bodies)
    assert source.receive(MaxNumberOfMessages=10) == []


# ── Automatic moves ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(129)
def test_a_message_received_too_often_goes_to_the_dead_letter_queue(source, target):
    source.send("poison")
    first = source.receive_one(VisibilityTimeout=0)
    assert source.receive() == []
    assert (source.counts(), target.counts()) == ((0, 0, 0), (1, 0, 0))
    dead = target.receive_one()
    assert (dead["MessageId"], dead["Body"]) == (first["MessageId"], "poison")
    assert dead["Attributes"]["ApproximateReceiveCount"] == "2"
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == source.arn


def test_a_message_moves_at_the_receive_not_at_the_end_of_its_timeout(source, target, server):
    source.send()
    source.receive_one(VisibilityTimeout=1)
    server.advance(10)
    assert (source.counts(), target.counts()) == ((1, 0, 0), (0, 0, 0))
    assert source.receive() == []
    assert target.counts() == (1, 0, 0)


def test_a_message_is_delivered_as_often_as_the_policy_says(make, target):
    source = make(RedrivePolicy=policy(target, 3))
    source.send()
    for _ in range(3):
        source.receive_one(VisibilityTimeout=0)
    assert source.receive() == []
    assert target.counts() == (1, 0, 0)


def test_a_dead_letter_keeps_what_it_is(source, target, server):
    attributes = {"k": {"DataType": "String", "StringValue": "x"}}
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    source.send("b", MessageAttributes=attributes, MessageSystemAttributes=trace, MessageGroupId="g")
    server.advance(5)
    before = source.receive_one(VisibilityTimeout=0)["Attributes"]
    server.advance(5)
    source.receive()
    dead = target.receive_one(MessageAttributeNames=["All"])
    assert dead["MessageAttributes"] == attributes
    changed = {"ApproximateReceiveCount": "2", "DeadLetterQueueSourceArn": source.arn}
    assert dead["Attributes"] == before | changed


def test_retention_of_a_standard_dead_letter_counts_from_its_send(make, target, server):
    target.set(MessageRetentionPeriod="60")
    source = make(RedrivePolicy=policy(target))
    source.send()
    server.advance(50)
    source.receive_one(VisibilityTimeout=0)
    source.receive()
    assert target.counts() == (1, 0, 0)
    server.advance(11)
    assert target.counts() == (0, 0, 0)


def test_a_receive_goes_on_behind_a_dead_letter(source, target):
    source.send("poison")
    source.receive_one(VisibilityTimeout=0)
    source.send("good")
    assert source.bodies(MaxNumberOfMessages=10) == ["good"]
    assert target.counts() == (1, 0, 0)


def test_a_dead_letter_wakes_a_receive_that_waits_for_it_and_has_no_delay(source, target, server):
    target.set(DelaySeconds="900")
    source.send("poison")
    source.receive_one(VisibilityTimeout=0)
    poll = target.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    assert source.receive() == []
    assert poll.result(timeout=10)["Messages"][0]["Body"] == "poison"


def test_without_a_target_messages_are_delivered_as_ever(source, target):
    target("DeleteQueue")
    source.send("kept")
    for _ in range(3):
        assert source.bodies(VisibilityTimeout=0) == ["kept"]


def test_a_policy_set_later_applies_to_messages_that_are_there(q, target):
    q.send("old")
    q.receive_one(VisibilityTimeout=0)
    q.set(RedrivePolicy=policy(target))
    assert q.receive() == []
    assert target.bodies() == ["old"]


def test_a_policy_taken_away_delivers_again(source):
    source.send("again")
    source.receive_one(VisibilityTimeout=0)
    source.set(RedrivePolicy="")
    assert source.bodies() == ["again"]


def test_a_chain_passes_a_message_on(make, target):
    middle = make(RedrivePolicy=policy(target))
    source = make(RedrivePolicy=policy(middle))
    source.send("far")
    source.receive_one(VisibilityTimeout=0)
    assert source.receive() == []
    assert middle.receive() == []
    dead = target.receive_one()
    assert dead["Body"] == "far"
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == middle.arn


def test_a_queue_that_is_its_own_dead_letter_queue_delivers_on_and_on(q):
    q.set(RedrivePolicy=policy(q))
    q.send("round")
    for _ in range(3):
        assert q.bodies(VisibilityTimeout=0) == ["round"]
    assert q.counts() == (1, 0, 0)


def test_two_dead_letter_queues_of_each_other_pass_a_message_to_and_fro_once_a_receive(source, target):
    target.set(RedrivePolicy=policy(source))
    source.send("round")
    source.receive_one(VisibilityTimeout=0)
    for _ in range(2):
        assert source.receive() == []
        assert (source.counts(), target.counts()) == ((0, 0, 0), (1, 0, 0))
        assert target.receive() == []
        assert (source.counts(), target.counts()) == ((1, 0, 0), (0, 0, 0))


@pytest.mark.k(130)
def test_a_dead_letter_queue_lists_its_sources(source, target):
    assert target("ListDeadLetterSourceQueues") == {"queueUrls": [source.url]}
    assert source("ListDeadLetterSourceQueues") == {}
    source.set(RedrivePolicy="")
    assert target("ListDeadLetterSourceQueues") == {}


def test_a_deleted_source_is_listed_no_more(source, target):
    source("DeleteQueue")
    assert target("ListDeadLetterSourceQueues") == {}


@pytest.mark.k(131)
def test_a_dead_letter_unlocks_its_group_at_once(make):
    target = make(fifo=True)
    source = make(fifo=True, RedrivePolicy=policy(target))
    source.send_each("g", "first", "second")
    source.receive_one(VisibilityTimeout=0)
    assert source.bodies(MaxNumberOfMessages=10) == ["second"]
    assert target.bodies() == ["first"]


def test_a_fifo_dead_letter_keeps_group_and_id_and_starts_its_retention_afresh(make, server):
    target = make(fifo=True)
    source = make(fifo=True, RedrivePolicy=policy(target))
    source.send_each("g", "first")
    before = source.receive_one(VisibilityTimeout=0)["Attributes"]
    server.advance(10)
    moved_at = server.clock.now_ms()
    source.receive()
    after = target.receive_one()["Attributes"]
    for kept in ("MessageGroupId", "MessageDeduplicationId", "ApproximateFirstReceiveTimestamp", "SenderId"):
        assert after[kept] == before[kept]
    assert after["SentTimestamp"] == str(moved_at)
    assert re.fullmatch(r"[0-9]{20}", after["SequenceNumber"])


def test_dead_letters_with_one_deduplication_id_are_all_kept(make, server):
    target = make(fifo=True)
    source = make(fifo=True, RedrivePolicy=policy(target))
    for body in ("one", "two"):
        source.send(body, MessageGroupId="g", MessageDeduplicationId="same")
        source.receive_one(VisibilityTimeout=0)
        assert source.receive() == []
        server.advance(300)
    assert target.bodies(MaxNumberOfMessages=10) == ["one", "two"]


def test_a_dead_letter_is_still_remembered_by_its_source(make):
    target = make(fifo=True)
    source = make(fifo=True, RedrivePolicy=policy(target))
    source.send_each("g", "same")
    source.receive_one(VisibilityTimeout=0)
    source.receive()
    source.send_each("g", "same")
    assert source.counts() == (0, 0, 0)


def test_an_allow_policy_by_queue_lets_in_those_it_names(make, q):
    target = make(RedriveAllowPolicy=json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [q.arn]}))
    q.set(RedrivePolicy=policy(target))
    make().refuses("SetQueueAttributes", "InvalidParameterValue", Attributes={"RedrivePolicy": policy(target)})


def test_an_allow_policy_leaves_sources_that_are_there(source, target):
    target.set(RedriveAllowPolicy='{"redrivePermission":"denyAll"}')
    source.send("poison")
    source.receive_one(VisibilityTimeout=0)
    assert source.receive() == []
    assert target.counts() == (1, 0, 0)


# ── Move tasks: start ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(132)
def test_messages_are_moved_out_of_dead_letter_queues_only(call, q):
    text = "Source queue must be configured as a Dead Letter Queue."
    call.refuses("StartMessageMoveTask", "InvalidParameterValue", text, SourceArn=q.arn)


@pytest.mark.k(133)
def test_source_and_destination_of_a_move_must_exist(call, source, target):
    code = "ResourceNotFoundException"
    missing = target.arn + "-missing"
    text = "The resource that you specified for the SourceArn parameter doesn't exist."
    call.refuses("StartMessageMoveTask", code, text, status=404, SourceArn=missing)
    call.refuses("ListMessageMoveTasks", code, text, status=404, SourceArn=missing)
    text = "The resource that you specified for the DestinationArn parameter doesn't exist."
    call.refuses("StartMessageMoveTask", code, text, status=404, SourceArn=target.arn, DestinationArn=missing)


@pytest.mark.parametrize("action", ["StartMessageMoveTask", "ListMessageMoveTasks"])
def test_a_source_must_be_given_as_an_arn_of_a_queue(call, action):
    call.refuses(action, "MissingParameter", "The request must contain the parameter SourceArn.")
    for arn in ("q", "arn:aws:sns:us-east-1:000000000000:topic", "arn:aws:sqs:us-east-1:12345:q"):
        text = f"You must use this format to specify the SourceArn: {ARN_FORM}"
        call.refuses(action, "InvalidParameterValue", text, SourceArn=arn)


def test_a_destination_must_be_another_queue_of_the_same_type(call, source, target, fifo):
    for arn, text in (
        ("q", f"You must use this format to specify the DestinationArn: {ARN_FORM}"),
        (target.arn, "Source queue arn and destination queue arn cannot be the same."),
        (fifo.arn, "The source queue and destination queue must be of the same queue type."),
    ):
        given = {"SourceArn": target.arn, "DestinationArn": arn}
        call.refuses("StartMessageMoveTask", "InvalidParameterValue", text, **given)


@pytest.mark.parametrize("rate", [0, 501, -1])
def test_a_rate_is_1_to_500(call, source, target, rate):
    text = (
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
        "Reason: You must enter a number that's between 1 and 500."
    )
    given = {"SourceArn": target.arn, "MaxNumberOfMessagesPerSecond": rate}
    call.refuses("StartMessageMoveTask", "InvalidParameterValue", text, **given)


@pytest.mark.parametrize("size", [0, 11])
def test_at_most_ten_tasks_are_listed(call, target, size):
    text = "Value for parameter MaxResults is invalid. Reason: You must enter a number that's between 1 and 10."
    call.refuses("ListMessageMoveTasks", "InvalidParameterValue", text, SourceArn=target.arn, MaxResults=size)


@pytest.mark.k(134)
def test_one_task_at_a_time_for_a_source(call, source, target):
    bury(source, "one", "two")
    given = {"SourceArn": target.arn, "MaxNumberOfMessagesPerSecond": 1}
    call("StartMessageMoveTask", **given)
    text = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    call.refuses("StartMessageMoveTask", "InvalidParameterValue", text, **given)


def a_task_that_lasts(call: Caller) -> dict[str, object]:
    """What starts a task that has still a message to move when a second one begins."""
    target, destination = QueueCalls.create(call), QueueCalls.create(call)
    QueueCalls.create(call, RedrivePolicy=policy(target))
    target.send_batch({"MessageBody": "one"}, {"MessageBody": "two"})
    return {"SourceArn": target.arn, "DestinationArn": destination.arn, "MaxNumberOfMessagesPerSecond": 1}


def test_an_account_has_at_most_100_active_tasks(tmp_path, protocol):
    server = InProcessServer(tmp_path)
    call = Caller(server.url, protocol)
    try:
        for _ in range(100):
            call("StartMessageMoveTask", **a_task_that_lasts(call))
        call.refuses("StartMessageMoveTask", "OverLimit", status=403, **a_task_that_lasts(call))
    finally:
        call.close()
        server.stop()


# ── Move tasks: run ──────────────────────────────────────────────────────────────────────────────────────


def latest(call: Caller, target: QueueCalls) -> dict:
    (entry,) = call("ListMessageMoveTasks", SourceArn=target.arn)["Results"]
    return entry


@pytest.mark.k(135)
def test_a_task_keeps_its_rate_and_its_counts(call, source, target, server):
    bury(source, "1", "2", "3", "4")
    started_at = server.clock.now_ms()
    given = {"SourceArn": target.arn, "MaxNumberOfMessagesPerSecond": 1}
    handle = call("StartMessageMoveTask", **given)["TaskHandle"]
    server.settle()
    expected = given | {
        "Status": "RUNNING",
        "TaskHandle": handle,
        "ApproximateNumberOfMessagesMoved": 1,
        "ApproximateNumberOfMessagesToMove": 4,
        "StartedTimestamp": started_at,
    }
    assert latest(call, target) == expected
    server.advance(2.9)
    assert latest(call, target) == expected | {"ApproximateNumberOfMessagesMoved": 3}
    server.advance(0.1)
    del expected["TaskHandle"]
    assert latest(call, target) == expected | {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 4}
    assert source.bodies(MaxNumberOfMessages=10) == ["1", "2", "3", "4"]


@pytest.mark.k(136)
def test_without_a_destination_each_message_goes_back_where_it_came_from(call, make, source, target, server):
    other = make(RedrivePolicy=policy(target))
    bury(source, "mine")
    bury(other, "theirs")
    call("StartMessageMoveTask", SourceArn=target.arn)
    server.advance(1)
    assert (source.bodies(), other.bodies()) == (["mine"], ["theirs"])
    assert latest(call, target)["Status"] == "COMPLETED"


def test_with_a_destination_all_go_there(call, make, source, target, server):
    destination = make()
    bury(source, "one", "two")
    target.send("direct")
    call("StartMessageMoveTask", SourceArn=target.arn, DestinationArn=destination.arn)
    server.advance(1)
    assert destination.bodies(MaxNumberOfMessages=10) == ["one", "two", "direct"]
    entry = latest(call, target)
    assert (entry["Status"], entry["DestinationArn"]) == ("COMPLETED", destination.arn)


def test_a_message_that_came_from_nowhere_makes_the_task_fail(call, source, target, server):
    target.send("direct")
    call("StartMessageMoveTask", SourceArn=target.arn)
    server.advance(1)
    entry = latest(call, target)
    assert (entry["Status"], entry["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert target.bodies() == ["direct"]


def test_a_moved_message_is_a_new_one(call, source, target, server):
    attributes = {"k": {"DataType": "String", "StringValue": "x"}}
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    sent = source.send("b", MessageAttributes=attributes, MessageSystemAttributes=trace, MessageGroupId="g")
    source.receive_one(VisibilityTimeout=0)
    source.receive()
    server.advance(10)
    moved_at = server.clock.now_ms()
    call("StartMessageMoveTask", SourceArn=target.arn)
    server.settle()
    moved = source.receive_one(MessageAttributeNames=["All"])
    assert moved["MessageId"] != sent["MessageId"]
    assert (moved["Body"], moved["MessageAttributes"]) == ("b", attributes)
    kept = moved["Attributes"]
    assert kept["ApproximateReceiveCount"] == "1"
    assert kept["SentTimestamp"] == str(moved_at)
    assert (kept["AWSTraceHeader"], kept["MessageGroupId"]) == ("Root=1", "g")
    assert "DeadLetterQueueSourceArn" not in kept


def test_hidden_messages_of_the_source_stay(call, make, source, target, server):
    bury(source, "visible", "in flight")
    target.receive_one()
    target.send("delayed", DelaySeconds=900)
    call("StartMessageMoveTask", SourceArn=target.arn)
    server.advance(1)
    entry = latest(call, target)
    assert (entry["Status"], entry["ApproximateNumberOfMessagesToMove"]) == ("COMPLETED", 1)
    assert target.counts() == (0, 1, 1)


def test_fifo_messages_move_with_group_and_id(call, make, server):
    target = make(fifo=True)
    source = make(fifo=True, RedrivePolicy=policy(target))
    source.send_each("g", "1", "2")
    source.receive(MaxNumberOfMessages=2, VisibilityTimeout=0)
    assert source.receive() == []
    call("StartMessageMoveTask", SourceArn=target.arn)
    server.advance(1)
    moved = source.receive(MaxNumberOfMessages=10)
    assert [m["Body"] for m in moved] == ["1", "2"]
    assert [m["Attributes"]["MessageGroupId"] for m in moved] == ["g", "g"]
    assert [m["Attributes"]["MessageDeduplicationId"] for m in moved] == ["1", "2"]


def test_moved_messages_wake_a_receive_that_waits(call, source, target, server):
    bury(source, "back")
    poll = source.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    call("StartMessageMoveTask", SourceArn=target.arn)
    assert poll.result(timeout=10)["Messages"][0]["Body"] == "back"


# ── Move tasks: cancel and fail ──────────────────────────────────────────────────────────────────────────


@pytest.mark.k(137)
def test_a_cancelled_task_leaves_the_rest_where_it_is(call, source, target, server):
    bury(source, "1", "2", "3")
    handle = call("StartMessageMoveTask", SourceArn=target.arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    server.settle()
    assert call("CancelMessageMoveTask", TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 1}
    assert latest(call, target)["Status"] in ("CANCELLING", "CANCELLED")
    server.advance(10)
    entry = latest(call, target)
    assert (entry["Status"], entry["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", 1)
    assert "TaskHandle" not in entry
    assert target.counts() == (2, 0, 0)
    assert source.counts() == (1, 0, 0)
    text = "Only active tasks can be cancelled."
    call.refuses("CancelMessageMoveTask", "InvalidParameterValue", text, TaskHandle=handle)


def handle_of(task_id: str, arn: str) -> str:
    document = json.dumps({"taskId": task_id, "sourceArn": arn}, separators=(",", ":"))
    return base64.b64encode(document.encode()).decode()


@pytest.mark.k(138)
def test_a_task_handle_must_name_a_task(call, target):
    text = "Value for parameter TaskHandle is invalid."
    not_ours = base64.b64encode(b"{}").decode()
    for handle in ("garbage", not_ours, base64.b64encode(b"plain").decode()):
        call.refuses("CancelMessageMoveTask", "InvalidParameterValue", text, TaskHandle=handle)
    code = "ResourceNotFoundException"
    unknown = handle_of("2a2c4e6e-0000-4000-8000-000000000000", target.arn)
    call.refuses("CancelMessageMoveTask", code, "Task does not exist.", status=404, TaskHandle=unknown)
    text = "The resource that you specified for the SourceArn parameter doesn't exist."
    elsewhere = handle_of("2a2c4e6e-0000-4000-8000-000000000000", target.arn + "-missing")
    call.refuses("CancelMessageMoveTask", code, text, status=404, TaskHandle=elsewhere)
    text = "The request must contain the parameter TaskHandle."
    call.refuses("CancelMessageMoveTask", "MissingParameter", text)


@pytest.mark.k(139)
def test_a_task_fails_when_its_destination_is_deleted(call, make, source, target, server):
    destination = make()
    bury(source, "1", "2", "3")
    given = {"SourceArn": target.arn, "DestinationArn": destination.arn, "MaxNumberOfMessagesPerSecond": 1}
    call("StartMessageMoveTask", **given)
    server.settle()
    destination("DeleteQueue")
    server.advance(1)
    entry = latest(call, target)
    assert entry["Status"] == "FAILED"
    assert entry["FailureReason"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert entry["ApproximateNumberOfMessagesMoved"] == 1
    assert target.bodies(MaxNumberOfMessages=10) == ["2", "3"]


@pytest.mark.k(140)
def test_a_task_handle_is_json_in_base64(call, source, target):
    handle = call("StartMessageMoveTask", SourceArn=target.arn)["TaskHandle"]
    text = base64.b64decode(handle).decode()
    task_id = json.loads(text)["taskId"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", task_id)
    assert text == f'{{"taskId":"{task_id}","sourceArn":"{target.arn}"}}'


def test_tasks_are_listed_newest_first_one_unless_more_are_asked_for(call, source, target, server):
    started = []
    for _ in range(11):
        started.append(server.clock.now_ms())
        call("StartMessageMoveTask", SourceArn=target.arn)
        server.advance(1)
    assert [e["StartedTimestamp"] for e in call("ListMessageMoveTasks", SourceArn=target.arn)["Results"]] == (
        started[-1:]
    )
    listed = call("ListMessageMoveTasks", SourceArn=target.arn, MaxResults=10)["Results"]
    assert [entry["StartedTimestamp"] for entry in listed] == started[:0:-1]
    assert {entry["Status"] for entry in listed} == {"COMPLETED"}


def test_a_queue_without_tasks_lists_none(call, q):
    assert call("ListMessageMoveTasks", SourceArn=q.arn) == {}
