"""The resource API of boto3: queues and messages as objects."""

import json

from boto3_connection import arn, resource
from walk import Site


def test_a_queue_object_knows_its_attributes(site: Site) -> None:
    sqs = resource(site)
    queue = sqs.create_queue(QueueName="object", Attributes={"DelaySeconds": "0"}, tags={"kind": "object"})
    assert queue.url == f"{site.url}/{site.owner.account}/object"
    assert sqs.get_queue_by_name(QueueName="object") == queue
    assert sqs.Queue(queue.url).attributes["QueueArn"] == arn(site, "object")
    queue.set_attributes(Attributes={"VisibilityTimeout": "99"})
    queue.load()
    assert queue.attributes["VisibilityTimeout"] == "99"
    queue.reload()
    assert queue.attributes["DelaySeconds"] == "0"
    queue.add_permission(Label="one", AWSAccountIds=[site.guest.account], Actions=["SendMessage"])
    queue.reload()
    assert "Policy" in queue.attributes
    queue.remove_permission(Label="one")


def test_queues_are_a_collection(site: Site) -> None:
    sqs = resource(site)
    made = [sqs.create_queue(QueueName=f"collected-{number}") for number in range(4)]
    assert list(sqs.queues.filter(QueueNamePrefix="collected-")) == made
    assert list(sqs.queues.filter(QueueNamePrefix="collected-").limit(3)) == made[:3]
    assert list(sqs.queues.filter(QueueNamePrefix="collected-").page_size(2)) == made
    assert set(made) <= set(sqs.queues.all())


def test_a_message_object_is_hidden_shown_and_deleted(site: Site) -> None:
    queue = resource(site).create_queue(QueueName="message-object")
    sent = queue.send_message(
        MessageBody="text", MessageAttributes={"author": {"DataType": "String", "StringValue": "me"}}
    )
    (message,) = queue.receive_messages(MessageAttributeNames=["All"], AttributeNames=["All"])
    assert (message.body, message.message_id) == ("text", sent["MessageId"])
    assert message.message_attributes["author"]["StringValue"] == "me"
    assert message.md5_of_message_attributes == sent["MD5OfMessageAttributes"]
    assert message.attributes["ApproximateReceiveCount"] == "1"
    message.change_visibility(VisibilityTimeout=0)
    (message,) = queue.receive_messages()
    assert message.queue_url == queue.url
    assert message.Queue() == queue
    message.delete()
    assert queue.receive_messages() == []


def test_messages_go_in_batches(site: Site) -> None:
    queue = resource(site).create_queue(QueueName="message-objects")
    entries = [{"Id": str(number), "MessageBody": f"message {number}"} for number in range(10)]
    assert len(queue.send_messages(Entries=entries)["Successful"]) == 10
    messages = queue.receive_messages(MaxNumberOfMessages=10)
    handles = [{"Id": str(i), "ReceiptHandle": each.receipt_handle} for i, each in enumerate(messages)]
    changes = [{**handle, "VisibilityTimeout": 0} for handle in handles]
    assert len(queue.change_message_visibility_batch(Entries=changes)["Successful"]) == 10
    assert len(queue.receive_messages(MaxNumberOfMessages=10)) == 10
    assert len(queue.delete_messages(Entries=handles)["Successful"]) == 10
    queue.purge()
    queue.delete()


def test_a_dead_letter_queue_knows_its_sources(site: Site) -> None:
    sqs = resource(site)
    dead = sqs.create_queue(QueueName="object-dead")
    policy = json.dumps({"deadLetterTargetArn": arn(site, "object-dead"), "maxReceiveCount": 5})
    source = sqs.create_queue(QueueName="object-source", Attributes={"RedrivePolicy": policy})
    assert list(dead.dead_letter_source_queues.all()) == [source]
    assert list(source.dead_letter_source_queues.all()) == []
