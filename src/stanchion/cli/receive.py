"""``stanchion receive``: take messages, and delete them if asked to."""

import click

from stanchion import limits
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.endpoint import Sqs, with_endpoint
from stanchion.cli.shell.messages import (
    Message,
    delete_batch,
    print_messages_as_json,
    print_messages_as_table,
    receive_up_to,
)
from stanchion.cli.shell.show import json_option


@click.command()
@click.argument("queue")
@click.option("-n", "number", type=click.IntRange(1), default=10, metavar="NUMBER", help="At most so many messages.")
@click.option(
    "--wait",
    type=click.IntRange(0, limits.WAIT_SECONDS),
    default=5,
    metavar="SECONDS",
    help=f"Wait so long for a message, up to {limits.WAIT_SECONDS}.  [default: 5]",
)
@click.option("--delete", is_flag=True, help="Delete each message once it is printed.")
@click.option(
    "--visibility-timeout",
    type=click.IntRange(0, limits.VISIBILITY_SECONDS),
    metavar="SECONDS",
    help="Hide the messages from others for so long.  [default: the queue's]",
)
@json_option
@with_endpoint
def receive(
    sqs: Sqs, queue: str, number: int, wait: int, delete: bool, visibility_timeout: int | None, as_json: bool
) -> None:
    """Receive messages from QUEUE, a name or a URL, and print them.

    Without --delete they come back when their visibility timeout ends. The JSON lines are those of a dump, with the
    receipt handle.

    \b
    Examples:
      stanchion receive orders
      stanchion receive orders -n 100 --wait 20 --delete
      stanchion receive orders --json | jq -r .body
    """
    source = sqs.queue(queue)
    received: list[Message] = []
    failures: list[str] = []
    for batch in receive_up_to(sqs, source, number, wait=wait, visibility=visibility_timeout):
        if as_json:
            print_messages_as_json(batch)
        else:
            received += batch
        if delete and as_json:
            failures += delete_batch(sqs, source, [each["ReceiptHandle"] for each in batch])
    if not as_json:
        print_messages_as_table(received)
        for start in range(0, len(received) if delete else 0, limits.BATCH_ENTRIES):
            batch = received[start : start + limits.BATCH_ENTRIES]
            failures += delete_batch(sqs, source, [each["ReceiptHandle"] for each in batch])
    if failures:
        raise CannotGoOn("\n".join(["these were received and not deleted:", *failures]))
