"""Send a message, receive it, delete it: with boto3.

    python demo_boto3.py [--endpoint URL] [--queue NAME] [--message TEXT]

The access key comes from wherever boto3 finds one (AWS_ACCESS_KEY_ID, ~/.aws/credentials …). A server that checks no
signatures takes any, so without one the demo makes one up.
"""

import argparse
import os

import boto3


def connect(endpoint):
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    session = boto3.Session()
    if session.get_credentials() is None:
        session = boto3.Session(aws_access_key_id="demo", aws_secret_access_key="demo")
    return session.client("sqs", endpoint_url=endpoint)


def send(sqs, queue_url, text):
    attributes = {"sender": {"DataType": "String", "StringValue": "demo_boto3.py"}}
    answer = sqs.send_message(QueueUrl=queue_url, MessageBody=text, MessageAttributes=attributes)
    print(f"sent      {answer['MessageId']}")


def receive(sqs, queue_url):
    """The messages that are there, or that come within ten seconds. Others do not see them for 60 seconds."""
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=10,
        VisibilityTimeout=60,
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def handle(message):
    sender = message.get("MessageAttributes", {}).get("sender", {}).get("StringValue", "somebody")
    print(f"received  {message['MessageId']}  from {sender}: {message['Body']}")


def delete(sqs, queue_url, message):
    """Only now, when the work is done: had we failed before, the message would have come back for another try."""
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    print(f"deleted   {message['MessageId']}")


def main():
    parser = argparse.ArgumentParser(description="Send a message, receive it, delete it.")
    parser.add_argument("--endpoint", default="http://127.0.0.1:9324", help="where the server is (%(default)s)")
    parser.add_argument("--queue", default="demo", help="name of the queue, created if absent (%(default)s)")
    parser.add_argument("--message", default="Hello from boto3", help="what to send (%(default)s)")
    given = parser.parse_args()

    sqs = connect(given.endpoint)
    queue_url = sqs.create_queue(QueueName=given.queue)["QueueUrl"]
    print(f"queue     {queue_url}")
    send(sqs, queue_url, given.message)
    for message in receive(sqs, queue_url):
        handle(message)
        delete(sqs, queue_url, message)


if __name__ == "__main__":
    main()
