"""The pages of queues over HTTP, without scripts."""

import asyncio
import json
import re
import time
from urllib.request import urlopen

from stanchion.clock import ManualClock
from stanchion.console.live import Glance
from stanchion.model import QueueKey
from support.console_visit import ConsoleUnderTest

ACCOUNT = "000000000000"
FORM = {"type": "standard", "visibility_timeout": "2", "visibility_timeout_unit": "minutes"}


def test_without_queues_the_list_offers_to_create_one(console: ConsoleUnderTest) -> None:
    page = console.get("/queues").text
    assert "Queues (0)" in page
    assert "No queues" in page


def test_a_queue_is_created_with_what_the_form_says(console: ConsoleUnderTest) -> None:
    answer = console.post("/queues/new", **FORM, name="orders", tag_key="qut-username", tag_value="n1234567")
    assert (answer.status, answer.location) == (303, "/queues/orders")
    url = console.sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    shown = console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert shown["VisibilityTimeout"] == "120"
    assert console.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"qut-username": "n1234567"}
    page = console.get("/queues/orders").text
    assert "Queue orders created successfully." in page
    assert url in page


def test_what_the_service_refuses_is_shown_in_the_form_left_filled_in(console: ConsoleUnderTest) -> None:
    answer = console.post("/queues/new", **FORM | {"visibility_timeout": "99999"}, name="orders")
    assert answer.status == 400
    assert "InvalidAttributeValue" in answer.text
    assert 'value="99999"' in answer.text


def test_a_name_that_is_taken_is_refused(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    answer = console.post("/queues/new", **FORM, name="orders")
    assert answer.status == 400
    assert "already exists" in answer.text


def test_an_edit_changes_attributes_and_tags_and_nothing_else(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders", tags={"a": "1", "b": "2"})["QueueUrl"]
    assert "readonly" in console.get("/queues/orders/edit").text
    answer = console.post("/queues/orders/edit", delay="1", delay_unit="minutes", tag_key="b", tag_value="3")
    assert (answer.status, answer.location) == (303, "/queues/orders")
    shown = console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["DelaySeconds"], shown["VisibilityTimeout"]) == ("60", "30")
    assert console.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "3"}


def test_a_form_that_another_tab_has_overtaken_is_not_saved_before_somebody_says_so(
    console: ConsoleUnderTest,
) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    seen = re.search(r'name="seen" value="(\w+)"', console.get("/queues/orders/edit").text)
    assert seen
    console.sqs.send_message(QueueUrl=url, MessageBody="x")  # changes no attribute that anybody sets
    assert console.post("/queues/orders/edit", seen=seen[1], **FORM).status == 303
    answer = console.post("/queues/orders/edit", seen=seen[1], **FORM | {"visibility_timeout": "5"})
    assert (answer.status, "has been changed since" in answer.text) == (409, True)
    shown = console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert shown["VisibilityTimeout"] == "120"
    again = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert again
    assert 'name="visibility_timeout" inputmode="decimal" autocomplete="off" value="5"' in answer.text
    assert console.post("/queues/orders/edit", seen=again[1], **FORM | {"visibility_timeout": "5"}).status == 303


def test_every_tab_of_a_queue_can_be_read(console: ConsoleUnderTest) -> None:
    target = console.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = console.sqs.get_queue_attributes(QueueUrl=target, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    console.sqs.create_queue(QueueName="work.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": redrive})
    for tab in ("policy", "dead-letters", "redrive-tasks", "tags", "encryption"):
        for name in ("dead.fifo", "work.fifo"):
            assert console.get(f"/queues/{name}?tab={tab}").status == 200
    assert arn in console.get("/queues/work.fifo?tab=dead-letters").text
    assert 'href="/queues/work.fifo"' in console.get("/queues/dead.fifo?tab=dead-letters").text


def test_purge_and_delete_want_their_word(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    console.sqs.send_message(QueueUrl=url, MessageBody="b")
    console.post("/queues/orders/purge", word="purge it")
    assert _available(console, url) == "1"
    console.post("/queues/orders/purge", word="purge")
    assert _available(console, url) == "0"
    assert console.post("/queues/orders/delete", word="").location == "/queues/orders"
    assert console.post("/queues/orders/delete", word="delete").location == "/queues"
    assert "Queues (0)" in console.get("/queues").text


def _available(console: ConsoleUnderTest, url: str) -> str:
    name = "ApproximateNumberOfMessages"
    return str(console.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_a_queue_that_is_not_there_is_said_to_be_gone(console: ConsoleUnderTest) -> None:
    for path in ("/queues/no-such", "/queues/no-such/edit", "/queues/no-such/redrive"):
        answer = console.get(path)
        assert answer.status == 404
        assert "does not exist" in answer.text


def test_the_list_is_searched_sorted_and_paged(console: ConsoleUnderTest) -> None:
    for number in range(12):
        console.sqs.create_queue(QueueName=f"queue-{number:02}")
    first = console.get("/queues?size=10").text
    assert "Page 1 of 2" in first
    assert "queue-09" in first
    assert "queue-10" not in first
    assert "queue-11" in console.get("/queues?size=10&order=descending").text
    assert "Queues (1)" in console.get("/queues?search=QUEUE-07").text
    assert "Page 2 of 2" in console.get("/queues?size=10&page=99").text


def test_columns_and_page_size_are_kept(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    assert 'data-cell="retention"' not in console.get("/queues").text
    console.get("/preferences?size=10&column=retention")
    page = console.get("/queues").text
    assert 'data-cell="retention"' in page
    assert 'data-cell="created"' not in page


def test_a_redrive_is_started_and_listed(console: ConsoleUnderTest) -> None:
    dead = console.sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = console.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    refused = console.post("/queues/dead/redrive", destination="source", velocity="system")
    assert refused.status == 400
    assert "must be configured as a Dead Letter Queue" in refused.text
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    console.sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": redrive})
    started = console.post("/queues/dead/redrive", destination="source", velocity="custom", rate="5")
    assert started.location == "/queues/dead?tab=redrive-tasks"
    assert "5 messages per second" in console.get("/queues/dead?tab=redrive-tasks").text
    assert console.post("/queues/dead/redrive/cancel").status == 303


def test_source_queues_beyond_the_first_hundred_are_hinted_at(console: ConsoleUnderTest) -> None:
    dead = console.sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = console.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    hint = "only the first 100 are shown"
    for number in range(101):
        assert number != 100 or hint not in console.get("/queues/dead?tab=dead-letters").text
        console.sqs.create_queue(QueueName=f"work-{number}", Attributes={"RedrivePolicy": redrive})
    assert hint in console.get("/queues/dead?tab=dead-letters").text
    assert "… and more" in console.get("/queues/dead/redrive").text


def test_a_queue_named_new_has_a_page_too(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="new")
    assert 'href="/queues/new/details"' in console.get("/queues").text
    assert "Create queue" not in console.get("/queues/new/details").text


def test_the_check_answers_by_field(console: ConsoleUnderTest) -> None:
    fields = [["type", "standard"], ["name", "a b"], ["policy_method", "advanced"], ["policy", "{}"]]
    answer = console.post_json("/queue-check", json.dumps(fields))
    assert set(json.loads(answer.text)["problems"]) == {"name", "policy"}


def test_the_stream_tells_counts_and_that_a_queue_is_gone(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    with urlopen(f"{console.url}/live/queues?names=orders,none", timeout=10) as stream:
        assert _next_event(stream) == {"orders": [0, 0, 0], "none": None}
        console.sqs.send_message(QueueUrl=url, MessageBody="b")
        assert _next_event(stream)["orders"] == [1, 0, 0]
        console.sqs.delete_queue(QueueUrl=url)
        assert _next_event(stream)["orders"] is None


def test_pages_that_look_within_one_second_share_one_look(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    application = console.server.application
    glance = Glance(application.store, ManualClock())
    key = QueueKey(ACCOUNT, "us-east-1", "orders")

    async def look_thrice() -> None:
        assert glance.looks == 0
        found = await asyncio.gather(*(glance.counts([key]) for _ in range(3)))
        assert found == [{key: (0, 0, 0)}] * 3

    console.server.run(look_thrice())
    assert glance.looks == 1


def _next_event(stream: object) -> dict[str, list[int] | None]:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        line = stream.readline().decode()  # type: ignore[attr-defined]
        if line.startswith("data: "):
            found: dict[str, list[int] | None] = json.loads(line[6:])
            return found
    raise AssertionError("no event came")
