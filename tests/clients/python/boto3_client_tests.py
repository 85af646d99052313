"""Every method of the client, in the order of a queue's life."""

import json
import threading
from hashlib import md5
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from boto3_connection import arn, bodies, connect
from botocore.exceptions import OperationNotPageableError
from walk import REGION, Site, expect


def test_a_queue_is_created_found_changed_and_deleted(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="life", Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
    assert url == f"{site.url}/{site.owner.account}/life"
    assert sqs.create_queue(QueueName="life")["QueueUrl"] == url
    assert sqs.get_queue_url(QueueName="life")["QueueUrl"] == url
    assert sqs.list_queues(QueueNamePrefix="life")["QueueUrls"] == [url]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="LIFE")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7", "MaximumMessageSize": "1024"})
    names = ["DelaySeconds", "VisibilityTimeout"]
    wanted = {"DelaySeconds": "7", "VisibilityTimeout": "120"}
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] == wanted
    everything = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert everything["QueueArn"] == arn(site, "life")
    assert len(everything) == 12
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)
    expect(sqs.exceptions.QueueDoesNotExist, sqs.get_queue_url, QueueName="life")


def test_a_queue_has_tags(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="tagged", tags={"qut-username": "n1@example.org"})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"qut-username": "n1@example.org"}
    sqs.tag_queue(QueueUrl=url, Tags={"team": "größe", "empty": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["qut-username", "never-there"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "größe", "empty": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["team", "empty"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)


def test_a_message_comes_back_as_it_was_sent(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="echo")["QueueUrl"]
    body = "<b>\r\n\t& ☃ 😀</b> " + "x" * 100_000
    attributes = {
        "word": {"DataType": "String", "StringValue": "a b\n\u00e9"},
        "number.int": {"DataType": "Number.int", "StringValue": "-12.50"},
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageAttributes=attributes, MessageSystemAttributes=trace
    )
    assert sent["MD5OfMessageBody"] == md5(body.encode()).hexdigest()
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == body
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"]["SenderId"] == site.owner.account
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert _counts(sqs, url) == (0, 0, 0)


def _counts(sqs, url) -> tuple[int, ...]:
    """Messages that are visible, in flight, delayed."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def test_only_the_attributes_that_were_asked_for_come_back(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="selection", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    attributes = {name: {"DataType": "String", "StringValue": name} for name in ("a.one", "a.two", "b")}
    sqs.send_message(QueueUrl=url, MessageBody="text", MessageAttributes=attributes)
    (plain,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert set(plain) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    names = {"AttributeNames": ["SentTimestamp"], "MessageAttributeNames": ["a.*"]}
    (chosen,) = sqs.receive_message(QueueUrl=url, **names)["Messages"]
    assert set(chosen["Attributes"]) == {"SentTimestamp"}
    assert set(chosen["MessageAttributes"]) == {"a.one", "a.two"}


def test_batches_answer_entry_by_entry(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="batches")["QueueUrl"]
    entries = [{"Id": f"id-{number}", "MessageBody": f"message {number}"} for number in range(9)]
    bad = {"Id": "bad", "MessageBody": "text", "DelaySeconds": 901}
    sent = sqs.send_message_batch(QueueUrl=url, Entries=[*entries, bad])
    assert [each["Id"] for each in sent["Successful"]] == [each["Id"] for each in entries]
    (failed,) = sent["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "InvalidParameterValue", True)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {each["Body"] for each in messages} == {each["MessageBody"] for each in entries}
    handles = [{"Id": str(i), "ReceiptHandle": each["ReceiptHandle"]} for i, each in enumerate(messages)]
    changes = [{**handle, "VisibilityTimeout": 0} for handle in handles[:5]]
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=changes)
    assert len(changed["Successful"]) == 5
    assert _counts(sqs, url) == (5, 4, 0)
    wrong = {"Id": "wrong", "ReceiptHandle": "no-handle"}
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=[*handles, wrong])
    assert len(deleted["Successful"]) == 9
    assert [each["Code"] for each in deleted["Failed"]] == ["ReceiptHandleIsInvalid"]
    assert _counts(sqs, url) == (0, 0, 0)


def test_a_message_reappears_after_its_timeout_or_when_it_is_made_visible(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="reappearance")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="text")
    (first,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=1)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    (second,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert second["MessageId"] == first["MessageId"]
    given = {"QueueUrl": url, "ReceiptHandle": second["ReceiptHandle"]}
    sqs.change_message_visibility(**given, VisibilityTimeout=43000)
    assert _counts(sqs, url) == (0, 1, 0)
    sqs.change_message_visibility(**given, VisibilityTimeout=0)
    assert _counts(sqs, url) == (1, 0, 0)


def test_a_waiting_receive_wakes_when_a_message_is_sent(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="long-poll", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    sender = threading.Timer(0.2, sqs.send_message, kwargs={"QueueUrl": url, "MessageBody": "wake up"})
    sender.start()
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["wake up"]
    sender.join()


def test_a_delayed_message_is_counted_but_not_received(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="delayed", Attributes={"DelaySeconds": "900"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="later")
    sqs.send_message(QueueUrl=url, MessageBody="at once", DelaySeconds=0)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["at once"]
    assert _counts(sqs, url) == (0, 1, 1)


def test_a_fifo_queue_keeps_order_and_drops_duplicates(site: Site) -> None:
    sqs = connect(site)
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName="orders.fifo", Attributes=attributes)["QueueUrl"]
    given = {"QueueUrl": url, "MessageGroupId": "group"}
    first = sqs.send_message(**given, MessageBody="one")
    again = sqs.send_message(**given, MessageBody="one")
    assert again["MessageId"] == first["MessageId"]
    second = sqs.send_message(**given, MessageBody="one", MessageDeduplicationId="an-id-of-its-own")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    entries = [{"Id": str(i), "MessageBody": f"{i}", "MessageGroupId": "group"} for i in range(3)]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    attempt = {"QueueUrl": url, "MaxNumberOfMessages": 4, "ReceiveRequestAttemptId": "attempt-1"}
    received = sqs.receive_message(**attempt, AttributeNames=["All"])
    assert bodies(received) == ["one", "one", "0", "1"]
    assert {each["Attributes"]["MessageGroupId"] for each in received["Messages"]} == {"group"}
    assert received["Messages"][0]["Attributes"]["SequenceNumber"] == first["SequenceNumber"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    repeated = sqs.receive_message(**attempt)
    assert [each["ReceiptHandle"] for each in repeated["Messages"]] == [
        each["ReceiptHandle"] for each in received["Messages"]
    ]


def _dead_letters(sqs, site, name, count):
    """URLs of a queue and of its dead-letter queue, and so many messages in the latter."""
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn(site, f"{name}-dead"), "maxReceiveCount": 1})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    source = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    for number in range(count):
        sqs.send_message(QueueUrl=source, MessageBody=f"message {number}")
        sqs.receive_message(QueueUrl=source)
    assert "Messages" not in sqs.receive_message(QueueUrl=source)
    return source, dead


def test_dead_letters_are_collected_and_moved_back(site: Site) -> None:
    sqs = connect(site)
    source, dead = _dead_letters(sqs, site, "redriven", 2)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [source]
    assert _counts(sqs, dead) == (2, 0, 0)
    assert sqs.start_message_move_task(SourceArn=arn(site, "redriven-dead"))["TaskHandle"]
    received = sqs.receive_message(QueueUrl=source, WaitTimeSeconds=5, VisibilityTimeout=30)
    received = bodies(received) + bodies(
        sqs.receive_message(QueueUrl=source, WaitTimeSeconds=5, VisibilityTimeout=30)
    )
    assert sorted(received) == ["message 0", "message 1"]
    assert _counts(sqs, dead) == (0, 0, 0)


def test_a_move_task_is_listed_and_cancelled(site: Site) -> None:
    sqs = connect(site)
    _dead_letters(sqs, site, "cancelled", 3)
    moved_from = arn(site, "cancelled-dead")
    assert "Results" not in sqs.list_message_move_tasks(SourceArn=moved_from)
    handle = sqs.start_message_move_task(SourceArn=moved_from, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    (task,) = sqs.list_message_move_tasks(SourceArn=moved_from, MaxResults=10)["Results"]
    assert (task["Status"], task["TaskHandle"], task["SourceArn"]) == ("RUNNING", handle, moved_from)
    assert task["MaxNumberOfMessagesPerSecond"] == 1
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] < 3
    (task,) = sqs.list_message_move_tasks(SourceArn=moved_from)["Results"]
    assert task["Status"] in ("CANCELLING", "CANCELLED")
    assert "TaskHandle" not in task


def test_a_queue_is_purged(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="purged")["QueueUrl"]
    for delay in (0, 0, 900):
        sqs.send_message(QueueUrl=url, MessageBody="text", DelaySeconds=delay)
    sqs.receive_message(QueueUrl=url)
    assert _counts(sqs, url) == (1, 1, 1)
    sqs.purge_queue(QueueUrl=url)
    assert _counts(sqs, url) == (0, 0, 0)


def test_permissions_let_another_account_in(site: Site) -> None:
    sqs, guest = connect(site), connect(site, site.guest)
    url = sqs.create_queue(QueueName="shared")["QueueUrl"]
    expect(guest.exceptions.QueueDoesNotExist, guest.get_queue_url, QueueName="shared")
    actions = ["SendMessage", "GetQueueUrl"]
    sqs.add_permission(QueueUrl=url, Label="guests", AWSAccountIds=[site.guest.account], Actions=actions)
    found = guest.get_queue_url(QueueName="shared", QueueOwnerAWSAccountId=site.owner.account)
    assert found["QueueUrl"] == url
    guest.send_message(QueueUrl=url, MessageBody="from a guest")
    guest.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "from a guest"}])
    if site.signed:
        error = expect(guest.exceptions.ClientError, guest.receive_message, QueueUrl=url)
        assert error.response["Error"]["Code"] == "AccessDenied"
    sqs.remove_permission(QueueUrl=url, Label="guests")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert "Attributes" not in attributes
    if site.signed:
        error = expect(guest.exceptions.ClientError, guest.send_message, QueueUrl=url, MessageBody="again")
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_lists_of_queues_are_paged(site: Site) -> None:
    sqs = connect(site)
    dead = sqs.create_queue(QueueName="pages-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn(site, "pages-dead"), "maxReceiveCount": 3})
    for number in range(5):
        sqs.create_queue(QueueName=f"page-{number}", Attributes={"RedrivePolicy": policy})
    assert sqs.can_paginate("list_queues")
    assert not sqs.can_paginate("receive_message")
    expect(OperationNotPageableError, sqs.get_paginator, "receive_message")
    lists = {
        "QueueUrls": sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix="page-", PaginationConfig={"PageSize": 2}
        ),
        "queueUrls": sqs.get_paginator("list_dead_letter_source_queues").paginate(
            QueueUrl=dead, PaginationConfig={"PageSize": 2}
        ),
    }
    for member, pages in lists.items():
        found = [[url.rpartition("/")[2] for url in page[member]] for page in pages]
        assert found == [["page-0", "page-1"], ["page-2", "page-3"], ["page-4"]]


def test_a_page_can_be_the_start_of_the_next_listing(site: Site) -> None:
    sqs = connect(site)
    for number in range(3):
        sqs.create_queue(QueueName=f"resumed-{number}")
    listing = sqs.get_paginator("list_queues").paginate
    first = listing(QueueNamePrefix="resumed-", PaginationConfig={"MaxItems": 2, "PageSize": 2}).build_full_result()
    assert len(first["QueueUrls"]) == 2
    rest = listing(
        QueueNamePrefix="resumed-", PaginationConfig={"StartingToken": first["NextToken"], "PageSize": 2}
    ).build_full_result()
    assert [url.rpartition("/")[2] for url in rest["QueueUrls"]] == ["resumed-2"]
    everything = listing(QueueNamePrefix="resumed-").build_full_result()
    assert everything["QueueUrls"] == first["QueueUrls"] + rest["QueueUrls"]


def test_a_presigned_url_is_as_good_as_a_call(site: Site) -> None:
    sqs = connect(site)
    url = sqs.create_queue(QueueName="presigned")["QueueUrl"]
    if sqs.meta.service_model.protocol == "query":
        given = {"QueueUrl": url, "MessageBody": "by link & browser"}
        link = sqs.generate_presigned_url("send_message", Params=given, HttpMethod="GET")
        assert b"<SendMessageResponse" in _open(link)
        assert bodies(sqs.receive_message(QueueUrl=url)) == ["by link & browser"]
        link = sqs.generate_presigned_url("receive_message", Params={"QueueUrl": url}, ExpiresIn=60)
        assert b"<ReceiveMessageResponse" in _open(Request(link, method="POST"))
    else:
        # The JSON protocol has its parameters in the body, and this signature allows none: calls without, then.
        link = sqs.generate_presigned_url("list_queues", HttpMethod="POST")
        assert url in json.loads(_open(_posted(link, "ListQueues")))["QueueUrls"]
        if site.signed:
            error = expect(HTTPError, _open, _posted(link, "PurgeQueue"))
            assert error.headers["x-amzn-query-error"] == "SignatureDoesNotMatch;Sender"
            error.close()


def _posted(link: str, action: str) -> Request:
    """With the headers that are part of the signature."""
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"AmazonSQS.{action}",
        "x-amzn-query-mode": "true",
    }
    return Request(link, method="POST", data=b"", headers=headers)


def _open(link: "str | Request") -> bytes:
    with urlopen(link, timeout=30) as answer:
        return answer.read()


def test_the_client_has_no_waiters_and_can_be_closed(site: Site) -> None:
    sqs = connect(site)
    assert sqs.waiter_names == []
    expect(ValueError, sqs.get_waiter, "queue_exists")
    assert sqs.meta.region_name == REGION
    assert sqs.list_queues(QueueNamePrefix="nothing")["ResponseMetadata"]["RequestId"]
    sqs.close()
