"""Who may look: at a queue's messages whoever may receive them, at the list of queues its owner."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from stanchion.broker.looking import Looking
from stanchion.clock import ManualClock
from stanchion.errors import AccessDenied, QueueDoesNotExist
from stanchion.model import Caller, NewMessage, QueueKey, RequestContext, Tally
from stanchion.store import open_store
from stanchion.store.base import BrowseFilter, BrowsePage, Overview, QueueDraft

OWNER = Caller(
    account="111111111111",
    region="us-east-1",
    arn="arn:aws:iam::111111111111:root",
    sender_id="S",
    access_key_id="K1",
)
STRANGER = msgspec.structs.replace(
    OWNER, account="222222222222", arn="arn:aws:iam::222222222222:root", access_key_id="K2"
)
CONTEXT = RequestContext(
    base_url="http://localhost:9324",
    address="http://localhost:9324/",
    source_ip="127.0.0.1",
    secure=False,
)
KEY = QueueKey(OWNER.account, OWNER.region, "q")
URL = f"http://localhost:9324/{KEY.account}/q"
POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "%s", "Principal": "*",
    "Action": "sqs:ReceiveMessage", "Resource": "*"}]}"""


class World:
    """A store with one queue that holds one message."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = open_store("memory")
        self.looking = Looking(self.store, self.clock)

    async def fill(self, attributes: dict[str, str]) -> None:
        message = NewMessage(message_id="m", body="Secret", body_md5="d", sender_id="s", delay_seconds=0)
        await self.store.create_queue(KEY, lambda _directory: QueueDraft(attributes, {}), self.clock.now_ms())
        await self.store.send(KEY, lambda _queue: [message], self.clock.now_ms())

    async def browse(self, caller: Caller, url: str = URL, **wanted: str) -> BrowsePage:
        return await self.looking.browse(caller, CONTEXT, url, 0, 10, BrowseFilter(**wanted))

    async def overview(self, caller: Caller) -> Overview:
        return await self.looking.overview(caller, CONTEXT, "", "name", False, 0, 10)


def in_world(test: Callable[[World], Awaitable[None]], attributes: dict[str, str] | None = None) -> None:
    async def run() -> None:
        world = World()
        await world.fill(attributes or {})
        await test(world)
        await world.store.close()

    asyncio.run(asyncio.wait_for(run(), 10))


def bodies(page: BrowsePage) -> list[str]:
    return [message.body for message in page.messages]


def test_the_owner_sees_messages_that_pass_the_filter():
    async def test(world: World) -> None:
        assert bodies(await world.browse(OWNER, text="secret")) == ["Secret"]
        assert bodies(await world.browse(OWNER, text="other")) == []

    in_world(test)


def test_a_stranger_sees_no_message():
    async def test(world: World) -> None:
        with pytest.raises(AccessDenied):
            await world.browse(STRANGER)

    in_world(test)


def test_a_stranger_sees_messages_of_a_queue_that_lets_everybody_receive():
    async def test(world: World) -> None:
        assert bodies(await world.browse(STRANGER)) == ["Secret"]

    in_world(test, {"Policy": POLICY % "Allow"})


def test_an_owner_who_is_denied_receiving_sees_no_message():
    async def test(world: World) -> None:
        with pytest.raises(AccessDenied):
            await world.browse(OWNER)

    in_world(test, {"Policy": POLICY % "Deny"})


def test_a_queue_that_is_not_there_cannot_be_browsed():
    async def test(world: World) -> None:
        with pytest.raises(QueueDoesNotExist):
            await world.browse(OWNER, URL + "2")

    in_world(test)


def test_an_overview_shows_the_caller_s_own_queues():
    async def test(world: World) -> None:
        assert [each.queue.key for each in (await world.overview(OWNER)).summaries] == [KEY]
        assert await world.overview(STRANGER) == Overview(0, [])
        assert await world.overview(msgspec.structs.replace(OWNER, region="eu-west-1")) == Overview(0, [])

    in_world(test)


def test_nobody_without_a_name_gets_an_overview():
    async def test(world: World) -> None:
        with pytest.raises(AccessDenied):
            await world.overview(msgspec.structs.replace(OWNER, access_key_id=None))

    in_world(test)


def readings(world: World, caller: Caller, *names: str) -> Awaitable[object]:
    return world.looking.readings(caller, CONTEXT, names, 1, 10)


def test_the_caller_s_own_queues_have_readings():
    async def test(world: World) -> None:
        await world.store.record(5, {KEY: Tally(sent=3)}, 0, world.clock.now_ms())
        found = await world.looking.readings(OWNER, CONTEXT, ["q", "none"], 1, 10)
        assert {name: [(each.minute, each.sent) for each in found[name]] for name in found} == {"q": [(5, 3)]}
        assert await readings(world, STRANGER, "q") == {}
        assert await readings(world, msgspec.structs.replace(OWNER, region="eu-west-1"), "q") == {}

    in_world(test)


def test_nobody_without_a_name_gets_readings():
    async def test(world: World) -> None:
        with pytest.raises(AccessDenied):
            await readings(world, msgspec.structs.replace(OWNER, access_key_id=None), "q")

    in_world(test)
