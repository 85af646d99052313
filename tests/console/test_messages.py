"""The message pages over HTTP: without scripts, with nonsense, and when nobody waits for the answer any more."""

import base64
import json
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from stanchion.console.message_forms import AttributeRow, MessageForm, input_of, read
from stanchion.errors import InvalidParameterValue
from support.console_visit import Answer, ConsoleUnderTest

URL = "http://127.0.0.1/000000000000/orders"


def create(console: ConsoleUnderTest, name: str = "orders", **attributes: str) -> str:
    url: str = console.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def ask(console: ConsoleUnderTest, what: str, **body: Any) -> Answer:
    return console.post_json(f"/queues/orders/messages/{what}", json.dumps(body))


def received(console: ConsoleUnderTest, **order: int) -> list[dict[str, Any]]:
    answer = ask(console, "receive", **({"count": 10, "seconds": 0} | order))
    assert answer.status == 200
    found: list[dict[str, Any]] = json.loads(answer.text)
    return found


# ── The form ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_is_read_with_its_rows_and_its_line_ends() -> None:
    rows = [("attribute_name", "a"), ("attribute_type", "Number"), ("attribute_custom", "int")]
    form = read([("body", "one\r\ntwo"), *rows, ("attribute_value", "1")])
    assert form == MessageForm(body="one\ntwo", attributes=(AttributeRow("a", "Number", "int", "1"),))


def test_rows_without_name_and_value_count_as_nothing() -> None:
    empty = [("attribute_name", ""), ("attribute_type", "String"), ("attribute_custom", ""), ("attribute_value", "")]
    assert read(empty).attributes == ()


def test_a_form_becomes_the_input_of_send_message() -> None:
    packed = base64.b64encode(b"\x00\xff").decode()
    rows = (AttributeRow("n", "Number", "int", "1"), AttributeRow("b", "Binary", "", f" {packed}\n"))
    form = MessageForm(body="hello", group="g", delay="1.5", delay_unit="minutes", attributes=rows)
    made = input_of(form, URL, fifo=False)
    assert (made.message_body, made.delay_seconds, made.message_group_id) == ("hello", 90, "g")
    assert made.message_attributes is not None
    number, binary = made.message_attributes["n"], made.message_attributes["b"]
    assert (number.data_type, number.string_value) == ("Number.int", "1")
    assert (binary.data_type, binary.binary_value) == ("Binary", b"\x00\xff")


def test_a_message_of_a_fifo_queue_has_no_delay_of_its_own() -> None:
    assert input_of(MessageForm(body="x", delay="5"), URL, fifo=True).delay_seconds is None


@pytest.mark.parametrize(
    ("form", "part_of_the_text"),
    [
        (MessageForm(delay="soon"), "Value soon for parameter DelaySeconds is invalid."),
        (MessageForm(delay="1e3"), "DelaySeconds must be >= 0 and <= 900."),
        (MessageForm(attributes=(AttributeRow("b", "Binary", "", "?"),)), "message attribute 'b' must be Base64"),
        (MessageForm(attributes=(AttributeRow("a", value="1"),) * 2), "a is there twice"),
    ],
)
def test_what_the_api_could_not_carry_is_refused_in_its_manner(form: MessageForm, part_of_the_text: str) -> None:
    with pytest.raises(InvalidParameterValue) as refusal:
        input_of(form, URL, fifo=False)
    assert part_of_the_text in refusal.value.message


# ── Without scripts ──────────────────────────────────────────────────────────────────────────────────────


def test_without_scripts_a_message_is_sent_and_the_form_stays(console: ConsoleUnderTest) -> None:
    url = create(console)
    answer = console.post("/queues/orders/messages/send", body="one\r\ntwo", delay="0", delay_unit="seconds")
    assert answer.status == 200
    assert "Your message has been sent and is ready to be received" in answer.text
    assert "one\ntwo</textarea>" in answer.text
    (message,) = console.sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "one\ntwo"
    assert message["MessageId"] in answer.text


def test_without_scripts_a_refusal_is_shown_in_the_form_left_filled_in(console: ConsoleUnderTest) -> None:
    create(console)
    row = {"attribute_name": "aws.x", "attribute_type": "String", "attribute_custom": "", "attribute_value": "v"}
    answer = console.post("/queues/orders/messages/send", body="<b>hello</b>", **row)
    assert answer.status == 400
    assert "InvalidParameterValue" in answer.text
    assert "&lt;b&gt;hello&lt;/b&gt;</textarea>" in answer.text
    assert 'value="aws.x"' in answer.text


def test_a_queue_that_is_gone_says_so(console: ConsoleUnderTest) -> None:
    for answer in (
        console.get("/queues/orders/messages"),
        console.post("/queues/orders/messages/send", body="hello"),
    ):
        assert (answer.status, "does not exist" in answer.text) == (404, True)
    answer = ask(console, "receive", count=1, seconds=0)
    assert (answer.status, json.loads(answer.text)["code"]) == (400, "AWS.SimpleQueueService.NonExistentQueue")


def test_characters_that_no_message_may_have_are_refused_in_the_words_of_the_service(
    console: ConsoleUnderTest,
) -> None:
    create(console)
    answer = console.post("/queues/orders/messages/send", body="a\x00b")
    assert (answer.status, "InvalidMessageContents" in answer.text) == (400, True)


# ── What scripts ask for ─────────────────────────────────────────────────────────────────────────────────


def test_messages_are_received_with_all_that_they_have_deleted_and_released(console: ConsoleUnderTest) -> None:
    url = create(console)
    for body in ("keep", "drop"):
        attributes = {"raw": {"DataType": "Binary", "BinaryValue": b"\xff"}}
        console.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    found = {message["body"]: message for message in received(console)}
    assert found["keep"]["receives"] == "1"
    assert found["keep"]["attributes"] == [{"name": "raw", "type": "Binary", "value": "/w==", "binary": True}]
    assert dict(found["keep"]["facts"])["Message attributes count"] == "1"
    assert json.loads(ask(console, "delete", handles=[found["drop"]["handle"]]).text) == {"failed": []}
    assert received(console) == []
    assert json.loads(ask(console, "release", handles=[found["keep"]["handle"]]).text) == {"released": 1}
    assert [message["body"] for message in received(console)] == ["keep"]


def test_more_handles_than_a_batch_takes_are_no_problem(console: ConsoleUnderTest) -> None:
    url = create(console)
    for number in range(25):
        console.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    handles = []
    while len(handles) < 25:
        handles += [message["handle"] for message in received(console)]
    assert json.loads(ask(console, "delete", handles=handles).text) == {"failed": []}
    shown = console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert shown["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_handle_that_is_none_is_told_beside_those_that_are(console: ConsoleUnderTest) -> None:
    url = create(console)
    console.sqs.send_message(QueueUrl=url, MessageBody="x")
    (message,) = received(console)
    (failure,) = json.loads(ask(console, "delete", handles=["nonsense", message["handle"]]).text)["failed"]
    assert (failure["handle"], failure["code"]) == ("nonsense", "ReceiptHandleIsInvalid")
    assert json.loads(ask(console, "release", handles=["nonsense"]).text) == {"released": 0}


@pytest.mark.parametrize("what", ["receive", "delete", "release"])
@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", '{"handles": 1}', '{"count": "x", "seconds": {}}', '{"a":"\ud800']
)
def test_nonsense_of_a_script_is_refused(console: ConsoleUnderTest, what: str, body: str) -> None:
    create(console)
    answer = console.post_json(f"/queues/orders/messages/{what}", body.encode("utf-8", "surrogatepass"))
    assert (answer.status, json.loads(answer.text)["code"]) == (400, "MalformedInput")


def test_a_poll_of_any_length_hides_messages_no_longer_than_the_service_lets_it(console: ConsoleUnderTest) -> None:
    url = create(console)
    console.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert len(received(console, count=-5, seconds=10**9)) == 1


def test_nothing_is_changed_without_the_token_or_in_read_only_mode(tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path, console_read_only=True)
    try:
        create(console)
        for what in ("receive", "delete", "release"):
            answer = ask(console, what, count=1, seconds=0, handles=[])
            assert (answer.status, json.loads(answer.text)["code"]) == (403, "ReadOnly")
            answer = console.post_json(f"/queues/orders/messages/{what}", "{}", **{"X-CSRF-Token": "wrong"})
            assert (answer.status, json.loads(answer.text)["code"]) == (403, "PageOutOfDate")
        page = console.get("/queues/orders/messages").text
        assert page.count("The console is in read-only mode.") == 3
    finally:
        console.stop()


def test_messages_for_a_browser_that_has_gone_are_available_again(console: ConsoleUnderTest) -> None:
    url = create(console)
    body = json.dumps({"count": 10, "seconds": 30})
    head = (
        f"POST /queues/orders/messages/receive HTTP/1.1\r\nHost: {urlsplit(console.url).netloc}\r\n"
        f"Content-Type: application/json\r\nX-CSRF-Token: {console.csrf()}\r\nContent-Length: {len(body)}\r\n"
        f"Cookie: {'; '.join(f'{name}={value}' for name, value in console.cookies.items())}\r\n\r\n"
    )
    address = urlsplit(console.url)
    with socket.create_connection((address.hostname, address.port)) as browser:
        browser.sendall((head + body).encode())
        console.server.waiting(1)
    console.sqs.send_message(QueueUrl=url, MessageBody="hello")
    give_up_at = time.monotonic() + 10
    while not console.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"):
        assert time.monotonic() < give_up_at, "the message stays hidden"
