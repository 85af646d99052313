"""aioboto3: calls that run side by side on one event loop."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aioboto3
import walk
from botocore.exceptions import ClientError
from walk import REGION, Site


def _where(site: Site) -> dict[str, str]:
    return {
        "endpoint_url": site.url,
        "region_name": REGION,
        "aws_access_key_id": site.owner.id,
        "aws_secret_access_key": site.owner.secret,
    }


def _with_client(site: Site, use: Callable[[Any], Awaitable[None]]) -> None:
    async def run() -> None:
        async with aioboto3.Session().client("sqs", **_where(site)) as sqs:
            await use(sqs)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_message_is_sent_received_and_deleted(site: Site) -> None:
    async def use(sqs: Any) -> None:
        url = (await sqs.create_queue(QueueName="async-life"))["QueueUrl"]
        attributes = {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
        sent = await sqs.send_message(QueueUrl=url, MessageBody="text ☃", MessageAttributes=attributes)
        (message,) = (await sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]))["Messages"]
        assert message["MessageId"] == sent["MessageId"]
        assert (message["Body"], message["MessageAttributes"]) == ("text ☃", attributes)
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        assert set(counts["Attributes"].values()) == {"0"}

    _with_client(site, use)


def test_sends_that_run_side_by_side_all_arrive(site: Site) -> None:
    async def use(sqs: Any) -> None:
        url = (await sqs.create_queue(QueueName="async-many"))["QueueUrl"]
        bodies = {f"message {number}" for number in range(100)}
        await asyncio.gather(*(sqs.send_message(QueueUrl=url, MessageBody=body) for body in bodies))
        calls = [sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10) for _ in range(10)]
        answers = await asyncio.gather(*calls)
        assert {message["Body"] for answer in answers for message in answer["Messages"]} == bodies

    _with_client(site, use)


def test_receives_that_wait_each_get_one_message(site: Site) -> None:
    async def use(sqs: Any) -> None:
        attributes = {"ReceiveMessageWaitTimeSeconds": "20"}
        url = (await sqs.create_queue(QueueName="async-waiting", Attributes=attributes))["QueueUrl"]
        waiting = [asyncio.create_task(sqs.receive_message(QueueUrl=url)) for _ in range(5)]
        for number in range(5):
            await sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
        answers = await asyncio.gather(*waiting)
        received = sorted(message["Body"] for answer in answers for message in answer["Messages"])
        assert received == [f"message {number}" for number in range(5)]

    _with_client(site, use)


def test_queues_are_paged_and_missing_ones_are_errors(site: Site) -> None:
    async def use(sqs: Any) -> None:
        for number in range(3):
            await sqs.create_queue(QueueName=f"async-page-{number}")
        pages = sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix="async-page-", PaginationConfig={"PageSize": 2}
        )
        assert [len(page["QueueUrls"]) async for page in pages] == [2, 1]
        try:
            await sqs.get_queue_url(QueueName="async-missing")
        except ClientError as error:
            assert isinstance(error, sqs.exceptions.QueueDoesNotExist)
        else:
            raise AssertionError("a queue was found that does not exist")

    _with_client(site, use)


def test_queues_and_messages_are_objects(site: Site) -> None:
    async def run() -> None:
        async with aioboto3.Session().resource("sqs", **_where(site)) as sqs:
            queue = await sqs.create_queue(QueueName="async-object")
            await queue.send_message(MessageBody="text")
            (message,) = await queue.receive_messages()
            assert await message.body == "text"
            await message.delete()
            assert await queue.receive_messages() == []

    asyncio.run(asyncio.wait_for(run(), 30))


if __name__ == "__main__":
    walk.run(sys.modules[__name__])
