"""``stanchion demo``: the tutorial, and how it ends when an answer is wrong."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.processes import run_stanchion
from stanchion.cli.demo import Guide, Unexpected, tutorial


def test_the_tutorial_runs_to_its_end_and_shows_each_call(tmp_path) -> None:
    done = run_stanchion(tmp_path, "demo")
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout
    assert "CreateQueue" in shown
    assert "This is my first message." in shown
    assert "com.amazonaws.sqs#QueueDoesNotExist" in shown
    assert shown.rstrip().endswith("stanchion serve")


def test_the_demo_leaves_nothing_behind_and_heeds_no_settings(tmp_path) -> None:
    (tmp_path / "stanchion.toml").write_text("port = nonsense")
    done = run_stanchion(tmp_path, "demo", STANCHION_STORE="sqlite:mine.db", STANCHION_PORT="x")
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["stanchion.toml"]


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers every call alike; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"{}", "step 1, CreateQueue: answered with status 500, not 200"),
        (200, b"<html>", "step 1: the answer is not a JSON object"),
        (200, b"[]", "step 1: the answer is not a JSON object"),
        (200, b"{}", "step 1: the name in the queue's URL should be 'myqueue', and is 'None'"),
        (
            200,
            json.dumps({"QueueUrl": "http://x/1/myqueue", "Attributes": {"VisibilityTimeout": "30"}}).encode(),
            "step 2: the timeout should be {'VisibilityTimeout': '120'}, and is {'VisibilityTimeout': '30'}",
        ),
    ],
)
def test_an_unexpected_answer_ends_the_tutorial(status: int, body: bytes, told: str) -> None:
    with answering(status, body) as url, pytest.raises(Unexpected) as caught:
        tutorial(Guide(url, lambda _: None))
    assert str(caught.value) == told


def test_no_answer_ends_the_tutorial() -> None:
    with answering(200, b"{}") as url:
        pass
    with pytest.raises(Unexpected, match=r"step 1, CreateQueue: there was no answer \("):
        tutorial(Guide(url, lambda _: None))
