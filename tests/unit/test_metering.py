"""Counting, and handing what was counted to the store once a minute."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import pytest

from stanchion.broker import metering
from stanchion.broker.metering import Meters, Recorder
from stanchion.clock import ManualClock
from stanchion.errors import ServiceUnavailable
from stanchion.model import QueueKey, Tally
from stanchion.promise import Promise

Q, OTHER = (QueueKey("000000000000", "us-east-1", name) for name in ("q", "other"))
START_MS = 1_000_000 * 60_000
MINUTE = START_MS // 60_000


# ── Meters ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_happens_is_counted_by_queue():
    meters = Meters()
    for size in (20, 5, 10):
        meters.sent(Q, size)
    meters.deduplicated(Q)
    meters.received(Q, 3)
    meters.received(Q, 0)
    meters.received(Q, 0)
    meters.deleted(OTHER, 2)
    assert meters.take() == {
        Q: Tally(
            sent=3,
            sent_bytes=35,
            smallest_bytes=5,
            largest_bytes=20,
            received=3,
            empty_receives=2,
            deduplicated=1,
        ),
        OTHER: Tally(deleted=2),
    }


def test_counting_begins_anew_when_it_was_taken():
    meters = Meters()
    meters.sent(Q, 20)
    taken = meters.take()
    meters.sent(Q, 30)
    assert taken == {Q: Tally(1, 20, 20, 20)}
    assert meters.take() == {Q: Tally(1, 30, 30, 30)}
    assert meters.take() == {}


@pytest.mark.parametrize("added_up", [0, 1, 10])
def test_totals_go_on_whatever_was_taken(added_up: int):
    meters = Meters()
    for size in (20, 30, 10):
        meters.sent(Q, size)
        meters.received(OTHER, 1)
        meters.take()
        meters.add_up(added_up)
    meters.deleted(Q, 4)
    assert meters.total(Q) == Tally(3, 60, 10, 30, deleted=4)
    assert meters.total(OTHER) == Tally(received=3)
    assert sorted(meters) == [OTHER, Q]


def test_totals_of_a_queue_that_nothing_happened_to_are_zero():
    assert Meters().total(Q) == Tally()
    assert list(Meters()) == []


def test_a_deleted_queue_is_forgotten():
    meters = Meters()
    for _ in range(3):
        meters.sent(Q, 1)
        meters.take()
    meters.sent(Q, 1)
    meters.forget(Q)
    assert list(meters) == []
    assert meters.take() == {}


def test_what_was_taken_is_not_changed_by_a_deletion():
    meters = Meters()
    meters.sent(Q, 1)
    taken = meters.take()
    meters.forget(Q)
    assert list(taken) == [Q]


# ── Recorder ─────────────────────────────────────────────────────────────────────────────────────────────


class World:
    """A recorder before a store that takes two steps for each minute, and notes what it is given."""

    def __init__(self) -> None:
        self.clock = ManualClock(START_MS)
        self.meters = Meters()
        self.recorder = Recorder(self, self.clock, self.meters)  # type: ignore[arg-type]
        self.asked: list[tuple[int, int]] = []  # minute, after_id
        self.tallies: list[Mapping[QueueKey, Tally]] = []
        self.answers: list[Promise[int | None]] = []
        self.failing = False
        self.holding = False  # answer nothing for the time being

    def record(
        self, minute: int, tallies: Mapping[QueueKey, Tally], after_id: int, now_ms: int
    ) -> Promise[int | None]:
        assert now_ms == self.clock.now_ms()
        self.asked.append((minute, after_id))
        self.tallies.append(tallies)
        answer: Promise[int | None] = Promise()
        self.answers.append(answer)
        if not self.holding:
            self.answer()
        return answer

    def answer(self) -> None:
        """Keep or break the promise of the last step."""
        if self.failing:
            self.answers[-1].set_exception(ServiceUnavailable())
        else:
            self.answers[-1].set_result(7 if self.asked[-1][1] == 0 else None)

    async def turn(self, seconds: float) -> None:
        self.clock.advance(round(seconds * 1000))
        await self.recorder.settle()


def in_world(test: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        world = World()
        world.recorder.start()
        await test(world)

    asyncio.run(asyncio.wait_for(run(), 10))


def test_a_minute_is_recorded_when_it_has_ended():
    async def test(world: World) -> None:
        world.meters.sent(Q, 5)
        await world.turn(59.999)
        assert world.asked == []
        await world.turn(0.001)
        assert world.asked == [(MINUTE, 0), (MINUTE, 7)]
        assert world.tallies == [{Q: Tally(1, 5, 5, 5)}] * 2

    in_world(test)


def test_each_minute_gets_what_happened_in_it():
    async def test(world: World) -> None:
        world.meters.sent(Q, 5)
        await world.turn(60)
        world.meters.deleted(Q, 1)
        await world.turn(60)
        assert world.asked[2:] == [(MINUTE + 1, 0), (MINUTE + 1, 7)]
        assert world.tallies[2] == {Q: Tally(deleted=1)}

    in_world(test)


def test_a_minute_without_traffic_is_recorded_too():
    """Queues that hold messages have readings."""

    async def test(world: World) -> None:
        await world.turn(60)
        assert (world.asked, world.tallies[0]) == ([(MINUTE, 0), (MINUTE, 7)], {})

    in_world(test)


def test_after_a_long_sleep_only_the_last_minute_is_recorded():
    async def test(world: World) -> None:
        world.meters.sent(Q, 5)
        await world.turn(14 * 24 * 3600)
        last = MINUTE + 14 * 24 * 60 - 1
        assert world.asked == [(last, 0), (last, 7)]

    in_world(test)


def test_a_failing_store_is_offered_the_same_again_after_the_next_minute():
    async def test(world: World) -> None:
        world.meters.sent(Q, 5)
        world.failing = True
        await world.turn(60)
        world.meters.sent(Q, 6)
        await world.turn(60)
        assert world.asked == [(MINUTE, 0)] * 2
        world.failing = False
        await world.turn(60)
        assert world.asked[2:] == [(MINUTE, 0), (MINUTE, 7), (MINUTE + 2, 0), (MINUTE + 2, 7)]
        assert [world.tallies[place][Q].sent_bytes for place in (2, 4)] == [5, 6]

    in_world(test)


def test_what_was_stored_before_a_failure_is_not_stored_again():
    async def test(world: World) -> None:
        world.holding = True
        world.clock.advance(60_000)
        await asyncio.sleep(0)
        world.answer()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert world.asked == [(MINUTE, 0), (MINUTE, 7)]
        world.failing = True
        world.answer()
        await world.recorder.settle()
        world.failing = world.holding = False
        await world.turn(60)
        assert world.asked[2] == (MINUTE, 7)

    in_world(test)


def test_a_minute_that_ends_while_another_is_recorded_is_recorded_after_it():
    async def test(world: World) -> None:
        world.holding = True
        world.clock.advance(60_000)
        await asyncio.sleep(0)
        world.meters.sent(Q, 5)
        world.clock.advance(60_000)
        world.holding = False
        world.answer()
        await world.recorder.settle()
        assert world.asked == [(MINUTE, 0), (MINUTE, 7), (MINUTE + 1, 0), (MINUTE + 1, 7)]

    in_world(test)


def test_a_stopped_recorder_records_no_more():
    async def test(world: World) -> None:
        world.recorder.stop()
        await world.turn(180)
        assert world.asked == []

    in_world(test)


def test_the_end_records_what_the_running_minute_has():
    async def test(world: World) -> None:
        await world.turn(60)
        world.meters.sent(Q, 5)
        world.clock.advance(20_000)
        world.recorder.stop()
        await world.recorder.finish()
        assert world.asked[2:] == [(MINUTE + 1, 0), (MINUTE + 1, 7)]
        assert world.tallies[2] == {Q: Tally(1, 5, 5, 5)}

    in_world(test)


def test_the_end_does_not_wait_for_a_store_that_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(metering, "FINISH_SECONDS", 0.01)

    async def test(world: World) -> None:
        world.holding = True
        world.recorder.stop()
        await world.recorder.finish()

    with caplog.at_level(logging.WARNING):
        in_world(test)
    assert "the last minute's metrics are not complete" in caplog.text
