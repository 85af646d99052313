"""What a queue's policy refuses is disabled, and says why."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from support.console_visit import REGION, ConsoleUnderTest

ALICE = ("AKIAALICE", "the/secret+of=alice")
BOB = ("AKIABOB", "the/secret+of=bob")
KEYS = f"""\
[alice]
aws_access_key_id = {ALICE[0]}
aws_secret_access_key = {ALICE[1]}
aws_account_id = 123456789012
stanchion_user = alice

[bob]
aws_access_key_id = {BOB[0]}
aws_secret_access_key = {BOB[1]}
aws_account_id = 123456789012
stanchion_user = bob
"""
ARN = f"arn:aws:sqs:{REGION}:123456789012:orders"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleUnderTest]:
    """With auth on, a queue that alice has made, and an empty one."""
    (tmp_path / "credentials").write_text(KEYS)
    server = ConsoleUnderTest(tmp_path, credentials=str(tmp_path / "credentials"))
    server.sqs.close()
    server.sqs = boto3.client(
        "sqs",
        endpoint_url=server.sqs_url,
        region_name=REGION,
        aws_access_key_id=ALICE[0],
        aws_secret_access_key=ALICE[1],
    )
    server.sqs.create_queue(QueueName="orders")
    server.sqs.create_queue(QueueName="free")
    yield server
    server.stop()


def deny(console: ConsoleUnderTest, *actions: str) -> None:
    """Forbid bob to do something with the queue."""
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/bob"},
        "Action": [f"SQS:{action}" for action in actions],
        "Resource": ARN,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = console.sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    console.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def sign_in(console: ConsoleUnderTest, key: tuple[str, str]) -> None:
    assert console.post("/sign-in", access_key_id=key[0], secret=key[1]).status == 303


def reason_of(page: str, text: str) -> str:
    """The title of the first disabled button with a text; "" when no such button is disabled."""
    found = re.search(rf'<button[^>]* disabled title="([^"]*)">{re.escape(text)}</button>', page)
    return found[1].replace("&#39;", "'") if found else ""


def expected(action: str) -> str:
    return (
        f"{action} is denied. User: arn:aws:iam::123456789012:user/bob is not authorized to perform: "
        f"sqs:{action.lower()} on resource: {ARN} with an explicit deny in a resource-based policy"
    )


@pytest.mark.parametrize(
    ("action", "button"),
    [("SetQueueAttributes", "Edit"), ("DeleteQueue", "Delete"), ("PurgeQueue", "Purge"),
     ("StartMessageMoveTask", "Start DLQ redrive")],
)  # fmt: skip
def test_a_denied_action_disables_its_button_for_whom_it_is_denied(console, action, button) -> None:
    deny(console, action)
    sign_in(console, BOB)
    assert reason_of(console.get("/queues/orders").text, button) == expected(action)
    sign_in(console, ALICE)
    assert "is denied" not in console.get("/queues/orders").text


def test_messages_are_out_of_reach_only_when_neither_sending_nor_receiving_is_allowed(console) -> None:
    sign_in(console, BOB)
    text = "Send and receive messages"
    deny(console, "SendMessage")
    assert reason_of(console.get("/queues/orders").text, text) == ""
    deny(console, "SendMessage", "ReceiveMessage")
    assert reason_of(console.get("/queues/orders").text, text) == expected("SendMessage")


@pytest.mark.parametrize(
    ("action", "text"),
    [("SendMessage", "Send message"), ("ReceiveMessage", "Peek at messages")],
)
def test_the_page_of_messages_disables_what_is_denied(console, action, text) -> None:
    sign_in(console, BOB)
    deny(console, action)
    assert reason_of(console.get("/queues/orders/messages").text, text) == expected(action)


@pytest.mark.parametrize(
    ("action", "button"),
    [
        ("ReceiveMessage", "Poll for messages"),
        ("ChangeMessageVisibility", "Poll for messages"),
        ("DeleteMessage", "Delete"),
    ],
)
def test_a_poll_needs_what_it_does(console, action, button) -> None:
    sign_in(console, BOB)
    deny(console, action)
    page = console.get("/queues/orders/messages").text.replace("&#39;", "'")
    assert f'disabled data-denied title="{expected(action)}">{button}</button>' in page


def test_the_form_says_what_of_it_is_denied(console) -> None:
    sign_in(console, BOB)
    deny(console, "SetQueueAttributes")
    page = console.get("/queues/orders/edit").text
    assert "SetQueueAttributes is denied." in page
    assert reason_of(page, "Save") == ""
    deny(console, "SetQueueAttributes", "TagQueue")
    page = console.get("/queues/orders/edit").text
    assert "TagQueue is denied." in page
    assert reason_of(page, "Save") == expected("TagQueue")


def test_the_page_that_confirms_says_what_is_denied(console) -> None:
    sign_in(console, BOB)
    deny(console, "PurgeQueue")
    assert reason_of(console.get("/queues/orders/purge").text, "Purge") == expected("PurgeQueue")
    assert reason_of(console.get("/queues/orders/delete").text, "Delete") == ""
    assert console.get("/queues/no-such/purge").status == 404


def test_looking_what_is_denied_does_nothing(console) -> None:
    deny(console, "DeleteQueue")
    sign_in(console, ALICE)
    for path in ("/queues", "/queues/orders", "/queues/orders/delete", "/queues/orders/purge"):
        assert console.get(path).status == 200
    assert len(console.sqs.list_queues()["QueueUrls"]) == 2


def sign_in_with(page: Any, key: tuple[str, str]) -> None:
    page.goto("/queues")
    page.get_by_label("Access key ID").fill(key[0])
    page.get_by_label("Secret access key").fill(key[1])
    page.get_by_role("button", name="Sign in").click()


def test_the_buttons_of_the_list_follow_the_chosen_queue(page: Any, console: ConsoleUnderTest) -> None:
    deny(console, "DeleteQueue", "PurgeQueue")
    sign_in_with(page, BOB)
    page.locator("html[data-ready] [data-queue=orders]").wait_for()
    page.get_by_role("radio", name="orders").check()
    delete = page.get_by_role("button", name="Delete", exact=True)
    assert delete.is_disabled()
    assert delete.get_attribute("title") == expected("DeleteQueue")
    assert page.get_by_role("button", name="Edit", exact=True).is_enabled()
    page.get_by_role("button", name="Actions").click()
    purge = page.get_by_role("dialog").get_by_role("button", name="Purge")
    assert purge.is_disabled()
    assert purge.get_attribute("title") == expected("PurgeQueue")
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="free").check()
    assert delete.is_enabled()
    assert delete.get_attribute("title") == ""


def test_a_wrong_key_is_refused_a_right_one_shows_the_queues_until_it_signs_out(
    page: Any, console: ConsoleUnderTest
) -> None:
    page.watch.allowed.append("status of 403")
    sign_in_with(page, (BOB[0], "wrong"))
    page.get_by_text("The access key ID or the secret access key is wrong").wait_for()
    assert page.get_by_label("Access key ID").input_value() == BOB[0]
    assert page.get_by_label("Secret access key").input_value() == ""
    sign_in_with(page, BOB)
    page.get_by_role("link", name="orders").click()
    page.get_by_role("heading", name="orders", level=1).wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Access key ID").wait_for()
    page.goto("/queues/orders")
    page.get_by_label("Access key ID").wait_for()


def test_who_may_not_see_a_queue_may_not_see_its_charts(console) -> None:
    deny(console, "GetQueueAttributes")
    sign_in(console, BOB)
    assert console.get("/queues/orders/monitoring").status == 403
    refused = console.get("/queues/orders/metrics.json", Accept="application/json")
    assert (refused.status, json.loads(refused.text)["code"]) == (403, "AccessDenied")
    sign_in(console, ALICE)
    assert console.get("/queues/orders/metrics.json").status == 200
