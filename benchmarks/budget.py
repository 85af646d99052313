"""Where the microseconds of a request go: each stage of the server by itself, in this process, without a socket.

    python benchmarks/budget.py [--runs 200] [--write]

A run sends 64 messages, receives and deletes them, stage by stage, as 64 connections at once would make the server do
it; each figure is the best of all runs. With --write the table in docs/throughput.md is replaced.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import machine
import uvloop
from client import request as signed
from servers import ACCOUNT, HERE, KEY_ID, REGION, SECRET

from stanchion.actions import ACTIONS, CreateQueueInput, Shape
from stanchion.auth.authenticate import AuthRules, authenticate, unverified_caller
from stanchion.auth.credentials import Credentials
from stanchion.broker.broker import Broker
from stanchion.clock import SystemClock
from stanchion.errors import SQSError
from stanchion.limits import IN_FLIGHT
from stanchion.model import Queue, QueueKey, RequestContext, SentMessage
from stanchion.promise import Promise
from stanchion.server.hub import Hub, Limits
from stanchion.server.request_reader import RequestReader
from stanchion.server.responses import Heads
from stanchion.store import open_store
from stanchion.store.base import Received, ReceiveOrder, Store
from stanchion.wire import Call, HttpRequest, HttpResponse, codec_for
from stanchion.wire.aws_json import AWS_JSON

PAGE = HERE.parent / "docs" / "throughput.md"
BEGIN, END = "<!-- budget: made by benchmarks/budget.py --write -->", "<!-- end of the budget -->"

AT_ONCE = 64
HOST = "127.0.0.1:9324"
QUEUE = QueueKey(ACCOUNT, REGION, "q")
QUEUE_URL = f"http://{HOST}/{ACCOUNT}/q"
BODY = "m" * 256
RULES = AuthRules(default_region=REGION)
KEYS = f"[bench]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_account_id = {ACCOUNT}\n"
CONTEXT = RequestContext(
    base_url=f"http://{HOST}",
    address=f"http://{HOST}/",
    source_ip="127.0.0.1",
    secure=False,
    user_agent="",
    referer="",
)
VERBS = ("SendMessage", "ReceiveMessage", "DeleteMessage")
STAGES = {
    "parse": "bytes to a request: llhttp, headers, limits",
    "authenticate": "signature version 4, its scope, its time",
    "decode": "JSON to the action's input",
    "decide": "queue, permission, the rules of SQS, the output",
    "store": "statements in SQLite",
    "commit": f"a {AT_ONCE}th of a commit with fsync",
    "encode": "the output to JSON",
    "write": "the head of the answer, its bytes put together",
}
OTHERWISE = {
    "decode Query": "a form to the input, instead of JSON",
    "encode Query": "the output to XML, instead of JSON",
}


class Stopwatch:
    """The best time of each stage of each verb, in microseconds for one request."""

    def __init__(self) -> None:
        self.best: dict[tuple[str, str], float] = {}

    def note(self, verb: str, stage: str, seconds: float) -> None:
        microseconds = seconds / AT_ONCE * 1e6
        self.best[verb, stage] = min(self.best.get((verb, stage), microseconds), microseconds)

    def over(self, verb: str, stage: str, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        began = time.perf_counter()
        results = [work(item) for item in items]
        self.note(verb, stage, time.perf_counter() - began)
        return results

    def budget(self, verb: str, stage: str) -> float:
        """What is left of whole calls when the stages within are taken off."""
        if stage == "store":
            return self.best[verb, "in memory"] - self.best[verb, "decide"]
        if stage == "commit":
            return self.best[verb, "on disk"] - self.best[verb, "in memory"]
        return self.best[verb, stage]


class AtHand:
    """A store that has every answer at hand: what remains of a call is the deciding."""

    waiting = 0

    def __init__(self, receipt_key: bytes, received: Received) -> None:
        self.receipt_key = receipt_key
        self._queue = received.queue
        self._received = received

    def on_available(self, listener: object) -> None:
        """Nothing ever comes."""

    def send(self, _key: QueueKey, decide: Callable[[Queue], Sequence[Any]], _now_ms: int) -> Promise[Any]:
        return _kept([SentMessage(new.message_id, 1) for new in decide(self._queue)])

    def receive(self, _key: QueueKey, decide: Callable[[Queue], object], _now_ms: int) -> Promise[Any]:
        decide(self._queue)
        return _kept(self._received)

    def delete(self, _key: QueueKey, decide: Callable[[Queue], Sequence[Any]], _now_ms: int) -> Promise[Any]:
        return _kept([None for _ in decide(self._queue)])


def _kept(value: Any) -> Promise[Any]:
    promise: Promise[Any] = Promise()
    promise.set_result(value)
    return promise


class Edge:
    """The stages around the broker: bytes to a call, and its output to bytes."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        self._clock = SystemClock()
        self._heads = Heads(self._clock.now_ms)
        self._credentials = Credentials.parse(KEYS, ACCOUNT)
        self._arrived: list[HttpRequest] = []
        hub: Any = Hub(None, Limits(), self._heads, None, asyncio.get_running_loop(), 0)  # type: ignore[arg-type]
        self._feed = RequestReader(hub, lambda request, _line, _charge: self._arrived.append(request), "", False).feed

    def calls(self, verb: str, members: Sequence[dict[str, str]]) -> list[Any]:
        data = [signed(HOST, verb, each) for each in members]
        requests = self._watch.over(verb, "parse", self._parse, data)
        self._watch.over(verb, "authenticate", self._authenticate, requests)
        calls = self._watch.over(verb, "decode", _decode, requests)
        self._watch.over(verb, "decode Query", _decode, [_form(verb, each) for each in members])
        return [call.input for call in calls]

    def answers(self, verb: str, outputs: Sequence[Shape | None]) -> None:
        action = ACTIONS[verb]
        query = codec_for(_form(verb, {}))
        self._watch.over(verb, "encode Query", lambda output: query.encode_result(action, output, "id"), outputs)
        responses = self._watch.over(
            verb, "encode", lambda output: AWS_JSON.encode_result(action, output, "id"), outputs
        )
        self._watch.over(verb, "write", self._render, responses)

    def _parse(self, data: bytes) -> HttpRequest:
        refusal = self._feed(data)
        assert refusal is None, refusal
        return self._arrived.pop()

    def _authenticate(self, request: HttpRequest) -> None:
        authenticate(request, (), self._credentials, RULES, self._clock.now_ms())

    def _render(self, response: HttpResponse) -> bytes:
        return self._heads.render(response, "") + response.body


def _decode(request: HttpRequest) -> Call:
    return codec_for(request).decode(request)


def _form(verb: str, members: dict[str, str]) -> HttpRequest:
    body = urlencode({"Action": verb, "Version": "2012-11-05"} | members).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return HttpRequest(method="POST", path="/", query="", headers=headers, body=body)


async def call_all(broker: Broker, verb: str, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of calls that come in one turn of the loop."""
    outputs: list[Any] = []
    done = asyncio.Event()

    def take(output: Shape | SQSError | None) -> None:
        assert not isinstance(output, SQSError), output
        outputs.append(output)
        if len(outputs) == len(inputs):
            done.set()

    bare = HttpRequest(method="POST", path="/", query="", headers={}, body=b"")
    action, caller = ACTIONS[verb], unverified_caller(bare, (), RULES, ACCOUNT)
    for given in inputs:
        broker.call(action, given, caller, CONTEXT, take)
    await done.wait()
    return outputs


async def run_cycle(broker: Broker, deciding: Broker, edge: Edge, watch: Stopwatch, stage: str) -> None:
    """Send, receive and delete 64 messages over ``broker``, whose store gives the ``stage`` its name."""
    added = [{"MessageBody": BODY}] * AT_ONCE
    for verb in VERBS:
        inputs = edge.calls(verb, [{"QueueUrl": QUEUE_URL} | each for each in added])
        for name, each in (("decide", deciding), (stage, broker)):
            began = time.perf_counter()
            outputs = await call_all(each, verb, inputs)
            watch.note(verb, name, time.perf_counter() - began)
        edge.answers(verb, outputs)
        if verb == "SendMessage":
            added = [{}] * AT_ONCE
        elif verb == "ReceiveMessage":
            added = [{"ReceiptHandle": output.messages[0].receipt_handle} for output in outputs]


async def broker_over(store: Store) -> Broker:
    broker = Broker(store, SystemClock())
    await broker.queues.declare_queue(QUEUE, CreateQueueInput(queue_name=QUEUE.name), SystemClock().now_ms())
    return broker


async def broker_that_decides(store: Store) -> Broker:
    """One that gets the same message from its store over and over."""
    (given,) = Edge(Stopwatch()).calls("SendMessage", [{"QueueUrl": QUEUE_URL, "MessageBody": BODY}])
    await call_all(await broker_over(store), "SendMessage", [given])
    order = ReceiveOrder(1, 30, IN_FLIGHT, False)
    received = await store.receive(QUEUE, lambda _queue: order, SystemClock().now_ms())
    return Broker(AtHand(store.receipt_key, received), SystemClock())  # type: ignore[arg-type]


async def measure(runs: int, folder: Path) -> Stopwatch:
    watch = Stopwatch()
    edge = Edge(watch)
    stores = {"in memory": open_store("memory"), "on disk": open_store(f"sqlite:{folder / 'budget.db'}")}
    brokers = {stage: (await broker_over(store), await broker_that_decides(store)) for stage, store in stores.items()}
    gc.collect()
    gc.disable()
    for _ in range(runs):
        for stage, (broker, deciding) in brokers.items():
            await run_cycle(broker, deciding, edge, watch, stage)
    gc.enable()
    for store in stores.values():
        await store.close()
    return watch


def table(watch: Stopwatch) -> str:
    heading = "| stage | " + " | ".join(VERBS) + " | what it does |"
    lines = [heading, "|---|" + "--:|" * len(VERBS) + "---|"]
    lines += [_row(stage, [watch.budget(verb, stage) for verb in VERBS], what) for stage, what in STAGES.items()]
    sums = [sum(watch.budget(verb, stage) for stage in STAGES) for verb in VERBS]
    lines.append(_row("**sum**", sums, "of one request in JSON"))
    lines += [_row(stage, [watch.best[verb, stage] for verb in VERBS], what) for stage, what in OTHERWISE.items()]
    return "\n".join(lines)


def _row(stage: str, figures: Sequence[float], what: str) -> str:
    return f"| {stage} | " + " | ".join(f"{figure:.1f}" for figure in figures) + f" | {what} |"


def write(text: str) -> None:
    before, found, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (found and end):
        raise SystemExit(f"{PAGE} has lost the lines that say where the table belongs")
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="replace the table in docs/throughput.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        watch = uvloop.run(measure(options.runs, Path(folder)))
        facts = machine.facts(Path(folder))
    where = f"Microseconds, the best of {options.runs} runs. {facts['CPU']}, Python {facts['Python'].split()[1]}."
    text = f"{where}\n\n{table(watch)}"
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
