"""Visibility, receipt handles, delay, long polls, retention, purge."""

from concurrent.futures import Future
from typing import Any

import pytest

from support.in_process import InProcessServer

GONE = "Message does not exist or is not available for visibility timeout change."
RANGE = "Must be between 0 and 43200."


def not_available(handle: str) -> str:
    return f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {GONE}"


def answers_after(server: InProcessServer, poll: "Future[Any]", seconds: float) -> list[str]:
    """The bodies a waiting receive gets after so many seconds, having waited until just before."""
    server.waiting(1)
    server.advance(seconds - 0.001)
    assert not poll.done()
    server.waiting(1)
    server.advance(0.001)
    return bodies(poll)


def bodies(poll: "Future[Any]") -> list[str]:
    return [message["Body"] for message in poll.result(timeout=10).get("Messages", [])]


# ── Visibility ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(92)
def test_a_received_message_is_hidden_until_its_timeout(q, server):
    q.send()
    first = q.receive_one(VisibilityTimeout=2)
    server.advance(1)
    assert q.receive() == []
    server.advance(1.5)
    second = q.receive_one()
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    timestamp = "ApproximateFirstReceiveTimestamp"
    assert second["Attributes"][timestamp] == first["Attributes"][timestamp]


def test_a_message_is_visible_at_the_very_end_of_its_timeout(q, server):
    q.send()
    q.receive_one(VisibilityTimeout=2)
    server.advance(1.999)
    assert q.counts() == (0, 1, 0)
    server.advance(0.001)
    assert q.counts() == (1, 0, 0)
    q.receive_one()


@pytest.mark.k(93)
def test_a_timeout_of_0_leaves_the_message_visible_and_its_handle_deletes(q):
    q.send()
    q.receive_one(VisibilityTimeout=0)
    message = q.receive_one(VisibilityTimeout=0)
    assert q.counts() == (1, 0, 0)
    q.delete(message)
    assert q.receive() == []


def test_a_queue_may_have_a_timeout_of_0(make):
    q = make(VisibilityTimeout="0")
    q.send()
    q.receive_one()
    assert q.counts() == (1, 0, 0)
    q.receive_one(VisibilityTimeout=10)
    assert q.counts() == (0, 1, 0)


def test_a_timeout_of_0_does_not_return_a_message_twice_in_one_response(q):
    q.send("one")
    q.send("two")
    assert q.bodies(VisibilityTimeout=0, MaxNumberOfMessages=10) == ["one", "two"]


@pytest.mark.k(94)
def test_an_expired_handle_of_a_standard_queue_hides_its_message_again(q, server):
    q.send()
    message = q.receive_one(VisibilityTimeout=2)
    server.advance(3)
    q.hide(message, 10)
    assert q.counts() == (0, 1, 0)
    server.advance(9.9)
    assert q.receive() == []
    server.advance(0.1)
    q.receive_one()


@pytest.mark.k(95)
def test_an_older_handle_makes_the_message_visible(q):
    q.send()
    older = q.receive_one(VisibilityTimeout=0)
    newer = q.receive_one(VisibilityTimeout=30)
    q.hide(older, 0)
    assert q.counts() == (1, 0, 0)
    assert q.receive_one()["MessageId"] == newer["MessageId"]


@pytest.mark.k(96)
def test_a_deletion_may_be_repeated_but_the_message_has_no_visibility_any_more(q):
    q.send()
    message = q.receive_one()
    q.delete(message)
    q.delete(message)
    handle = message["ReceiptHandle"]
    q.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        not_available(handle),
        ReceiptHandle=handle,
        VisibilityTimeout=10,
    )


@pytest.mark.k(97)
@pytest.mark.parametrize("handle", ["garbage", "AAAA", "ü", "A" * 60, 'a"b'])
def test_garbage_is_no_receipt_handle(q, handle):
    text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
    q.refuses("DeleteMessage", "ReceiptHandleIsInvalid", text, status=404, ReceiptHandle=handle)
    q.refuses(
        "ChangeMessageVisibility",
        "ReceiptHandleIsInvalid",
        text,
        status=404,
        ReceiptHandle=handle,
        VisibilityTimeout=0,
    )


def test_the_handle_of_another_queue_is_none(q, make):
    other = make()
    other.send()
    handle = other.receive_one()["ReceiptHandle"]
    text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
    q.refuses("DeleteMessage", "ReceiptHandleIsInvalid", text, status=404, ReceiptHandle=handle)
    q.refuses(
        "ChangeMessageVisibility",
        "ReceiptHandleIsInvalid",
        text,
        status=404,
        ReceiptHandle=handle,
        VisibilityTimeout=0,
    )


@pytest.mark.k(98)
def test_the_queue_is_looked_at_before_the_handle(call):
    code = "AWS.SimpleQueueService.NonExistentQueue"
    call.refuses("DeleteMessage", code, call.no_such_queue, QueueUrl="nowhere", ReceiptHandle="garbage")


@pytest.mark.k(99)
@pytest.mark.parametrize(
    ("action", "more"), [("DeleteMessageBatch", {}), ("ChangeMessageVisibilityBatch", {"VisibilityTimeout": 0})]
)
def test_a_garbage_handle_in_a_batch_fails_alone(q, action, more):
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    entries = [
        {"Id": "bad", "ReceiptHandle": "garbage"} | more,
        {"Id": "good", "ReceiptHandle": handle} | more,
    ]
    assert q(action, Entries=entries) == {
        "Successful": [{"Id": "good"}],
        "Failed": [
            {
                "Id": "bad",
                "Code": "ReceiptHandleIsInvalid",
                "SenderFault": True,
                "Message": 'The input receipt handle "garbage" is not a valid receipt handle.',
            }
        ],
    }
    assert q.counts() == ((0, 0, 0) if action == "DeleteMessageBatch" else (1, 0, 0))


@pytest.mark.k(100)
@pytest.mark.parametrize("timeout", [43201, -1])
def test_a_visibility_timeout_is_at_most_twelve_hours(q, timeout):
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    text = f"Value {timeout} for parameter VisibilityTimeout is invalid. Reason: {RANGE}"
    q.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        text,
        ReceiptHandle=handle,
        VisibilityTimeout=timeout,
    )


def test_the_timeout_of_a_receive_affects_that_receive_only(make, server):
    q = make(VisibilityTimeout="10")
    q.send()
    q.receive_one(VisibilityTimeout=1)
    server.advance(1)
    q.receive_one()
    server.advance(9.9)
    assert q.receive() == []
    server.advance(0.1)
    q.receive_one()


def test_a_change_counts_from_now_and_twelve_hours_from_the_receive(q, server):
    q.send()
    message = q.receive_one(VisibilityTimeout=43200)
    server.advance(1)
    text = (
        "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message "
        "is beyond the limit [43200 seconds]."
    )
    q.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        text,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=43200,
    )
    q.hide(message, 43199)
    server.advance(43198)
    assert q.counts() == (0, 1, 0)
    server.advance(1)
    assert q.counts() == (1, 0, 0)
    q.hide(q.receive_one(), 43200)


def test_a_message_can_be_extended_again_and_again(q, server):
    q.send()
    message = q.receive_one(VisibilityTimeout=10)
    for _ in range(5):
        server.advance(9)
        q.hide(message, 10)
    assert q.receive() == []
    q.delete(message)


def test_a_message_made_visible_can_be_hidden_with_the_same_handle(q, server):
    q.send()
    message = q.receive_one()
    q.hide(message, 0)
    q.hide(message, 10)
    assert q.receive() == []
    server.advance(10)
    q.receive_one()


@pytest.mark.parametrize("expired", [True, False])
def test_a_handle_deletes_its_message_also_after_its_timeout(q, server, expired):
    q.send()
    message = q.receive_one(VisibilityTimeout=5)
    server.advance(6 if expired else 4)
    q.delete(message)
    server.advance(10)
    assert q.receive() == []


def test_an_older_handle_deletes(q):
    q.send()
    older = q.receive_one(VisibilityTimeout=0)
    q.receive_one()
    q.delete(older)
    assert q.counts() == (0, 0, 0)


# ── Delay ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(101)
def test_the_delay_of_a_message_wins_over_the_queues_even_when_it_is_0(make):
    q = make(DelaySeconds="5")
    q.send("at once", DelaySeconds=0)
    q.send("later")
    assert q.bodies(MaxNumberOfMessages=10) == ["at once"]
    assert q.counts() == (0, 1, 1)


@pytest.mark.k(102)
def test_a_delayed_message_is_counted_apart_and_wakes_a_poll_when_due(q, server):
    q.send("late", DelaySeconds=2)
    assert q.counts() == (0, 0, 1)
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10)
    assert answers_after(server, poll, 2) == ["late"]


def test_a_delayed_message_was_sent_when_it_was_sent(q, server):
    sent_at = server.clock.now_ms()
    q.send(DelaySeconds=5)
    server.advance(5)
    assert q.receive_one()["Attributes"]["SentTimestamp"] == str(sent_at)


def test_a_changed_delay_of_a_standard_queue_concerns_later_sends(make):
    q = make(DelaySeconds="5")
    q.send("before")
    q.set(DelaySeconds="0")
    q.send("after")
    assert q.bodies(MaxNumberOfMessages=10) == ["after"]


# ── Long polls ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(103)
def test_a_send_wakes_a_waiting_receive(q, server):
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    server.advance(1)
    assert not poll.done()
    q.send("awaited")
    assert bodies(poll) == ["awaited"]


def test_a_batch_wakes_a_waiting_receive(q, server):
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10, MaxNumberOfMessages=10)
    server.waiting(1)
    q.send_batch({"MessageBody": "one"}, {"MessageBody": "two"})
    assert bodies(poll) == ["one", "two"]


@pytest.mark.k(104)
def test_an_ended_timeout_wakes_a_waiting_receive(q, server):
    q.send("again")
    q.receive_one(VisibilityTimeout=2)
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10)
    assert answers_after(server, poll, 2) == ["again"]


def test_a_message_made_visible_wakes_a_waiting_receive(q, server):
    q.send("released")
    message = q.receive_one()
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    q.hide(message, 0)
    assert bodies(poll) == ["released"]


@pytest.mark.k(105)
def test_a_poll_does_not_wait_for_more(q):
    q.send("only one")
    assert q.bodies(WaitTimeSeconds=5, MaxNumberOfMessages=10) == ["only one"]


@pytest.mark.k(106)
def test_the_queues_own_wait_holds_unless_the_receive_says_otherwise(make, server):
    q = make(ReceiveMessageWaitTimeSeconds="3")
    assert q.bodies(WaitTimeSeconds=0) == []
    poll = q.begin("ReceiveMessage")
    assert answers_after(server, poll, 3) == []


def test_a_poll_that_ends_empty_answers_like_an_empty_receive(q, server):
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=20)
    server.waiting(1)
    server.advance(20)
    assert poll.result(timeout=10) == {}


def test_receives_are_served_in_the_order_of_their_coming(q, server):
    polls = []
    for n in range(3):
        polls.append(q.begin("ReceiveMessage", WaitTimeSeconds=10))
        server.waiting(n + 1)
    for n, poll in enumerate(polls):
        q.send(f"message {n}")
        assert bodies(poll) == [f"message {n}"]


def test_a_poll_on_a_queue_that_is_deleted_learns_so(q, server):
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=10)
    server.waiting(1)
    q("DeleteQueue")
    assert poll.exception(timeout=10).code == "AWS.SimpleQueueService.NonExistentQueue"


# ── Retention ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(107)
def test_a_message_expires_also_in_flight_and_deleting_it_then_succeeds(make, server):
    q = make(MessageRetentionPeriod="60")
    q.send()
    message = q.receive_one(VisibilityTimeout=600)
    server.advance(61)
    assert q.counts() == (0, 0, 0)
    q.delete(message)
    handle = message["ReceiptHandle"]
    q.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        not_available(handle),
        ReceiptHandle=handle,
        VisibilityTimeout=10,
    )


def test_retention_counts_from_the_send_whatever_the_state(make, server):
    q = make(MessageRetentionPeriod="60")
    q.send("visible")
    q.send("delayed", DelaySeconds=600)
    server.advance(59)
    assert q.counts() == (1, 0, 1)
    server.advance(2)
    assert q.counts() == (0, 0, 0)
    assert q.receive() == []


def test_a_shorter_retention_reaches_messages_that_are_there(q, server):
    q.send("old")
    server.advance(100)
    q.send("new")
    q.set(MessageRetentionPeriod="60")
    server.settle()
    assert q.counts() == (1, 0, 0)
    assert q.bodies() == ["new"]


def test_a_longer_retention_reaches_messages_that_are_there(make, server):
    q = make(MessageRetentionPeriod="60")
    q.send("old")
    server.advance(50)
    q.set(MessageRetentionPeriod="120")
    server.advance(50)
    assert q.bodies() == ["old"]


# ── Purge ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(108)
def test_a_purge_removes_visible_hidden_and_delayed_messages(q, server):
    q.send("in flight")
    q.receive_one(VisibilityTimeout=5)
    q.send("visible")
    q.send("delayed", DelaySeconds=5)
    assert q.counts() == (1, 1, 1)
    q("PurgeQueue")
    assert q.counts() == (0, 0, 0)
    server.advance(100)
    assert q.counts() == (0, 0, 0)
    assert q.receive() == []


def test_messages_sent_after_a_purge_stay(q):
    q.send("before")
    q("PurgeQueue")
    q.send("after")
    assert q.bodies(MaxNumberOfMessages=10) == ["after"]


def test_handles_from_before_a_purge_are_dead(q):
    q.send()
    message = q.receive_one()
    q("PurgeQueue")
    q.delete(message)
    handle = message["ReceiptHandle"]
    q.refuses(
        "ChangeMessageVisibility",
        "InvalidParameterValue",
        not_available(handle),
        ReceiptHandle=handle,
        VisibilityTimeout=10,
    )


@pytest.mark.k(109)
def test_a_queue_is_purged_once_in_60_seconds(q, server):
    q("PurgeQueue")
    text = f"Only one PurgeQueue operation on {q.name} is allowed every 60 seconds."
    code = "AWS.SimpleQueueService.PurgeQueueInProgress"
    q.refuses("PurgeQueue", code, text, status=403)
    server.advance(59.9)
    q.refuses("PurgeQueue", code, text, status=403)
    server.advance(0.1)
    q("PurgeQueue")


@pytest.mark.k(110)
def test_a_purge_forgets_deduplication_ids(fifo):
    first = fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")
    fifo("PurgeQueue")
    second = fifo.send("two", MessageGroupId="g", MessageDeduplicationId="d")
    assert second["MessageId"] != first["MessageId"]
    assert fifo.bodies() == ["two"]


# ── Order and counters ───────────────────────────────────────────────────────────────────────────────────


def test_a_standard_queue_delivers_the_oldest_first(q, server):
    for n in range(12):
        q.send(f"{n}")
    assert q.bodies(MaxNumberOfMessages=10, VisibilityTimeout=5) == [str(n) for n in range(10)]
    server.advance(5)
    assert q.bodies(MaxNumberOfMessages=10) == [str(n) for n in range(10)]
    assert q.bodies(MaxNumberOfMessages=10) == ["10", "11"]


def test_a_receive_returns_one_message_unless_it_asks_for_more(q):
    q.send("one")
    q.send("two")
    assert q.bodies() == ["one"]
    assert q.bodies(MaxNumberOfMessages=10) == ["two"]


def test_every_message_is_in_exactly_one_counter(q, server):
    for _ in range(6):
        q.send()
    for _ in range(2):
        q.send(DelaySeconds=30)
    taken = q.receive(MaxNumberOfMessages=3)
    assert q.counts() == (3, 3, 2)
    q.delete(taken[0])
    assert q.counts() == (3, 2, 2)
    q.hide(taken[1], 0)
    assert q.counts() == (4, 1, 2)
    server.advance(30)
    assert q.counts() == (7, 0, 0)
