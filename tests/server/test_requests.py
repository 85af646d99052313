"""What the service is given, and what the client gets, when all goes well."""

import asyncio
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.harness import bench_of, get, post, text
from stanchion.wire.http import HttpResponse

CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_request_arrives_whole(play):
    async def scenario(bench):
        answer = await bench.ask(post(b"hi", "/1/q?Action=x%20y", "X-Amz-Target: AmazonSQS.ListQueues"))
        assert (answer.status, answer.body) == (200, b"hi")
        (request,) = bench.service.requests
        assert (request.method, request.path, request.query, request.body) == ("POST", "/1/q", "Action=x%20y", b"hi")
        assert request.headers == {
            "host": "queue.example",
            "content-length": "2",
            "x-amz-target": "AmazonSQS.ListQueues",
        }
        assert (request.client_ip, request.secure) == ("127.0.0.1", False)

    play(scenario)


def test_header_names_are_lower_case_and_values_latin_1_without_blanks_around(play):
    async def scenario(bench):
        await bench.ask(get("/", "X-Odd:  caf\xe9 \t", "EMPTY:", "HOST2: a"))
        assert bench.service.requests[0].headers["x-odd"] == "café"
        assert bench.service.requests[0].headers["empty"] == ""
        assert bench.service.requests[0].headers["host2"] == "a"

    play(scenario)


def test_a_header_that_comes_twice_is_joined_with_a_comma(play):
    async def scenario(bench):
        await bench.ask(get("/", "X-A: 1", "x-b: 2", "x-a: 3", "X-A: 4"))
        assert bench.service.requests[0].headers["x-a"] == "1,3,4"

    play(scenario)


def test_an_answer_carries_length_and_date_and_no_name_of_the_server(play):
    async def scenario(bench):
        answer = await bench.ask(post())
        assert answer.headers["content-length"] == "5"
        assert parsedate_to_datetime(answer.headers["date"]).timestamp() == bench.clock.now_ms() // 1000
        assert "server" not in answer.headers
        assert "connection" not in answer.headers

    play(scenario)


def test_the_date_moves_with_the_clock(play):
    async def scenario(bench):
        client = await bench.client()
        before = await client.ask(get())
        bench.clock.advance(61_000)
        bench.pass_time(61)
        after = await client.ask(get())
        moved = parsedate_to_datetime(after.headers["date"]) - parsedate_to_datetime(before.headers["date"])
        assert moved.total_seconds() == 61

    play(scenario)


def test_the_headers_of_the_service_are_sent_as_they_are(play):
    async def scenario(bench):
        bench.service.respond = lambda request: text(b"", ("x-amzn-RequestId", "abc"), ("X-Odd", "caf\xe9"))
        answer = await bench.ask(get())
        assert answer.headers["x-amzn-requestid"] == "abc"
        assert answer.headers["x-odd"] == "café"

    play(scenario)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500, 503])
def test_the_status_line_is_the_service_s(play, status):
    async def scenario(bench):
        bench.service.respond = lambda request: HttpResponse(status=status, body=b"x", headers=())
        assert (await bench.ask(get())).status == status

    play(scenario)


def test_a_connection_serves_many_requests(play):
    async def scenario(bench):
        client = await bench.client()
        for number in range(20):
            assert (await client.ask(post(b"%d" % number))).body == b"%d" % number
        assert bench.server.connections_accepted == 1
        assert bench.server.requests == 20

    play(scenario)


def test_the_client_s_wish_to_close_is_kept(play):
    async def scenario(bench):
        client = await bench.client()
        answer = await client.ask(get("/", "Connection: close"))
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""

    play(scenario)


def test_what_follows_the_last_request_is_ignored(play):
    async def scenario(bench):
        client = await bench.client()
        answer = await client.ask(get("/", "Connection: close") + get("/second"))
        assert answer.status == 200
        assert await client.rest() == b""
        assert len(bench.service.requests) == 1

    play(scenario)


def test_http_1_0_closes_after_the_answer(play):
    async def scenario(bench):
        client = await bench.client()
        answer = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await client.rest() == b""

    play(scenario)


def test_http_1_0_may_keep_the_connection(play):
    async def scenario(bench):
        client = await bench.client()
        for _ in range(2):
            answer = await client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert answer.headers["connection"] == "keep-alive"

    play(scenario)


def test_head_gets_the_length_and_no_body(play):
    async def scenario(bench):
        bench.service.respond = lambda request: text(b"four")
        client = await bench.client()
        client.send(get().replace(b"GET", b"HEAD") + get())
        first = await client.answer(bodiless=True)
        assert first.headers["content-length"] == "4"
        assert (await client.answer()).body == b"four"

    play(scenario)


def test_a_chunked_body_is_put_together(play):
    async def scenario(bench):
        answer = await bench.ask(CHUNKED_HEAD + b"3;note=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")
        assert answer.body == b"abc0123456789"

    play(scenario)


def test_trailers_reach_neither_this_request_nor_the_next(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(CHUNKED_HEAD + b"1\r\nx\r\n0\r\nAuthorization: me\r\n\r\n" + get("/next"))
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert all("authorization" not in request.headers for request in bench.service.requests)

    play(scenario)


def test_the_body_is_asked_for_when_the_client_waits(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.answer()).status == 100
        assert (await client.ask(b"hello")).body == b"hello"

    play(scenario)


def test_the_body_is_not_asked_for_when_it_is_there(play):
    async def scenario(bench):
        client = await bench.client()
        assert (await client.ask(post(b"hello", "/", "Expect: 100-continue"))).status == 200

    play(scenario)


def test_a_body_is_asked_for_only_after_the_answers_before_it(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold"))
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        await bench.service.arrival_of(1)
        bench.service.held[0].answer(b"first")
        assert (await client.answer()).body == b"first"
        assert (await client.answer()).status == 100
        assert (await client.ask(b"hello")).body == b"hello"

    play(scenario)


def test_http_1_0_is_not_told_to_continue(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        await client.flush()
        assert (await client.ask(b"hello")).status == 200

    play(scenario)


UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


def test_a_wish_for_another_protocol_is_ignored(play):
    async def scenario(bench):
        client = await bench.client()
        head = f"POST /first HTTP/1.1\r\nHost: a\r\n{UPGRADE}Content-Length: 5\r\n\r\n".encode()
        client.send(head + b"hello" + get("/second"))
        assert (await client.answer()).body == b"hello"
        assert (await client.answer()).status == 200
        assert [request.path for request in bench.service.requests] == ["/first", "/second"]
        assert bench.service.requests[0].headers["http2-settings"] == "AAMAAABkAAQAAP__"

    play(scenario)


def test_a_chunked_body_may_follow_a_wish_for_another_protocol(play):
    async def scenario(bench):
        head = f"POST / HTTP/1.1\r\nHost: a\r\n{UPGRADE}Transfer-Encoding: chunked\r\n\r\n".encode()
        assert (await bench.ask(head + b"2\r\nhi\r\n0\r\n\r\n")).body == b"hi"

    play(scenario)


def test_an_absolute_url_is_accepted_and_names_the_host(play):
    async def scenario(bench):
        client = await bench.client()
        await client.ask(b"GET http://other:81/1/q?a=/b HTTP/1.1\r\nHost: queue.example\r\n\r\n")
        await client.ask(b"GET http://other?a HTTP/1.1\r\nHost: queue.example\r\n\r\n")
        first, second = bench.service.requests
        assert (first.path, first.query, first.headers["host"]) == ("/1/q", "a=/b", "other:81")
        assert (second.path, second.query) == ("/", "a")

    play(scenario)


def test_the_url_stays_percent_encoded(play):
    async def scenario(bench):
        await bench.ask(get("/a%2Fb%20?c=%C3%A9+d?e"))
        assert (bench.service.requests[0].path, bench.service.requests[0].query) == ("/a%2Fb%20", "c=%C3%A9+d?e")

    play(scenario)


def test_bodies_of_every_size_come_back(play):
    async def scenario(bench):
        client = await bench.client()
        for size in (1, 4_095, 4_096, 4_097, 65_535, 65_537, 1_000_000, 8_388_608):
            body = bytes(range(256)) * (size // 256 + 1)
            answer = await client.ask(post(body[:size]))
            assert answer.body == body[:size]

    play(scenario)


def test_a_body_byte_by_byte_comes_back(play):
    async def scenario(bench):
        client = await bench.client()
        for byte in post(b"0123456789" * 20):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer()).body == b"0123456789" * 20

    play(scenario)


STREAM = b"".join(
    (
        post(b"one", "/1?x=1", "X-Long: " + "v" * 50),
        b"\r\n",
        get("/2", "Connection: keep-alive"),
        CHUNKED_HEAD.replace(b" / ", b" http://b/3 "),
        b"2\r\nth\r\n3;e\r\nree\r\n0\r\nT: 1\r\n\r\n",
        f"POST /4 HTTP/1.1\r\nHost: a\r\n{UPGRADE}Content-Length: 4\r\n\r\nfour".encode(),
        get("/5").replace(b"GET", b"HEAD"),
        post(b"six", "/6", "Expect: 100-continue", "Connection: close"),
    )
)


async def answers_to(pieces: list[bytes]) -> tuple[bytes, list[tuple[object, ...]]]:
    async with bench_of() as bench:
        client = await bench.client()
        for piece in pieces:
            client.send(piece)
            await asyncio.sleep(0)
        # Whether a body is asked for depends on whether it came along.
        answers = (await client.rest()).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        seen = [(r.method, r.path, r.query, r.headers, r.body) for r in bench.service.requests]
        return answers, seen


def test_a_stream_cut_at_any_byte_gets_the_same_answers(runner):
    whole = runner.run(answers_to([STREAM]))
    assert len(whole[1]) == 6
    for at in range(1, len(STREAM)):
        assert runner.run(answers_to([STREAM[:at], STREAM[at:]])) == whole


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, len(STREAM) - 1), max_size=40, unique=True).map(sorted))
def test_a_stream_in_any_pieces_gets_the_same_answers(runner, cuts):
    whole = runner.run(answers_to([STREAM]))
    pieces = [STREAM[start:end] for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert runner.run(answers_to(pieces)) == whole
