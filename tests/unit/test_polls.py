"""Receives that wait: what they leave behind, and what becomes of a client that has gone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from stanchion.broker.polls import Polls
from stanchion.clock import ManualClock
from stanchion.errors import InternalFailure
from stanchion.ids import read_receipt_handle
from stanchion.model import Counts, NewMessage, Queue, QueueKey
from stanchion.promise import Promise
from stanchion.store import open_store
from stanchion.store.base import Deletion, QueueDraft, Received, ReceiveOrder

KEY = QueueKey("000000000000", "us-east-1", "q")
WAIT_SECONDS = 20


class World:
    """A queue in memory, and those who wait for it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = open_store("memory")
        self.polls = Polls(self.store, self.clock)

    def receive(self) -> Promise[Received]:
        order = ReceiveOrder(1, 30, 1_000, False)
        return self.polls.receive(KEY, lambda _queue: (order, WAIT_SECONDS), self.clock.now_ms())

    def send(self) -> Promise[object]:
        message = NewMessage(message_id="m", body="a", body_md5="d", sender_id="s", delay_seconds=0)
        return self.store.send(KEY, lambda _queue: [message], self.clock.now_ms())

    async def settle(self) -> Queue:
        """Let the commits under way end."""
        return await self.store.find_queue(KEY, lambda _queue: None)

    async def counts(self) -> Counts:
        return (await self.store.queue_status(KEY, lambda _queue: None, self.clock.now_ms())).counts


def in_world(test: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        world = World()
        await world.store.create_queue(KEY, lambda _directory: QueueDraft({}, {}), world.clock.now_ms())
        await test(world)
        await world.store.close()

    asyncio.run(asyncio.wait_for(run(), 10))


def test_receives_that_came_and_went_leave_nothing_in_a_line_that_is_never_empty():
    async def test(world: World) -> None:
        for _ in range(500):
            world.receive()
            await world.settle()
            world.clock.advance(WAIT_SECONDS * 1000 // 2)
        (line,) = world.polls._lines.values()
        assert len(line.parked) == 1
        assert len(line.tickets) < 100

    in_world(test)


@pytest.mark.parametrize("message_first", [True, False])
def test_a_client_that_went_before_the_commit_gets_no_message(message_first: bool):
    async def test(world: World) -> None:
        if message_first:
            await world.send()
            answer = world.receive()
        else:
            answer = world.receive()
            await world.settle()
            sent = world.send()
            sent.add_done_callback(lambda _: answer.cancel())  # the line has been woken, and its try is to come
            await sent
        answer.cancel()
        await world.settle()
        assert await world.counts() == Counts(1, 0, 0)

    in_world(test)


def test_a_message_passes_by_a_client_that_has_gone_to_the_next_in_line():
    async def test(world: World) -> None:
        first, second = world.receive(), world.receive()
        await world.settle()
        sent = world.send()
        sent.add_done_callback(lambda _: first.cancel())
        await sent
        received = await second
        assert [delivery.message.body for delivery in received.deliveries] == ["a"]

    in_world(test)


def test_a_receive_that_waits_for_room_in_flight_is_served_after_a_rollback_too():
    async def test(world: World) -> None:
        order = ReceiveOrder(1, 30, 1, False)
        world.send()
        world.send()
        first = await world.polls.receive(KEY, lambda _queue: (order, 0), world.clock.now_ms())
        waiting = world.polls.receive(KEY, lambda _queue: (order, WAIT_SECONDS), world.clock.now_ms())
        await world.settle()
        with pytest.raises(InternalFailure):
            await world.store.find_queue(KEY, fail)
        handle = first.deliveries[0].receipt_handle
        await world.store.delete(KEY, lambda queue: [deletion(world, handle, queue)], world.clock.now_ms())
        assert len((await asyncio.wait_for(waiting, 1)).deliveries) == 1

    in_world(test)


def fail(_queue: Queue) -> None:
    raise RuntimeError("a mistake in a rule")


def deletion(world: World, handle: str, queue: Queue) -> Deletion:
    return Deletion(read_receipt_handle(world.store.receipt_key, handle, queue.id), handle)
