"""``stanchion redrive``: move messages out of a dead-letter queue, and watch it happen."""

import time
from typing import Any

import click

from stanchion import limits
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.endpoint import Sqs, with_endpoint
from stanchion.cli.shell.progress import progress
from stanchion.cli.shell.show import json_option, moment, print_json, print_table

_LOOK_EVERY_SECONDS = 1.0
_UNDER_WAY = ("RUNNING", "CANCELLING")

Task = dict[str, Any]


@click.command()
@click.argument("queue")
@click.option("--to", "target", metavar="NAME|ARN", help="Where to.  [default: the queue each message came from]")
@click.option(
    "--rate",
    type=click.IntRange(1, limits.MOVE_MESSAGES_PER_SECOND),
    metavar="NUMBER",
    help="At most so many messages a second.",
)
@click.option("--watch", is_flag=True, help="Stay until it is done; with --list, watch what is under way.")
@click.option("--cancel", is_flag=True, help="Stop the move that is under way.")
@click.option("--list", "listing", is_flag=True, help="List the latest moves.")
@json_option
@with_endpoint
def redrive(
    sqs: Sqs,
    queue: str,
    target: str | None,
    rate: int | None,
    watch: bool,
    cancel: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Move the messages of QUEUE, a dead-letter queue, back to where they came from.

    \b
    Examples:
      stanchion redrive orders-dead --watch
      stanchion redrive orders-dead --to orders-retry --rate 50
      stanchion redrive orders-dead --list
      stanchion redrive orders-dead --cancel
    """
    if cancel + listing + (target is not None or rate is not None) > 1 or (cancel and watch):
        raise click.UsageError("--cancel, --list and starting a move exclude each other")
    source = _arn(sqs, queue)
    if cancel:
        _cancel(sqs, source)
        return
    if not listing:
        _start(sqs, source, target, rate)
    if watch:
        _watch(sqs, source)
    if listing or as_json:
        _show(_tasks(sqs, source), as_json)


def _arn(sqs: Sqs, queue: str) -> str:
    if queue.startswith("arn:"):
        return queue
    return sqs.attributes(sqs.queue(queue), "QueueArn")["QueueArn"]


def _start(sqs: Sqs, source: str, target: str | None, rate: int | None) -> None:
    members: dict[str, Any] = {"SourceArn": source}
    if target is not None:
        members["DestinationArn"] = _arn(sqs, target)
    if rate is not None:
        members["MaxNumberOfMessagesPerSecond"] = rate
    sqs.call("StartMessageMoveTask", **members)
    click.echo("the move has started", err=True)


def _tasks(sqs: Sqs, source: str) -> list[Task]:
    """The latest first."""
    answer = sqs.call("ListMessageMoveTasks", SourceArn=source, MaxResults=limits.MOVE_TASK_RESULTS)
    found: list[Task] = answer.get("Results", [])
    return found


def _cancel(sqs: Sqs, source: str) -> None:
    task = next((each for each in _tasks(sqs, source) if each["Status"] == "RUNNING"), None)
    if task is None:
        raise CannotGoOn("no move is under way")
    answer = sqs.call("CancelMessageMoveTask", TaskHandle=task["TaskHandle"])
    click.echo(f"cancelled after {answer.get('ApproximateNumberOfMessagesMoved', 0)} messages", err=True)


def _watch(sqs: Sqs, source: str) -> None:
    """Until the latest move has ended. An interruption ends the watching, not the move."""
    with progress("moving") as bar:
        while True:
            task = next(iter(_tasks(sqs, source)), None)
            if task is None:
                raise CannotGoOn("there is no move to watch")
            moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
            bar.set(moved, task.get("ApproximateNumberOfMessagesToMove"))
            if task["Status"] not in _UNDER_WAY:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
    if task["Status"] != "COMPLETED":
        raise CannotGoOn(f"the move ended as {task['Status']} after {moved} messages{_reason(task)}")
    click.echo(f"{moved} messages moved", err=True)


def _reason(task: Task) -> str:
    return f": {task['FailureReason']}" if "FailureReason" in task else ""


def _show(tasks: list[Task], as_json: bool) -> None:
    rows = [_row(task) for task in tasks]
    if as_json:
        for row in rows:
            print_json(row)
        return
    columns = ("STATUS", "STARTED (UTC)", "#MOVED", "#OF", "#PER SECOND", "TO", "REASON")
    keys = ("status", "started_ms", "moved", "to_move", "rate", "to", "reason")
    print_table(columns, [[moment(row[key]) if key == "started_ms" else row[key] for key in keys] for row in rows])


def _row(task: Task) -> dict[str, Any]:
    return {
        "status": task["Status"],
        "started_ms": task.get("StartedTimestamp"),
        "moved": task.get("ApproximateNumberOfMessagesMoved", 0),
        "to_move": task.get("ApproximateNumberOfMessagesToMove"),
        "rate": task.get("MaxNumberOfMessagesPerSecond"),
        "to": task.get("DestinationArn"),
        "reason": task.get("FailureReason"),
    }
