"""The clock turns, and what is due is done when it has."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from stanchion.testing import Mistake
from testing.helpers import bodies, in_the_background


def test_a_message_in_flight_is_back_after_twelve_hours(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    assert bodies(client.receive_message(QueueUrl=orders, VisibilityTimeout=43_200)) == ["1"]
    bench.clock.advance(hours=11, minutes=59)
    assert bodies(client.receive_message(QueueUrl=orders)) == []
    bench.clock.advance(minutes=1)
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]


def test_a_delay_ends(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1", DelaySeconds=900)
    assert bodies(client.receive_message(QueueUrl=orders)) == []
    bench.clock.advance(minutes=15)
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]


def test_a_message_expires_after_fourteen_days(bench, client):
    url = client.create_queue(QueueName="kept", Attributes={"MessageRetentionPeriod": "1209600"})["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="1")
    bench.clock.advance(days=13, hours=23)
    assert bodies(client.receive_message(QueueUrl=url, VisibilityTimeout=0)) == ["1"]
    bench.clock.advance(hours=1)
    assert bodies(client.receive_message(QueueUrl=url)) == []
    assert [event.what for event in bench.journal(url)] == ["sent", "received", "visible", "expired"]


def test_the_deduplication_window_closes_after_five_minutes(bench, client):
    url = client.create_queue(QueueName="o.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send():
        return client.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="g", MessageDeduplicationId="d")

    first = send()["MessageId"]
    bench.clock.advance(minutes=4, seconds=50)
    assert send()["MessageId"] == first
    bench.clock.advance(seconds=10)
    assert send()["MessageId"] != first


def test_a_queue_may_be_purged_and_created_anew_after_a_minute(bench, client, orders):
    client.purge_queue(QueueUrl=orders)
    with pytest.raises(client.exceptions.PurgeQueueInProgress):
        client.purge_queue(QueueUrl=orders)
    bench.clock.advance(minutes=1)
    client.purge_queue(QueueUrl=orders)
    client.delete_queue(QueueUrl=orders)
    with pytest.raises(client.exceptions.QueueDeletedRecently):
        client.create_queue(QueueName="orders")
    bench.clock.advance(seconds=60)
    client.create_queue(QueueName="orders")


def test_a_move_task_with_a_rate_is_as_far_as_its_time_lets_it(bench, client, orders):
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})}
    client.set_queue_attributes(QueueUrl=orders, Attributes=policy)
    for number in range(9):
        client.send_message(QueueUrl=orders, MessageBody=str(number))
    for _ in range(2):
        client.receive_message(QueueUrl=orders, MaxNumberOfMessages=10, VisibilityTimeout=0)
    client.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)
    task = client.list_message_move_tasks(SourceArn=arn)["Results"][0]
    assert task["Status"] == "RUNNING"
    bench.clock.advance(seconds=4)
    task = client.list_message_move_tasks(SourceArn=arn)["Results"][0]
    assert 4 <= task["ApproximateNumberOfMessagesMoved"] <= 7
    bench.clock.advance(seconds=10)
    task = client.list_message_move_tasks(SourceArn=arn)["Results"][0]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 9)


def test_a_move_task_without_a_rate_is_done_after_a_turn(bench, client, orders):
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    source, target = (
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in (dead, orders)
    )
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": source, "maxReceiveCount": 1})}
    client.set_queue_attributes(QueueUrl=orders, Attributes=policy)
    for _ in range(30):
        entries = [{"Id": str(number), "MessageBody": "1"} for number in range(10)]
        client.send_message_batch(QueueUrl=dead, Entries=entries)
    client.start_message_move_task(SourceArn=source, DestinationArn=target)
    bench.clock.advance(seconds=1)
    task = client.list_message_move_tasks(SourceArn=source)["Results"][0]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 300)


def until_waiting(bench, receives=1):
    give_up_at = time.monotonic() + 10
    while bench.call(lambda: bench.application.broker.polls.waiting) < receives:
        assert time.monotonic() < give_up_at


def test_a_receive_that_waits_gets_the_message_whose_time_has_come(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1", DelaySeconds=900)
    received = in_the_background(lambda: client.receive_message(QueueUrl=orders, WaitTimeSeconds=20))
    until_waiting(bench)
    bench.clock.advance(hours=1)
    assert bodies(received()) == ["1"]
    # It was handed out at the moment to which the clock was turned: it is hidden from now on.
    assert bodies(client.receive_message(QueueUrl=orders)) == []


def test_a_receive_that_comes_while_the_clock_turns_gets_the_message_too(bench, client, orders):
    for number in range(60):
        client.send_message(QueueUrl=orders, MessageBody=str(number), DelaySeconds=900)
        received = in_the_background(lambda: client.receive_message(QueueUrl=orders, WaitTimeSeconds=20))
        time.sleep(number % 20 / 5_000)  # the two meet in every order
        bench.clock.advance(minutes=15)
        (message,) = received()["Messages"]
        assert message["Body"] == str(number)
        client.delete_message(QueueUrl=orders, ReceiptHandle=message["ReceiptHandle"])


def test_every_receive_that_waits_gets_its_message(bench, client, orders):
    received = [
        in_the_background(lambda: client.receive_message(QueueUrl=orders, WaitTimeSeconds=20)) for _ in range(5)
    ]
    until_waiting(bench, 5)
    for number in range(5):
        client.send_message(QueueUrl=orders, MessageBody=str(number), DelaySeconds=60)
    bench.clock.advance(minutes=1)
    assert sorted(bodies(each())[0] for each in received) == ["0", "1", "2", "3", "4"]


def test_a_receive_whose_wait_is_over_is_answered_with_nothing(bench, client, orders):
    received = in_the_background(lambda: client.receive_message(QueueUrl=orders, WaitTimeSeconds=20))
    until_waiting(bench)
    bench.clock.advance(seconds=19)
    assert bench.call(lambda: bench.application.broker.polls.waiting) == 1
    bench.clock.advance(seconds=1)
    assert bodies(received()) == []


def test_without_a_turn_the_clock_runs_as_the_wall_clock_does(bench, client, orders):
    began = time.monotonic()
    assert bodies(client.receive_message(QueueUrl=orders, WaitTimeSeconds=1)) == []
    assert 0.9 < time.monotonic() - began < 5


def test_a_receive_begun_after_a_turn_still_waits(bench, client, orders):
    bench.clock.advance(days=3)
    received = in_the_background(lambda: client.receive_message(QueueUrl=orders, WaitTimeSeconds=20))
    until_waiting(bench)
    client.send_message(QueueUrl=orders, MessageBody="1")
    assert bodies(received()) == ["1"]


def test_now_and_set_speak_of_the_same_time(bench, client, orders):
    wanted = (datetime.now(UTC) + timedelta(days=400)).replace(microsecond=0)
    bench.clock.set(wanted)
    assert timedelta(0) <= bench.clock.now() - wanted < timedelta(seconds=5)
    client.send_message(QueueUrl=orders, MessageBody="1")
    message = client.receive_message(QueueUrl=orders, AttributeNames=["SentTimestamp"])["Messages"][0]
    assert int(message["Attributes"]["SentTimestamp"]) / 1000 >= wanted.timestamp()


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        (lambda clock: clock.advance(), "the clock only turns forward, not by 0 seconds"),
        (lambda clock: clock.advance(hours=-1), "the clock only turns forward, not by -3600 seconds"),
        (lambda clock: clock.set(datetime(2020, 1, 1, tzinfo=UTC)), "the clock only turns forward"),
        (lambda clock: clock.set(datetime(2090, 1, 1)), "has no timezone"),
        (lambda clock: clock.advance(days=4_000_000), "the clock turns as far as the year 9000"),
        (lambda clock: clock.advance(seconds=float("nan")), "seconds that are no number"),
        (lambda clock: clock.advance(days=1e300), "the clock turns as far as the year 9000"),
    ],
)
def test_a_turn_that_cannot_be_is_refused_in_one_line(bench, turn, text):
    with pytest.raises(Mistake, match=text) as mistake:
        turn(bench.clock)
    assert "\n" not in str(mistake.value)


def test_a_reset_empties_the_server_and_turns_the_clock_back(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    client.delete_queue(QueueUrl=client.create_queue(QueueName="gone")["QueueUrl"])
    bench.clock.advance(days=3)
    account = bench.account
    bench.reset()
    assert bench.account != account
    assert client.list_queues().get("QueueUrls", []) == []
    assert abs(bench.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    client.create_queue(QueueName="orders")
    client.create_queue(QueueName="gone")
    client.send_message(QueueUrl=orders, MessageBody="2")
    assert bodies(client.receive_message(QueueUrl=orders)) == ["2"]


def test_a_reset_answers_receives_that_wait(bench, client, orders):
    def receive():
        try:
            return client.receive_message(QueueUrl=orders, WaitTimeSeconds=20)
        except client.exceptions.QueueDoesNotExist:
            return "no such queue"

    received = in_the_background(receive)
    until_waiting(bench)
    bench.reset()
    assert received() == "no such queue"


def test_a_receipt_from_before_a_reset_is_good_for_nothing_after_it(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    handle = client.receive_message(QueueUrl=orders)["Messages"][0]["ReceiptHandle"]
    bench.reset()
    client.create_queue(QueueName="orders")
    with pytest.raises(client.exceptions.ReceiptHandleIsInvalid):
        client.delete_message(QueueUrl=orders, ReceiptHandle=handle)


def test_an_expired_message_leaves_without_anybody_asking(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    bench.clock.advance(days=5)
    assert [event.what for event in bench.journal(orders)] == ["sent", "expired"]


def test_a_server_starts_in_fifty_milliseconds():
    from stanchion.testing import SqsServer

    def starting():
        began = time.perf_counter()
        server = SqsServer()
        seconds = time.perf_counter() - began
        server.stop()
        return seconds

    assert min(starting() for _ in range(5)) < 0.05
