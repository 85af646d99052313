"""``stanchion peek``: look at messages and let go of them at once."""

import click

from stanchion import limits
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.endpoint import Queue, Sqs, with_endpoint
from stanchion.cli.shell.messages import (
    Message,
    print_messages_as_json,
    print_messages_as_table,
    receive_up_to,
    release_batch,
)
from stanchion.cli.shell.show import json_option, note

_HIDDEN_SECONDS = 30  # as long as it takes to look; also how long they stay away when this process is killed


@click.command()
@click.argument("queue")
@click.option("-n", "number", type=click.IntRange(1), default=10, metavar="NUMBER", help="At most so many messages.")
@json_option
@with_endpoint
def peek(sqs: Sqs, queue: str, number: int, as_json: bool) -> None:
    """Look at messages of QUEUE, a name or a URL, and leave them there.

    SQS has no action for this. They are received, and made visible again at once: that counts as a receive, towards
    the maxReceiveCount of a dead-letter queue too. On a FIFO queue it shows the first messages of each group.

    \b
    Examples:
      stanchion peek orders
      stanchion peek orders-dead -n 50 --json | jq -r .body
    """
    source = sqs.queue(queue)
    looked_at: list[Message] = []
    try:
        # All are held until the last was seen; let go of earlier, they would be seen twice.
        for batch in receive_up_to(sqs, source, number, wait=1, visibility=_HIDDEN_SECONDS):
            looked_at += batch
    finally:
        failures = _release(sqs, source, looked_at)
    (print_messages_as_json if as_json else print_messages_as_table)(looked_at)
    if looked_at:
        note("SQS counts this as a receive of each message shown")
    if failures:
        raise CannotGoOn("\n".join([f"these stay hidden for {_HIDDEN_SECONDS} seconds:", *failures]))


def _release(sqs: Sqs, source: Queue, messages: list[Message]) -> list[str]:
    """In the order they came, which keeps that of a FIFO queue."""
    failures: list[str] = []
    for start in range(0, len(messages), limits.BATCH_ENTRIES):
        batch = messages[start : start + limits.BATCH_ENTRIES]
        failures += release_batch(sqs, source, [each["ReceiptHandle"] for each in batch])
    return failures
