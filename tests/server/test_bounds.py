"""Too much of anything is refused while it arrives, and what was held for it is given back."""

import asyncio

import pytest

from server.harness import get, post
from stanchion.server.http import Limits
from stanchion.server.request_reader import PIECE_BYTES


def test_a_body_that_is_announced_too_long_is_refused_before_it_comes(play):
    async def scenario(bench):
        client = await bench.client()
        answer = await client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n")
        assert answer.status == 413
        assert await client.rest() == b""

    play(scenario, Limits(max_body_bytes=100))


@pytest.mark.parametrize("size", [100, PIECE_BYTES, 100_000])
def test_a_body_of_just_the_limit_is_accepted(play, size):
    async def scenario(bench):
        assert (await bench.ask(post(b"x" * size))).status == 200
        assert (await bench.ask(post(b"x" * (size + 1)))).status == 413
        assert len(bench.service.requests) == 1

    play(scenario, Limits(max_body_bytes=size))


def test_a_chunked_body_is_refused_when_it_gets_too_long(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            client.send(b"3e8\r\n" + b"x" * 1_000 + b"\r\n")
        assert (await client.answer()).status == 413
        assert bench.server.buffered_bytes == 0

    play(scenario, Limits(max_body_bytes=10_000))


def test_a_client_that_asks_first_is_refused_instead_of_told_to_continue(play):
    async def scenario(bench):
        answer = await bench.ask(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n",
        )
        assert answer.status == 413

    play(scenario, Limits(max_body_bytes=100))


def test_ten_thousand_headers_are_refused(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/", *(f"X-{number}: a" for number in range(10_000))))
        assert (await client.answer()).status == 431
        assert bench.service.requests == []

    play(scenario)


def test_the_same_header_ten_thousand_times_is_refused(play):
    async def scenario(bench):
        assert (await bench.ask(get("/", *["X-A: a"] * 10_000))).status == 431

    play(scenario)


def test_as_many_headers_as_allowed_are_accepted(play):
    async def scenario(bench):
        assert (await bench.ask(get("/", *(f"X-{number}: a" for number in range(127))))).status == 200
        assert (await bench.ask(get("/", *(f"X-{number}: a" for number in range(128))))).status == 431

    play(scenario)


def test_long_headers_are_refused_while_they_arrive(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ")
        client.send(b"a" * 70_000)
        assert (await client.answer()).status == 431
        assert bench.server.buffered_bytes == 0

    play(scenario)


def test_long_headers_within_the_limit_are_accepted(play):
    async def scenario(bench):
        await bench.ask(get("/", "X-Long: " + "a" * 60_000))
        assert len(bench.service.requests[0].headers["x-long"]) == 60_000

    play(scenario)


def test_a_long_url_is_accepted_up_to_its_limit(play):
    async def scenario(bench):
        assert (await bench.ask(get("/" + "a" * 262_143))).status == 200
        assert (await bench.ask(get("/" + "a" * 262_144))).status == 414
        assert len(bench.service.requests) == 1

    play(scenario)


def test_an_endless_url_is_refused_while_it_arrives(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"GET /" + b"a" * 300_000)
        assert (await client.answer()).status == 414
        assert bench.server.buffered_bytes == 0

    play(scenario)


@pytest.mark.parametrize("endless", [b"1;" + b"e" * 200_000, b"1\r\na\r\n0\r\nX-Trailer: " + b"t" * 200_000])
def test_chunk_extensions_and_trailers_have_an_end(play, endless):
    async def scenario(bench):
        answer = await bench.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
        assert answer.status == 431

    play(scenario)


def test_connections_beyond_the_limit_are_told_so(play):
    async def scenario(bench):
        first = await bench.client()
        assert (await first.ask(get())).status == 200
        second = await bench.client()
        answer = await second.answer()
        assert answer.status == 503
        assert answer.headers["x-amzn-query-error"] == "ServiceUnavailable;Receiver"
        assert await second.rest() == b""
        assert (await first.ask(get())).status == 200

    play(scenario, Limits(max_connections=1))


def test_a_place_is_free_again_when_a_connection_closes(play):
    async def scenario(bench):
        first = await bench.client()
        await first.ask(get("/", "Connection: close"))
        await first.rest()
        await bench.until(lambda: bench.server.connections == 0)
        assert (await bench.ask(get())).status == 200

    play(scenario, Limits(max_connections=1))


def test_far_too_many_connections_are_just_closed(play):
    async def scenario(bench):
        clients = [await bench.client() for _ in range(80)]
        for client in clients[1:]:
            await client.cut_off()
        assert bench.server.refused[503] == 64
        assert (await clients[0].ask(get())).status == 200

    play(scenario, Limits(max_connections=1))


def test_memory_is_bounded_over_all_connections(play):
    async def scenario(bench):
        big, other = await bench.client(), await bench.client()
        big.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n" + b"x" * 1_400_000)
        await bench.until(lambda: bench.server.buffered_bytes >= 1_400_000)
        assert (await other.ask(post(b"x" * 1_000_000))).status == 503
        big.send(b"x" * 100_000)
        assert (await big.answer()).status == 200
        assert (await bench.ask(post(b"x" * 1_000_000))).status == 200

    play(scenario, Limits(max_buffered_bytes=2_000_000))


def test_memory_is_bounded_over_half_sent_heads(play):
    async def scenario(bench):
        clients = [await bench.client() for _ in range(4)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 30_000)
        answers = []
        for client in clients:
            client.send(b"x" * 10_000)
        await bench.until(lambda: bench.server.refused.get(503, 0) > 0)
        assert bench.server.buffered_bytes <= 100_000
        for client in clients:
            client.end()
            answers.append(await client.rest())
        assert any(answer.startswith(b"HTTP/1.1 503") for answer in answers)

    play(scenario, Limits(max_buffered_bytes=100_000))


def test_memory_is_bounded_over_chunked_bodies(play):
    async def scenario(bench):
        chunk = b"9c40\r\n" + b"x" * 40_000 + b"\r\n"
        clients = [await bench.client() for _ in range(3)]
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
        await bench.until(lambda: bench.server.refused.get(503, 0) > 0)
        assert bench.server.buffered_bytes <= 100_000

    play(scenario, Limits(max_buffered_bytes=100_000))


def test_requests_under_way_are_accounted_for(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(post(b"x" * 50_000, "/hold"))
        await bench.service.arrival_of(1)
        assert bench.server.buffered_bytes >= 50_000
        bench.service.held[0].answer(b"done")
        assert (await client.answer()).body == b"done"
        assert bench.server.buffered_bytes == 0

    play(scenario)


def test_half_requests_are_given_back_when_the_client_leaves(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n" + b"x" * 80_000)
        await bench.until(lambda: bench.server.buffered_bytes >= 80_000)
        client.reset()
        await bench.until(lambda: bench.server.connections == 0)
        assert bench.server.buffered_bytes == 0

    play(scenario)


def test_a_client_of_many_tiny_requests_leaves_others_their_turn(play):
    async def scenario(bench):
        greedy, modest = await bench.client(), await bench.client()
        await modest.ask(get())
        greedy.send(b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * 20_000)
        modest.send(get("/modest"))
        assert (await modest.answer()).status == 200
        place = [request.path for request in bench.service.requests].index("/modest")
        assert place < 15_000
        for _ in range(20_000):
            await greedy.answer()

    play(scenario)


def test_slow_clients_do_not_hold_others_up(play):
    async def scenario(bench):
        for _ in range(200):
            (await bench.client()).send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhal")
        await bench.until(lambda: bench.server.connections == 200)
        async with asyncio.timeout(5):
            assert (await bench.ask(post())).status == 200

    play(scenario)
