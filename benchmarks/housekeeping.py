"""What other callers notice while the server clears up after one of them: the p99 of a steady cycle."""

import json
from collections.abc import Callable

import wrk
from bench import Bench, Figures, Measured
from client import Client
from fill import Fill, QueueFill, filled_messages_left
from servers import Server, queue_arn, queue_url

CONNECTIONS = 64
PACE_MS = 30  # mean pause of a connection: some 2,000 requests a second, well below what the server can do
BACKLOG, QUICK_BACKLOG = 1_000_000, 100_000
_VICTIM_ARN = queue_arn("victim")
_POLICY = json.dumps({"deadLetterTargetArn": _VICTIM_ARN, "maxReceiveCount": 5})

Trouble = Callable[[Client, str], object]
"""Starts some housekeeping for the queue with the URL."""


def _nothing(_client: Client, _url: str) -> None:
    """The usual state of things."""


def _purge(client: Client, url: str) -> None:
    client.call("PurgeQueue", QueueUrl=url)


def _delete(client: Client, url: str) -> None:
    client.call("DeleteQueue", QueueUrl=url)


def _expire(client: Client, url: str) -> None:
    """The messages of the file are older than a minute, so that all are due at once."""
    client.call("SetQueueAttributes", QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})


def _move(client: Client, _url: str) -> None:
    client.call("StartMessageMoveTask", SourceArn=_VICTIM_ARN, DestinationArn=queue_arn("victim-source"))


_TROUBLES: dict[str, Trouble] = {
    "nothing else": _nothing,
    "a purge": _purge,
    "a queue deletion": _delete,
    "expiry": _expire,
    "a move task": _move,
}


def housekeeping(bench: Bench) -> Measured:
    visible = QUICK_BACKLOG if bench.quick else BACKLOG
    source = QueueFill("victim-source", attributes=(("RedrivePolicy", _POLICY),))
    fill = Fill((QueueFill("bench"), QueueFill("victim", visible=visible), source))
    usual: Figures | None = None
    for name, trouble in _TROUBLES.items():
        figures = _beside_trouble(bench, fill, trouble)
        usual = usual or figures
        yield name, figures | {"of_usual_p99": figures["p99_ms"] / usual["p99_ms"]}


def _beside_trouble(bench: Bench, fill: Fill, trouble: Trouble) -> Figures:
    """The cycle's figures, and how many of the victim's messages were dealt with meanwhile."""
    store = bench.fresh_copy(fill)
    before = filled_messages_left(store)
    with bench.stanchion(store) as server:
        with Client(server.url) as client:
            trouble(client, queue_url(server, "victim"))
        figures = wrk.cycle(server, queue_url(server, "bench"), CONNECTIONS, bench.seconds, f"pace={PACE_MS}")
        moved = _moved(server) if trouble is _move else 0
    return figures | {"dealt_with": moved or before - filled_messages_left(store)}


def _moved(server: Server) -> int:
    with Client(server.url) as client:
        task = client.call("ListMessageMoveTasks", SourceArn=_VICTIM_ARN)["Results"][0]
    return int(task["ApproximateNumberOfMessagesMoved"])
