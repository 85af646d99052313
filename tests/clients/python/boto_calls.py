"""What boto 2.49.0 can do beyond its tutorial."""

import base64
import json
import sys

import boto
import walk
from boto.exception import SQSError
from boto.sqs.jsonmessage import JSONMessage
from boto.sqs.message import MHMessage, RawMessage
from boto_connection import connect
from walk import Site, expect


def test_messages_go_in_batches(site: Site) -> None:
    q = connect(site).create_queue("batches")
    q.set_message_class(RawMessage)
    sent = q.write_batch([(f"id-{i}", f"message {i}", 0) for i in range(9)] + [("late", "message 9", 900)])
    assert [each["id"] for each in sent.results] == [*(f"id-{i}" for i in range(9)), "late"]
    assert all(each["message_id"] and each["message_md5"] for each in sent.results)
    assert sent.errors == []
    messages = q.get_messages(10)
    assert sorted(each.get_body() for each in messages) == [f"message {i}" for i in range(9)]
    # This library overlooks the good entries of this batch: it waits for a name that ends in MessageBatchResultEntry.
    shown = q.change_message_visibility_batch([(each, 0) for each in messages])
    assert shown.errors == []
    assert q.count() == 9
    messages = q.get_messages(10)
    deleted = q.delete_message_batch(messages)
    assert sorted(each["id"] for each in deleted.results) == sorted(each.id for each in messages)
    attributes = q.get_attributes()
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


def test_an_entry_that_fails_does_not_fail_its_batch(site: Site) -> None:
    q = connect(site).create_queue("half-good-batches")
    sent = q.write_batch([("good", "text", 0), ("bad", "text", 901)])
    assert [each["id"] for each in sent.results] == ["good"]
    (error,) = sent.errors
    assert (error["id"], error["error_code"], error["sender_fault"]) == ("bad", "InvalidParameterValue", "true")
    assert error["error_message"]
    error = expect(SQSError, q.write_batch, [("same", "text", 0), ("same", "text", 0)])
    assert error.error_code == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"


def test_message_attributes_come_back(site: Site) -> None:
    conn = connect(site)
    q = conn.create_queue("attributes")
    q.set_message_class(RawMessage)
    picture = base64.b64encode(b"\x00\xff").decode()
    given = {
        "color": {"data_type": "String", "string_value": "dark red & <blue>"},
        "count": {"data_type": "Number", "string_value": "12"},
        "picture": {"data_type": "Binary", "binary_value": picture},
    }
    conn.send_message(q, "body", message_attributes=given)
    q.write_batch([("1", "in a batch", 0, {"color": given["color"]})])
    for message in q.get_messages(10, attributes="All", message_attributes=["All"]):
        wanted = given if message.get_body() == "body" else {"color": given["color"]}
        assert message.message_attributes == wanted
        assert message.md5_message_attributes
        assert message.attributes["ApproximateReceiveCount"] == "1"
        assert message.attributes["SenderId"] == site.owner.account


def test_every_message_class_reads_what_it_wrote(site: Site) -> None:
    q = connect(site).create_queue("message-classes")
    bodies = {RawMessage: "räw ☃ & <text>", JSONMessage: {"a": [1, 2]}, MHMessage: {"name": "value", "x": "y"}}
    for message_class, body in bodies.items():
        q.set_message_class(message_class)
        q.write(q.new_message(body))
        message = q.read()
        assert message.get_body() == body, message_class
        assert message.delete()


def test_attributes_of_a_queue_are_read_and_set(site: Site) -> None:
    q = connect(site).create_queue("settings")
    assert q.set_timeout(77)
    assert q.get_timeout() == 77
    assert q.set_attribute("DelaySeconds", 5)
    assert q.get_attributes("DelaySeconds") == {"DelaySeconds": "5"}
    attributes = q.get_attributes()
    assert attributes["QueueArn"] == q.arn
    assert attributes["VisibilityTimeout"] == "77"
    assert len(attributes) == 12


def test_permissions_are_given_and_taken(site: Site) -> None:
    q = connect(site).create_queue("shared")
    assert q.add_permission("friends", site.guest.account, "SendMessage")
    (statement,) = json.loads(q.get_attributes("Policy")["Policy"])["Statement"]
    assert statement["Sid"] == "friends"
    assert statement["Action"] == "SQS:SendMessage"
    friend = connect(site, site.guest)
    theirs = boto.sqs.queue.Queue(friend, q.url)
    assert theirs.write(theirs.new_message("from a friend")).id
    assert q.remove_permission("friends")
    assert q.get_attributes("Policy") == {}
    if site.signed:
        error = expect(SQSError, theirs.write, theirs.new_message("once more"))
        assert (error.status, error.error_code) == (403, "AccessDenied")


def test_a_queue_of_another_account_is_found_once_that_is_allowed(site: Site) -> None:
    q = connect(site).create_queue("findable")
    friend = connect(site, site.guest)
    assert friend.get_queue("findable") is None
    q.add_permission("finders", site.guest.account, "GetQueueUrl")
    assert friend.get_queue("findable", owner_acct_id=site.owner.account).url == q.url


def test_a_queue_is_purged_and_not_twice_in_a_minute(site: Site) -> None:
    q = connect(site).create_queue("purged")
    q.write(q.new_message("gone soon"))
    assert q.purge()
    assert q.count() == 0
    error = expect(SQSError, q.clear)
    assert (error.status, error.error_code) == (403, "AWS.SimpleQueueService.PurgeQueueInProgress")


def test_dead_letters_know_where_they_came_from(site: Site) -> None:
    conn = connect(site)
    dead, source = conn.create_queue("dead"), conn.create_queue("source")
    assert list(conn.get_dead_letter_source_queues(dead)) == []
    assert source.set_attribute("RedrivePolicy", json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}))
    assert [each.url for each in conn.get_dead_letter_source_queues(dead)] == [source.url]
    source.write(source.new_message("unreadable"))
    assert source.read(0).get_body() == "unreadable"
    assert source.read(0) is None
    assert dead.read().get_body() == "unreadable"


def test_a_message_is_hidden_longer_or_shorter_and_deleted_by_its_handle(site: Site) -> None:
    conn = connect(site)
    q = conn.create_queue("visibility")
    q.write(q.new_message("text"))
    message = q.read()
    message.change_visibility(0)
    message = q.read()
    assert conn.change_message_visibility(q, message.receipt_handle, 600)
    assert q.read() is None
    assert conn.delete_message_from_handle(q, message.receipt_handle)
    assert q.get_attributes("All")["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_messages_are_counted_slowly_and_saved_to_a_file(site: Site) -> None:
    q = connect(site).create_queue("saved")
    for i in range(12):
        q.write(q.new_message(f"message {i}"))
    assert q.count_slow() == 12
    q.write(q.new_message("message 12"))
    with open("saved.txt", "w", encoding="utf-8") as file:
        assert q.save_to_file(file) == 1
    with open("saved.txt", encoding="utf-8") as file:
        assert file.read() == "message 12\n"


def test_an_error_says_all_there_is_to_say(site: Site) -> None:
    conn = connect(site)
    q = conn.create_queue("deleted")
    assert q.delete()
    error = expect(SQSError, q.write, q.new_message("text"))
    assert (error.status, error.reason) == (400, "Bad Request")
    assert error.error_code == "AWS.SimpleQueueService.NonExistentQueue"
    assert error.message == "The specified queue does not exist for this wsdl version."
    assert error.type == "Sender"
    assert error.request_id
    error = expect(SQSError, conn.create_queue, "deleted")
    assert error.error_code == "AWS.SimpleQueueService.QueueDeletedRecently"


def test_a_wrong_secret_is_refused(site: Site) -> None:
    if site.signed:
        conn = connect(site, site.owner._replace(secret="wrong"))
        error = expect(SQSError, conn.get_all_queues)
        assert (error.status, error.error_code) == (403, "SignatureDoesNotMatch")
        conn = connect(site, site.owner._replace(id="AKIANOBODY"))
        assert expect(SQSError, conn.get_all_queues).error_code == "InvalidClientTokenId"


if __name__ == "__main__":
    walk.run(sys.modules[__name__])
