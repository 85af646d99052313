"""``stanchion check``: what is wrong with a configuration, a store file or an endpoint."""

import asyncio
import os
import uuid
from dataclasses import replace
from pathlib import Path

import click

from stanchion import app
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.endpoint import Place, Queue, Sqs, connect, place_options, told
from stanchion.cli.shell.messages import delete_batch, receive_batch
from stanchion.cli.shell.store_file import look_into
from stanchion.clock import SystemClock
from stanchion.settings import Settings, SettingsError, load
from stanchion.store import open_store

_BODY = "stanchion check"


@click.command()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="A configuration, in TOML.")
@click.option("--store", type=click.Path(path_type=Path), metavar="FILE", help="A store file; it is only read.")
@click.option("--round-trip", is_flag=True, help="Also send a message through a queue of its own on the endpoint.")
@place_options
def check(
    config: Path | None,
    store: Path | None,
    round_trip: bool,
    endpoint_url: str | None,
    region: str | None,
    profile: str | None,
) -> None:
    """Say what is wrong with a configuration, a store file or an endpoint. Exit code 1 says that something is.

    With no option: the settings that stanchion serve would have here, from stanchion.toml and the environment. A
    store may be in use by a server meanwhile. An endpoint is asked for its queues, which proves the signature.

    \b
    Examples:
      stanchion check --config /etc/stanchion/stanchion.toml
      stanchion check --store stanchion.db
      stanchion check --endpoint-url http://127.0.0.1:9324 --round-trip
    """
    at_endpoint = round_trip or any((endpoint_url, region, profile))
    if (config is not None) + (store is not None) + at_endpoint > 1:
        raise click.UsageError("give one of --config, --store and --endpoint-url")
    with told():
        if store is not None:
            _check_store(store)
        elif at_endpoint:
            _check_endpoint(connect(Place(endpoint_url, region, profile)), round_trip)
        else:
            _check_configuration(config)


# ── A configuration ──────────────────────────────────────────────────────────────────────────────────────


def _check_configuration(config: Path | None) -> None:
    """A file alone is checked as it stands; what the environment adds counts only for this folder's server."""
    try:
        if config is None:
            settings = load({}, os.environ, folder=Path())
        else:
            settings = load({"config": str(config)}, {}, folder=Path())
        asyncio.run(_try_out(settings))
    except (SettingsError, app.StartError) as problem:
        raise CannotGoOn(str(problem)) from None
    where = settings.config or "no configuration file; the environment and the defaults"
    click.echo(f"good: {where}, with {len(settings.queues)} declared queues")


async def _try_out(settings: Settings) -> None:
    """Read the files that are named, and make the declared queues in a store that vanishes."""
    opened = open_store("memory", durability="os")
    try:
        await app.Application(replace(settings, store="memory"), SystemClock(), opened).declare(settings.queues)
    finally:
        await opened.close()


# ── A store file ─────────────────────────────────────────────────────────────────────────────────────────


def _check_store(path: Path) -> None:
    found = look_into(path)
    for fact in found.facts:
        click.echo(fact)
    if found.problems:
        raise CannotGoOn("\n".join(f"{path}: {each}" for each in found.problems))
    click.echo(f"good: {path}")


# ── An endpoint ──────────────────────────────────────────────────────────────────────────────────────────


def _check_endpoint(sqs: Sqs, round_trip: bool) -> None:
    sqs.call("ListQueues", MaxResults=1)
    _expect_sqs(sqs)
    click.echo(f"{sqs.endpoint_url} answers, and takes the signature for region {sqs.region}")
    if round_trip:
        name = f"stanchion-check-{uuid.uuid4().hex[:12]}"
        queue = Queue(str(sqs.call("CreateQueue", QueueName=name)["QueueUrl"]))
        try:
            _send_through(sqs, queue)
        finally:
            sqs.call("DeleteQueue", QueueUrl=queue.url)
        click.echo(f"a message went through the queue {name}, which is deleted again")
    click.echo(f"good: {sqs.endpoint_url}")


def _expect_sqs(sqs: Sqs) -> None:
    """botocore takes any page with status 200 for an empty answer; a refusal has to be understood to be one."""
    from botocore.exceptions import ClientError

    try:
        sqs.queue(f"stanchion-check-{uuid.uuid4().hex[:12]}")
    except (ClientError, KeyError) as refusal:
        if isinstance(refusal, ClientError):
            return
    raise CannotGoOn(f"{sqs.endpoint_url} answers, but not as SQS does")


def _send_through(sqs: Sqs, queue: Queue) -> None:
    sqs.call("SendMessage", QueueUrl=queue.url, MessageBody=_BODY)
    received = receive_batch(sqs, queue, 1, wait=10, visibility=None)
    bodies = [each["Body"] for each in received]
    if bodies != [_BODY]:
        raise CannotGoOn(f"sent {_BODY!r} to {queue.url}, and received {bodies!r}")
    failures = delete_batch(sqs, queue, [received[0]["ReceiptHandle"]])
    if failures:
        raise CannotGoOn(f"the message could not be deleted: {failures[0]}")
