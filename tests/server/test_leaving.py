"""Clients that leave: whoever works for them is told; who only stopped sending still gets the answers."""

import asyncio
import gc

from server.harness import get, post
from stanchion.server.http import Limits
from stanchion.server.request_reader import RequestReader


def test_a_request_is_cancelled_when_its_client_vanishes(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold/1") + get("/hold/2"))
        await bench.service.arrival_of(2)
        client.reset()
        for held in bench.service.held:
            await asyncio.wait_for(held.cancelled.wait(), 5)

    play(scenario)


def test_a_request_is_cancelled_when_its_client_closes_in_good_order(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        client.close()

        def found_out() -> bool:
            bench.pass_time(1)
            return bench.service.held[0].cancelled.is_set()

        await bench.until(found_out)
        assert bench.server.connections == 0

    play(scenario)


def test_an_answered_request_is_not_cancelled(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        bench.service.held[0].answer(b"done")
        await client.answer()
        client.reset()
        await bench.until(lambda: bench.server.connections == 0)
        assert not bench.service.held[0].cancelled.is_set()

    play(scenario)


def test_a_request_that_waits_for_its_turn_is_never_handed_over(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") * 3)
        await bench.service.arrival_of(1)
        client.reset()
        bench.service.held[0].answer(b"too late")
        await bench.server.close()
        assert len(bench.service.requests) <= 2

    play(scenario, Limits(max_pipelined=1))


def test_an_answer_to_a_client_that_is_gone_is_dropped_in_silence(play, caplog):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        client.reset()
        await bench.until(lambda: bench.server.connections == 0)
        bench.service.held[0].answer(b"too late")
        assert bench.server.buffered_bytes == 0

    play(scenario)
    assert caplog.records == []


def test_a_client_that_has_sent_all_still_gets_its_answer(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") + post(b"two"))
        client.end()
        await bench.service.arrival_of(2)
        for _ in range(3):
            bench.pass_time(1)
        await bench.ask(get())
        bench.service.held[0].answer(b"one")
        bodies = []
        while len(bodies) < 2:
            answer = await client.answer()
            if answer.status != 100:  # sent to find out whether anybody is there
                bodies.append(answer.body)
        assert bodies == [b"one", b"two"]
        assert await client.rest() == b""

    play(scenario)


def test_an_old_client_that_has_sent_all_hears_nothing_but_its_answer(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"GET /hold HTTP/1.0\r\n\r\n")
        client.end()
        await bench.service.arrival_of(1)
        await bench.ask(get())
        bench.service.held[0].answer(b"one")
        assert (await client.answer()).body == b"one"
        assert await client.rest() == b""

    play(scenario)


def test_requests_sent_together_with_the_end_are_all_answered(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"".join(post(b"%d" % number) for number in range(500)))
        client.end()
        for number in range(500):
            assert (await client.answer()).body == b"%d" % number
        assert await client.rest() == b""

    play(scenario)


def test_half_a_request_and_the_end_close_the_connection(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(post(b"hello")[:-2])
        client.end()
        assert await client.rest() == b""
        assert bench.service.requests == []

    play(scenario)


def test_a_failing_cancel_does_not_keep_the_others_from_being_cancelled(play, caplog):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold/1") + get("/hold/2"))
        await bench.service.arrival_of(2)
        exchange = next(iter(bench.server._hub.connections))._exchanges[0]
        exchange.cancel = lambda: 1 / 0
        client.reset()
        await asyncio.wait_for(bench.service.held[1].cancelled.wait(), 5)

    play(scenario)
    assert "ZeroDivisionError" in caplog.text


def test_a_closed_connection_leaves_nothing_for_the_garbage_collector(play):
    async def scenario(bench):
        await bench.ask(get())
        client = await bench.client()
        client.send(get("/hold") + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        await bench.service.arrival_of(2)
        bench.service.held.clear()
        client.reset()
        await bench.until(lambda: bench.server.connections == 1)
        assert sum(type(thing) is RequestReader for thing in gc.get_objects()) == 1

    gc.collect()
    gc.disable()
    try:
        play(scenario)
    finally:
        gc.enable()
