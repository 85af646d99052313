"""The clock itself: it runs, it can be turned, and its timers keep to it."""

import asyncio
import time

import pytest

from stanchion.clock import TurnableClock

HOUR_MS = 3_600_000


def play(scenario):
    asyncio.run(scenario())


def test_it_agrees_with_the_wall_clock_until_it_is_turned():
    clock = TurnableClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 1_000
    clock.turn(HOUR_MS)
    assert abs(clock.now_ms() - HOUR_MS - time.time() * 1000) < 1_000
    assert abs(clock.wall.now_ms() - time.time() * 1000) < 1_000


def test_a_timer_fires_by_itself_when_its_time_has_come():
    async def scenario():
        clock, fired = TurnableClock(), asyncio.Event()
        began = time.monotonic()
        clock.call_at(clock.now_ms() + 50, fired.set)
        await asyncio.wait_for(fired.wait(), 5)
        assert time.monotonic() - began >= 0.04
        assert not clock.timers

    play(scenario)


def test_timers_that_have_come_due_fire_in_order_and_only_when_they_are_told_to():
    async def scenario():
        clock, fired = TurnableClock(), []
        now_ms = clock.now_ms()
        for hours in (3, 1, 2, 9):
            clock.call_at(now_ms + hours * HOUR_MS, lambda hours=hours: fired.append(hours))
        clock.call_at(now_ms + HOUR_MS, lambda: fired.append("cancelled")).cancel()
        clock.turn(4 * HOUR_MS)
        assert fired == []
        clock.fire_due()
        assert fired == [1, 2, 3]
        clock.turn(5 * HOUR_MS)
        clock.fire_due()
        assert fired == [1, 2, 3, 9]
        assert not clock.timers

    play(scenario)


def test_a_timer_may_cancel_another_that_is_due_as_well():
    async def scenario():
        clock, fired = TurnableClock(), []
        now_ms = clock.now_ms()
        second = clock.call_at(now_ms + 2 * HOUR_MS, lambda: fired.append(2))
        clock.call_at(now_ms + HOUR_MS, second.cancel)
        clock.turn(3 * HOUR_MS)
        clock.fire_due()
        assert fired == []

    play(scenario)


def test_what_is_left_of_a_timer_is_less_after_a_turn():
    async def scenario():
        clock, fired = TurnableClock(), asyncio.Event()
        clock.call_at(clock.now_ms() + HOUR_MS, fired.set)
        clock.turn(HOUR_MS - 50)
        clock.fire_due()
        assert not fired.is_set()
        await asyncio.wait_for(fired.wait(), 5)

    play(scenario)


@pytest.mark.parametrize("turned_ms", [0, HOUR_MS])
def test_turned_back_it_agrees_with_the_wall_clock_and_no_timer_is_left_behind(turned_ms):
    async def scenario():
        clock, fired = TurnableClock(), []
        clock.turn(turned_ms)
        clock.call_at(clock.now_ms() + HOUR_MS, lambda: fired.append(1))
        clock.turn_back()
        assert fired == [1]
        assert abs(clock.now_ms() - time.time() * 1000) < 1_000

    play(scenario)
