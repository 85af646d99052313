"""Pages of the web that try to use the queues of whoever opens them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.in_process import InProcessServer
from support.wire_client import Answer, WireClient

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcessServer]:
    server = InProcessServer(tmp_path, cors_origins="https://app.example")
    yield server
    server.stop()


def post_form(server: InProcessServer, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireClient(server.url).request("POST", "/", b"Action=CreateQueue&QueueName=q", FORM | named)


def queues(server: InProcessServer) -> list[str]:
    return WireClient(server.url).json("ListQueues").json.get("QueueUrls", [])


def test_a_form_on_a_foreign_page_does_nothing(server: InProcessServer) -> None:
    answer = post_form(server, Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    assert (answer.status, answer.text("Error/Code")) == (403, "AccessDenied")
    assert queues(server) == []


def test_an_image_on_a_foreign_page_does_nothing(server: InProcessServer) -> None:
    target = "/?Action=CreateQueue&QueueName=q&Version=2012-11-05"
    answer = WireClient(server.url).request("GET", target, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status, answer.text("Error/Code")) == (403, "AccessDenied")
    assert queues(server) == []


def test_a_script_on_a_foreign_page_is_refused_in_json(server: InProcessServer) -> None:
    answer = WireClient(server.url).json("CreateQueue", headers={"Origin": "https://evil.example"}, QueueName="q")
    assert (answer.status, answer.json["__type"]) == (403, "com.amazon.coral.service#AccessDeniedException")
    assert queues(server) == []


def test_a_page_of_a_listed_origin_works(server: InProcessServer) -> None:
    answer = post_form(server, Origin="https://app.example", Sec_Fetch_Site="cross-site")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert len(queues(server)) == 1


def test_signatures_make_the_origin_irrelevant(tmp_path: Path) -> None:
    """With authentication on, no page has the secret: what counts is the signature, as ever."""
    keys = tmp_path / "keys"
    keys.write_text("[a]\naws_access_key_id = AKIA\naws_secret_access_key = s\naws_account_id = 123456789012\n")
    server = InProcessServer(tmp_path, credentials=str(keys))
    try:
        answer = post_form(server, Origin="https://evil.example")
        assert "cors-origins" not in (answer.text("Error/Message") or "")
    finally:
        server.stop()
