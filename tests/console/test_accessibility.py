"""axe-core finds nothing serious on any page, in either theme."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.built_once import built_once
from support.client_program import output_of
from support.console_visit import ConsoleUnderTest
from support.tools import need

FOLDER = Path(__file__).parent / "axe"
PAGES = (
    "/queues",
    "/queues?search=nothing-is-called-so",
    "/queues/new",
    "/queues/orders",
    "/queues/orders?tab=dead-letters",
    "/queues/orders?tab=redrive-tasks",
    "/queues/orders?tab=tags",
    "/queues/orders?tab=encryption",
    "/queues/orders/monitoring",
    "/queues/orders/edit",
    "/queues/orders/messages",
    "/queues/orders.fifo/messages",
    "/queues/orders/browse",
    "/queues/dead/browse",
    "/queues/dead/redrive",
    "/queues/orders/purge",
    "/queues/orders/delete",
    "/server",
    "/queues/gone",
    "/no-such-page",
)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that knows the rules."""
    npm = need("npm", "to fetch axe-core")
    command = [npm, "ci", "--no-progress"]
    folder = built_once(FOLDER, "node_modules", ["package*.json", ".npmrc"], lambda: output_of(command, FOLDER))
    return (folder / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def furnished(console: ConsoleUnderTest) -> ConsoleUnderTest:
    """A console with queues of both types, with messages, tags, a policy and dead letters."""
    sqs = console.sqs
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    url = sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": policy}, tags={"team": "shop"})[
        "QueueUrl"
    ]
    sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})
    sqs.send_message(QueueUrl=url, MessageBody="lost", MessageGroupId="tenant-1")
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)
    sqs.send_message(QueueUrl=dead, MessageBody="another")
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    return console


def complaints(page: Any, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def test_the_check_finds_what_it_is_for(page: Any, furnished: ConsoleUnderTest, axe: str) -> None:
    page.goto("/queues")
    page.evaluate("document.querySelector('h1').innerHTML = '<button></button>'")
    assert any(fault.startswith("button-name") for fault in complaints(page, axe))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(page: Any, furnished: ConsoleUnderTest, axe: str, scheme: str) -> None:
    page.watch.allowed.append("status of 404")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    for path in PAGES:
        page.goto(path)
        page.locator("html[data-ready]").wait_for()
        found[path] = complaints(page, axe)
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_has_no_serious_fault(browser: Any, tmp_path: Path, axe: str, scheme: str) -> None:
    (tmp_path / "credentials").write_text(
        "[a]\naws_access_key_id = AKIAA\naws_secret_access_key = s\naws_account_id = 123456789012\n"
    )
    console = ConsoleUnderTest(tmp_path, credentials=str(tmp_path / "credentials"))
    page = browser.new_page(base_url=console.url, color_scheme=scheme)
    try:
        page.goto("/sign-in")
        assert complaints(page, axe) == []
        page.get_by_label("Access key ID").fill("AKIAA")
        page.get_by_label("Secret access key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("is wrong").wait_for()
        assert complaints(page, axe) == []
    finally:
        page.close()
        console.stop()


def test_no_dialog_has_a_serious_fault(page: Any, furnished: ConsoleUnderTest, axe: str) -> None:
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.locator("dialog[open]").wait_for()
        found[name] = complaints(page, axe)

    page.goto("/queues/orders/browse")
    page.locator("html[data-ready]").wait_for()
    page.locator("[data-message]").first.click()
    for tab in ("Details", "Body", "Attributes"):
        page.get_by_role("tab", name=tab).click()
        look(tab)
    page.goto("/queues/orders")
    page.locator("html[data-ready]").wait_for()
    for button in ("Delete", "Purge"):
        page.get_by_role("button", name=button, exact=True).click()
        look(button)
        page.keyboard.press("Escape")
    page.goto("/queues")
    page.locator("html[data-ready]").wait_for()
    page.get_by_role("button", name="Preferences").click()
    look("Preferences")
    assert {name: faults for name, faults in found.items() if faults} == {}
