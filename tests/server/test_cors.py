"""Browsers: off by default, and for the configured origins only."""

import pytest

from server.harness import get
from stanchion.server.cors import Cors

APP = "https://app.example"


def preflight(origin: str = APP) -> bytes:
    return get("/1/q", f"Origin: {origin}", "Access-Control-Request-Method: POST").replace(b"GET", b"OPTIONS", 1)


def test_options_is_not_a_method_unless_origins_are_configured(play):
    async def scenario(bench):
        answer = await bench.ask(preflight())
        assert answer.status == 405
        assert answer.headers["allow"] == "GET, POST, OPTIONS"
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert b"<Code>InvalidAction</Code>" in answer.body
        assert "vary" not in (await bench.ask(get("/", f"Origin: {APP}"))).headers

    play(scenario)


@pytest.mark.parametrize("path", ["/", "/000000000000/q", "*"])
def test_a_preflight_is_answered_on_every_path_without_the_service(play, path):
    async def scenario(bench):
        answer = await bench.ask(preflight().replace(b"/1/q", path.encode()))
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
        assert "x-amz-target" in answer.headers["access-control-allow-headers"].split(", ")
        assert int(answer.headers["access-control-max-age"]) > 0
        assert answer.headers["vary"] == "Origin"
        assert bench.service.requests == []

    play(scenario, cors_origins=[APP])


def test_other_origins_get_no_permission(play):
    async def scenario(bench):
        for request in (preflight("https://evil.example"), get("/", "Origin: https://evil.example"), get()):
            answer = await bench.ask(request)
            assert not any(name.startswith("access-control") for name in answer.headers)
            assert answer.headers["vary"] == "Origin"

    play(scenario, cors_origins=[APP])


def test_an_answer_exposes_the_headers_that_the_sdk_reads(play):
    async def scenario(bench):
        answer = await bench.ask(get("/", f"Origin: {APP}"))
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["access-control-expose-headers"] == "x-amzn-RequestId, x-amzn-query-error, date"

    play(scenario, cors_origins=[APP])


def test_a_browser_may_read_why_it_was_refused(play):
    async def scenario(bench):
        answer = await bench.ask(get("/", f"Origin: {APP}", "Content-Length: 99999999999"))
        assert answer.status == 413
        assert answer.headers["access-control-allow-origin"] == APP

    play(scenario, cors_origins=[APP])


def test_a_star_stands_for_every_origin():
    cors = Cors(["*"])
    assert cors.answer_headers("https://any.example")[0] == ("Access-Control-Allow-Origin", "*")
    assert "Vary" not in dict(cors.answer_headers("https://any.example"))
    assert cors.answer_headers(None) == ()
