"""Celery with its SQS transport: a worker process does real tasks."""

import pytest

from support.tools import need_client
from support.wire_client import WireClient


def test_a_worker_does_tasks_from_a_queue_that_it_creates(serve, walk):
    walk("celery_walk.py", serve(signed=True), need_client("celery"))


def test_a_worker_does_tasks_from_a_queue_that_was_there_before(serve, walk, monkeypatch: pytest.MonkeyPatch):
    site = serve(signed=False)
    given = {"QueueName": "prepared", "Attributes": {"VisibilityTimeout": "60"}}
    url = WireClient(site["url"]).json("CreateQueue", **given).json["QueueUrl"]
    monkeypatch.setenv("QUEUE_URL", url)
    walk("celery_walk.py", site, need_client("celery"))
