"""``stanchion queues``: what queues there are, and what they hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

from stanchion import limits
from stanchion.cli.shell.counts import Counts, counts
from stanchion.cli.shell.endpoint import Queue, Sqs, with_endpoint
from stanchion.cli.shell.show import json_option, print_json, print_table

_AT_ONCE = 8


@click.command()
@click.argument("prefix", default="")
@json_option
@with_endpoint
def queues(sqs: Sqs, prefix: str, as_json: bool) -> None:
    """List queues whose names start with PREFIX, with the messages they hold.

    \b
    Examples:
      stanchion queues
      stanchion queues orders- --json
      stanchion queues --endpoint-url aws --region eu-west-1
    """
    found = queues_with_counts(sqs, prefix)
    if as_json:
        for queue, held in found:
            print_json({"name": queue.name, "url": queue.url, "fifo": queue.fifo} | held._asdict())
        return
    rows = [(queue.name, *held, queue.url) for queue, held in found]
    print_table(("QUEUE", "#VISIBLE", "#IN FLIGHT", "#DELAYED", "URL"), rows)


def queues_with_counts(sqs: Sqs, prefix: str) -> Iterator[tuple[Queue, Counts]]:
    """One after the other; a queue that was deleted meanwhile is left out."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for page in _pages(sqs, prefix):
            for queue, held in zip(page, threads.map(lambda each: counts(sqs, each), page), strict=True):
                if held is not None:
                    yield queue, held


def _pages(sqs: Sqs, prefix: str) -> Iterator[list[Queue]]:
    members: dict[str, Any] = {"MaxResults": limits.LIST_RESULTS}
    if prefix:
        members["QueueNamePrefix"] = prefix
    while True:
        answer = sqs.call("ListQueues", **members)
        yield [Queue(url) for url in answer.get("QueueUrls", [])]
        if "NextToken" not in answer:
            return
        members["NextToken"] = answer["NextToken"]
