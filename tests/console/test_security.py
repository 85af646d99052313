"""What the console lets nobody do: other sites' pages, other names, forms without a token, read-only mode."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stanchion.console.attempts import Attempts
from stanchion.console.security import is_loopback_name
from support.console_visit import ConsoleUnderTest

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[ConsoleUnderTest]:
    server = ConsoleUnderTest(tmp_path, console_read_only=True)
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 303), ("/health", 200), ("/static/console.css", 200), ("/static/x.js", 404), ("/x", 404)],
)
def test_every_answer_has_the_security_headers_once(console, path, status) -> None:
    answer = console.get(path)
    assert answer.status == status
    assert {name: answer.headers.get_all(name) for name in HEADERS} == {n: [text] for n, text in HEADERS.items()}
    assert answer.headers["Server"] is None


def test_refusals_have_the_security_headers_too(console) -> None:
    refused = [
        console.get("/x", Host="evil.example"),
        console.ask_with_form("/sign-out", {}),
        console.ask("POST", "/sign-out", b"x" * (8 * 1024 * 1024 + 1)),
    ]
    assert [answer.status for answer in refused] == [421, 403, 413]
    assert all(answer.headers["Content-Security-Policy"] for answer in refused)


def test_what_is_not_http_is_refused_with_the_headers(console) -> None:
    with socket.create_connection((urlsplit(console.url).hostname, urlsplit(console.url).port), timeout=10) as raw:
        raw.sendall(b"NOT HTTP\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b"")).lower()
    assert answer.startswith(b"http/1.1 400") and b"content-security-policy" in answer


def test_no_page_has_anything_inline(console) -> None:
    text = console.get("/no-such-page").text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)


def test_no_page_is_kept_by_the_browser(console) -> None:
    assert console.get("/no-such-page").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:9325", "LOCALHOST.", "app.localhost:1", "127.0.0.1:9325", "127.9.9.9", "[::1]:9325"],
)
def test_names_of_this_machine_are_known(host) -> None:
    assert is_loopback_name(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "10.0.0.1",
     "[::2]", "0.0.0.0", "localhost, evil.example", "notlocalhost", "::1"],
)  # fmt: skip
def test_other_names_are_not(host) -> None:
    assert not is_loopback_name(host)


def test_with_auth_off_a_page_whose_name_was_turned_to_this_machine_sees_nothing(console) -> None:
    for path in ("/queues", "/sign-in", "/static/console.js", "/health"):
        answer = console.get(path, Host="rebound.evil.example:9325")
        assert answer.status == 421
        assert "csrf" not in answer.text


def test_with_auth_off_the_console_listens_on_loopback_whatever_the_host(tmp_path) -> None:
    server = ConsoleUnderTest(tmp_path, host="0.0.0.0", auth="off")
    try:
        assert server.server.url.startswith("http://0.0.0.0:")
        assert server.url.startswith("http://127.0.0.1:")
        assert server.get("/health").status == 200
    finally:
        server.stop()


@pytest.mark.parametrize("token", ["", "wrong", "ü", "a" * 100_000])
def test_a_form_without_its_token_changes_nothing(console, token) -> None:
    answer = console.ask_with_form("/sign-out", {"csrf": token})
    assert answer.status == 403
    assert "The page was out of date, and nothing was changed." in answer.text


def test_a_request_that_is_no_form_needs_the_token_in_a_header(console) -> None:
    token = console.csrf()
    for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
        refused = console.ask("POST", "/sign-out", f"csrf={token}", {"Content-Type": content_type})
        assert refused.status == 403
    assert console.post_json("/sign-out", "{}").status == 303
    assert console.post_json("/sign-out", "{}", **{"X-CSRF-Token": "wrong"}).status == 403


def test_a_wrong_token_in_the_header_is_not_mended_by_the_form(console) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": "wrong"}
    assert console.ask("POST", "/sign-out", f"csrf={console.csrf()}", form).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_need_the_token_too(console, method) -> None:
    assert console.ask(method, "/queues").status == 403


def test_a_script_gets_its_refusal_as_json(console) -> None:
    answer = console.post_json("/sign-out", "{}", **{"X-CSRF-Token": "wrong"})
    assert answer.headers["Content-Type"] == "application/json"
    assert '"code":"PageOutOfDate"' in answer.text


def test_a_body_may_have_eight_megabytes_and_no_more(console) -> None:
    just = b"x" * (8 * 1024 * 1024)
    headers = {"X-CSRF-Token": console.csrf(), "Content-Type": "application/octet-stream"}
    assert console.ask("POST", "/sign-out", just, headers).status == 303
    assert console.ask("POST", "/sign-out", just + b"x", headers).status == 413


def test_in_read_only_mode_nothing_but_the_session_changes(read_only) -> None:
    for path in ("/queues/new", "/queues/x/purge", "/queues/x/messages/send", "/whatever"):
        answer = read_only.post(path)
        assert answer.status == 403
        assert "The console is in read-only mode: nothing can be changed here." in answer.text
        assert '"code":"ReadOnly"' in read_only.post_json(path, "{}").text
    assert read_only.post("/sign-in").status == 303
    assert read_only.post("/sign-out").status == 303


def test_in_read_only_mode_each_page_says_so(read_only) -> None:
    assert "Read-only" in read_only.get("/no-such-page").text


def test_remembered_attempts_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr("stanchion.console.attempts._MOST_NAMES", 3)
    attempts = Attempts()
    for name in "abcd":
        for _ in range(9):
            attempts.wrong(name, 0)
    assert [attempts.wait_ms(name, 1) for name in "abcd"] == [0, 59_999, 59_999, 59_999]
    assert sum(map(len, attempts._wrong.values())) == 15
