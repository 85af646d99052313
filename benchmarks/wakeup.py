"""Long polls: how soon after a send the one that gets the message is answered, and what a thousand cost that wait."""

import asyncio
import gc
import itertools
import re
import time
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import client
import uvloop
from bench import Bench, Figures, Measured
from latency import percentiles
from servers import Server, queue_url
from wrk import RunFailed

WAITING = 1_000
WAIT_SECONDS = 20
PAUSE_SECONDS = 0.02  # between two sends: each wake-up is measured by itself
_MESSAGE = re.compile(rb'"ReceiptHandle":"([^"]+)","MD5OfBody":"[^"]*","Body":"(\d+)')


class Connection(asyncio.Protocol):
    """One connection, one call at a time, with the moment at which its answer came."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._waiter: asyncio.Future[tuple[client.Answer, float]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        came_at = time.perf_counter()
        self._received += data
        answer = client.take_answer(self._received)
        if answer is not None and self._waiter is not None:
            self._waiter.set_result((answer, came_at))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(client.BadAnswer(f"the server closed the connection: {error}"))

    async def call(self, request: bytes) -> tuple[client.Answer, float]:
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer, came_at = await self._waiter
        if answer.status != 200:
            raise client.BadAnswer(f"{answer.status} {answer.body.decode()}")
        return answer, came_at

    def close(self) -> None:
        self._transport.close()


class Wake(NamedTuple):
    """Moments of one message, in seconds: its send began, was answered, its receive was answered."""

    began: float
    sent: float
    received: float


class Crowd:
    """A thousand consumers that wait, each on a connection, and one producer."""

    def __init__(self, server: Server, queues: list[str]) -> None:
        parts = urlsplit(server.url)
        self._host, self._address = parts.netloc, (parts.hostname, parts.port)
        self._server = server
        self._queues = queues
        self._arrivals: dict[int, asyncio.Future[float]] = {}

    async def measure(self, seconds: int) -> tuple[list[Wake], float]:
        """The wake-ups, and the share of a core that the server used while everybody waited."""
        producer = await self._connect()
        consumers = [await self._connect() for _ in range(WAITING)]
        urls = itertools.cycle([queue_url(self._server, name) for name in self._queues])
        tasks = [asyncio.create_task(self._consume(each, url)) for each, url in zip(consumers, urls, strict=False)]
        try:
            await asyncio.sleep(1)
            idle = await self._idle_cpu(seconds)
            gc.collect()
            gc.freeze()
            wakes = []
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                wakes.append(await self._wake(producer, len(wakes)))
                await asyncio.sleep(PAUSE_SECONDS)
            for task in tasks:
                if task.done():  # a consumer never ends by itself
                    raise RunFailed("a long poll failed") from task.exception()
            return wakes, idle
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in (producer, *consumers):
                each.close()

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._address)
        return connection

    async def _idle_cpu(self, seconds: int) -> float:
        before = self._server.cpu_seconds()
        await asyncio.sleep(seconds)
        return (self._server.cpu_seconds() - before) / seconds

    async def _consume(self, connection: Connection, url: str) -> None:
        """Waits, tells when a message came, deletes it, waits again."""
        while True:
            poll = client.request(self._host, "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": WAIT_SECONDS})
            answer, came_at = await connection.call(poll)
            found = _MESSAGE.search(answer.body)
            if found is None:
                continue
            self._arrivals[int(found[2])].set_result(came_at)
            handle = {"QueueUrl": url, "ReceiptHandle": found[1].decode()}
            await connection.call(client.request(self._host, "DeleteMessage", handle))

    async def _wake(self, producer: Connection, number: int) -> Wake:
        url = queue_url(self._server, self._queues[number % len(self._queues)])
        arrival = self._arrivals[number] = asyncio.get_running_loop().create_future()
        send = client.request(self._host, "SendMessage", {"QueueUrl": url, "MessageBody": f"{number}{'m' * 250}"})
        began = time.perf_counter()
        _, sent = await producer.call(send)
        return Wake(began, sent, await asyncio.wait_for(arrival, 30))


def wake_ups(bench: Bench) -> Measured:
    for name, count in (("all on one queue", 1), ("each on its own queue", WAITING)):
        with bench.stanchion() as server:
            queues = [f"bench{number}" for number in range(count)]
            _create(server, queues)
            wakes, idle = uvloop.run(Crowd(server, queues).measure(bench.seconds))
            gc.unfreeze()
            yield name, _figures(wakes) | {"idle_cpu": idle, "resident_mb": server.resident_mb()}


def _create(server: Server, queues: list[str]) -> None:
    with client.Client(server.url) as connection:
        for name in queues:
            connection.call("CreateQueue", QueueName=name)


def _figures(wakes: list[Wake]) -> Figures:
    """An answer to the receive may come before the one to the send: both follow the same commit."""
    after_reply = percentiles([max(0.0, wake.received - wake.sent) * 1000 for wake in wakes])
    whole = percentiles([(wake.received - wake.began) * 1000 for wake in wakes])
    return after_reply | {"whole_p50_ms": whole["p50_ms"], "whole_p99_ms": whole["p99_ms"]}
