"""Clients that are too slow are told so or cut; those who wait for us are not."""

import asyncio

from server.harness import get, post, text
from stanchion.server.http import Limits

LIMITS = Limits(
    header_timeout_seconds=5,
    body_timeout_seconds=10,
    min_body_bytes_per_second=100,
    idle_timeout_seconds=60,
    write_timeout_seconds=20,
)


def test_an_idle_connection_is_closed_without_a_word(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(get())
        bench.pass_time(59)
        await client.ask(get())
        bench.pass_time(59)
        assert bench.server.connections == 1
        bench.pass_time(1.5)
        assert await client.rest() == b""

    play(scenario, LIMITS)


def test_a_connection_that_never_speaks_is_closed(play):
    async def scenario(bench):
        client = await bench.client()
        await bench.until(lambda: bench.server.connections == 1)
        bench.pass_time(61)
        assert await client.rest() == b""

    play(scenario, LIMITS)


def test_blank_lines_do_not_keep_a_connection(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(get())
        bench.pass_time(40)
        client.send(b"\r\n\r\n")
        await bench.ask(get())
        bench.pass_time(21)
        assert await client.rest() == b""

    play(scenario, LIMITS)


def test_a_connection_that_waits_for_an_answer_is_not_idle(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        bench.pass_time(1_000)
        bench.pass_time(1_000)
        bench.service.held[0].answer(b"at last")
        assert (await client.answer()).body == b"at last"
        bench.pass_time(59)
        assert (await client.ask(get())).status == 200

    play(scenario, LIMITS)


def test_a_head_that_does_not_end_in_time_is_refused(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"G")
        await arrived(bench, client)
        for piece in (b"ET / HT", b"TP/1.1\r\nHost:", b" a\r\n"):
            bench.pass_time(1.5)
            client.send(piece)
            await bench.ask(get())
        bench.pass_time(1)
        answer = await client.answer()
        assert answer.status == 408
        assert answer.headers["x-amzn-query-error"] == "RequestTimeout;Sender"
        assert await client.rest() == b""

    play(scenario, LIMITS)


def test_each_request_has_its_own_time_for_the_head(play):
    async def scenario(bench):
        client = await bench.client()
        request = get()
        client.send(request[:10])
        await arrived(bench, client)
        for _ in range(5):
            bench.pass_time(4)
            client.send(request[10:] + request[:10])
            assert (await client.answer()).status == 200
        bench.pass_time(5)
        assert (await client.answer()).status == 408

    play(scenario, LIMITS)


def test_a_body_that_stops_is_refused(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\nhello")
        await arrived(bench, client)
        bench.pass_time(9)
        assert bench.server.refused == {}
        bench.pass_time(1)
        assert (await client.answer()).status == 408
        assert bench.server.buffered_bytes == 0

    play(scenario, LIMITS)


def test_a_body_that_trickles_is_refused(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
        await arrived(bench, client)
        for _ in range(9):
            client.send(b"x")
            await bench.ask(get())
            bench.pass_time(1)
        bench.pass_time(1)
        assert (await client.answer()).status == 408

    play(scenario, LIMITS)


def test_a_slow_body_that_makes_progress_is_taken(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
        await arrived(bench, client)
        for _ in range(9):
            before = bench.server.buffered_bytes
            client.send(b"x" * 1_001)
            await bench.until(lambda before=before: bench.server.buffered_bytes > before)
            bench.pass_time(10)
        client.send(b"x" * 991)
        assert (await client.answer()).status == 200

    play(scenario, LIMITS)


def test_a_refusal_for_slowness_waits_for_the_answers_before_it(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") + b"GET /half")
        await bench.service.arrival_of(1)
        bench.pass_time(6)
        bench.service.held[0].answer(b"first")
        assert (await client.answer()).body == b"first"
        assert (await client.answer()).status == 408

    play(scenario, LIMITS)


def test_the_time_of_a_head_does_not_run_while_we_do_not_read(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") * 3 + b"GET /half")
        await bench.service.arrival_of(2)
        bench.pass_time(100)
        for held in list(bench.service.held):
            held.answer(b"x")
        await bench.service.arrival_of(3)
        bench.service.held[2].answer(b"x")
        for _ in range(3):
            await client.answer()
        client.send(b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.answer()).status == 200

    play(scenario, Limits(max_pipelined=2, header_timeout_seconds=5))


def test_a_client_that_takes_nothing_is_cut(play):
    async def scenario(bench):
        client = await bench.client(receive_buffer=4_096)
        bench.service.respond = lambda request: text(b"x" * 30_000_000)
        client.send(get())
        await bench.service.arrival_of(1)
        await bench.until(lambda: bench.server.buffered_bytes > 0)
        bench.pass_time(19)
        assert bench.server.connections == 1
        # What the kernels' buffers took counts as progress, once.
        bench.pass_time(21)
        bench.pass_time(21)
        await bench.until(lambda: bench.server.connections == 0)
        assert bench.server.buffered_bytes == 0

    play(scenario, LIMITS)


def test_a_client_that_reads_slowly_is_not_cut(play):
    async def scenario(bench):
        client = await bench.client(receive_buffer=4_096)
        bench.service.respond = lambda request: text(b"x" * 30_000_000)
        client.send(get())
        await bench.until(lambda: bench.server.buffered_bytes > 0)
        for _ in range(5):
            await client.reader.readexactly(4_000_000)
            bench.pass_time(21)
        assert bench.server.connections == 1

    play(scenario, LIMITS)


def test_a_last_answer_that_is_not_taken_does_not_hold_the_connection(play):
    async def scenario(bench):
        client = await bench.client(receive_buffer=4_096)
        bench.service.respond = lambda request: text(b"x" * 30_000_000)
        client.send(get("/", "Connection: close"))
        await bench.service.arrival_of(1)
        for _ in range(3):
            bench.pass_time(21)
            await asyncio.sleep(0)
        await bench.until(lambda: bench.server.connections == 0)

    play(scenario, LIMITS)


def test_a_refused_client_that_goes_on_sending_is_cut_after_a_while(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"nonsense\r\n\r\n")
        assert (await client.answer()).status == 400
        client.send(b"more")
        await bench.ask(get())
        assert bench.server.connections == 2
        bench.pass_time(6)
        await bench.until(lambda: bench.server.connections == 1)

    play(scenario, LIMITS)


def test_a_refused_client_that_sends_very_much_is_cut_at_once(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"nonsense\r\n\r\n" + b"x" * 40_000_000)
        await bench.until(lambda: bench.server.refused == {400: 1} and bench.server.connections == 0)

    play(scenario, LIMITS)


def test_the_sweep_runs_by_itself(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(get())
        bench.seconds.now += 61
        assert await client.rest() == b""

    play(scenario, LIMITS)


async def arrived(bench, client):
    """Go round the loop until the server has read what the client sent."""
    await bench.until(lambda: bench.server.connections == 1)
    for _ in range(3):
        await bench.ask(post())
    await bench.until(lambda: bench.server.connections >= 1)
