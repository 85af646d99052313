"""The async twin at work. Run by an environment that has aiobotocore: aio_walk.py SITE."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import walk
from walk import Site

from stanchion.client.aio import (
    BotoClientError,
    Consumer,
    JSONMessage,
    Message,
    Queue,
    QueueNotEmpty,
    RawMessage,
    SQSConnection,
    SQSError,
    connect_sqs,
    connect_to_region,
)

PATIENCE = 30
Use = Callable[[SQSConnection], Awaitable[None]]


def with_connection(site: Site, use: Use) -> None:
    async def run() -> None:
        async with connect_sqs(site.owner.id, site.owner.secret, endpoint_url=site.url) as conn:
            await use(conn)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_the_classic_tutorial(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        q = await conn.create_queue("myqueue", 120)
        assert await q.get_timeout() == 120
        assert repr(q) == f"Queue({site.url}/{site.owner.account}/myqueue)"
        assert await conn.get_all_queues(prefix="my") == [q]
        assert await conn.get_queue("myqueue") == q == await conn.lookup("myqueue")
        assert await conn.get_queue("absent") is None
        m = Message()
        m.set_body("This is my first message.")
        assert await q.write(m) is m
        (m,) = await q.get_messages(visibility_timeout=60)
        assert m.get_body() == "This is my first message."
        assert await m.change_visibility(0)
        m = await q.read(60)
        try:
            await conn.delete_queue(q)
            raise AssertionError("a queue with a message was deleted")
        except QueueNotEmpty:
            assert await q.delete_message(m)
        for number in range(12):
            await q.write(str(number))
        assert await q.count() == 12
        assert await q.dump("messages.txt", sep="\n---\n") == 12
        other = await conn.create_queue("other")
        assert await other.load("messages.txt", sep="\n---\n") == 12
        assert sorted([int(m.get_body()) async for m in other]) == list(range(12))
        assert await q.clear()
        assert await conn.delete_queue(q)

    with_connection(site, use)


def test_what_is_beyond_the_tutorial(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        dead, q = await conn.create_queue("dead"), await conn.create_queue("q")
        assert await q.set_timeout(45)
        assert (await q.get_attributes())["VisibilityTimeout"] == "45"
        assert await conn.set_queue_attribute(q, "DelaySeconds", 0)
        assert await conn.get_queue_attributes(q, "DelaySeconds") == {"DelaySeconds": "0"}
        assert await q.add_permission("label", "123456789012", "SendMessage")
        assert await q.remove_permission("label")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}
        assert await q.set_attribute("RedrivePolicy", json.dumps(policy))
        assert await conn.get_dead_letter_source_queues(dead) == [q]
        results = await q.write_batch([(str(n), Message(body=str(n)), 0) for n in range(25)])
        assert (results.status, len(results.results)) == (True, 25)
        messages = await q.get_messages(10, attributes="All")
        assert (await q.change_message_visibility_batch([(each, 0) for each in messages])).status
        messages = await q.get_messages(10)
        assert (await q.delete_message_batch(messages)).status
        assert await q.save_to_file(io.StringIO()) == 15
        assert await q.count_slow() == 0
        await conn.send_message(q, "raw")
        assert await conn.delete_message_from_handle(q, (await q.read()).receipt_handle)
        assert await q.purge()
        assert await q.delete()

    with_connection(site, use)


def test_every_method_of_the_blocking_api_is_there_with_the_same_arguments(site: Site) -> None:
    import inspect

    from stanchion import client

    for ours, theirs in ((SQSConnection, client.SQSConnection), (Queue, client.Queue)):
        for name, method in inspect.getmembers(theirs, inspect.isfunction):
            if not name.startswith("_"):
                wanted, found = inspect.signature(method), inspect.signature(getattr(ours, name))
                assert [*wanted.parameters] == [*found.parameters], name


def test_errors_are_the_same(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        for arguments, kind in ((("not a name",), SQSError), ((7,), ValueError)):
            try:
                await conn.create_queue(*arguments)
                raise AssertionError("no error")
            except kind:
                pass
        away = connect_sqs("key", "secret", endpoint_url="http://127.0.0.1:9")
        try:
            await away.get_all_queues()
            raise AssertionError("no error")
        except BotoClientError as problem:
            assert "\n" not in str(problem)
        await away.close()
        far = connect_to_region("ap-southeast-2", aws_access_key_id="k", aws_secret_access_key="s")
        assert (far.region.name, repr(far)) == ("ap-southeast-2", "SQSConnection:ap-southeast-2")

    with_connection(site, use)


async def consumed(q: Queue, consumer: Consumer, enough: asyncio.Event) -> None:
    running = asyncio.create_task(consumer.run())
    ready = asyncio.create_task(enough.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    consumer.stop()
    await running
    assert ready.done()


def test_every_message_is_handled_once_and_deleted(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        q = await conn.create_queue("many")
        await q.write_batch([(str(n), Message(body=str(n)), 0) for n in range(100)])
        seen: list[str] = []
        enough = asyncio.Event()

        async def handler(message: Any) -> None:
            await asyncio.sleep(0)
            seen.append(message.get_body())
            if len(seen) == 100:
                enough.set()

        await consumed(q, Consumer(q, handler, concurrency=8, wait_time_seconds=1), enough)
        assert sorted(map(int, seen)) == list(range(100))
        shown = await q.get_attributes()
        assert shown["ApproximateNumberOfMessages"] == shown["ApproximateNumberOfMessagesNotVisible"] == "0"

    with_connection(site, use)


def test_poison_goes_to_the_dead_letters(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        dead = await conn.create_queue("poisoned")
        policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3})
        q = await conn.create_queue("poison", attributes={"RedrivePolicy": policy})
        q.set_message_class(JSONMessage)
        await conn.send_message(q, "%%%")
        await q.write({"good": False})
        await q.write({"good": True})
        tries: list[Any] = []
        enough = asyncio.Event()

        async def handler(message: Any) -> None:
            if not message["good"]:
                tries.append(message)
                raise ValueError("poison")

        async def wait_for_the_dead() -> None:
            dead.set_message_class(RawMessage)
            for _ in range(2):
                assert await dead.read(wait_time_seconds=20)
            enough.set()

        waiting = asyncio.create_task(wait_for_the_dead())
        await consumed(q, Consumer(q, handler, wait_time_seconds=1, backoff=lambda _receives: 0), enough)
        await waiting
        assert len(tries) == 3

    with_connection(site, use)


def test_a_group_is_handled_in_order_even_when_one_fails(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        q = await conn.create_queue("order.fifo", attributes=fifo)
        for n in range(12):
            await q.write(f"{n % 2}-{n}", group=f"g{n % 2}")
        seen: list[str] = []
        failed: set[str] = set()
        enough = asyncio.Event()

        async def handler(message: Any) -> None:
            body = message.get_body()
            await asyncio.sleep(0)
            if body.endswith(("4", "7")) and body not in failed:
                failed.add(body)
                raise ValueError("not yet")
            seen.append(body)
            if len(seen) == 12:
                enough.set()

        how: dict[str, Any] = {"concurrency": 4, "wait_time_seconds": 1, "backoff": lambda _receives: 0}
        await consumed(q, Consumer(q, handler, **how), enough)
        for group in "01":
            numbers = [int(body[2:]) for body in seen if body.startswith(group)]
            assert numbers == sorted(numbers)
            assert len(numbers) == 6

    with_connection(site, use)


def test_a_slow_handler_keeps_its_message(site: Site) -> None:
    """The consumer's time is turned by hand; that it extends is seen in what it asks."""

    async def use(conn: SQSConnection) -> None:
        q = await conn.create_queue("slow")
        await q.write("slow")
        begun, go_on, extended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        moment, turned = 0.0, asyncio.Event()
        seconds: list[int] = []

        async def handler(_message: Any) -> None:
            begun.set()
            await go_on.wait()

        async def sleep(_seconds: float) -> None:
            await turned.wait()
            turned.clear()

        whole = q.change_message_visibility_batch

        async def noted(messages: Any) -> Any:
            result = await whole(messages)
            seconds.extend(each for _, each in messages)
            extended.set()
            return result

        q.change_message_visibility_batch = noted  # type: ignore[method-assign]
        consumer = Consumer(q, handler, visibility_timeout=600, wait_time_seconds=0, now=lambda: moment, sleep=sleep)
        running = asyncio.create_task(consumer.run())
        await begun.wait()
        for _ in range(3):
            moment += 300
            turned.set()
            await extended.wait()
            extended.clear()
        consumer.stop()
        go_on.set()
        await running
        assert seconds == [600, 600, 600]
        assert (await q.get_attributes())["ApproximateNumberOfMessagesNotVisible"] == "0"

    with_connection(site, use)


def test_sigterm_finishes_what_has_begun_and_gives_the_rest_back(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        q = await conn.create_queue("signalled")
        await q.write_batch([(str(n), Message(body=str(n)), 0) for n in range(10)])
        done: list[str] = []

        async def handler(message: Any) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)  # the signal arrives in the middle of the work
            done.append(message.get_body())

        await q.consume(handler, concurrency=1, wait_time_seconds=1)
        assert len(done) == 1
        shown = await q.get_attributes()
        assert (shown["ApproximateNumberOfMessages"], shown["ApproximateNumberOfMessagesNotVisible"]) == ("9", "0")

    with_connection(site, use)


def test_a_consumer_that_is_cancelled_gives_everything_back(site: Site) -> None:
    async def use(conn: SQSConnection) -> None:
        q = await conn.create_queue("cancelled")
        await q.write_batch([(str(n), Message(body=str(n)), 0) for n in range(4)])
        begun = asyncio.Event()

        async def handler(_message: Any) -> None:
            begun.set()
            await asyncio.sleep(PATIENCE)

        consumer = q.consumer(handler, concurrency=2, backoff=lambda _receives: 0)
        running = asyncio.create_task(consumer.run())
        await begun.wait()
        running.cancel()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError)
        assert await q.count() == 4

    with_connection(site, use)


if __name__ == "__main__":
    walk.run(sys.modules[__name__])
