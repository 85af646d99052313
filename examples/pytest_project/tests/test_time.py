"""Half a month of SQS's rules, in a fraction of a second."""

import json


def bodies(answer):
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_message_comes_back_after_twelve_hours(sqs, sqs_clock):
    queue = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="1")
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["1"]

    sqs_clock.advance(hours=11, minutes=59)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []

    sqs_clock.advance(minutes=1)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["1"]


def test_a_message_is_kept_for_fourteen_days(sqs, sqs_clock):
    queue = sqs.create_queue(QueueName="orders", Attributes={"MessageRetentionPeriod": "1209600"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="1")

    sqs_clock.advance(days=13, hours=23)
    assert bodies(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)) == ["1"]

    sqs_clock.advance(hours=1)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []


def test_a_message_may_be_sent_again_after_five_minutes(sqs, sqs_clock):
    queue = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send():
        answer = sqs.send_message(
            QueueUrl=queue, MessageBody="1", MessageGroupId="customer", MessageDeduplicationId="order-1"
        )
        return answer["MessageId"]

    first = send()
    sqs_clock.advance(minutes=4, seconds=50)
    assert send() == first

    sqs_clock.advance(seconds=10)
    assert send() != first


def test_a_message_that_nobody_can_handle_becomes_a_dead_letter(sqs, sqs_clock, sqs_server):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    queue = sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": policy})["QueueUrl"]

    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(3):
        assert bodies(sqs.receive_message(QueueUrl=queue)) == ["poison"]
        sqs_clock.advance(seconds=30)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []

    assert sqs_server.expect_message(dead, body="poison").receives == 3
    assert bodies(sqs.receive_message(QueueUrl=dead)) == ["poison"]
