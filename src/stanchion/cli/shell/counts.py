"""How many messages a queue holds."""

from typing import NamedTuple

from stanchion.cli.shell.endpoint import Queue, Sqs

_PREFIX = "ApproximateNumberOfMessages"
_NAMES = (_PREFIX, f"{_PREFIX}NotVisible", f"{_PREFIX}Delayed")
_GONE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


class Counts(NamedTuple):
    """Approximate, as SQS says; in AWS they may be a minute old."""

    visible: int
    in_flight: int
    delayed: int


def counts(sqs: Sqs, queue: Queue) -> Counts | None:
    """None when the queue is gone."""
    from botocore.exceptions import ClientError

    try:
        found = sqs.attributes(queue, *_NAMES)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] in _GONE:
            return None
        raise
    return Counts(*(int(found.get(name, 0)) for name in _NAMES))
