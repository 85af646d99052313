"""The console's server: start, stop, ports, static files, health."""

import re
import signal
import socket
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from cli.processes import read_banner, run_stanchion, serving
from stanchion.errors import ServiceUnavailable
from stanchion.promise import Promise
from support.console_visit import ConsoleUnderTest, Visit


def console_of(banner: list[str]) -> str:
    return next(line.split()[1] for line in banner if line.strip().startswith("Console"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_banner_names_the_console_and_a_signal_ends_it_well(tmp_path, number) -> None:
    with serving(tmp_path, "--port", "0", "--store", "memory") as process:
        url = console_of(read_banner(process))
        assert Visit(url).get("/health").status == 200
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 0
    assert errors == ""


def test_without_a_console_there_is_none(tmp_path) -> None:
    with serving(tmp_path, "--port", "0", "--store", "memory", "--no-console") as process:
        assert console_of(read_banner(process)) == "off"


def test_a_console_port_that_is_taken_is_one_line_with_the_cure(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_stanchion(tmp_path, "serve", "--port", "0", "--console-port", port, "--store", "memory")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"stanchion: Cannot listen on 127.0.0.1:{port}: port {port} is in use by another program. "
        "It is for the console; give another --console-port, or --no-console.\n"
    )


def test_connections_that_are_open_and_idle_do_not_keep_the_server(tmp_path) -> None:
    console = ConsoleUnderTest(tmp_path)
    idle = HTTPConnection(urlsplit(console.url).netloc, timeout=10)
    silent = socket.create_connection((urlsplit(console.url).hostname, urlsplit(console.url).port))
    try:
        idle.request("GET", "/health")
        idle.getresponse().read()
        began = time.monotonic()
        console.stop()
        assert time.monotonic() - began < 2
    finally:
        idle.close()
        silent.close()
    with pytest.raises(OSError):
        console.get("/health")


def test_the_port_is_free_again_after_the_stop(tmp_path) -> None:
    first = ConsoleUnderTest(tmp_path)
    first.stop()
    second = ConsoleUnderTest(tmp_path, console_port=first.url.rpartition(":")[2])
    try:
        assert first.get("/health").status == 200
    finally:
        second.stop()


def test_more_connections_than_allowed_are_refused(console, monkeypatch) -> None:
    server = console.server.application.console._server
    console.server.call(lambda: setattr(server.config, "limit_concurrency", 1))
    answer = console.get("/health")
    assert answer.status == 503
    assert answer.headers["Content-Security-Policy"]


def test_it_is_healthy_and_ready(console) -> None:
    assert (console.get("/health").status, console.get("/health").text) == (200, "ok\n")
    assert (console.get("/ready").status, console.get("/ready").text) == (200, "ready\n")


def test_it_is_not_ready_when_the_store_fails(console, monkeypatch) -> None:
    def fail(*_: object) -> Promise[object]:
        promise: Promise[object] = Promise()
        promise.set_exception(ServiceUnavailable("the disk is full"))
        return promise

    monkeypatch.setattr(console.server.application.store, "list_queues", fail)
    answer = console.get("/ready")
    assert (answer.status, answer.text) == (503, "the store fails: the disk is full\n")
    assert console.get("/health").status == 200


def test_it_is_not_ready_when_the_store_is_silent(console, monkeypatch) -> None:
    monkeypatch.setattr("stanchion.console.health.ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(console.server.application.store, "list_queues", lambda *_: Promise())
    answer = console.get("/ready")
    assert (answer.status, answer.text) == (503, "the store has not answered within 0.01 seconds\n")


def test_it_is_not_ready_when_requests_are_not_accepted(console, monkeypatch) -> None:
    monkeypatch.setattr(console.server.application, "_accepting", False)
    assert console.get("/ready").status == 503


def static_urls(console: ConsoleUnderTest) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', console.get("/no-such-page").text)


def test_a_page_names_its_files_by_their_content_and_browsers_keep_them(console) -> None:
    urls = static_urls(console)
    assert {url.rpartition("/")[2] for url in urls} == {"console.css", "console.js", "icon.svg"}
    for url in urls:
        answer = console.get(url)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_file_that_has_not_changed_is_not_sent_again(console) -> None:
    first = console.get("/static/console.js")
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    again = console.get("/static/console.js", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


def test_a_file_of_an_older_version_is_served_as_it_is_now_and_not_kept(console) -> None:
    answer = console.get("/static/0123456789abcdef/console.css")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["../site.py", "%2e%2e/site.py", "..%2fsite.py", "", "console.css/", "x/y/z"])
def test_nothing_else_is_served(console, name) -> None:
    assert console.get(f"/static/{name}").status == 404


def test_an_error_that_nobody_foresaw_is_told_and_logged(console, monkeypatch, caplog) -> None:
    def fail(*_: object) -> Promise[object]:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(console.server.application.store, "list_queues", fail)
    answer = console.get("/ready")
    assert answer.status == 500
    assert "Something went wrong in the console." in answer.text
    assert "unforeseen" not in answer.text
    assert "GET /ready failed" in caplog.text
    assert "unforeseen" in caplog.text


def test_the_frame_loads_in_a_browser(page) -> None:
    page.watch.allowed.append("status of 404")
    page.goto("/no-such-page")
    assert page.get_by_role("heading", level=1).inner_text() == "Not found"
    assert page.title() == "Not found – Stanchion"
