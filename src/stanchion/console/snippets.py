"""Programs to begin with, for one queue of this server."""

import json
from typing import NamedTuple


class Snippet(NamedTuple):
    id: str
    title: str
    text: str


def snippets(endpoint: str, region: str, queue_url: str, *, fifo: bool) -> list[Snippet]:
    """A send and a receive in each of four ways, ready to run. All texts in them are literals of the language."""
    url, address, where = json.dumps(queue_url), json.dumps(endpoint), json.dumps(region)
    return [
        Snippet("boto3", "boto3", _boto3(url, address, where, _python_group(fifo))),
        Snippet("aioboto3", "aioboto3", _aioboto3(url, address, where, _python_group(fifo))),
        Snippet("cli", "AWS CLI", _cli(queue_url, endpoint, region, fifo)),
        Snippet("javascript", "JavaScript", _javascript(url, address, where, fifo)),
    ]


def _python_group(fifo: bool) -> str:
    return ', MessageGroupId="group-1", MessageDeduplicationId="message-1"' if fifo else ""


def _boto3(url: str, address: str, region: str, group: str) -> str:
    return f"""import boto3

sqs = boto3.client("sqs", endpoint_url={address}, region_name={region})
queue_url = {url}

sqs.send_message(QueueUrl=queue_url, MessageBody="Hello"{group})

answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
for message in answer.get("Messages", []):
    print(message["Body"])
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
"""


def _aioboto3(url: str, address: str, region: str, group: str) -> str:
    return f"""import asyncio

import aioboto3

queue_url = {url}


async def main():
    async with aioboto3.Session().client("sqs", endpoint_url={address}, region_name={region}) as sqs:
        await sqs.send_message(QueueUrl=queue_url, MessageBody="Hello"{group})
        answer = await sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            print(message["Body"])
            await sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


asyncio.run(main())
"""


def _cli(url: str, endpoint: str, region: str, fifo: bool) -> str:
    group = " \\\n  --message-group-id group-1 --message-deduplication-id message-1" if fifo else ""
    common = f"--endpoint-url {endpoint} --region {region} \\\n  --queue-url {url}"
    return f"""aws sqs send-message {common} \\
  --message-body Hello{group}

aws sqs receive-message {common} \\
  --max-number-of-messages 10 --wait-time-seconds 20
"""


def _javascript(url: str, address: str, region: str, fifo: bool) -> str:
    group = ',\n  MessageGroupId: "group-1",\n  MessageDeduplicationId: "message-1"' if fifo else ""
    return f"""import {{
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
}} from "@aws-sdk/client-sqs";

const sqs = new SQSClient({{ endpoint: {address}, region: {region} }});
const QueueUrl = {url};

await sqs.send(new SendMessageCommand({{
  QueueUrl,
  MessageBody: "Hello"{group},
}}));

const {{ Messages = [] }} = await sqs.send(
  new ReceiveMessageCommand({{ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }}),
);
for (const {{ Body, ReceiptHandle }} of Messages) {{
  console.log(Body);
  await sqs.send(new DeleteMessageCommand({{ QueueUrl, ReceiptHandle }}));
}}
"""
