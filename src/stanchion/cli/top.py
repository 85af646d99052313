"""``stanchion top``: the busiest queues, live."""

import time
from contextlib import nullcontext
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from stanchion.cli.queues import queues_with_counts
from stanchion.cli.shell.counts import Counts
from stanchion.cli.shell.endpoint import Sqs, with_endpoint
from stanchion.cli.shell.show import PIPE_WIDTH, table

_FRAME_LINES: Final = 3  # of a terminal: the heading, and room below


class Busy(NamedTuple):
    """A queue at one moment. ``change`` is by how many messages a second it grew since the look before, or shrank."""

    name: str
    held: Counts
    change: float | None


def changes(before: dict[str, Counts], now: dict[str, Counts], seconds: float) -> list[Busy]:
    """The busiest first: those that change most, then those with most in flight, then the longest."""
    found = [Busy(name, held, _change(before.get(name), held, seconds)) for name, held in now.items()]
    return sorted(found, key=lambda each: (-abs(each.change or 0), -each.held.in_flight, -sum(each.held), each.name))


def _change(before: Counts | None, now: Counts, seconds: float) -> float | None:
    return None if before is None else (sum(now) - sum(before)) / seconds


@click.command()
@click.argument("prefix", default="")
@click.option(
    "--every", type=click.FloatRange(0.1), default=2.0, metavar="SECONDS", help="Look so often. [default: 2]"
)
@click.option("-n", "times", type=click.IntRange(1), metavar="NUMBER", help="End after so many looks.")
@with_endpoint
def top(sqs: Sqs, prefix: str, every: float, times: int | None) -> None:
    """Watch the busiest of the queues whose names start with PREFIX. Ctrl-C ends it.

    PER SECOND is by how much a queue grows, or shrinks: what SQS tells are counts, which in AWS are up to a minute
    old. A look makes one call for each queue.

    \b
    Examples:
      stanchion top
      stanchion top orders- --every 10
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    live = Live(console=console, screen=True, auto_refresh=False) if console.is_terminal else None
    before: dict[str, Counts] = {}
    looked_at = time.monotonic()
    looks = 0
    with live or nullcontext():
        while True:
            now = {queue.name: held for queue, held in queues_with_counts(sqs, prefix)}
            moment = time.monotonic()
            shown = _table(changes(before, now, moment - looked_at), console)
            if live is None:
                console.print(shown)
            else:
                live.update(shown, refresh=True)
            before, looked_at, looks = now, moment, looks + 1
            if looks == times:
                return
            time.sleep(every)


def _table(found: list[Busy], console: Console) -> Table:
    room = max(1, console.height - _FRAME_LINES) if console.is_terminal else len(found)
    rows = [(each.name, *each.held, _signed(each.change)) for each in found[:room]]
    return table(("QUEUE", "#VISIBLE", "#IN FLIGHT", "#DELAYED", "#PER SECOND"), rows)


def _signed(change: float | None) -> str | None:
    return None if change is None else f"{change:+,.1f}"
