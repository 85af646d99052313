"""``stanchion send``: a message, or one for each line."""

import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from stanchion import limits
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.attributes import parse_attributes
from stanchion.cli.shell.batches import batches
from stanchion.cli.shell.endpoint import Queue, Sqs, with_endpoint
from stanchion.cli.shell.lines import Outgoing, entry
from stanchion.cli.shell.show import json_option, note, print_json

Attributes = dict[str, dict[str, Any]]


def _parse(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> Attributes:
    try:
        return parse_attributes(texts)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


@click.command()
@click.argument("queue")
@click.argument("body", required=False)
@click.option("--file", type=click.File("rb"), help="Read the body from a file; - is standard input.")
@click.option("--each-line", is_flag=True, help="Send each line as a message of its own, in batches of ten.")
@click.option("--group", metavar="NAME", help="Message group, which a FIFO queue needs.")
@click.option("--deduplication-id", metavar="ID", help="Deduplication id, for a FIFO queue.")
@click.option(
    "--delay",
    type=click.IntRange(0, limits.DELAY_SECONDS),
    metavar="SECONDS",
    help=f"Hide the message for so long first, up to {limits.DELAY_SECONDS}.",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    callback=_parse,
    metavar="NAME=VALUE",
    help="Message attribute; NAME:Number=5 and NAME:Binary=BASE64 give its type. May be repeated.",
)
@json_option
@with_endpoint
def send(
    sqs: Sqs,
    queue: str,
    body: str | None,
    file: IO[bytes] | None,
    each_line: bool,
    group: str | None,
    deduplication_id: str | None,
    delay: int | None,
    attributes: Attributes,
    as_json: bool,
) -> None:
    """Send a message to QUEUE, a name or a URL. Without BODY, or with -, the body is read from standard input.

    The body is sent as it is, with the end of line that a file or echo puts at its end.

    \b
    Examples:
      stanchion send orders 'one more'
      stanchion send orders --file order.json --attribute kind=express --attribute weight:Number=2.5
      stanchion send orders.fifo 'first' --group customer-7 --deduplication-id 1
      seq 1000 | stanchion send orders --each-line
    """
    if file is not None and body is not None:
        raise click.UsageError("give BODY or --file, not both")
    if each_line and deduplication_id is not None:
        raise click.UsageError(
            "--deduplication-id is for one message; with --each-line all but the first would vanish"
        )
    extra = {} if delay is None else {"DelaySeconds": delay}
    if each_line:
        _send_lines(sqs, sqs.queue(queue), _lines(body, file, attributes, group), extra, as_json)
        return
    message = Outgoing(_whole(body, file), attributes, group, deduplication_id)
    answer = sqs.call("SendMessage", QueueUrl=sqs.queue(queue).url, **entry(message), **extra)
    _show_sent(answer, as_json)


def _stream(file: IO[bytes] | None) -> IO[bytes]:
    return sys.stdin.buffer if file is None else file


def _whole(body: str | None, file: IO[bytes] | None) -> str:
    text = body if body not in (None, "-") else _decoded(_stream(file).read(), "the body")
    if not text:
        raise click.UsageError("the body is empty, and SQS takes no empty one")
    return str(text)


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        raise click.UsageError(f"{what} is not UTF-8 text ({problem.reason} at byte {problem.start})") from None


def _lines(body: str | None, file: IO[bytes] | None, attributes: Attributes, group: str | None) -> Iterator[Any]:
    """Line numbers and messages, with their sizes. Empty lines are no messages."""
    source = [body.encode()] if body not in (None, "-") and body is not None else _stream(file)
    for number, line in enumerate(source, 1):
        text = _decoded(line.rstrip(b"\r\n"), f"line {number}")
        if text:
            message = Outgoing(text, attributes, group)
            yield (number, message), message.size


def _send_lines(sqs: Sqs, target: Queue, lines: Iterator[Any], extra: dict[str, int], as_json: bool) -> None:
    sent = failed = 0
    for batch in batches(lines):
        entries = [{"Id": str(number)} | entry(message) | extra for number, message in batch]
        answer = sqs.call("SendMessageBatch", QueueUrl=target.url, Entries=entries)
        for each in answer.get("Successful", []):
            sent += 1
            if as_json:
                _show_sent(each, as_json, line=int(each["Id"]))
        for each in answer.get("Failed", []):
            failed += 1
            note(f"line {each['Id']}: {each['Code']}: {each.get('Message', '')}")
    if not as_json:
        click.echo(f"{sent} messages sent")
    if failed:
        raise CannotGoOn(f"{failed} of {sent + failed} lines were not sent")


def _show_sent(answer: dict[str, Any], as_json: bool, **more: int) -> None:
    if not as_json:
        click.echo(answer["MessageId"])
        return
    shown: dict[str, Any] = more | {"id": answer["MessageId"]}
    if "SequenceNumber" in answer:
        shown["sequence_number"] = answer["SequenceNumber"]
    print_json(shown)
