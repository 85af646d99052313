"""The pages of queues as a person uses them."""

from typing import Any

from stanchion.console.queues import COLUMNS
from support.console_visit import ConsoleUnderTest


def test_a_queue_with_a_tag_is_created_seen_edited_purged_and_deleted(page: Any, console: ConsoleUnderTest) -> None:
    page.goto("/queues")
    page.get_by_role("link", name="Create queue").first.click()
    page.get_by_label("Name", exact=True).fill("exercise")
    page.get_by_label("Key", exact=True).fill("qut-username")
    page.locator("[name=tag_value]").first.fill("n1234567@qut.edu.au")
    page.get_by_role("button", name="Create queue").click()
    page.get_by_text("Queue exercise created successfully.").wait_for()
    page.get_by_role("link", name="Tagging").click()
    page.get_by_role("row", name="qut-username n1234567@qut.edu.au").wait_for()

    page.get_by_role("link", name="Edit", exact=True).first.click()
    page.get_by_label("Delivery delay", exact=True).fill("0.5")
    page.get_by_label("Unit of Delivery delay").select_option("minutes")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Queue exercise updated successfully.").wait_for()
    page.get_by_text("30 seconds").first.wait_for()

    page.get_by_role("button", name="Purge", exact=True).click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("button", name="Purge").is_disabled()
    dialog.get_by_role("textbox").fill("purge")
    dialog.get_by_role("button", name="Purge").click()
    page.get_by_text("Queue exercise purged successfully.").wait_for()

    page.goto("/queues")
    assert page.get_by_role("button", name="Delete").is_disabled()
    page.get_by_role("radio", name="exercise").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Queue exercise deleted successfully.").wait_for()
    page.get_by_text("Queues (0)").first.wait_for()


def test_counts_are_live_and_a_queue_that_vanishes_is_told(page: Any, console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    page.goto("/queues")
    console.sqs.send_message(QueueUrl=url, MessageBody="b")
    page.locator("[data-queue=orders] [data-cell=available]", has_text="1").wait_for()
    console.sqs.delete_queue(QueueUrl=url)
    page.get_by_text("The queue orders does not exist any more.").wait_for()


def test_the_form_is_checked_while_somebody_types(page: Any, console: ConsoleUnderTest) -> None:
    page.goto("/queues/new")
    page.get_by_label("Visibility timeout", exact=True).fill("50000")
    page.locator("#visibility_timeout-error").wait_for(state="visible")
    page.get_by_label("Visibility timeout", exact=True).fill("50")
    page.locator("#visibility_timeout-error").wait_for(state="hidden")
    page.get_by_label("Advanced").check()
    assert "__owner_statement" in page.get_by_label("Policy", exact=True).input_value()
    page.get_by_label("Policy", exact=True).fill('{"Statement": 1}')
    page.locator("#policy-error").wait_for(state="visible")


def test_high_throughput_sets_both_choices_and_a_change_by_hand_clears_it(page: Any) -> None:
    page.goto("/queues/new")
    page.get_by_role("radio", name="FIFO").check()
    page.get_by_label("Enable high throughput FIFO").check()
    assert page.get_by_role("radio", name="Per message group ID").is_checked()
    page.get_by_role("radio", name="Per queue").check()
    assert not page.get_by_label("Enable high throughput FIFO").is_checked()


def test_a_queue_is_chosen_and_deleted_with_the_keyboard(page: Any, console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    page.goto("/queues")
    page.get_by_role("radio", name="orders").focus()
    page.keyboard.press("Space")
    page.locator("button[data-opens=delete-queue]:enabled").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("textbox").focus()
    page.keyboard.type("delete")
    page.keyboard.press("Enter")
    page.get_by_text("Queue orders deleted successfully.").wait_for()


def test_the_usual_columns_fit_a_small_screen(page: Any, console: ConsoleUnderTest) -> None:
    name = "orders-of-the-western-warehouse.fifo"
    url = console.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    console.sqs.send_message(QueueUrl=url, MessageBody="b", MessageGroupId="g", MessageDeduplicationId="d")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/queues")
    assert page.locator(".table-scroll").evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_every_column_sorts_the_list(page: Any, console: ConsoleUnderTest) -> None:
    for name, seconds in (("a", "60"), ("b", "7"), ("c", "9")):
        console.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": seconds})
    sortable = [column for column in COLUMNS if column.order]
    assert len(sortable) == len(COLUMNS) - 1  # the last hour is a drawing
    page.goto("/preferences?size=25&" + "&".join(f"column={column.key}" for column in COLUMNS))
    links = page.locator("thead th a")
    assert links.count() == 1 + len(sortable)
    for column in sortable:
        page.goto(f"/queues?sort={column.order}")
        assert page.locator("[aria-sort]").inner_text().strip() == (column.short or column.title)
    page.get_by_role("link", name="Visibility timeout").click()
    page.wait_for_url("**sort=visibility_timeout**")
    assert page.locator("tbody th").all_inner_texts() == ["b", "c", "a"]
    page.get_by_role("link", name="Visibility timeout").click()
    page.wait_for_url("**order=descending**")
    assert page.locator("tbody th").all_inner_texts() == ["a", "c", "b"]


def test_without_scripts_a_queue_is_purged_and_deleted(browser: Any, console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    console.sqs.send_message(QueueUrl=url, MessageBody="b")
    context = browser.new_context(base_url=console.url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/queues")
    page.get_by_role("link", name="orders").click()
    page.get_by_role("link", name="Purge").click()
    page.get_by_label("To confirm, type purge").fill("purge")
    page.get_by_role("button", name="Purge").click()
    page.get_by_text("Queue orders purged successfully.").wait_for()
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("To confirm, type delete").fill("delete")
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Queue orders deleted successfully.").wait_for()
    context.close()


def test_on_a_telephone_no_page_scrolls_sideways(page: Any, console: ConsoleUnderTest) -> None:
    name = "a-queue-with-the-longest-name-that-there-can-be-which-is-eighty-letters-in-all-x"
    console.sqs.create_queue(QueueName=name)
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/queues", "/queues/new", f"/queues/{name}", f"/queues/{name}/edit", f"/queues/{name}/redrive"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
