"""A Celery application whose broker is the server under test. Its tasks put their answers into a queue."""

import os
from urllib.parse import quote

import boto3
from celery import Celery
from walk import REGION, read_site

site = read_site(os.environ["SITE"])
sqs = boto3.client(
    "sqs",
    endpoint_url=site.url,
    region_name=REGION,
    aws_access_key_id=site.owner.id,
    aws_secret_access_key=site.owner.secret,
)
answers = sqs.create_queue(QueueName="answers")["QueueUrl"]

app = Celery("celery_tasks")
app.conf.broker_url = f"sqs://{site.owner.id}:{quote(site.owner.secret, safe='')}@{site.host}:{site.port}"
app.conf.broker_transport_options = {
    "region": REGION,
    "is_secure": False,
    "wait_time_seconds": 10,
    "polling_interval": 0,
}
app.conf.task_default_queue = "work"
if "QUEUE_URL" not in os.environ:
    app.conf.broker_transport_options["queue_name_prefix"] = "celery-"
else:
    app.conf.broker_transport_options["predefined_queues"] = {
        "work": {
            "url": os.environ["QUEUE_URL"],
            "access_key_id": site.owner.id,
            "secret_access_key": site.owner.secret,
        }
    }


@app.task
def answer(value: object) -> None:
    sqs.send_message(QueueUrl=answers, MessageBody=str(value))


@app.task
def count_words(text: str) -> int:
    return len(text.split())


@app.task
def add(left: int, right: int) -> int:
    return left + right


@app.task(bind=True, acks_late=True)
def succeed_at_the_third_attempt(task) -> None:
    if task.request.retries < 2:
        raise task.retry(countdown=0)
    answer(f"attempt {task.request.retries + 1}")
