"""Send messages, receive them, delete them: with aioboto3, everything that can at the same time.

    python demo_aioboto3.py [--endpoint URL] [--queue NAME] [--message TEXT]...

The access key comes from wherever boto3 finds one (AWS_ACCESS_KEY_ID, ~/.aws/credentials …). A server that checks no
signatures takes any, so without one the demo makes one up.
"""

import argparse
import asyncio
import os

import aioboto3


async def connect(endpoint):
    """A client, to be entered with ``async with``."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    session = aioboto3.Session()
    if await session.get_credentials() is None:
        session = aioboto3.Session(aws_access_key_id="demo", aws_secret_access_key="demo")
    return session.client("sqs", endpoint_url=endpoint)


async def send(sqs, queue_url, text):
    attributes = {"sender": {"DataType": "String", "StringValue": "demo_aioboto3.py"}}
    answer = await sqs.send_message(QueueUrl=queue_url, MessageBody=text, MessageAttributes=attributes)
    print(f"sent      {answer['MessageId']}")


async def receive(sqs, queue_url):
    """The messages that are there, or that come within ten seconds. Others do not see them for 60 seconds."""
    answer = await sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=10,
        VisibilityTimeout=60,
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


async def handle(sqs, queue_url, message):
    """Do the work, then delete: had we failed before, the message would have come back for another try."""
    sender = message.get("MessageAttributes", {}).get("sender", {}).get("StringValue", "somebody")
    print(f"received  {message['MessageId']}  from {sender}: {message['Body']}")
    await sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    print(f"deleted   {message['MessageId']}")


async def produce(sqs, queue_url, texts):
    await asyncio.gather(*(send(sqs, queue_url, text) for text in texts))


async def consume(sqs, queue_url, count):
    """Take so many messages, or as many as there are."""
    while count > 0:
        messages = await receive(sqs, queue_url)
        if not messages:
            break
        await asyncio.gather(*(handle(sqs, queue_url, message) for message in messages))
        count -= len(messages)


async def main():
    parser = argparse.ArgumentParser(description="Send messages, receive them, delete them.")
    parser.add_argument("--endpoint", default="http://127.0.0.1:9324", help="where the server is (%(default)s)")
    parser.add_argument("--queue", default="demo", help="name of the queue, created if absent (%(default)s)")
    parser.add_argument("--message", action="append", help="what to send; may be given more than once")
    given = parser.parse_args()
    texts = given.message or ["Hello from aioboto3", "Hello again"]

    async with await connect(given.endpoint) as sqs:
        queue_url = (await sqs.create_queue(QueueName=given.queue))["QueueUrl"]
        print(f"queue     {queue_url}")
        # The consumer waits at the server while the producer sends.
        await asyncio.gather(consume(sqs, queue_url, len(texts)), produce(sqs, queue_url, texts))


if __name__ == "__main__":
    asyncio.run(main())
