"""Signature version 2, as botocore of the Query era still makes it when it is told to."""

import sys

import walk
from boto3_connection import bodies, connect
from botocore.exceptions import ClientError
from walk import Site, expect


def test_calls_signed_with_version_2_are_verified(site: Site) -> None:
    sqs = connect(site, signature_version="v2")
    url = sqs.create_queue(QueueName="old-style")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a b+c/d=~é")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["a b+c/d=~é"]


def test_a_wrong_secret_is_refused(site: Site) -> None:
    sqs = connect(site, site.owner._replace(secret="wrong"), signature_version="v2")
    assert expect(ClientError, sqs.list_queues).response["Error"]["Code"] == "SignatureDoesNotMatch"


if __name__ == "__main__":
    walk.run(sys.modules[__name__])
