"""FIFO queues: parameters, order, group locks, deduplication, receive attempts."""

import re

import pytest

from support.queue_calls import QueueCalls

NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type."
NEEDS_DEDUPLICATION = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)


def identifier_rule(parameter: str, value: str) -> str:
    return (
        f"Value {value} for parameter {parameter} is invalid. Reason: {parameter} can only include alphanumeric and "
        "punctuation characters. 1 to 128 in length."
    )


def expired(handle: str) -> str:
    return f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."


@pytest.fixture
def content(make) -> QueueCalls:
    """A FIFO queue that deduplicates by content."""
    return make(fifo=True, ContentBasedDeduplication="true")


# ── Parameters ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(111)
def test_a_send_without_a_group_is_missing_it(content):
    text = "The request must contain the parameter MessageGroupId."
    content.refuses("SendMessage", "MissingParameter", text, MessageBody="b")


@pytest.mark.k(112)
def test_a_batch_with_one_entry_without_a_group_fails_whole(content):
    entries = [{"Id": "a", "MessageBody": "a", "MessageGroupId": "g"}, {"Id": "b", "MessageBody": "b"}]
    text = "The request must contain the parameter MessageGroupId."
    content.refuses("SendMessageBatch", "InvalidParameterValue", text, Entries=entries)
    assert content.counts() == (0, 0, 0)


@pytest.mark.k(113)
def test_a_send_needs_a_deduplication_id_unless_the_content_is_one(fifo):
    given = {"MessageBody": "b", "MessageGroupId": "g"}
    fifo.refuses("SendMessage", "InvalidParameterValue", NEEDS_DEDUPLICATION, **given)
    entries = [{"Id": "a", "MessageDeduplicationId": "d"} | given, {"Id": "b"} | given]
    fifo.refuses("SendMessageBatch", "InvalidParameterValue", NEEDS_DEDUPLICATION, Entries=entries)
    assert fifo.counts() == (0, 0, 0)


@pytest.mark.k(114)
def test_a_message_has_no_delay_of_its_own(content):
    text = f"Value 2 for parameter DelaySeconds is invalid. Reason: {NOT_FOR_THIS_TYPE}"
    given = {"MessageBody": "b", "MessageGroupId": "g", "DelaySeconds": 2}
    content.refuses("SendMessage", "InvalidParameterValue", text, **given)


@pytest.mark.k(115)
def test_the_queues_delay_applies_even_with_a_delay_of_0(make, server):
    q = make(fifo=True, ContentBasedDeduplication="true", DelaySeconds="2")
    q.send("late", MessageGroupId="g", DelaySeconds=0)
    server.advance(1.9)
    assert q.receive() == []
    server.advance(0.1)
    assert q.bodies() == ["late"]


def test_a_changed_delay_reaches_messages_that_wait(make, server):
    q = make(fifo=True, ContentBasedDeduplication="true", DelaySeconds="100")
    q.send("sooner", MessageGroupId="g")
    server.advance(3)
    q.set(DelaySeconds="5")
    server.settle()
    assert q.counts() == (0, 0, 1)
    server.advance(2)
    assert q.bodies() == ["sooner"]


def test_a_changed_delay_hides_messages_that_were_due(make, server):
    q = make(fifo=True, ContentBasedDeduplication="true", DelaySeconds="10")
    q.send("later", MessageGroupId="g")
    q.set(DelaySeconds="20")
    server.advance(15)
    assert q.receive() == []
    server.advance(5)
    assert q.bodies() == ["later"]


@pytest.mark.k(116)
@pytest.mark.parametrize("bad", ["i" * 129, "a b", "ü"], ids=["129 characters", "blank", "not ASCII"])
def test_group_and_deduplication_ids_follow_one_rule(fifo, bad):
    given = {"MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    for parameter in ("MessageGroupId", "MessageDeduplicationId"):
        text = identifier_rule(parameter, bad)
        fifo.refuses("SendMessage", "InvalidParameterValue", text, **(given | {parameter: bad}))
        fifo.send(**{"MessageGroupId": "g", "MessageDeduplicationId": "d"} | {parameter: "i" * 128})


@pytest.mark.k(116)
def test_empty_group_and_deduplication_ids_are_refused(fifo, content):
    text = identifier_rule("MessageDeduplicationId", "")
    given = {"MessageBody": "b", "MessageGroupId": "g"}
    for queue in (fifo, content):
        queue.refuses("SendMessage", "InvalidParameterValue", text, MessageDeduplicationId="", **given)
    text = "The request must contain the parameter MessageGroupId."
    given = {"MessageBody": "b", "MessageDeduplicationId": "d"}
    fifo.refuses("SendMessage", "MissingParameter", text, MessageGroupId="", **given)


def test_an_attempt_id_follows_the_same_rule(fifo):
    text = identifier_rule("ReceiveRequestAttemptId", "a b")
    fifo.refuses("ReceiveMessage", "InvalidParameterValue", text, ReceiveRequestAttemptId="a b")
    assert fifo.bodies(ReceiveRequestAttemptId="i" * 128) == []


# ── Deduplication ────────────────────────────────────────────────────────────────────────────────────────


def send(q: QueueCalls, body: str, group: str = "g", deduplication: str = "d", **more):
    return q.send(body, MessageGroupId=group, MessageDeduplicationId=deduplication, **more)


@pytest.mark.k(117)
def test_a_repeated_deduplication_id_is_answered_with_the_first_message(fifo, server):
    first = send(fifo, "one")
    server.advance(299)
    second = send(fifo, "two")
    assert second["MessageId"] == first["MessageId"]
    assert second["SequenceNumber"] == first["SequenceNumber"]
    assert fifo.counts() == (1, 0, 0)
    assert fifo.bodies(MaxNumberOfMessages=10) == ["one"]


def test_the_digests_of_a_duplicate_are_those_of_its_request(fifo):
    first = send(fifo, "one")
    attributes = {"k": {"DataType": "String", "StringValue": "x"}}
    second = send(fifo, "hello", MessageAttributes=attributes)
    assert second["MessageId"] == first["MessageId"]
    assert second["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert second["MD5OfMessageAttributes"] == "a45daa70926828a2f0a1db3418e6feb4"


def test_five_minutes_after_the_first_send_its_id_is_new_and_duplicates_do_not_prolong_it(fifo, server):
    first = send(fifo, "one")
    server.advance(200)
    send(fifo, "duplicate")
    server.advance(99.9)
    assert send(fifo, "still a duplicate")["MessageId"] == first["MessageId"]
    server.advance(0.1)
    assert send(fifo, "new")["MessageId"] != first["MessageId"]
    assert fifo.bodies(MaxNumberOfMessages=10) == ["one", "new"]


@pytest.mark.k(118)
def test_a_deleted_message_is_remembered(fifo):
    first = send(fifo, "one")
    fifo.delete(fifo.receive_one())
    assert send(fifo, "two")["MessageId"] == first["MessageId"]
    assert fifo.receive() == []


def test_an_expired_message_is_remembered(make, server):
    q = make(fifo=True, MessageRetentionPeriod="60")
    first = send(q, "one")
    server.advance(61)
    assert send(q, "two")["MessageId"] == first["MessageId"]
    assert q.counts() == (0, 0, 0)


@pytest.mark.k(119)
@pytest.mark.parametrize(
    ("scope", "stored"), [("queue", ["one"]), ("messageGroup", ["one", "two"])], ids=["queue", "messageGroup"]
)
def test_the_scope_says_whether_groups_share_their_ids(make, scope, stored):
    q = make(fifo=True, DeduplicationScope=scope)
    first = send(q, "one", "g1")
    second = send(q, "two", "g2")
    assert (second["MessageId"] == first["MessageId"]) == (scope == "queue")
    send(q, "three", "g1")
    assert sorted(q.bodies(MaxNumberOfMessages=10)) == stored


@pytest.mark.k(120)
def test_content_is_the_body_without_attributes(content):
    first = content.send("same", MessageGroupId="g")
    attributes = {"k": {"DataType": "String", "StringValue": "x"}}
    assert content.send("same", MessageGroupId="g", MessageAttributes=attributes)["MessageId"] == first["MessageId"]
    assert content.send("other", MessageGroupId="g")["MessageId"] != first["MessageId"]


SHA_256_OF_SAME = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"


@pytest.mark.k(121)
def test_the_id_of_a_content_is_its_sha_256(content):
    content.send("same", MessageGroupId="g")
    assert content.receive_one()["Attributes"]["MessageDeduplicationId"] == SHA_256_OF_SAME


def test_an_explicit_id_wins_and_shares_its_names_with_computed_ones(content):
    first = content.send("same", MessageGroupId="g")
    assert send(content, "another", deduplication=SHA_256_OF_SAME)["MessageId"] == first["MessageId"]
    assert send(content, "same", deduplication="explicit")["MessageId"] != first["MessageId"]


def test_a_second_entry_with_the_same_id_is_a_duplicate_of_the_first(fifo):
    given = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    one, two = fifo.send_batch({"MessageBody": "one"} | given, {"MessageBody": "two"} | given)["Successful"]
    assert one["MessageId"] == two["MessageId"]
    assert fifo.bodies(MaxNumberOfMessages=10) == ["one"]


def test_a_refused_send_leaves_no_trace(fifo):
    given = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    fifo.refuses("SendMessage", "InvalidMessageContents", MessageBody="\u0001", **given)
    send(fifo, "first")
    assert fifo.bodies() == ["first"]


def test_content_based_deduplication_can_be_switched_for_later_sends(fifo):
    fifo.refuses("SendMessage", "InvalidParameterValue", MessageBody="b", MessageGroupId="g")
    fifo.set(ContentBasedDeduplication="true")
    fifo.send("b", MessageGroupId="g")
    fifo.set(ContentBasedDeduplication="false")
    fifo.refuses("SendMessage", "InvalidParameterValue", MessageBody="c", MessageGroupId="g")


# ── Order ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(122)
def test_sequence_numbers_have_20_digits_and_grow(fifo):
    numbers = [send(fifo, "b", deduplication=f"d{n}")["SequenceNumber"] for n in range(3)]
    assert all(re.fullmatch(r"[0-9]{20}", number) for number in numbers)
    assert numbers == sorted(set(numbers))
    received = [m["Attributes"]["SequenceNumber"] for m in fifo.receive(MaxNumberOfMessages=10)]
    assert received == numbers


def test_a_batch_is_queued_in_its_order(fifo):
    entries = [{"MessageBody": f"{n}", "MessageGroupId": "g", "MessageDeduplicationId": f"{n}"} for n in range(10)]
    sent = fifo.send_batch(*entries)["Successful"]
    assert [entry["SequenceNumber"] for entry in sent] == sorted(entry["SequenceNumber"] for entry in sent)
    assert fifo.bodies(MaxNumberOfMessages=10) == [str(n) for n in range(10)]


def test_a_fifo_message_shows_group_sequence_and_deduplication_id(fifo):
    sent = send(fifo, "b")
    attributes = fifo.receive_one()["Attributes"]
    assert set(attributes) == {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "MessageGroupId",
        "MessageDeduplicationId",
        "SequenceNumber",
    }
    assert attributes["MessageGroupId"] == "g"
    assert attributes["MessageDeduplicationId"] == "d"
    assert attributes["SequenceNumber"] == sent["SequenceNumber"]


@pytest.mark.k(123)
def test_a_message_in_flight_blocks_its_group_and_no_other(fifo, server):
    fifo.send_each("g", "1", "2")
    fifo.receive_one(VisibilityTimeout=5)
    assert fifo.receive(MaxNumberOfMessages=10) == []
    fifo.send_each("h", "other")
    assert fifo.bodies(MaxNumberOfMessages=10) == ["other"]
    server.advance(5)
    assert fifo.bodies() == ["1"]


@pytest.mark.k(123)
def test_a_new_message_does_not_unlock_its_group(fifo):
    fifo.send_each("g", "1")
    fifo.receive_one()
    fifo.send_each("g", "2")
    assert fifo.receive() == []


@pytest.mark.k(123)
def test_a_deletion_lets_the_next_message_go_at_once(fifo):
    fifo.send_each("g", "1", "2")
    first = fifo.receive_one()
    fifo.delete(first)
    assert fifo.bodies() == ["2"]


@pytest.mark.k(123)
def test_of_two_received_together_both_must_go_before_the_third(fifo):
    fifo.send_each("g", "1", "2", "3")
    one, two = fifo.receive(MaxNumberOfMessages=2)
    fifo.delete(one)
    assert fifo.receive() == []
    fifo.delete(two)
    assert fifo.bodies() == ["3"]


@pytest.mark.k(123)
def test_an_earlier_message_comes_again_while_later_ones_are_in_flight(fifo):
    fifo.send_each("g", "1", "2", "3")
    one, _two = fifo.receive(MaxNumberOfMessages=2)
    fifo.hide(one, 0)
    assert fifo.bodies(MaxNumberOfMessages=10) == ["1"]


@pytest.mark.k(123)
@pytest.mark.parametrize(("extended", "next_ones"), [(0, []), (1, ["1"]), (2, ["1", "2"]), (None, ["1", "2", "3"])])
def test_an_extended_message_blocks_those_after_it(fifo, server, extended, next_ones):
    fifo.send_each("g", "1", "2", "3")
    taken = fifo.receive(MaxNumberOfMessages=10, VisibilityTimeout=1)
    if extended is not None:
        fifo.hide(taken[extended], 4)
    server.advance(2.5)
    assert fifo.bodies(MaxNumberOfMessages=10) == next_ones


@pytest.mark.k(124)
def test_a_receive_takes_all_it_can_of_one_group_before_the_next(fifo):
    for group, body in (("g1", "1"), ("g2", "2"), ("g1", "3"), ("g1", "4")):
        fifo.send_each(group, body)
    assert fifo.bodies(MaxNumberOfMessages=10) == ["1", "3", "4", "2"]


def test_groups_just_served_go_to_the_back(fifo):
    for group in ("g1", "g2", "g3"):
        fifo.send_each(group, group)
    assert fifo.bodies(MaxNumberOfMessages=2, VisibilityTimeout=0) == ["g1", "g2"]
    assert fifo.bodies(VisibilityTimeout=0) == ["g3"]


def test_a_receive_with_a_timeout_of_0_leaves_the_group_open(fifo):
    fifo.send_each("g", "1", "2")
    assert fifo.bodies(VisibilityTimeout=0) == ["1"]
    assert fifo.bodies(VisibilityTimeout=0, MaxNumberOfMessages=10) == ["1", "2"]
    assert fifo.counts() == (2, 0, 0)


# ── Receipt handles ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(125)
def test_an_expired_handle_does_not_delete(fifo, server):
    fifo.send_each("g", "1")
    handle = fifo.receive_one(VisibilityTimeout=2)["ReceiptHandle"]
    server.advance(2.5)
    fifo.refuses("DeleteMessage", "InvalidParameterValue", expired(handle), ReceiptHandle=handle)
    result = fifo("DeleteMessageBatch", Entries=[{"Id": "a", "ReceiptHandle": handle}])
    assert result == {
        "Failed": [{"Id": "a", "Code": "InvalidParameterValue", "SenderFault": True, "Message": expired(handle)}]
    }
    text = (
        f"Value {handle} for parameter ReceiptHandle is invalid. "
        "Reason: Message does not exist or is not available for visibility timeout change."
    )
    fifo.refuses("ChangeMessageVisibility", "InvalidParameterValue", text, ReceiptHandle=handle, VisibilityTimeout=10)
    assert fifo.bodies() == ["1"]


@pytest.mark.k(126)
def test_an_extended_handle_deletes_after_its_first_timeout(fifo, server):
    fifo.send_each("g", "1")
    message = fifo.receive_one(VisibilityTimeout=2)
    fifo.hide(message, 30)
    server.advance(3)
    fifo.delete(message)
    assert fifo.counts() == (0, 0, 0)


def test_a_deletion_may_be_repeated(fifo):
    fifo.send_each("g", "1")
    message = fifo.receive_one()
    fifo.delete(message)
    fifo.delete(message)
    text = (
        f"Value {message['ReceiptHandle']} for parameter ReceiptHandle is invalid. "
        "Reason: Message does not exist or is not available for visibility timeout change."
    )
    fifo.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        text,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=10,
    )


@pytest.mark.k(127)
def test_two_receives_get_the_heads_of_two_groups_and_blocked_messages_count_as_visible(fifo):
    fifo.send_each("g1", "1", "2")
    fifo.send_each("g2", "3", "4")
    assert sorted(fifo.bodies() + fifo.bodies()) == ["1", "3"]
    assert fifo.counts() == (2, 2, 0)
    assert fifo.receive() == []


@pytest.mark.k(128)
def test_deleting_the_head_wakes_a_waiting_receive(fifo, server):
    fifo.send_each("g", "1", "2")
    head = fifo.receive_one()
    poll = fifo.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    server.advance(1)
    assert not poll.done()
    fifo.delete(head)
    (message,) = poll.result(timeout=10)["Messages"]
    assert message["Body"] == "2"


# ── Receive attempts ─────────────────────────────────────────────────────────────────────────────────────


def attempt(q: QueueCalls, **more) -> list[tuple[str, str]]:
    given = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 30} | more
    return [(m["Body"], m["ReceiptHandle"]) for m in q.receive(ReceiveRequestAttemptId="attempt", **given)]


def test_an_attempt_repeated_gets_the_same_messages_and_handles_hidden_anew(fifo, server):
    fifo.send_each("g", "1", "2")
    first = attempt(fifo)
    assert [body for body, _ in first] == ["1", "2"]
    server.advance(20)
    assert attempt(fifo) == first
    server.advance(20)
    assert fifo.receive() == []
    assert fifo.counts() == (0, 2, 0)


def test_a_repeated_attempt_is_no_further_receive(fifo):
    fifo.send_each("g", "1")
    attempt(fifo)
    again = fifo.receive_one(ReceiveRequestAttemptId="attempt", MaxNumberOfMessages=10, VisibilityTimeout=30)
    assert again["Attributes"]["ApproximateReceiveCount"] == "1"


def test_another_attempt_finds_the_group_locked(fifo):
    fifo.send_each("g", "1")
    attempt(fifo)
    assert fifo.receive(ReceiveRequestAttemptId="another") == []


def test_an_attempt_whose_messages_have_changed_is_a_new_receive(fifo):
    fifo.send_each("g", "1", "2")
    _, second = attempt(fifo)
    fifo("DeleteMessage", ReceiptHandle=second[1])
    assert attempt(fifo) == []


def test_an_attempt_whose_visibility_was_changed_is_a_new_receive(fifo):
    fifo.send_each("g", "1")
    ((_, handle),) = attempt(fifo)
    fifo("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=100)
    assert attempt(fifo) == []


def test_an_attempt_is_remembered_for_five_minutes(fifo, server):
    fifo.send_each("g", "1")
    first = attempt(fifo, VisibilityTimeout=1000)
    server.advance(299)
    assert attempt(fifo, VisibilityTimeout=1000) == first
    server.advance(1)
    assert attempt(fifo, VisibilityTimeout=1000) == []


def test_an_attempt_with_other_parameters_is_a_new_receive(fifo):
    fifo.send_each("g", "1", "2")
    assert len(attempt(fifo, MaxNumberOfMessages=1)) == 1
    assert attempt(fifo) == []


def test_an_attempt_after_its_timeout_is_a_new_receive(fifo, server):
    fifo.send_each("g", "1")
    ((_, handle),) = attempt(fifo)
    server.advance(30)
    ((body, new_handle),) = attempt(fifo)
    assert (body, new_handle == handle) == ("1", False)
