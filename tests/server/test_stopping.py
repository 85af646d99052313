"""How the server starts listening and how it ends."""

import asyncio
import socket

import pytest

from server.harness import get, post
from stanchion.server.listener import CannotListen, bind


def test_idle_connections_close_when_the_server_drains(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(get())
        bench.server.stop_accepting()
        assert await bench.server.drain(5)
        assert await client.rest() == b""

    play(scenario)


def test_requests_under_way_get_their_answers_when_the_server_drains(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") + post(b"two"))
        await bench.service.arrival_of(2)
        bench.server.stop_accepting()
        draining = asyncio.create_task(bench.server.drain(5))
        await asyncio.sleep(0)
        bench.service.held[0].answer(b"one")
        first, second = await client.answer(), await client.answer()
        assert (first.body, second.body) == (b"one", b"two")
        assert second.headers["connection"] == "close"
        assert await client.rest() == b""
        assert await draining

    play(scenario)


def test_a_request_that_is_arriving_is_served_when_the_server_drains(play):
    async def scenario(bench):
        client = await bench.client()
        request = post(b"hello")
        client.send(request[:-2])
        await bench.until(lambda: bench.server.buffered_bytes > 0)
        draining = asyncio.create_task(bench.server.drain(5))
        await asyncio.sleep(0)
        answer = await client.ask(request[-2:])
        assert (answer.body, answer.headers["connection"]) == (b"hello", "close")
        assert await draining

    play(scenario)


def test_no_request_is_taken_after_the_last_answer(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        draining = asyncio.create_task(bench.server.drain(5))
        await asyncio.sleep(0)
        bench.service.held[0].answer(b"one")
        client.send(get() * 3)
        await client.answer()
        await client.cut_off()
        assert await draining
        assert len(bench.service.requests) == 1

    play(scenario)


def test_draining_gives_up_after_its_time(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        assert not await bench.server.drain(0.01)
        await bench.server.close()
        await client.cut_off()
        assert bench.service.held[0].cancelled.is_set()

    play(scenario)


def test_a_stopped_server_accepts_nobody(play):
    async def scenario(bench):
        bench.server.stop_accepting()
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await bench.client()

    play(scenario)


def test_a_port_that_is_taken_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotListen) as refusal:
            bind("127.0.0.1", port)
    assert str(refusal.value) == f"Cannot listen on 127.0.0.1:{port}: port {port} is in use by another program."


@pytest.mark.parametrize(
    ("host", "says"),
    [("192.0.2.1", "does not have the address"), ("no-such-host.invalid", "Cannot listen on no-such-host.invalid")],
)
def test_an_address_that_cannot_be_had_is_named(host, says):
    with pytest.raises(CannotListen, match=says):
        bind(host, 0)


def test_a_port_beyond_the_range_is_refused():
    with pytest.raises(CannotListen):
        bind("127.0.0.1", 65_536)


def test_all_sockets_of_a_host_share_the_port():
    sockets = bind("", 0)
    try:
        assert len({listener.getsockname()[1] for listener in sockets}) == 1
        assert {listener.family for listener in sockets} <= {socket.AF_INET, socket.AF_INET6}
    finally:
        for listener in sockets:
            listener.close()


def test_a_restarted_server_gets_its_port_back(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(get("/", "Connection: close"))
        await client.rest()
        await bench.server.close()
        assert await bench.server.start("127.0.0.1", bench.port) == bench.port
        assert (await bench.ask(get())).status == 200

    play(scenario)
