"""A Celery worker at work: a process of its own, that takes its tasks from the server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import walk
from walk import Site

WORKER = ("-m", "celery", "-A", "celery_tasks", "worker", "--pool", "solo", "--loglevel", "INFO")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


@contextmanager
def _worker() -> Iterator[None]:
    """A worker that has to end in good order when it is told to."""
    with open("worker.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, *WORKER, *QUIET], cwd=Path(__file__).parent, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
        except BaseException:
            process.kill()
            process.wait()
            raise RuntimeError(Path("worker.log").read_text(encoding="utf-8")) from None
    assert code == 0, Path("worker.log").read_text(encoding="utf-8")


def _answers(tasks: Any, count: int) -> list[str]:
    """So many answers of tasks, or as many as came within twenty seconds of the one before."""
    found: list[str] = []
    while len(found) < count:
        answer = tasks.sqs.receive_message(QueueUrl=tasks.answers, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            found.append(message["Body"])
            tasks.sqs.delete_message(QueueUrl=tasks.answers, ReceiptHandle=message["ReceiptHandle"])
        if "Messages" not in answer:
            break
    return sorted(found)


def _url(tasks: Any) -> str:
    """The queue of the tasks: one that was there before, or what Celery made of its name."""
    return os.environ.get("QUEUE_URL") or tasks.sqs.get_queue_url(QueueName="celery-work")["QueueUrl"]


def _left(tasks: Any, url: str) -> set[str]:
    """How many messages a queue still holds: visible, in flight, delayed."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    return set(tasks.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())


def test_a_worker_does_the_tasks_of_its_queue(site: Site) -> None:
    import celery_tasks as tasks

    wanted = sorted(["5", "60", "attempt 3", "after a delay", *(str(number) for number in range(20))])
    with _worker():
        (tasks.count_words.s("the quick brown fox jumps") | tasks.answer.s()).delay()
        (tasks.add.s(10, 20) | tasks.add.s(30) | tasks.answer.s()).delay()
        tasks.succeed_at_the_third_attempt.delay()
        tasks.answer.apply_async(["after a delay"], DelaySeconds=1)
        for number in range(20):
            tasks.answer.delay(number)
        assert _answers(tasks, len(wanted)) == wanted
    assert _left(tasks, _url(tasks)) == {"0"}


def test_tasks_that_wait_are_counted_and_purged(site: Site) -> None:
    import celery_tasks as tasks

    for number in range(3):
        tasks.answer.delay(number)
    with tasks.app.connection() as connection:
        assert connection.default_channel.queue_declare("work", passive=True).message_count == 3
    assert tasks.app.control.purge()
    assert _left(tasks, _url(tasks)) == {"0"}


if __name__ == "__main__":
    os.environ["SITE"] = json.dumps(json.loads(sys.argv[1]))
    walk.run(sys.modules[__name__])
