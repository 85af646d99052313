"""Bytes that are not one clear request are refused with SQS's own error, and no part of them reaches the service."""

import xml.etree.ElementTree as ET

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.harness import bench_of, get, post

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"

BROKEN = {
    "not HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "a line of words": b"hello there\r\n\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "an old version": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "a version to come": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/2 spelled out": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a relative url": b"GET x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a url of another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a url with a user": b"GET http://me@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a url with a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a url beyond ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a query beyond ASCII": b"GET /?q=\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in the url": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length beside chunks": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks beside a length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "the same length twice": HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": HEAD + b"Content-Length: 2, 2\r\n\r\nab",
    "a length with a sign": HEAD + b"Content-Length: +2\r\n\r\nab",
    "a negative length": HEAD + b"Content-Length: -2\r\n\r\nab",
    "an empty length": HEAD + b"Content-Length:\r\n\r\nab",
    "a length in hexadecimal": HEAD + b"Content-Length: 0x2\r\n\r\nab",
    "a length beyond 64 bits": HEAD + b"Content-Length: 99999999999999999999\r\n\r\nab",
    "an encoding nobody unpacks": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an encoding without an end": HEAD + b"Transfer-Encoding: gzip\r\n\r\nab",
    "an encoding that looks chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a control character": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": HEAD + b"X-A: b\r\n c\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a bare line feed after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a bare line feed after a header": HEAD + b"X-A: b\nX-B: c\r\n\r\n",
    "a bare line feed at the end": HEAD + b"\n",
    "a bare carriage return": HEAD + b"X-A: b\rc\r\n\r\n",
    "a NUL in a header": HEAD + b"X-A: b\0c\r\n\r\n",
    "a NUL in a name": HEAD + b"X-\0A: b\r\n\r\n",
    "a blank before the colon": HEAD + b"Content-Length : 2\r\n\r\nab",
    "a header without a name": HEAD + b": b\r\n\r\n",
    "a header without a colon": HEAD + b"X-A\r\n\r\n",
    "a chunk size that is no number": CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\nabc",
    "a chunk longer than its size": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "a chunk line with a bare line feed": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "a length among the trailers": CHUNKED + b"1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n",
    "a blank after a chunk size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_broken_http_is_refused_and_the_connection_closed(play, data):
    async def scenario(bench):
        client = await bench.client()
        answer = await client.ask(data + get("/smuggled"))
        assert answer.status == 400
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
        assert bench.service.requests == []
        assert bench.server.refused == {400: 1}

    play(scenario)


def test_a_refusal_is_an_error_document_of_sqs(play):
    async def scenario(bench):
        answer = await bench.ask(b"GET / HTTP/1.1\r\nHost: <&\0\r\n\r\n")
        assert answer.headers["content-type"].startswith("text/xml")
        assert answer.headers["x-amzn-query-error"] == "MalformedInput;Sender"
        root = ET.fromstring(answer.body)
        assert root.tag == f"{NAMESPACE}ErrorResponse"
        assert [part.tag for part in root.find(f"{NAMESPACE}Error")] == [
            f"{NAMESPACE}{name}" for name in ("Type", "Code", "Message", "Detail")
        ]
        assert root.findtext(f"{NAMESPACE}RequestId") == answer.headers["x-amzn-requestid"]

    play(scenario)


def test_a_client_of_the_json_protocol_is_refused_in_json(play):
    async def scenario(bench):
        head = (
            b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 9999999999\r\n\r\n"
        )
        answer = await bench.ask(head)
        assert answer.status == 413
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert msgspec.json.decode(answer.body)["__type"] == "com.amazon.coral.service#SerializationException"

    play(scenario)


def test_requests_before_the_broken_one_are_answered_first(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") + post(b"two") + b"nonsense\r\n\r\n")
        await bench.service.arrival_of(2)
        bench.service.held[0].answer(b"one")
        assert [(await client.answer()).body for _ in range(2)] == [b"one", b"two"]
        assert (await client.answer()).status == 400
        assert await client.rest() == b""

    play(scenario)


@pytest.mark.parametrize("method", ["CONNECT", "PROPFIND", "PURGE", "MKCOL"])
def test_methods_that_no_service_knows_are_refused(play, method):
    async def scenario(bench):
        target = "a:80" if method == "CONNECT" else "/"
        answer = await bench.ask(f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert answer.status == 405
        assert bench.service.requests == []

    play(scenario)


def test_the_answer_arrives_although_the_client_is_still_sending(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(b"nonsense\r\n\r\n" + b"x" * 3_000_000)
        assert (await client.answer()).status == 400
        assert await client.rest() == b""

    play(scenario)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: HEAD + tail)))
def test_whatever_bytes_arrive_the_server_goes_on(runner, data):
    async def scenario():
        async with bench_of() as bench:
            client = await bench.client()
            client.send(data)
            client.end()
            await client.rest()
            assert (await bench.ask(post(b"still here"))).body == b"still here"
            assert 500 not in bench.server.refused

    runner.run(scenario())
