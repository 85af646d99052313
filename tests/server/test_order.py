"""Several requests on one connection: answers come in the order of the requests, whoever is done first."""

import asyncio

from server.harness import get, post, text
from stanchion.server.http import Limits


def test_a_slow_answer_holds_the_later_ones_back(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold/1") + post(b"two") + get("/hold/3") + post(b"four"))
        await bench.service.arrival_of(4)
        bench.service.held[1].answer(b"three")
        assert bench.server.buffered_bytes > 0  # answers that wait count too
        bench.service.held[0].answer(b"one")
        assert [(await client.answer()).body for _ in range(4)] == [b"one", b"two", b"three", b"four"]
        assert bench.server.buffered_bytes == 0

    play(scenario)


def test_requests_behind_a_slow_one_are_already_handled(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        client.send(post(b"", "/send"))
        await bench.service.arrival_of(2)
        assert bench.service.requests[1].path == "/send"

    play(scenario)


def test_no_more_requests_are_under_way_than_the_limit(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") * 50)
        await bench.service.arrival_of(4)
        (await bench.client()).send(get("/other"))
        await bench.service.arrival_of(5)
        assert len(bench.service.held) == 4
        for number in range(50):
            await bench.until(lambda number=number: len(bench.service.held) > number)
            assert len(bench.service.held) <= number + 4
            bench.service.held[number].answer(b"%d" % number)
            assert (await client.answer()).body == b"%d" % number

    play(scenario, Limits(max_pipelined=4))


def test_a_client_that_pipelines_without_end_is_not_read(play):
    async def scenario(bench):
        client = await bench.client()
        flood = get("/hold") * 1_000

        async def send_for_ever() -> None:
            while True:
                client.send(flood)
                await client.flush()

        sending = asyncio.create_task(send_for_ever())
        await bench.service.arrival_of(8)
        for _ in range(50):
            await bench.ask(get())
        # A read or two of the socket, and no more however long the client goes on
        assert bench.server.buffered_bytes < 1_000_000
        assert len(bench.service.held) == 8
        sending.cancel()

    play(scenario, Limits(max_pipelined=8))


def test_thousands_of_pipelined_requests_are_answered_in_order(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"".join(post(b"%d" % number) for number in range(5_000)))
        for number in range(5_000):
            assert (await client.answer()).body == b"%d" % number

    play(scenario)


def test_large_requests_and_answers_keep_their_order(play):
    async def scenario(bench):
        client = await bench.client()
        bodies = [bytes([65 + number]) * (number * 40_000) for number in range(12)]
        client.send(b"".join(post(body) for body in bodies))
        assert [(await client.answer()).body for _ in bodies] == bodies

    play(scenario)


def test_answers_that_are_ready_together_are_written_together(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") * 5)
        await bench.service.arrival_of(5)
        (connection,) = bench.server._hub.connections
        transport = Recorder(connection._transport)
        connection._transport = transport
        for held in bench.service.held[:4]:
            held.answer(b"x")
        for _ in range(4):
            await client.answer()
        assert transport.writes == 1

    play(scenario)


class Recorder:
    """A transport that counts what is written through it."""

    def __init__(self, transport):
        self.transport = transport
        self.writes = 0

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def write(self, data):
        self.writes += 1
        self.transport.write(data)

    def writelines(self, data):
        self.writes += 1
        self.transport.writelines(data)


def test_a_client_that_does_not_read_is_not_read_either(play):
    async def scenario(bench):
        client = await bench.client(receive_buffer=4_096)
        bench.service.respond = lambda request: text(b"x" * 1_000_000)
        client.send(get() * 40)
        await bench.until(lambda: bench.server.buffered_bytes > 0)
        for _ in range(5):
            await bench.ask(get("/other"))
        handled = sum(request.path == "/" for request in bench.service.requests)
        assert handled < 20  # the rest waits until the client reads
        for _ in range(40):
            assert len((await client.answer()).body) == 1_000_000
        assert len(bench.service.requests) == 45

    play(scenario)


def test_answers_that_come_while_the_client_does_not_read_wait_and_count(play):
    async def scenario(bench):
        client = await bench.client(receive_buffer=4_096)
        client.send(get("/hold") * 20)
        await bench.service.arrival_of(20)
        for held in bench.service.held:
            held.answer(b"x" * 1_000_000)
        await bench.until(lambda: bench.server.buffered_bytes > 5_000_000)
        for _ in range(20):
            assert len((await client.answer()).body) == 1_000_000
        await bench.until(lambda: bench.server.buffered_bytes == 0)

    play(scenario)
