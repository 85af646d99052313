"""A small program that uses SQS: orders come in, a worker packs them."""

import json

import boto3


def place_order(queue_url: str, number: int) -> None:
    boto3.client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps({"order": number}))


def pack_orders(queue_url: str, packed: set[int], *, wait_seconds: int = 20) -> int:
    """Pack the orders that have come, each once. Answers how many messages there were."""
    sqs = boto3.client("sqs")
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds)
    messages = answer.get("Messages", [])
    for message in messages:
        packed.add(json.loads(message["Body"])["order"])  # twice is as good as once
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)
