"""``stanchion demo``: the classic tutorial against a private server, call by call."""

import asyncio
import json
import tempfile
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from stanchion import __version__, app
from stanchion.cli.errors import CannotGoOn
from stanchion.cli.loop import run_loop
from stanchion.settings import Settings, load

_CALL_TIMEOUT_SECONDS = 30


class Unexpected(Exception):
    """A call was answered otherwise than the tutorial says."""


@click.command()
def demo() -> None:
    """Watch a queue at work.

    Starts a private server on a free port, with its store in a temporary folder, runs the classic tutorial against
    it and shows each call with its answer. Exit code 0 says that every answer was as it should be.
    """
    with tempfile.TemporaryDirectory(prefix="stanchion-demo-") as name:
        folder = Path(name)
        flags = {"port": "0", "store": f"sqlite:{folder / 'demo.db'}", "console": False}
        try:
            run_loop(_demo(load(flags, {}, folder=folder)))
        except (Unexpected, app.StartError) as problem:
            raise CannotGoOn(str(problem)) from None
    click.echo("\nEverything was answered as it should be. Start a server of your own with: stanchion serve")


async def _demo(settings: Settings) -> None:
    stop = asyncio.Event()
    ready: asyncio.Future[app.Running] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(app.run(settings, ready=ready.set_result, stop=stop))
    try:
        await asyncio.wait((ready, server), return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            await asyncio.to_thread(tutorial, Guide(ready.result().sqs_url, click.echo))
    finally:
        stop.set()
        await server  # raises what kept it from starting


class Guide:
    """Makes calls in the JSON protocol and shows them. Unsigned, with nothing but the standard library."""

    def __init__(self, sqs_url: str, show: Callable[[str], object]) -> None:
        self._address = urlsplit(sqs_url)
        self._show = show
        self._steps = 0
        show(f"Stanchion {__version__} runs at {sqs_url} for this demonstration.")

    def call(self, title: str, action: str, given: dict[str, Any], *, status: int = 200) -> dict[str, Any]:
        """What a call answers; Unexpected when its HTTP status is another one."""
        self._steps += 1
        self._show(f"\n{self._steps:2}  {title}")
        self._show(f"    {action} {json.dumps(given)}")
        answered, body = self._post(action, json.dumps(given))
        self._show(f"    {answered} {body}")
        if answered != status:
            raise Unexpected(f"step {self._steps}, {action}: answered with status {answered}, not {status}")
        return self._read(body)

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise Unexpected(f"step {self._steps}: {what} should be {wanted!r}, and is {found!r}")

    def _read(self, body: str) -> dict[str, Any]:
        try:
            answer = json.loads(body or "{}")
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unexpected(f"step {self._steps}: the answer is not a JSON object")
        return answer

    def _post(self, action: str, body: str) -> tuple[int, str]:
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=_CALL_TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, HTTPException) as problem:
            raise Unexpected(f"step {self._steps}, {action}: there was no answer ({problem})") from None
        finally:
            connection.close()


def tutorial(guide: Guide) -> None:
    """One queue from its creation to its end."""
    url = _make_a_queue(guide)
    _one_message(guide, url)
    _ten_messages(guide, url)
    _end_the_queue(guide, url)


def _make_a_queue(guide: Guide) -> str:
    given: dict[str, Any] = {"QueueName": "myqueue", "Attributes": {"VisibilityTimeout": "120"}}
    title = "Create a queue where a message, once received, stays hidden from others for 120 seconds"
    url = str(guide.call(title, "CreateQueue", given).get("QueueUrl"))
    guide.expect("the name in the queue's URL", url.rpartition("/")[2], "myqueue")

    given = {"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]}
    answer = guide.call("Ask for that timeout", "GetQueueAttributes", given)
    guide.expect("the timeout", answer.get("Attributes"), {"VisibilityTimeout": "120"})

    answer = guide.call("List the queues whose names start with my", "ListQueues", {"QueueNamePrefix": "my"})
    guide.expect("the list", answer.get("QueueUrls"), [url])

    answer = guide.call("Find the queue by its name", "GetQueueUrl", {"QueueName": "myqueue"})
    guide.expect("its URL", answer.get("QueueUrl"), url)
    return url


def _one_message(guide: Guide, url: str) -> None:
    body = "This is my first message."
    guide.call("Write a message", "SendMessage", {"QueueUrl": url, "MessageBody": body})

    messages = guide.call("Read it", "ReceiveMessage", {"QueueUrl": url}).get("Messages", [])
    guide.expect("what was received", _bodies(messages), [body])

    answer = guide.call("Read again: nothing, since the message is hidden", "ReceiveMessage", {"QueueUrl": url})
    guide.expect("what was received", _bodies(answer.get("Messages", [])), [])

    handle = messages[0]["ReceiptHandle"]
    guide.call("Delete it, now that it is dealt with", "DeleteMessage", {"QueueUrl": url, "ReceiptHandle": handle})


def _ten_messages(guide: Guide, url: str) -> None:
    bodies = [f"This is message {number}" for number in range(1, 11)]
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies, start=1)]
    answer = guide.call("Write ten in one call", "SendMessageBatch", {"QueueUrl": url, "Entries": entries})
    guide.expect("the number written", len(answer.get("Successful", [])), 10)

    given: dict[str, Any] = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    answer = guide.call("Count them", "GetQueueAttributes", given)
    guide.expect("the count", answer.get("Attributes"), {"ApproximateNumberOfMessages": "10"})

    given = {"QueueUrl": url, "MaxNumberOfMessages": 10}
    messages = guide.call("Read them all", "ReceiveMessage", given).get("Messages", [])
    guide.expect("what was received", sorted(_bodies(messages)), sorted(bodies))

    entries = [{"Id": str(number), "ReceiptHandle": it["ReceiptHandle"]} for number, it in enumerate(messages)]
    answer = guide.call("Delete them all", "DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})
    guide.expect("the number deleted", len(answer.get("Successful", [])), 10)


def _end_the_queue(guide: Guide, url: str) -> None:
    guide.call("Empty the queue of whatever it may hold", "PurgeQueue", {"QueueUrl": url})
    guide.call("Delete the queue", "DeleteQueue", {"QueueUrl": url})
    answer = guide.call("Look for it: it is gone", "GetQueueUrl", {"QueueName": "myqueue"}, status=400)
    guide.expect("the error", answer.get("__type"), "com.amazonaws.sqs#QueueDoesNotExist")


def _bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [each.get("Body", "") for each in messages]
