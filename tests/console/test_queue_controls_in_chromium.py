"""The controls of the queue pages: dialogs, copies, redrives, the parts of the form, read-only mode."""

import json
from pathlib import Path
from typing import Any

from stanchion.limits import TAGS_PER_QUEUE
from support.console_visit import ConsoleUnderTest


def visit(page: Any, path: str) -> None:
    page.goto(path)
    page.locator("html[data-ready]").wait_for()


def test_the_actions_of_a_chosen_queue_purge_it_and_lead_to_its_pages(page: Any, console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    console.sqs.send_message(QueueUrl=url, MessageBody="b")
    visit(page, "/queues")
    assert page.get_by_role("button", name="Actions").is_disabled()
    page.get_by_role("radio", name="orders").check()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("heading", name="Actions: orders").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("purge")
    page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    page.get_by_text("Queue orders purged successfully.").wait_for()
    for button, heading in (
        ("View details", "orders"),
        ("Edit", "Edit orders"),
        ("Start DLQ redrive", "DLQ redrive"),
    ):
        visit(page, "/queues")
        page.get_by_role("radio", name="orders").check()
        page.get_by_role("button", name="Actions").click()
        page.get_by_role("dialog").get_by_role("button", name=button).click()
        page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()


def test_preferences_choose_columns_and_page_size(page: Any, console: ConsoleUnderTest) -> None:
    for number in range(11):
        console.sqs.create_queue(QueueName=f"queue-{number:02}")
    visit(page, "/queues")
    page.get_by_role("button", name="Preferences").click()
    page.get_by_label("10 queues", exact=True).check()
    page.get_by_label("Created").uncheck()
    page.get_by_label("Delivery delay").check()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Page 1 of 2").wait_for()
    assert page.get_by_role("columnheader", name="Delivery delay").count() == 1
    assert page.get_by_role("columnheader", name="Created").count() == 0


def test_a_url_is_copied(page: Any, console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, "/queues/orders")
    button = page.get_by_role("button", name="Copy URL")
    button.click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == url


def test_a_redrive_shows_its_progress_and_is_cancelled(page: Any, console: ConsoleUnderTest) -> None:
    sqs = console.sqs
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    work = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for number in range(8):
        sqs.send_message(QueueUrl=work, MessageBody=str(number))
    while sqs.receive_message(QueueUrl=work, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        continue
    visit(page, "/queues/dead")
    page.get_by_role("link", name="Start DLQ redrive").click()
    page.get_by_label("Custom max velocity").check()
    page.get_by_label("Messages per second").fill("1")
    page.get_by_role("button", name="Redrive messages").click()
    page.get_by_text("DLQ redrive started.").wait_for()
    page.locator("[data-moved]", has_text="2").wait_for()  # without a reload
    page.get_by_role("button", name="Cancel DLQ redrive").first.click()
    page.get_by_text("DLQ redrive is being cancelled.").wait_for()
    page.get_by_role("cell", name="Cancelled").wait_for()
    assert page.locator("progress").count() == 0


def test_a_key_of_ones_own_is_asked_for_kept_and_shown(page: Any, console: ConsoleUnderTest) -> None:
    visit(page, "/queues/new")
    page.get_by_label("Name", exact=True).fill("secrets")
    assert not page.get_by_label("KMS key", exact=True).is_visible()
    page.get_by_label("KMS key (SSE-KMS)").check()
    page.locator("#kms_key-error").wait_for(state="visible")
    page.get_by_label("KMS key", exact=True).fill("alias/orders")
    page.locator("#kms_key-error").wait_for(state="hidden")
    page.get_by_label("Data key reuse period", exact=True).fill("2")
    page.get_by_label("Unit of Data key reuse period").select_option("hours")
    page.get_by_role("button", name="Create queue").click()
    page.get_by_text("Queue secrets created successfully.").wait_for()
    visit(page, "/queues/secrets/edit")
    assert page.get_by_label("KMS key", exact=True).input_value() == "alias/orders"
    assert page.get_by_label("Data key reuse period", exact=True).input_value() == "2"


def test_tag_rows_are_added_up_to_the_limit_and_removed(page: Any) -> None:
    visit(page, "/queues/new")
    add = page.get_by_role("button", name="Add new tag")
    for _ in range(TAGS_PER_QUEUE - 1):
        add.click()
    assert add.is_disabled()
    assert page.locator("[data-rows] [data-row]").count() == TAGS_PER_QUEUE
    page.locator("[data-removes]").first.click()
    assert add.is_enabled()
    page.get_by_text("You can add 1 more tags.").wait_for()


def test_a_dead_letter_queue_is_found_by_a_part_of_its_name(page: Any, console: ConsoleUnderTest) -> None:
    for number in range(60):
        console.sqs.create_queue(QueueName=f"a-{number}")
    console.sqs.create_queue(QueueName="z-lost")
    console.sqs.create_queue(QueueName="z-lost.fifo", Attributes={"FifoQueue": "true"})
    visit(page, "/queues/new")
    page.locator("[name=dead_letter][value=enabled]").check()
    page.get_by_label("Queue ARN", exact=True).fill("lost")
    offered = page.locator("#queue-arns option")
    page.locator("#queue-arns option[value$=':z-lost']:only-child").wait_for(state="attached")
    page.get_by_role("radio", name="FIFO").check()
    page.locator("#queue-arns option[value$=':z-lost.fifo']:only-child").wait_for(state="attached")
    assert offered.count() == 1


def test_a_policy_made_by_the_basic_method_is_edited_by_it(page: Any, console: ConsoleUnderTest) -> None:
    visit(page, "/queues/new")
    page.get_by_label("Name", exact=True).fill("shared")
    page.locator("[name=who_sends][value=listed]").check()
    page.get_by_label("Senders").fill("111111111111")
    page.get_by_role("button", name="Create queue").click()
    page.get_by_text("Queue shared created successfully.").wait_for()
    visit(page, "/queues/shared/edit")
    assert page.get_by_label("Basic").is_checked()
    assert page.get_by_label("Senders").input_value() == "111111111111"
    page.get_by_label("Advanced").check()
    assert "__sender_statement" in page.get_by_label("Policy", exact=True).input_value()


def test_in_read_only_mode_what_changes_something_is_disabled(browser: Any, tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path, console_read_only=True)
    console.sqs.create_queue(QueueName="orders")
    page = browser.new_page(base_url=console.url)
    page.set_default_timeout(10_000)
    try:
        visit(page, "/queues")
        assert page.get_by_text("Read-only").is_visible()
        assert page.get_by_role("button", name="Create queue").is_disabled()
        page.get_by_role("radio", name="orders").check()
        for name in ("Edit", "Delete"):
            assert page.get_by_role("button", name=name, exact=True).is_disabled()
        assert page.get_by_role("button", name="Actions").is_enabled()
        visit(page, "/queues/orders")
        for name in ("Edit", "Delete", "Purge"):
            button = page.get_by_role("button", name=name, exact=True).first
            assert button.is_disabled()
            assert button.get_attribute("title") == "The console is in read-only mode."
    finally:
        page.close()
        console.stop()
