"""A service that breaks its word: the client gets an answer, the log says why, other clients notice nothing."""

import xml.etree.ElementTree as ET

from server.harness import get, post, text
from stanchion.wire.http import HttpResponse


def test_a_service_that_raises_becomes_an_internal_failure(play, caplog):
    async def scenario(bench):
        def fail(request):
            raise RuntimeError("broken on purpose")

        client = await bench.client()
        bench.service.respond = fail
        answer = await client.ask(get("/where"))
        assert answer.status == 500
        assert answer.headers["x-amzn-query-error"] == "InternalFailure;Receiver"
        ET.fromstring(answer.body)
        bench.service.respond = lambda request: text(b"well again")
        assert (await client.ask(get())).body == b"well again"

    play(scenario)
    (record,) = caplog.records
    assert "GET /where" in record.getMessage()
    assert "broken on purpose" in caplog.text


def test_a_second_answer_is_dropped_and_logged(play, caplog):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        await bench.service.arrival_of(1)
        bench.service.held[0].answer(b"first")
        bench.service.held[0].answer(b"second")
        assert (await client.answer()).body == b"first"
        assert (await client.ask(post(b"next"))).body == b"next"

    play(scenario)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "answered twice" in caplog.text


def test_a_service_that_answers_and_then_raises_has_answered(play, caplog):
    async def scenario(bench):
        def handle(request, reply):
            reply(text(b"answered"))
            raise RuntimeError("afterwards")

        bench.service.handle = handle
        client = await bench.client()
        assert (await client.ask(get())).body == b"answered"
        assert (await client.ask(get())).body == b"answered"

    play(scenario)
    assert "afterwards" in caplog.text


def test_a_transport_that_fails_takes_no_other_client_with_it(play, caplog):
    class Broken:
        def __init__(self, transport):
            self.transport = transport

        def __getattr__(self, name):
            return getattr(self.transport, name)

        def write(self, data):
            raise RuntimeError("no more ink")

    async def scenario(bench):
        first, second = await bench.client(), await bench.client()
        first.send(get("/hold/1"))
        await bench.service.arrival_of(1)
        (connection,) = [each for each in bench.server._hub.connections if each._exchanges]
        connection._transport = Broken(connection._transport)
        second.send(get("/hold/2"))
        await bench.service.arrival_of(2)
        for held in bench.service.held:
            held.answer(b"x")
        assert (await second.answer()).status == 200
        await first.cut_off()

    play(scenario)
    assert "no more ink" in caplog.text


def test_a_header_that_cannot_be_sent_becomes_an_internal_failure(play, caplog):
    async def scenario(bench):
        client = await bench.client()
        bench.service.respond = lambda request: text(b"", ("X-Odd", "\u20ac"))
        assert (await client.ask(get())).status == 500
        bench.service.respond = lambda request: HttpResponse(status=299, body=b"", headers=())
        assert (await client.ask(get())).status == 500
        bench.service.respond = lambda request: text(b"fine")
        assert (await client.ask(get())).body == b"fine"

    play(scenario)
    assert len(caplog.records) == 2
