"""``stanchion purge``: empty a queue."""

import click

from stanchion.cli.shell.counts import counts
from stanchion.cli.shell.endpoint import Sqs, with_endpoint
from stanchion.cli.shell.show import confirm, yes_option


@click.command()
@click.argument("queue")
@yes_option
@with_endpoint
def purge(sqs: Sqs, queue: str, yes: bool) -> None:
    """Delete all messages of QUEUE, a name or a URL. They cannot be had back.

    \b
    Examples:
      stanchion purge orders-test
      stanchion purge orders-test --yes
    """
    target = sqs.queue(queue)
    held = counts(sqs, target)
    number = 0 if held is None else sum(held)
    confirm(f"This deletes all messages of {target.name}, about {number}.", yes=yes)
    sqs.call("PurgeQueue", QueueUrl=target.url)
    click.echo(f"{target.name} is being emptied")
