"""Queues for tests of rules, made the way the broker and the store make them."""

from stanchion.engine.attributes import check_create, settings_of
from stanchion.ids import queue_arn
from stanchion.model import Queue, QueueKey

ACCOUNT = "123456789012"
REGION = "us-east-1"


def key(name: str) -> QueueKey:
    return QueueKey(ACCOUNT, REGION, name)


def arn(name: str) -> str:
    return queue_arn(key(name))


def queue(name: str = "q", **attributes: str) -> Queue:
    """A queue that was created with these attributes; a name that ends in .fifo makes a FIFO queue."""
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    stored = check_create(name, attributes)
    return Queue(
        id=1,
        key=key(name),
        generation=1,
        created_at_ms=1_700_000_000_123,
        modified_at_ms=1_700_000_009_999,
        purged_at_ms=None,
        attributes=stored,
        tags={},
        settings=settings_of(stored),
        arn=arn(name),
    )
