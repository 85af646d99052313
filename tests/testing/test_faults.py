"""Faults strike as often as they are asked to, the same ones each time, and only where they are meant."""

import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from stanchion.testing import Mistake
from testing.helpers import bodies


@pytest.fixture
def hasty(bench, clients):
    """A client that does not try again."""
    made = clients.client(
        "sqs",
        endpoint_url=bench.url,
        region_name=bench.region,
        aws_access_key_id=bench.account,
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield made
    made.close()


def send_all(client, url, count):
    for number in range(count):
        client.send_message(QueueUrl=url, MessageBody=str(number))


def drain(client, url):
    """Receive and delete until there is nothing left; the bodies in order."""
    found = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(message["Body"])
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def numbers(count):
    return [str(number) for number in range(count)]


# Of messages


def test_a_duplicate_comes_though_the_first_copy_was_deleted(bench, client, orders):
    with bench.faults(queue="orders", duplicate=1.0) as rule:
        sent = client.send_message(QueueUrl=orders, MessageBody="1")["MessageId"]
        for _ in range(2):
            message = client.receive_message(QueueUrl=orders)["Messages"][0]
            assert (message["MessageId"], message["Body"]) == (sent, "1")
            client.delete_message(QueueUrl=orders, ReceiptHandle=message["ReceiptHandle"])
        assert bodies(client.receive_message(QueueUrl=orders)) == []
        assert rule.struck == {"duplicate": 1}
    bench.wait_until_empty(orders, timeout=0)
    assert [event.what for event in bench.journal(orders)] == [
        *("sent", "received", "duplicated", "deleted", "received", "deleted"),
    ]


def test_a_duplicate_has_all_that_the_message_has(bench, client, orders):
    attributes = {"color": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    body = "x" * 5_000
    client.send_message(QueueUrl=orders, MessageBody=body, MessageAttributes=attributes, MessageGroupId="tenant")
    with bench.faults(duplicate=1.0):
        received = [
            client.receive_message(QueueUrl=orders, MessageAttributeNames=["All"], AttributeNames=["MessageGroupId"])
            for _ in range(2)
        ]
    assert received[0]["Messages"][0].pop("ReceiptHandle") != received[1]["Messages"][0].pop("ReceiptHandle")
    assert received[0]["Messages"] == received[1]["Messages"]


def test_some_messages_are_duplicated_and_the_same_ones_again(bench, client):
    def run(name, seed):
        url = client.create_queue(QueueName=name)["QueueUrl"]
        send_all(client, url, 60)
        with bench.faults(queue=name, duplicate=0.3, seed=seed):
            return sorted(drain(client, url), key=int)

    first = run("first", 7)
    assert set(first) == set(numbers(60))
    assert 65 <= len(first) <= 95
    assert run("second", 7) == first
    assert run("third", 8) != first


def test_reordered_messages_all_come_in_another_order_and_the_same_one_again(bench, client):
    def run(name, seed):
        url = client.create_queue(QueueName=name)["QueueUrl"]
        with bench.faults(queue=url, reorder=0.5, seed=seed):
            send_all(client, url, 40)
        return drain(client, url)

    first = run("first", 7)
    assert first != numbers(40)
    assert sorted(first, key=int) == numbers(40)
    assert run("second", 7) == first
    assert run("third", 8) != first


def test_a_delayed_message_is_seen_later_by_the_servers_clock(bench, client, orders):
    with bench.faults(queue="orders", delay=1.0, delay_seconds=300):
        client.send_message(QueueUrl=orders, MessageBody="1")
    assert bodies(client.receive_message(QueueUrl=orders)) == []
    bench.clock.advance(minutes=5)
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]


def test_a_fifo_queue_neither_doubles_nor_reorders_nor_delays(bench, client):
    url = client.create_queue(QueueName="o.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    with bench.faults(duplicate=1.0, reorder=1.0, delay=1.0):
        for number in numbers(5):
            client.send_message(QueueUrl=url, MessageBody=number, MessageGroupId="g", MessageDeduplicationId=number)
        assert drain(client, url) == numbers(5)


# Of requests


def test_a_throttled_request_does_nothing(bench, hasty, orders):
    with bench.faults(queue="orders", throttle=1.0), pytest.raises(ClientError) as failure:
        hasty.send_message(QueueUrl=orders, MessageBody="1")
    assert failure.value.response["Error"]["Code"] == "RequestThrottled"
    assert bench.journal(orders) == []


def test_an_error_has_status_500(bench, hasty, orders):
    with bench.faults(queue="orders", error=1.0), pytest.raises(ClientError) as failure:
        hasty.receive_message(QueueUrl=orders)
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_request_that_is_dropped_does_nothing(bench, hasty, orders):
    with bench.faults(queue="orders", drop_request=1.0), pytest.raises(ConnectionClosedError):
        hasty.send_message(QueueUrl=orders, MessageBody="1")
    assert bench.journal(orders) == []


def test_an_answer_that_is_dropped_was_done(bench, hasty, orders):
    with bench.faults(queue="orders", drop_answer=1.0), pytest.raises(ConnectionClosedError):
        hasty.send_message(QueueUrl=orders, MessageBody="1")
    assert bodies(hasty.receive_message(QueueUrl=orders)) == ["1"]


def test_an_sdk_that_tries_again_sends_twice_when_the_answer_is_lost(bench, client, orders):
    with bench.faults(queue="orders", actions=["SendMessage"], drop_answer=0.5, seed=2) as rule:
        client.send_message(QueueUrl=orders, MessageBody="1")
        lost = rule.struck["drop_answer"]
    assert lost
    assert len(bench.journal(orders)) == lost + 1


def test_a_slow_request_waits_before_it_is_done(bench, client, orders):
    with bench.faults(queue="orders", latency_seconds=0.2):
        began = time.monotonic()
        client.send_message(QueueUrl=orders, MessageBody="1")
        assert time.monotonic() - began >= 0.2
    assert bodies(client.receive_message(QueueUrl=orders)) == ["1"]


def test_the_same_seed_refuses_the_same_requests(bench, hasty, orders):
    def run(seed):
        outcome = []
        with bench.faults(queue="orders", throttle=0.3, error=0.2, seed=seed):
            for _ in range(40):
                try:
                    hasty.get_queue_attributes(QueueUrl=orders)
                    outcome.append("done")
                except ClientError as error:
                    outcome.append(error.response["Error"]["Code"])
        return outcome

    first = run("a")
    assert {"done", "RequestThrottled", "InternalFailure"} == set(first)
    assert run("a") == first
    assert run("b") != first


# Where they strike


def test_other_queues_and_other_actions_are_spared(bench, hasty, orders):
    other = hasty.create_queue(QueueName="other")["QueueUrl"]
    with bench.faults(queue="orders", actions=["ReceiveMessage"], error=1.0) as rule:
        hasty.send_message(QueueUrl=orders, MessageBody="1")
        hasty.receive_message(QueueUrl=other)
        with pytest.raises(ClientError):
            hasty.receive_message(QueueUrl=orders)
        assert rule.struck == {"error": 1}
    assert bodies(hasty.receive_message(QueueUrl=orders)) == ["1"]


def test_faults_without_a_queue_strike_everywhere(bench, hasty):
    with bench.faults(throttle=1.0):
        for call in (hasty.list_queues, lambda: hasty.create_queue(QueueName="new")):
            with pytest.raises(ClientError):
                call()
    hasty.list_queues()


def test_a_reset_ends_all_faults(bench, hasty):
    with bench.faults(throttle=1.0):
        bench.reset()
        hasty.list_queues()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "no fault is asked for"),
        ({"duplicate": 20}, "duplicate is a chance, and 20 is none; give a number from 0 to 1"),
        ({"error": -0.1}, "error is a chance"),
        ({"error": float("nan")}, "error is a chance"),
        ({"latency_seconds": 61}, "latency_seconds cannot be 61; give a number from 0 to 60"),
        ({"delay": 1, "delay_seconds": 0}, "delay_seconds cannot be 0; give a whole number from 1 to 900"),
        ({"error": 1, "actions": ["Receive"]}, "Receive is no action of SQS"),
        ({"error": 1, "queue": "http://127.0.0.1/"}, "names no queue"),
        ({"queue": "o.fifo", "duplicate": 1}, "duplicate: a FIFO queue never does that"),
        ({"error": "often"}, "these are no faults: Expected `float`, got `str` - at `$.error`; there are queue, "),
        ({"error": 1, "actions": "ReceiveMessage"}, "Expected `array`, got `str` - at `$.actions`"),
    ],
)
def test_faults_that_cannot_be_meant_are_refused_in_one_line(bench, asked, text):
    with pytest.raises(Mistake) as mistake, bench.faults(**asked):
        raise AssertionError("not reached")
    assert text in str(mistake.value)
    assert "\n" not in str(mistake.value)
