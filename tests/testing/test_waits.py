"""Waiting for what the code under test does, without a sleep."""

import json
import time

import pytest

from stanchion.testing import Mistake
from testing.helpers import bodies, in_the_background


def receive_and_delete(client, url):
    for message in client.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_queue_is_empty_when_its_last_message_is_deleted(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    empty = in_the_background(lambda: bench.wait_until_empty(orders))
    receive_and_delete(client, orders)
    assert empty() is None


def test_a_queue_with_a_message_in_flight_is_not_empty(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="1")
    client.send_message(QueueUrl=orders, MessageBody="2", DelaySeconds=60)
    client.receive_message(QueueUrl=orders)
    with pytest.raises(AssertionError) as failure:
        bench.wait_until_empty(orders, timeout=0)
    assert str(failure.value) == ("after 0 seconds, orders still has 0 visible messages, 1 in flight and 1 delayed")


def test_a_queue_that_is_empty_is_not_waited_for(bench, client, orders):
    bench.wait_until_empty(orders, timeout=0)


def test_a_message_that_came_before_is_found(bench, client, orders):
    sent = client.send_message(QueueUrl=orders, MessageBody="1")["MessageId"]
    receive_and_delete(client, orders)
    event = bench.expect_message(orders, body="1")
    assert (event.message_id, event.what, event.body) == (sent, "sent", "1")


def test_a_message_that_comes_later_is_waited_for(bench, client, orders):
    found = in_the_background(lambda: bench.expect_message(orders, body=lambda body: body.startswith("yes")))
    client.send_message(QueueUrl=orders, MessageBody="no")
    client.send_message(QueueUrl=orders, MessageBody="yes, this")
    assert found().body == "yes, this"


def test_a_dead_letter_comes_to_its_queue(bench, client, orders):
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})}
    client.set_queue_attributes(QueueUrl=orders, Attributes=policy)
    client.send_message(QueueUrl=orders, MessageBody="x" * 3_000)
    client.receive_message(QueueUrl=orders, VisibilityTimeout=60)
    bench.clock.advance(minutes=1)
    client.receive_message(QueueUrl=orders)
    event = bench.expect_message(dead, body="x" * 3_000)
    assert (event.what, event.other, event.receives) == ("arrived", "orders", 1)
    assert [event.what for event in bench.journal(orders)] == ["sent", "received", "visible", "dead-lettered"]


def test_a_message_that_does_not_come_says_what_came(bench, client, orders):
    with pytest.raises(AssertionError) as failure:
        bench.expect_message(orders, timeout=0)
    assert str(failure.value) == "in 0 seconds, no message came to orders; none came at all"
    for number in range(7):
        client.send_message(QueueUrl=orders, MessageBody=str(number))
    with pytest.raises(AssertionError) as failure:
        bench.expect_message(orders, body="seven", timeout=0.05)
    assert str(failure.value) == (
        "in 0.05 seconds, no message with the body 'seven' came to orders; "
        "what came: '2', '3', '4', '5', '6' and 2 before"
    )


def test_the_time_to_wait_is_the_wall_clocks(bench, client, orders):
    def expect():
        with pytest.raises(AssertionError):
            bench.expect_message(orders, timeout=0.3)

    began = time.monotonic()
    over = in_the_background(expect)
    bench.clock.advance(hours=1)
    over()
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "nothing/here"])
def test_an_address_that_is_no_queues_is_a_mistake(bench, url):
    with pytest.raises(Mistake, match="is no queue's URL"):
        bench.wait_until_empty(url)


def test_a_queue_that_is_not_there_is_a_mistake(bench, client, orders):
    with pytest.raises(Mistake, match=f"there is no queue other in account {bench.account}"):
        bench.wait_until_empty(orders.replace("orders", "other"))


def test_the_journal_tells_what_happened_to_a_message(bench, client, orders):
    client.send_message(QueueUrl=orders, MessageBody="another")
    client.purge_queue(QueueUrl=orders)
    sent = client.send_message(QueueUrl=orders, MessageBody="1", DelaySeconds=10)["MessageId"]
    bench.clock.advance(seconds=10)
    message = client.receive_message(QueueUrl=orders)["Messages"][0]
    client.change_message_visibility(QueueUrl=orders, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=60)
    client.change_message_visibility(QueueUrl=orders, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]
    client.delete_message(QueueUrl=orders, ReceiptHandle=message["ReceiptHandle"])
    events = bench.journal(message_id=sent)
    assert [event.what for event in events] == [
        *("sent", "visible", "received", "hidden", "visible", "received", "deleted"),
    ]
    assert [event.receives for event in events] == [0, 0, 1, 1, 1, 2, 2]
    times = [event.at_ms for event in events]
    assert times == sorted(times)
    assert times[1] - times[0] >= 10_000
    assert events[0].due_at_ms is not None and abs(events[0].due_at_ms - times[0] - 10_000) < 1_000
    assert [event.what for event in bench.journal(orders)][:2] == ["sent", "purged"]


def test_the_journal_tells_of_what_was_sent_again_and_of_deleted_queues(bench, client):
    url = client.create_queue(QueueName="o.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for _ in range(2):
        client.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="g", MessageDeduplicationId="d")
    client.receive_message(QueueUrl=url)
    client.delete_queue(QueueUrl=url)
    assert [event.what for event in bench.journal(url)] == ["sent", "repeated", "received", "queue deleted"]


def test_the_journal_tells_of_a_redrive(bench, client, orders):
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arns = {
        url: client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in (dead, orders)
    }
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arns[dead], "maxReceiveCount": 1})}
    client.set_queue_attributes(QueueUrl=orders, Attributes=policy)
    client.send_message(QueueUrl=dead, MessageBody="1")
    client.start_message_move_task(SourceArn=arns[dead], DestinationArn=arns[orders])
    event = bench.expect_message(orders, body="1")
    assert (event.what, event.other, event.receives) == ("arrived", "dead", 0)
    assert [event.what for event in bench.journal(dead)] == ["sent", "redriven"]
