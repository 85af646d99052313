"""boto3 and botocore: today's, which speak JSON, and 1.31.80, the last that spoke AWS Query."""

import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from stanchion.actions import ACTIONS
from support.in_process import InProcessServer
from support.tools import need_client

# A consumer that is gone takes no message: well before the server's sweep of once a second.
SOON_SECONDS = 0.7

both = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])


def calls_everything(report) -> bool:
    return report["called"] == report["operations"] == sorted(ACTIONS)


@both
def test_every_method_of_todays_client_and_resource_works(serve, walk, signed):
    report = walk("boto3_walk.py", serve(signed=signed))
    assert report["protocol"] == "json"
    assert calls_everything(report)


@both
def test_every_method_of_the_last_client_of_the_query_protocol_works(serve, walk, signed):
    python = need_client("botocore-query")
    report = walk("boto3_walk.py", serve(signed=signed), python)
    assert report["versions"] == ["1.28.80", "1.31.80"]
    assert report["protocol"] == "query"
    assert calls_everything(report)


def test_signature_version_2_is_taken_where_it_is_allowed(serve, walk):
    python = need_client("botocore-query")
    walk("sigv2_walk.py", serve("--sigv2", signed=True), python)


def test_a_client_that_gave_up_waiting_leaves_the_message_to_others(tmp_path):
    server = InProcessServer(tmp_path)
    try:
        config = Config(read_timeout=0.2, retries={"total_max_attempts": 1})
        where = {"endpoint_url": server.url, "region_name": "us-east-1", "config": config}
        sqs = boto3.client("sqs", aws_access_key_id="any", aws_secret_access_key="any", **where)
        url = sqs.create_queue(QueueName="given-up")["QueueUrl"]
        with pytest.raises(ReadTimeoutError):
            sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        deadline = time.monotonic() + SOON_SECONDS
        while server.call(lambda: server.application.broker.polls.waiting):
            assert time.monotonic() < deadline, "the receive still waits, though its client has gone"
        sqs.send_message(QueueUrl=url, MessageBody="text")
        assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
        sqs.close()
    finally:
        server.stop()
