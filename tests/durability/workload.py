"""A load of many clients, and the book that says what each was promised.

Whatever is sent has a body of its own, so that a body names a message. The book is written before a call
("asked") and after its answer ("promised"); what lies between the two may or may not have happened.
"""

import http.client
import itertools
import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

HIDDEN_SECONDS = 3_600  # outlives the test: what was hidden so must still be hidden at its end

STANDARD = "plain"
FIFO = "ordered.fifo"
DEAD, REDRIVEN, FAILING = "dead", "redriven", "failing"


class Gone(Exception):
    """The server died under a call: nobody knows what became of it."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status} {document}")
        self.status = status


class Line:
    """One kept-alive connection that speaks AWS JSON."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def __call__(self, action: str, queue: str | None = None, **members: object) -> dict[str, Any]:
        body = members if queue is None else {"QueueUrl": queue, **members}
        headers = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
        try:
            self._connection.request("POST", "/", json.dumps(body).encode(), headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Gone from error
        document: dict[str, Any] = json.loads(answer) if answer else {}
        if response.status != 200:
            raise Refused(response.status, document)
        return document

    def close(self) -> None:
        self._connection.close()


class Book:
    """What was asked and what was promised, over all lives of the server."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.asked: set[str] = set()  # bodies whose send was tried
        self.sent: set[str] = set()  # … and answered
        self.delete_asked: set[str] = set()
        self.deleted: set[str] = set()
        self.hidden: dict[str, str] = {}  # body to a handle that keeps it hidden for an hour
        self.handles: dict[str, str] = {}  # body to the last handle
        self.order: defaultdict[str, list[str]] = defaultdict(list)  # FIFO bodies of a group, as first asked
        self.fifo_answers: dict[str, tuple[str, str]] = {}  # body to message id and sequence number
        self.tags_asked: defaultdict[str, set[str]] = defaultdict(set)
        self.tags: dict[str, str] = {}
        self.delays_asked: list[int] = []
        self.delay: int | None = None
        self.queues: set[str] = set()
        self.purged: set[str] = set()  # bodies sent and answered before a purge that was answered
        self.purge_asked: set[str] = set()
        self.mistakes: list[str] = []

    def new_body(self, kind: str) -> str:
        return f"{kind}-{next(self.numbers)}"

    def survivors(self) -> set[str]:
        """Bodies that must be stored."""
        return self.sent - self.delete_asked - self.purge_asked

    def casualties(self) -> set[str]:
        """Bodies that must not be stored."""
        return self.deleted | self.purged

    def note_order(self, group: str, body: str) -> None:
        """A FIFO body may be handed out only when all before it in its group were at least asked to go."""
        before = itertools.takewhile(lambda earlier: earlier != body, self.order[group])
        early = [earlier for earlier in before if earlier in self.sent and earlier not in self.delete_asked]
        if early:
            self.mistakes.append(f"{body} of {group} was handed out before {early}")


class Worker:
    """One client. Its own chance, so that a round can be repeated by its seed."""

    def __init__(self, url: str, book: Book, number: int, seed: int) -> None:
        self.line = Line(url)
        self.book = book
        self.number = number
        self.chance = random.Random(seed * 1_000 + number)

    def run(self, stop: threading.Event) -> None:
        steps = self.steps()
        try:
            while not stop.is_set():
                self.chance.choice(steps)()
        except Gone:
            return
        except Exception as error:
            self.book.mistakes.append(f"{type(self).__name__}: {error!r}")
        finally:
            self.line.close()

    def steps(self) -> list[Callable[[], None]]:
        raise NotImplementedError


class StandardClient(Worker):
    def steps(self) -> list[Callable[[], None]]:
        return [self.send, self.send_batch, self.send_large, self.receive, self.receive]

    def send(self, padding: str = "") -> None:
        body = self.book.new_body("plain") + padding
        self.book.asked.add(body)
        self.line("SendMessage", STANDARD, MessageBody=body, DelaySeconds=self.chance.choice([0, 0, 1]))
        self.book.sent.add(body)

    def send_large(self) -> None:
        self.send(padding="-" + "x" * self.chance.randrange(2_000, 60_000))  # beyond what a row keeps to itself

    def send_batch(self) -> None:
        bodies = [self.book.new_body("batch") for _ in range(10)]
        self.book.asked.update(bodies)
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        answer = self.line("SendMessageBatch", STANDARD, Entries=entries)
        self.book.sent.update(bodies[int(entry["Id"])] for entry in answer["Successful"])

    def receive(self) -> None:
        got = self.line("ReceiveMessage", STANDARD, MaxNumberOfMessages=10, VisibilityTimeout=2)
        messages = got.get("Messages", [])
        for message in messages:
            self.book.handles[message["Body"]] = message["ReceiptHandle"]
            if message["Body"] in self.book.hidden:
                self.book.mistakes.append(f"{message['Body'][:40]} was handed out while it was hidden")
        doomed, kept = messages[:6], messages[6:]
        self._delete([(message["Body"], message["ReceiptHandle"]) for message in doomed])
        for message in kept:
            self._hide_or_show(message)

    def _delete(self, doomed: list[tuple[str, str]]) -> None:
        if not doomed:
            return
        self.book.delete_asked.update(body for body, _ in doomed)
        if len(doomed) == 1:
            self.line("DeleteMessage", STANDARD, ReceiptHandle=doomed[0][1])
            self.book.deleted.add(doomed[0][0])
            return
        entries = [{"Id": str(n), "ReceiptHandle": handle} for n, (_, handle) in enumerate(doomed)]
        answer = self.line("DeleteMessageBatch", STANDARD, Entries=entries)
        self.book.deleted.update(doomed[int(entry["Id"])][0] for entry in answer["Successful"])

    def _hide_or_show(self, message: dict[str, Any]) -> None:
        seconds = self.chance.choice([0, 0, 0, HIDDEN_SECONDS])
        self.line(
            "ChangeMessageVisibility", STANDARD, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )
        if seconds:
            self.book.hidden[message["Body"]] = message["ReceiptHandle"]


class FifoSender(Worker):
    """Sends one message after the other in a group of its own, and tries again what had no answer."""

    def __init__(self, url: str, book: Book, number: int, seed: int) -> None:
        super().__init__(url, book, number, seed)
        self.group = f"group-{number}"

    def run(self, stop: threading.Event) -> None:
        order = self.book.order[self.group]
        try:
            if order and order[-1] not in self.book.sent:
                self._send(order[-1])
            for body in order[-3:]:
                self._send(body)  # a retry of what was answered before the server died
        except Gone:
            return
        super().run(stop)

    def steps(self) -> list[Callable[[], None]]:
        return [self.send, self.send, self.send_again]

    def send(self) -> None:
        body = self.book.new_body("fifo")
        self.book.asked.add(body)
        self.book.order[self.group].append(body)
        self._send(body)

    def send_again(self) -> None:
        if self.book.order[self.group]:
            self._send(self.chance.choice(self.book.order[self.group][-20:]))

    def _send(self, body: str) -> None:
        answer = self.line(
            "SendMessage", FIFO, MessageBody=body, MessageGroupId=self.group, MessageDeduplicationId=body
        )
        identity = answer["MessageId"], answer["SequenceNumber"]
        if self.book.fifo_answers.setdefault(body, identity) != identity:
            self.book.mistakes.append(f"{body} was taken twice")
        self.book.sent.add(body)


class FifoReceiver(Worker):
    def steps(self) -> list[Callable[[], None]]:
        return [self.receive]

    def receive(self) -> None:
        got = self.line(
            "ReceiveMessage",
            FIFO,
            MaxNumberOfMessages=self.chance.choice([1, 3]),
            VisibilityTimeout=1,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        for message in got.get("Messages", []):
            body = message["Body"]
            self.book.note_order(message["Attributes"]["MessageGroupId"], body)
            self.book.delete_asked.add(body)
            try:
                self.line("DeleteMessage", FIFO, ReceiptHandle=message["ReceiptHandle"])
            except Refused:  # it took us over a second, and the message is somebody else's now
                continue
            self.book.deleted.add(body)


class Administrator(Worker):
    def steps(self) -> list[Callable[[], None]]:
        return [self.tag, self.tag, self.set_delay, self.set_delay, self.create, self.purge]

    def tag(self) -> None:
        name, value = self.chance.choice("abc"), self.book.new_body("value")
        self.book.tags_asked[name].add(value)
        self.line("TagQueue", STANDARD, Tags={name: value})
        self.book.tags[name] = value
        self.book.tags_asked[name] = {value}

    def set_delay(self) -> None:
        seconds = self.chance.randrange(900)
        self.book.delays_asked.append(seconds)
        self.line("SetQueueAttributes", FAILING, Attributes={"DelaySeconds": str(seconds)})
        self.book.delay = seconds
        self.book.delays_asked = [seconds]

    def create(self) -> None:
        name = self.book.new_body("made")
        self.line("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "77"})
        self.book.queues.add(name)

    def purge(self) -> None:
        name = self.book.new_body("purged")
        self.line("CreateQueue", QueueName=name)
        self.book.queues.add(name)
        bodies = [self.book.new_body("purged") for _ in range(5)]
        for body in bodies:
            self.book.asked.add(body)
            self.line("SendMessage", name, MessageBody=body)
            self.book.sent.add(body)
        self.book.purge_asked.update(bodies)
        self.line("PurgeQueue", name)
        self.book.purged.update(bodies)


def workers(url: str, book: Book, seed: int) -> list[Worker]:
    kinds = [StandardClient, StandardClient, StandardClient, FifoSender, FifoSender, FifoReceiver, Administrator]
    return [kind(url, book, number, seed) for number, kind in enumerate(kinds)]
