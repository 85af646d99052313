"""Sending, polling, reading and deleting messages as a person does."""

import base64
from typing import Any

import pytest

from support.console_visit import ConsoleUnderTest

BOLD = "<b>bold</b><script>alert(1)</script>"


def create(console: ConsoleUnderTest, name: str = "orders", **attributes: str) -> str:
    url: str = console.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def counts(console: ConsoleUnderTest, url: str) -> tuple[int, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    shown = console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(shown[names[0]]), int(shown[names[1]])


def visit(page: Any, path: str) -> None:
    """Go there, and wait until the scripts are: before that, a form is sent as browsers without scripts send it."""
    page.goto(path)
    page.locator("html[data-ready]").wait_for()


def poll(page: Any, *, seconds: int = 1, count: int = 10) -> None:
    """Poll for messages with these settings, and wait until the poll is over."""
    page.get_by_role("button", name="Edit poll settings").click()
    page.get_by_label("Polling duration (seconds)").fill(str(seconds))
    page.get_by_label("Maximum message count", exact=True).fill(str(count))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Poll for messages").click()
    page.locator("[data-shows=told]", has_text="Polling has ended").wait_for(state="attached")


def test_the_course_exercise_step_by_step(page: Any, console: ConsoleUnderTest) -> None:
    page.goto("/")
    page.get_by_role("link", name="Create queue").first.click()
    page.get_by_label("Name", exact=True).fill("n12345267-test-queue")
    page.get_by_label("Key", exact=True).first.fill("qut-username")
    page.locator("[name=tag_value]").first.fill("n123467@qut.edu.au")
    page.get_by_role("button", name="Create queue").click()
    page.get_by_text("Queue n12345267-test-queue created successfully.").wait_for()
    url = console.sqs.get_queue_url(QueueName="n12345267-test-queue")["QueueUrl"]
    page.get_by_text(url).first.wait_for()
    assert console.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"qut-username": "n123467@qut.edu.au"}

    page.get_by_role("link", name="Send and receive messages").click()
    page.locator("html[data-ready]").wait_for()
    page.get_by_label("Message body").fill("testing out SQS")
    page.get_by_role("button", name="Send message").click()
    page.get_by_text("Your message has been sent and is ready to be received").wait_for()
    page.locator("[data-cell=available]", has_text="1").wait_for()

    page.get_by_role("button", name="Poll for messages").click()
    message = page.locator("[data-messages] tbody tr").get_by_role("button")
    message.wait_for()
    page.get_by_role("button", name="Stop polling").click()
    message_id = message.text_content()
    message.click()
    dialog = page.get_by_role("dialog", name=f"Message: {message_id}")
    dialog.get_by_role("tab", name="Body").click()
    assert dialog.locator("[data-body]").text_content() == "testing out SQS"
    dialog.get_by_role("button", name="Done").click()
    page.locator("[data-cell=available]", has_text="1").wait_for()  # it stays until it is deleted

    page.get_by_role("checkbox", name=f"Choose {message_id}").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    question = page.get_by_role("dialog", name="Delete Messages?")
    question.get_by_text("1 message").wait_for()
    question.get_by_role("button", name="Delete").click()
    page.get_by_text("1 message deleted.").wait_for()
    page.locator("[data-cell=available]", has_text="0").wait_for()
    assert counts(console, url) == (0, 0)


def test_a_message_is_sent_with_all_that_it_can_have_and_the_form_stays(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    visit(page, "/queues/orders/messages")
    page.get_by_label("Message body").fill("line one\nline two")
    page.get_by_label("Message group ID").fill("tenant-1")
    page.get_by_label("Delivery delay", exact=True).fill("0")
    page.get_by_text("Message attributes – optional").click()
    row = page.locator("[data-rows] [data-row]").first
    row.get_by_label("Name").fill("price")
    row.locator("[name=attribute_type]").select_option("Number")
    row.get_by_label("Custom type").fill("eur")
    row.get_by_label("Value").fill("12.50")
    page.get_by_role("button", name="Add new attribute").click()
    row = page.locator("[data-rows] [data-row]").last
    row.get_by_label("Name").fill("raw")
    row.locator("[name=attribute_type]").select_option("Binary")
    row.get_by_label("Value").fill(base64.b64encode(b"\xff\x00\xfe").decode())
    page.get_by_text("You can add 8 more attributes.").wait_for()
    page.get_by_role("button", name="Send message").click()
    page.get_by_role("button", name="View details").first.click()
    details = page.get_by_role("dialog", name="Message sent")
    received = console.sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"])
    (message,) = received["Messages"]
    for fact in (message["MessageId"], message["MD5OfBody"], message["MD5OfMessageAttributes"]):
        details.get_by_text(fact).wait_for()
    assert message["Body"] == "line one\nline two"
    assert message["Attributes"]["MessageGroupId"] == "tenant-1"
    assert message["MessageAttributes"] == {
        "price": {"StringValue": "12.50", "DataType": "Number.eur"},
        "raw": {"BinaryValue": b"\xff\x00\xfe", "DataType": "Binary"},
    }
    details.get_by_role("button", name="Done").click()
    assert page.get_by_label("Message body").input_value() == "line one\nline two"
    page.get_by_role("button", name="Clear content").click()
    assert page.get_by_label("Message body").input_value() == ""


def test_what_the_service_refuses_is_told_and_the_form_stays(page: Any, console: ConsoleUnderTest) -> None:
    create(console)
    page.watch.allowed.append("status of 400")
    visit(page, "/queues/orders/messages")
    page.get_by_label("Message body").fill("hello")
    page.get_by_label("Delivery delay", exact=True).fill("16")
    page.get_by_label("Unit of Delivery delay").select_option("minutes")
    page.get_by_role("button", name="Send message").click()
    banner = page.locator("#banners .error")
    banner.get_by_text("InvalidParameterValue").wait_for()
    banner.get_by_text("DelaySeconds must be >= 0 and <= 900").wait_for()
    assert page.get_by_label("Message body").input_value() == "hello"


def test_a_poll_shows_its_progress_ends_at_the_count_and_gives_the_messages_back(
    page: Any, console: ConsoleUnderTest
) -> None:
    url = create(console)
    for number in range(13):
        console.sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
    visit(page, "/queues/orders/messages")
    poll(page, seconds=30, count=12)
    assert page.locator("[data-messages] tbody tr").count() == 12
    assert counts(console, url) == (13, 0)
    page.reload()  # the settings hold as long as the tab is open
    page.get_by_text("30 seconds").first.wait_for()
    assert page.locator("[data-shows=count]").text_content() == "12"


def test_messages_are_hidden_from_others_while_the_poll_runs(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    console.sqs.send_message(QueueUrl=url, MessageBody="hello")
    visit(page, "/queues/orders/messages")
    page.get_by_role("button", name="Poll for messages").click()
    page.locator("[data-messages] tbody tr").wait_for()
    assert counts(console, url) == (0, 1)
    assert page.get_by_role("button", name="Poll for messages").is_disabled()
    page.get_by_role("button", name="Stop polling").click()
    page.locator("[data-shows=progress]", has_text="Stopped").wait_for()
    assert counts(console, url) == (1, 0)


def test_leaving_the_page_in_the_middle_of_a_poll_gives_the_messages_back(
    page: Any, console: ConsoleUnderTest
) -> None:
    url = create(console)
    console.sqs.send_message(QueueUrl=url, MessageBody="hello")
    visit(page, "/queues/orders/messages")
    page.get_by_role("button", name="Poll for messages").click()
    page.locator("[data-messages] tbody tr").wait_for()
    page.goto("/queues/orders")
    page.locator("[data-cell=available]", has_text="1").wait_for()


def test_on_a_fifo_queue_messages_can_be_deleted_while_the_poll_runs(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console, "orders.fifo", FifoQueue="true")
    visit(page, "/queues/orders.fifo/messages")
    page.get_by_label("Message body").fill("first")
    page.get_by_label("Message group ID").fill("g")
    page.get_by_label("Message deduplication ID").fill("d")
    page.get_by_role("button", name="Send message").click()
    page.get_by_text("Your message has been sent and is ready to be received").wait_for()
    page.get_by_role("button", name="Poll for messages").click()
    page.locator("[data-messages] tbody tr").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Message:")
    for fact in ("Message group ID", "Message deduplication ID", "Sequence number"):
        dialog.get_by_text(fact).wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete Messages?").get_by_role("button", name="Delete").click()
    page.get_by_text("1 message deleted.").wait_for()
    assert counts(console, url) == (0, 0)


def test_a_handle_that_has_gone_stale_asks_to_poll_again(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console, "orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    console.sqs.send_message(QueueUrl=url, MessageBody="first", MessageGroupId="g")
    visit(page, "/queues/orders.fifo/messages")
    poll(page)
    page.get_by_role("checkbox", name="Choose all messages").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog", name="Delete Messages?").get_by_role("button", name="Delete").click()
    page.get_by_text("Poll for messages again").wait_for()
    assert counts(console, url) == (1, 0)


@pytest.mark.parametrize(
    ("body", "view", "shown"),
    [
        ('{"b":1.50,"a":[1,{}],"n":12345678901234567890}', "JSON", '"n": 12345678901234567890'),
        ("<a x='1'><b>text</b><c/></a>", "XML", "  <b>text</b>\n  <c/>"),
        (base64.b64encode("grüße".encode()).decode(), "Decoded Base64", "grüße"),
        (BOLD, "Raw", BOLD),
        ("tab\there", "Hex", "74 61 62 09"),
    ],
)
def test_a_body_is_shown_as_what_it_is(
    page: Any, console: ConsoleUnderTest, body: str, view: str, shown: str
) -> None:
    url = create(console)
    console.sqs.send_message(QueueUrl=url, MessageBody=body)
    visit(page, "/queues/orders/messages")
    poll(page)
    page.locator("[data-messages] tbody tr").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Message:")
    dialog.get_by_role("tab", name="Body").click()
    dialog.get_by_role("radio", name=view, exact=True).check()
    assert shown in dialog.locator("[data-body]").text_content()
    dialog.get_by_role("radio", name="Raw", exact=True).check()
    assert dialog.locator("[data-body]").text_content() == body


def test_hostile_attributes_and_a_body_of_a_mebibyte_are_shown_as_they_are(
    page: Any, console: ConsoleUnderTest
) -> None:
    url = create(console)
    attributes = {
        "markup": {"DataType": "String", "StringValue": BOLD},
        "broken": {"DataType": "Binary.utf8", "BinaryValue": b"\xc3\x28\x00"},
    }
    console.sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_000, MessageAttributes=attributes)
    visit(page, "/queues/orders/messages")
    poll(page)
    page.locator("[data-messages] tbody tr").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Message:")
    dialog.get_by_role("tab", name="Attributes").click()
    dialog.get_by_text(BOLD).wait_for()
    dialog.get_by_text("c3 28 00").wait_for()
    dialog.get_by_role("tab", name="Body").click()
    assert len(dialog.locator("[data-body]").text_content()) == 1_048_000


def test_found_messages_are_searched(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    for body in ("apples", "pears"):
        console.sqs.send_message(QueueUrl=url, MessageBody=body)
    visit(page, "/queues/orders/messages")
    poll(page, count=2)
    page.get_by_label("Search messages").fill("PEAR")
    rows = page.locator("[data-messages] tbody tr:not([hidden])")
    assert rows.count() == 1
    rows.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("tab", name="Body").click()
    assert page.locator("[data-body]").text_content() == "pears"


def test_a_queue_that_is_deleted_under_a_poll_says_so(page: Any, console: ConsoleUnderTest) -> None:
    url = create(console)
    page.watch.allowed.append("status of 400")
    visit(page, "/queues/orders/messages")
    page.get_by_role("button", name="Poll for messages").click()
    console.sqs.delete_queue(QueueUrl=url)
    page.get_by_text("does not exist").first.wait_for()
    page.locator("[data-shows=told]", has_text="Polling has ended").wait_for(state="attached")
