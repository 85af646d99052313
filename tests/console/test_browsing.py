"""Peek: looking through a queue without receiving, over HTTP and in Chromium; and sending dead letters back."""

import json
import re
from typing import Any

from support.console_visit import ConsoleUnderTest

LINK = re.compile(r'data-message="(\d+)"')


def create(console: ConsoleUnderTest, name: str = "orders", **attributes: str) -> str:
    url: str = console.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def send(console: ConsoleUnderTest, url: str, *bodies: str, **given: Any) -> None:
    for start in range(0, len(bodies), 10):
        entries = [{"Id": str(i), "MessageBody": body, **given} for i, body in enumerate(bodies[start : start + 10])]
        assert len(console.sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == len(entries)


def dead_letters(console: ConsoleUnderTest, *bodies: str) -> tuple[str, str]:
    """Messages that were received once too often: the URLs of their source and of their dead-letter queue."""
    dead = create(console, "dead")
    arn = console.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    source = create(console, "orders", RedrivePolicy=policy)
    send(console, source, *bodies)
    for _ in range(2):
        console.sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return source, dead


def waiting(console: ConsoleUnderTest, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_messages_of_every_state_are_shown_and_none_is_touched(console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, "in flight")
    (taken,) = console.sqs.receive_message(QueueUrl=url)["Messages"]
    send(console, url, "waits")
    send(console, url, "delayed", DelaySeconds=600)
    page = console.get("/queues/orders/browse").text
    assert page.count("<tr>") == 5  # the heads of two tables, one of them in the dialog
    for body in ("in flight", "waits", "delayed"):
        assert body in page
    (seen,) = console.sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert (seen["Body"], seen["Attributes"]["ApproximateReceiveCount"]) == ("waits", "1")
    console.sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])


def test_a_filter_of_each_kind_lets_only_its_messages_through(console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, "Pears and plums", MessageGroupId="tenant-1")
    send(console, url, "apples", MessageAttributes={"kind": {"DataType": "String", "StringValue": "fruit"}})
    send(console, url, "late", DelaySeconds=600)
    found = {
        query: [body for body in ("Pears", "apples", "late") if f'data-label="Body">{body}' in page]
        for query in ("text=PEARS", "group=tenant-1", "attribute=kind", "attribute=kind%3Dfruit", "state=delayed")
        for page in [console.get(f"/queues/orders/browse?{query}").text]
    }
    assert found == {
        "text=PEARS": ["Pears"],
        "group=tenant-1": ["Pears"],
        "attribute=kind": ["apples"],
        "attribute=kind%3Dfruit": ["apples"],
        "state=delayed": ["late"],
    }
    assert "No matches" in console.get("/queues/orders/browse?attribute=kind%3Dnuts").text


def test_a_long_queue_is_read_page_by_page_to_its_end(console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, *(f"message {number:03}" for number in range(120)))
    path: str | None = "/queues/orders/browse"
    seen: list[str] = []
    pages = 0
    while path:
        page = console.get(path).text
        seen += re.findall(r"message \d{3}", page)
        found = re.search(r'href="([^"]*)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else None
        pages += 1
    assert seen == [f"message {number:03}" for number in range(120)]
    assert pages == 3
    assert "looked at 120, to the end of the queue" in page


def test_a_message_has_a_page_of_its_own_and_says_when_it_is_gone(console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, "<script>alert(1)</script>")
    (sequence,) = LINK.findall(console.get("/queues/orders/browse").text)
    page = console.get(f"/queues/orders/browse/{sequence}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    view = json.loads(console.get(f"/queues/orders/browse/{sequence}", Accept="application/json").text)
    assert (view["body"], view["state"]) == ("<script>alert(1)</script>", "Available")
    console.sqs.purge_queue(QueueUrl=url)
    gone = console.get(f"/queues/orders/browse/{sequence}")
    assert (gone.status, "not in the queue any more" in gone.text) == (404, True)
    told = console.get(f"/queues/orders/browse/{sequence}", Accept="application/json")
    assert (told.status, json.loads(told.text)["code"]) == (404, "MessageIsGone")


def test_nonsense_in_the_address_is_no_error(console: ConsoleUnderTest) -> None:
    create(console)
    for query in ("after=x&looked_at=-1", "state=nonsense", "after=99999999999999999999", "text=%ff%00"):
        assert console.get(f"/queues/orders/browse?{query}").status == 200
    assert console.get("/queues/orders/browse/nonsense").status == 404
    assert console.get("/queues/no-such-queue/browse").status == 404


def test_chosen_dead_letters_are_sent_back_and_the_others_stay(page: Any, console: ConsoleUnderTest) -> None:
    source, dead = dead_letters(console, "one", "two", "three")
    page.goto("/queues/dead/browse")
    page.locator("html[data-ready]").wait_for()
    button = page.get_by_role("button", name="Send back to source queue")
    assert button.is_disabled()
    for body in ("one", "three"):
        page.get_by_role("row").filter(has_text=body).get_by_role("checkbox").check()
    button.click()
    page.get_by_text("2 messages sent back.").wait_for()
    assert (waiting(console, source), waiting(console, dead)) == (2, 1)


def test_a_dead_letter_that_is_gone_meanwhile_is_told(console: ConsoleUnderTest) -> None:
    _, dead = dead_letters(console, "one")
    (sequence,) = LINK.findall(console.get("/queues/dead/browse").text)
    console.sqs.purge_queue(QueueUrl=dead)
    answer = console.post("/queues/dead/browse/send-back", sequence=sequence)
    assert answer.status == 303
    assert "0 messages sent back. 1 not" in console.get("/queues/dead/browse").text


def test_a_message_is_opened_in_a_dialog_with_the_keyboard(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, '{"a": 1}', MessageAttributes={"kind": {"DataType": "String", "StringValue": "fruit"}})
    page.goto("/queues/orders/browse")
    page.locator("html[data-ready]").wait_for()
    page.locator("[data-message]").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Message:")
    dialog.get_by_text("Available").wait_for()
    dialog.get_by_role("tab", name="Details").focus()
    page.keyboard.press("ArrowRight")
    assert '"a": 1' in dialog.locator("[data-body]").text_content()
    page.keyboard.press("ArrowRight")
    dialog.get_by_role("row", name="kind String fruit").wait_for()
    assert not dialog.get_by_role("button", name="Delete").is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_on_a_telephone_neither_message_page_scrolls_sideways(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    send(console, url, "x" * 500)
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/queues/orders/messages", "/queues/orders/browse"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
