"""/metrics, as a scraper reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stanchion.clock import ManualClock
from stanchion.console.prometheus import QUEUE_METRICS, SERVER_METRICS, Told
from support.console_visit import ConsoleUnderTest

ROOT = Path(__file__).resolve().parents[2]
QUEUE = {"account": "000000000000", "region": "us-east-1", "queue": "orders"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def console(tmp_path: Path, clock: ManualClock) -> Iterator[ConsoleUnderTest]:
    server = ConsoleUnderTest(tmp_path, clock)
    yield server
    server.stop()


def scrape(console: ConsoleUnderTest) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = console.get("/metrics")
    assert answer.status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def sample(told: Told) -> str:
    return f"{told.name}_total" if told.kind == "counter" else told.name


def test_a_queues_counts_and_what_happened_to_it_are_there(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    for body in ("12345", "123"):
        console.sqs.send_message(QueueUrl=url, MessageBody=body)
    (message,) = console.sqs.receive_message(QueueUrl=url)["Messages"]
    console.sqs.send_message(QueueUrl=url, MessageBody="1", DelaySeconds=60)
    console.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    console.sqs.receive_message(QueueUrl=url)
    console.sqs.receive_message(QueueUrl=url)
    found = scrape(console)
    values = {told.name: of(found, sample(told), **QUEUE) for told in QUEUE_METRICS}
    assert values == {
        "sqs_approximate_number_of_messages_visible": 0,
        "sqs_approximate_number_of_messages_not_visible": 1,
        "sqs_approximate_number_of_messages_delayed": 1,
        "sqs_approximate_age_of_oldest_message_seconds": None,
        "sqs_approximate_number_of_groups_with_inflight_messages": None,
        "sqs_approximate_number_of_noisy_groups": None,
        "sqs_approximate_number_of_messages_visible_in_quiet_groups": None,
        "sqs_number_of_messages_sent": 3,
        "sqs_sent_message_size_bytes": 9,
        "sqs_number_of_messages_received": 2,
        "sqs_number_of_empty_receives": 1,
        "sqs_number_of_messages_deleted": 1,
        "sqs_number_of_deduplicated_sent_messages": 0,
    }


def test_what_is_worked_out_once_a_minute_is_there_after_a_minute(
    console: ConsoleUnderTest, clock: ManualClock
) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    console.sqs.send_message(QueueUrl=url, MessageBody="x")
    console.server.call(lambda: clock.advance(60_000))
    console.server.settle()
    age = of(scrape(console), "sqs_approximate_age_of_oldest_message_seconds", **QUEUE)
    assert age is not None
    assert 0 < age <= 60


def test_a_queue_that_nobody_uses_is_left_out_and_counted(console: ConsoleUnderTest) -> None:
    console.sqs.create_queue(QueueName="orders")
    found = scrape(console)
    assert of(found, "sqs_approximate_number_of_messages_visible", **QUEUE) is None
    assert (of(found, "stanchion_queues"), of(found, "stanchion_queues_left_out")) == (1, 1)


def test_requests_are_counted_by_action_and_code_and_timed(console: ConsoleUnderTest) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    for _ in range(3):
        console.sqs.send_message(QueueUrl=url, MessageBody="x")
    with pytest.raises(console.sqs.exceptions.QueueDoesNotExist):
        console.sqs.get_queue_url(QueueName="gone")
    found = scrape(console)
    assert of(found, "stanchion_requests_total", action="SendMessage", code="") == 3
    missing = "AWS.SimpleQueueService.NonExistentQueue"
    assert of(found, "stanchion_requests_total", action="GetQueueUrl", code=missing) == 1
    assert of(found, "stanchion_request_seconds_count", action="SendMessage") == 3
    assert of(found, "stanchion_request_seconds_bucket", action="SendMessage", le="+Inf") == 3
    assert of(found, "stanchion_queues") == 1
    assert of(found, "stanchion_queues_left_out") == 0
    assert (of(found, "stanchion_store_bytes") or 0) > 0


def test_a_receive_that_waited_is_not_taken_for_a_slow_one(console: ConsoleUnderTest, clock: ManualClock) -> None:
    url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
    with console.server.in_background(lambda: console.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)):
        console.server.waiting(1)
        assert of(scrape(console), "stanchion_waiting_receives") == 1
        console.server.call(lambda: clock.advance(20_000))
    found = scrape(console)
    assert of(found, "stanchion_waited_receives_total") == 1
    assert of(found, "stanchion_request_seconds_count", action="ReceiveMessage") == 0


def test_openmetrics_is_spoken_to_those_who_ask_for_it(console: ConsoleUnderTest) -> None:
    answer = console.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_store_with_a_file_tells_of_commits_and_its_disk(tmp_path: Path) -> None:
    console = ConsoleUnderTest(tmp_path, store=f"sqlite:{tmp_path}/queues.db")
    try:
        url = console.sqs.create_queue(QueueName="orders")["QueueUrl"]
        console.sqs.send_message(QueueUrl=url, MessageBody="x")
        found = scrape(console)
    finally:
        console.stop()
    assert (of(found, "stanchion_commit_seconds_count") or 0) >= 2
    assert (of(found, "stanchion_commit_operations_count") or 0) >= 2
    assert (of(found, "stanchion_store_free_bytes") or 0) > 0


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────

KEYS = """[admin]
aws_access_key_id = AKIAADMIN00000000000
aws_secret_access_key = secret
aws_account_id = 111111111111
"""


def with_auth(folder: Path, **flags: object) -> ConsoleUnderTest:
    (folder / "keys").write_text(KEYS)
    return ConsoleUnderTest(folder, credentials=str(folder / "keys"), **flags)


def test_with_auth_on_a_token_is_needed_even_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    console = with_auth(tmp_path, metrics_token=str(tmp_path / "token"))
    try:
        for authorization in ("", "Bearer wrong", "s3cret", "Bearer", "Basic s3cret"):
            answer = console.get("/metrics", Authorization=authorization)
            assert (answer.status, "Authorization: Bearer" in answer.text) == (403, True)
        assert console.get("/metrics", Authorization="Bearer s3cret").status == 200
    finally:
        console.stop()


def test_with_auth_on_and_no_token_the_answer_says_how_to_give_one(tmp_path: Path) -> None:
    console = with_auth(tmp_path)
    try:
        answer = console.get("/metrics", Authorization="Bearer ")
        assert (answer.status, "--metrics-token" in answer.text) == (403, True)
    finally:
        console.stop()


def test_one_account_s_session_does_not_open_the_metrics_of_all(tmp_path: Path) -> None:
    console = with_auth(tmp_path)
    try:
        console.post("/sign-in", access_key_id="AKIAADMIN00000000000", secret="secret")
        page = console.get("/server")
        assert page.status == 200, "signed in"
        assert "/metrics" not in page.text
        assert console.get("/metrics").status == 403
    finally:
        console.stop()


# ── What is told of them ─────────────────────────────────────────────────────────────────────────────────


def test_the_page_about_metrics_lists_them_all(console: ConsoleUnderTest) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    for told in (*QUEUE_METRICS, *SERVER_METRICS):
        cloudwatch = f"`{told.cloudwatch}`" if told.cloudwatch else ""
        assert f"| `{sample(told)}` | {told.kind} | {told.help} | {cloudwatch} |" in page
