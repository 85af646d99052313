"""Options and names that dump, load and copy share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from stanchion import limits
from stanchion.cli.shell.draining import HOLD_SECONDS, TAKE_SECONDS
from stanchion.cli.shell.endpoint import Queue, Sqs
from stanchion.cli.shell.lines import Outgoing, fitted
from stanchion.cli.shell.state import State, discard

Command = TypeVar("Command", bound=Callable[..., Any])

restart_option = click.option("--restart", is_flag=True, help="Forget what an earlier run did, and begin anew.")


def hiding_options(command: Command) -> Command:
    visibility = click.option(
        "--visibility-timeout",
        type=click.IntRange(1, limits.VISIBILITY_SECONDS),
        metavar="SECONDS",
        help=f"Hide messages for so long; longer than it takes.  [default: {HOLD_SECONDS}; {TAKE_SECONDS} when they "
        "are deleted]",
    )
    wait = click.option(
        "--wait",
        type=click.IntRange(0, limits.WAIT_SECONDS),
        default=2,
        metavar="SECONDS",
        help="Long-poll for so long before the queue counts as empty.  [default: 2]",
    )
    return visibility(wait(command))


def hiding_seconds(given: int | None, *, take: bool) -> int:
    if given is not None:
        return given
    return TAKE_SECONDS if take else HOLD_SECONDS


def state_beside(file: Path, *, restart: bool) -> Path:
    """FILE.state; removed first when an earlier run is to be forgotten."""
    path = file.with_name(file.name + ".state")
    if restart:
        discard(path)
    return path


def fifo_options(command: Command) -> Command:
    """What a FIFO queue wants and a message may lack."""
    group = click.option(
        "--group", metavar="NAME", help="Group for messages that have none, when the target is FIFO."
    )
    anew = click.option(
        "--new-deduplication-ids",
        is_flag=True,
        help="Give messages deduplication ids of their own, for a FIFO queue that had the same ones lately.",
    )
    return group(anew(command))


class Fitting:
    """Makes messages such that the target takes them; also across a kill, each gets the same ids again."""

    def __init__(self, sqs: Sqs, target: Queue, state: State | None, *, group: str | None, anew: bool) -> None:
        self.fifo = target.fifo
        found = sqs.attributes(target, "All") if target.fifo else {}
        self._content_based = found.get("ContentBasedDeduplication") == "true"
        self._group = group
        # Without a state it is only asked whether messages fit.
        run = "new" if state is None else state.fact("run")
        self._run = run if anew else None

    def fit(self, key: object, message: Outgoing) -> Outgoing:
        """ValueError when something is missing. ``key`` is the message's id or line."""
        if self._run is not None:
            message = replace(message, deduplication_id=f"{self._run}-{key}")
        return fitted(message, fifo=self.fifo, content_based=self._content_based, group=self._group)


def dropped_as(state: State, kind: str, key: object, message: Outgoing, new_id: str) -> str | None:
    """What a FIFO queue took this message for, when it dropped it as a duplicate: it answers with that one's id."""
    if new_id == message.id:
        return "the message itself, which was in this queue less than five minutes ago"
    earlier = state.accepted_as(new_id)
    return None if earlier in (None, str(key)) else f"{kind} {earlier}"


DROPPED_CURE: Final = (
    "it was not delivered; run the same command again in five minutes, or with --new-deduplication-ids"
)
