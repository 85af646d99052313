"""What every store promises, one promise a test. No test waits: each verb is told what time it is."""

import asyncio
from collections.abc import Callable

import pytest

from model.bench import ACCOUNT, REGION, Bench, admit, arn_of, at, bodies, key_of, redrive
from stanchion import ids
from stanchion.engine.browsing import filtering
from stanchion.errors import (
    InvalidParameterValue,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    ReceiptHandleIsInvalid,
    ResourceNotFound,
    ServiceUnavailable,
)
from stanchion.model import Counts, Message, MessageAttribute, Queue, QueueKey, RedriveAllowPolicy, RedrivePolicy
from stanchion.store.base import (
    BrowseFilter,
    BrowsePage,
    Directory,
    MoveTaskDraft,
    Overview,
    QueueChange,
    QueueDraft,
    ReceiveOrder,
)

BOTH = pytest.mark.parametrize("q", ["q", "q.fifo"])
NO_MESSAGES = Counts(0, 0, 0)
HOUR = 3_600

EXPIRED = "Value {} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
GONE = (
    "Value {} for parameter ReceiptHandle is invalid. Reason: "
    "Message does not exist or is not available for visibility timeout change."
)
BEYOND_LIMIT = (
    "Value {} for parameter VisibilityTimeout is invalid. Reason: "
    "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
)


def refuse(_subject: object) -> None:
    raise PurgeQueueInProgress("q")


def text_of(answer: object) -> str:
    assert isinstance(answer, InvalidParameterValue)
    return answer.message


# ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_a_created_queue_is_found_as_it_was_made(bench: Bench, q: str):
    made = bench.create(q, {"VisibilityTimeout": "7"}, tags={"team": "ü"}, now_ms=at(1))
    assert bench.find(q) == made
    assert made.key == key_of(q)
    assert made.arn == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{q}"
    assert (made.created_at_ms, made.modified_at_ms, made.purged_at_ms) == (at(1), at(1), None)
    assert made.attributes["VisibilityTimeout"] == "7"
    assert made.tags == {"team": "ü"}


@BOTH
def test_settings_follow_from_attributes_and_defaults(bench: Bench, q: str):
    settings = bench.create(q, {"DelaySeconds": "5"}, now_ms=at(0)).settings
    assert settings.delay_seconds == 5
    assert settings.message_retention_seconds == 345_600
    assert settings.visibility_timeout_seconds == 30
    assert settings.maximum_message_size == 1_048_576
    assert settings.receive_wait_seconds == 0
    assert settings.fifo == q.endswith(".fifo")


def test_settings_hold_the_redrive_policies_read(bench: Bench):
    allow = '{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:a"]}'
    settings = bench.create("q", redrive("dead", 3) | {"RedriveAllowPolicy": allow}, now_ms=at(0)).settings
    assert settings.redrive_policy == RedrivePolicy(arn_of("dead"), 3)
    assert settings.redrive_allow_policy == RedriveAllowPolicy("byQueue", ("arn:aws:sqs:us-east-1:000000000000:a",))


def test_creating_may_answer_with_the_queue_that_is_there(bench: Bench):
    made = bench.create("q", {"DelaySeconds": "5"}, now_ms=at(0))

    def decide(directory: Directory) -> Queue:
        existing = directory.find(key_of("q"))
        assert existing is not None
        return existing

    assert bench.run(lambda: bench.store.create_queue(key_of("q"), decide, at(9))) == made
    assert bench.find("q") == made


def test_a_refused_creation_makes_no_queue(bench: Bench):
    def decide(_directory: Directory) -> QueueDraft:
        raise QueueNameExists("DelaySeconds")

    with pytest.raises(QueueNameExists):
        bench.run(lambda: bench.store.create_queue(key_of("q"), decide, at(0)))
    with pytest.raises(QueueDoesNotExist):
        bench.find("q")
    assert bench.list_names() == []


def test_the_directory_knows_when_a_queue_was_deleted(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.drop("q", now_ms=at(5))
    seen = []

    def decide(directory: Directory) -> QueueDraft:
        assert directory.find(key_of("q")) is None
        seen.append((directory.deleted_at_ms(key_of("q")), directory.deleted_at_ms(key_of("other"))))
        raise QueueDeletedRecently

    with pytest.raises(QueueDeletedRecently):
        bench.run(lambda: bench.store.create_queue(key_of("q"), decide, at(30)))
    assert seen == [(at(5), None)]


def test_the_time_of_a_deletion_outlives_tidying_for_a_minute(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.drop("q", now_ms=at(5))
    bench.tidy(now_ms=at(64))
    seen = []

    def decide(directory: Directory) -> QueueDraft:
        seen.append(directory.deleted_at_ms(key_of("q")))
        return QueueDraft({}, {})

    bench.run(lambda: bench.store.create_queue(key_of("q"), decide, at(64)))
    assert seen == [at(5)]


def test_the_directory_knows_dead_letter_queues(bench: Bench):
    bench.create("dead", now_ms=at(0))
    bench.create("q", redrive("dead", 3), now_ms=at(0))
    answers = []

    def decide(queue: Queue, directory: Directory) -> QueueChange:
        answers.append((directory.is_dead_letter_queue(arn_of("dead")), directory.is_dead_letter_queue(arn_of("q"))))
        return QueueChange(queue.attributes, queue.tags, modified=False)

    bench.run(lambda: bench.store.change_queue(key_of("dead"), decide, at(1)))
    bench.change("q", {"RedrivePolicy": None}, now_ms=at(2))
    bench.run(lambda: bench.store.change_queue(key_of("dead"), decide, at(3)))
    assert answers == [(True, False), (False, False)]


def test_a_deleted_source_makes_no_dead_letter_queue_any_more(bench: Bench):
    bench.create("dead", now_ms=at(0))
    bench.create("q", redrive("dead", 3), now_ms=at(0))
    bench.drop("q", now_ms=at(1))
    answers = []

    def decide(queue: Queue, directory: Directory) -> QueueChange:
        answers.append(directory.is_dead_letter_queue(arn_of("dead")))
        return QueueChange(queue.attributes, queue.tags, modified=False)

    bench.run(lambda: bench.store.change_queue(key_of("dead"), decide, at(1)))
    assert answers == [False]


@BOTH
def test_a_change_replaces_attributes_and_moves_the_time_of_modification(bench: Bench, q: str):
    made = bench.create(q, {"DelaySeconds": "5"}, tags={"a": "1"}, now_ms=at(0))
    changed = bench.change(q, {"DelaySeconds": None, "VisibilityTimeout": "9"}, now_ms=at(4))
    assert bench.find(q) == changed
    assert changed.settings.delay_seconds == 0
    assert changed.settings.visibility_timeout_seconds == 9
    assert "DelaySeconds" not in changed.attributes
    assert (changed.created_at_ms, changed.modified_at_ms) == (at(0), at(4))
    assert (changed.id, changed.generation, changed.tags) == (made.id, made.generation, {"a": "1"})


def test_tags_change_without_moving_the_time_of_modification(bench: Bench):
    bench.create("q", tags={"a": "1"}, now_ms=at(0))

    def decide(queue: Queue, _directory: Directory) -> QueueChange:
        return QueueChange(queue.attributes, {"b": "2"}, modified=False)

    changed = bench.run(lambda: bench.store.change_queue(key_of("q"), decide, at(4)))
    assert (changed.tags, changed.modified_at_ms) == ({"b": "2"}, at(0))
    assert bench.find("q") == changed


def test_a_refused_change_leaves_the_queue_alone(bench: Bench):
    made = bench.create("q", now_ms=at(0))
    with pytest.raises(PurgeQueueInProgress):
        bench.run(lambda: bench.store.change_queue(key_of("q"), lambda _queue, _directory: refuse(0), at(4)))
    assert bench.find("q") == made


@BOTH
def test_every_verb_on_an_unknown_queue_says_that_it_does_not_exist(bench: Bench, q: str):
    key, store = key_of(q), bench.store
    draft = MoveTaskDraft("task", key, None, None)
    verbs = [
        lambda: store.change_queue(key, lambda queue, _directory: refuse(queue), at(0)),
        lambda: store.delete_queue(key, refuse, at(0)),
        lambda: store.purge_queue(key, refuse, at(0)),
        lambda: store.find_queue(key, refuse),
        lambda: store.queue_status(key, refuse, at(0)),
        lambda: store.list_dead_letter_sources(key, refuse, "", 10),
        lambda: store.send(key, refuse, at(0)),
        lambda: store.receive(key, refuse, at(0)),
        lambda: store.delete(key, refuse, at(0)),
        lambda: store.change_visibility(key, refuse, at(0)),
        lambda: store.peek(key, refuse, 0, 10),
        lambda: store.start_move_task(key, lambda _directory: draft, at(0)),
    ]
    answers = bench.together(*verbs)
    assert [type(answer) for answer in answers] == [QueueDoesNotExist] * len(verbs)


@BOTH
def test_every_verb_can_be_refused_by_its_decision(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    key, store, before = key_of(q), bench.store, bench.find(q)
    verbs = [
        lambda: store.change_queue(key, lambda queue, _directory: refuse(queue), at(1)),
        lambda: store.delete_queue(key, refuse, at(1)),
        lambda: store.purge_queue(key, refuse, at(1)),
        lambda: store.find_queue(key, refuse),
        lambda: store.queue_status(key, refuse, at(1)),
        lambda: store.list_dead_letter_sources(key, refuse, "", 10),
        lambda: store.send(key, refuse, at(1)),
        lambda: store.receive(key, refuse, at(1)),
        lambda: store.delete(key, refuse, at(1)),
        lambda: store.change_visibility(key, refuse, at(1)),
        lambda: store.peek(key, refuse, 0, 10),
        lambda: store.start_move_task(key, refuse, at(1)),
        lambda: store.cancel_move_task("unknown", refuse),
    ]
    answers = bench.together(*verbs)
    assert [type(answer) for answer in answers] == [PurgeQueueInProgress] * len(verbs)
    assert bench.find(q) == before
    assert bench.counts(q, now_ms=at(1)) == Counts(1, 0, 0)
    assert bench.tasks(q) == []


@BOTH
def test_a_deleted_queue_is_gone_with_its_messages(bench: Bench, q: str):
    first = bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0), dedup="same")
    bench.drop(q, now_ms=at(1))
    with pytest.raises(QueueDoesNotExist):
        bench.find(q)
    second = bench.create(q, now_ms=at(61))
    assert second.id != first.id
    assert bench.counts(q, now_ms=at(61)) == NO_MESSAGES
    assert bench.receive_bodies(q, now_ms=at(61)) == []
    assert bench.peek(q) == []


@BOTH
def test_a_handle_does_not_fit_the_queue_created_anew(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0)).receipt_handle
    bench.drop(q, now_ms=at(1))
    bench.create(q, now_ms=at(2))
    with pytest.raises(ReceiptHandleIsInvalid):
        bench.delete(q, handle, now_ms=at(3))


def test_a_deleted_fifo_queue_forgets_its_deduplication_ids(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", dedup="same", now_ms=at(0))
    bench.drop("q.fifo", now_ms=at(1))
    bench.create("q.fifo", now_ms=at(2))
    (sent,) = bench.send("q.fifo", "b", dedup="same", now_ms=at(3))
    assert not sent.duplicate
    assert bench.receive_bodies("q.fifo", now_ms=at(4)) == ["b"]


def test_queues_are_listed_by_name_prefix_and_page(bench: Bench):
    for name in ("b", "a", "ab.fifo", "B", "ab", "a_b", "a-b"):
        bench.create(name, now_ms=at(0))
    assert bench.list_names() == sorted(["b", "a", "ab.fifo", "B", "ab", "a_b", "a-b"])
    assert bench.list_names(prefix="a") == ["a", "a-b", "a_b", "ab", "ab.fifo"]
    assert bench.list_names(prefix="a", limit=2) == ["a", "a-b"]
    assert bench.list_names(prefix="a", after="a-b", limit=2) == ["a_b", "ab"]
    assert bench.list_names(prefix="a", after="ab.fifo") == []
    assert bench.list_names(prefix="c") == []


def test_an_underscore_in_a_prefix_means_itself(bench: Bench):
    bench.create("a_b", now_ms=at(0))
    bench.create("axb", now_ms=at(0))
    assert bench.list_names(prefix="a_") == ["a_b"]


def test_accounts_and_regions_do_not_see_each_other(bench: Bench):
    store = bench.store
    keys = [
        QueueKey(ACCOUNT, REGION, "q"),
        QueueKey("111111111111", REGION, "q"),
        QueueKey(ACCOUNT, "eu-west-1", "q"),
    ]
    for number, key in enumerate(keys):
        draft = QueueDraft({"DelaySeconds": str(number)}, {})
        bench.run(lambda key=key, draft=draft: store.create_queue(key, lambda _directory: draft, at(0)))
    for number, key in enumerate(keys):
        found = bench.run(lambda key=key: store.find_queue(key, admit))
        assert found.settings.delay_seconds == number
        (listed,) = bench.run(lambda key=key: store.list_queues(key.account, key.region, "", "", 10))
        assert listed == found


def test_dead_letter_sources_are_listed_by_name_and_page(bench: Bench):
    bench.create("dead", now_ms=at(0))
    for name in ("c", "a", "b"):
        bench.create(name, redrive("dead", 3), now_ms=at(0))
    bench.create("d", redrive("a", 3), now_ms=at(0))
    assert bench.sources("dead") == ["a", "b", "c"]
    assert bench.sources("dead", limit=2) == ["a", "b"]
    assert bench.sources("dead", after="b", limit=2) == ["c"]
    assert bench.sources("a") == ["d"]
    assert bench.sources("b") == []


# ── Sending and receiving ────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_a_message_comes_back_as_it_was_sent(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    attributes = {
        "text": MessageAttribute("String", "\r\n ü \U0001f600 "),
        "number": MessageAttribute("Number.int", "007"),
        "bytes": MessageAttribute("Binary", b"\x00\xff"),
    }
    new = bench.new(
        "  a\r\nbody &quot; \U0001f600\t",
        group="group",
        dedup="dedup" if q == "q.fifo" else None,
        attributes=attributes,
        trace_header="Root=1",
    )
    (sent,) = bench.send_all(q, [new], now_ms=at(1))
    assert (sent.message_id, sent.duplicate) == (new.message_id, False)
    message = bench.receive_one(q, now_ms=at(2)).message
    assert (message.message_id, message.sequence) == (sent.message_id, sent.sequence)
    assert (message.body, message.body_md5, message.sender_id) == (new.body, new.body_md5, new.sender_id)
    assert (message.attributes, message.trace_header) == (attributes, "Root=1")
    assert (message.group_id, message.deduplication_id) == (new.group_id, new.deduplication_id)
    assert (message.sent_at_ms, message.first_received_at_ms, message.receives) == (at(1), at(2), 1)
    assert message.dead_letter_source_arn is None


@BOTH
@pytest.mark.parametrize("size", [1, 1_000, 20_000, 1_048_576])
def test_bodies_of_every_size_come_back_whole(bench: Bench, q: str, size: int):
    bench.create(q, now_ms=at(0))
    body = ("ü\n" * size)[:size]
    bench.send(q, body, now_ms=at(0))
    assert bench.receive_bodies(q, now_ms=at(0)) == [body]
    assert [message.body for message in bench.peek(q)] == [body]


@BOTH
def test_a_batch_is_stored_in_its_order_with_growing_sequences(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    sent = bench.send(q, *"abcdefghij", now_ms=at(0))
    sent += bench.send(q, "k", now_ms=at(0))
    sequences = [one.sequence for one in sent]
    assert sequences == sorted(set(sequences))
    assert bench.receive_bodies(q, now_ms=at(0)) == list("abcdefghij")


@BOTH
def test_an_empty_batch_stores_nothing(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    assert bench.send_all(q, [], now_ms=at(0)) == []
    assert bench.counts(q, now_ms=at(0)) == NO_MESSAGES


@BOTH
def test_an_empty_queue_gives_nothing_and_no_next_moment(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    received = bench.receive(q, now_ms=at(0))
    assert (received.deliveries, received.next_due_ms, received.more) == ([], None, False)
    assert received.queue == bench.find(q)


@BOTH
def test_a_receive_returns_at_most_what_it_asks_for(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, *"abc", now_ms=at(0))
    assert bench.receive_bodies(q, now_ms=at(0), maximum=2) == ["a", "b"]
    assert bench.counts(q, now_ms=at(0)) == Counts(1, 2, 0)


def test_a_standard_queue_delivers_the_oldest_visible_message_first(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", delay=10, now_ms=at(0))
    bench.send("q", "b", now_ms=at(1))
    bench.send("q", "c", now_ms=at(2))
    assert bench.receive_bodies("q", now_ms=at(3), maximum=1, visibility=2) == ["b"]
    assert bench.receive_bodies("q", now_ms=at(11), visibility=2) == ["a", "b", "c"]


@BOTH
def test_a_received_message_is_hidden_until_its_timeout(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    first = bench.receive_one(q, now_ms=at(1), visibility=2)
    assert bench.receive_bodies(q, now_ms=at(2.999)) == []
    second = bench.receive_one(q, now_ms=at(3))
    assert second.receipt_handle != first.receipt_handle
    assert second.message.receives == 2
    assert second.message.first_received_at_ms == at(1)
    assert second.message.sent_at_ms == at(0)


@BOTH
def test_an_empty_receive_says_when_a_hidden_message_becomes_visible(bench: Bench, q: str):
    bench.create(q, {"DelaySeconds": "9"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    assert bench.receive(q, now_ms=at(1)).next_due_ms == at(9)
    bench.receive_one(q, now_ms=at(9), visibility=4)
    assert bench.receive(q, now_ms=at(10)).next_due_ms == at(13)


def test_the_next_moment_is_the_earliest_of_all(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", delay=9, now_ms=at(0))
    bench.send("q", "b", delay=3, now_ms=at(0))
    bench.send("q", "c", now_ms=at(0))
    bench.receive_one("q", now_ms=at(1), visibility=5)
    assert bench.receive("q", now_ms=at(1)).next_due_ms == at(3)


@BOTH
def test_timeout_zero_returns_each_message_once_in_one_response(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0))
    assert bench.receive_bodies(q, now_ms=at(1), visibility=0) == ["a", "b"]
    assert bench.counts(q, now_ms=at(1)) == Counts(2, 0, 0)
    again = bench.receive(q, now_ms=at(1), visibility=0).deliveries
    assert [(one.message.body, one.message.receives) for one in again] == [("a", 2), ("b", 2)]


def test_a_standard_message_received_with_timeout_zero_can_be_deleted(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    handle = bench.receive_one("q", now_ms=at(1), visibility=0).receipt_handle
    assert bench.delete("q", handle, now_ms=at(2)) == [None]
    assert bench.counts("q", now_ms=at(2)) == NO_MESSAGES


@BOTH
def test_counts_put_each_message_in_exactly_one_state(bench: Bench, q: str):
    bench.create(q, {"DelaySeconds": "0"}, now_ms=at(0))
    bench.send(q, "a", "b", "c", now_ms=at(0))
    bench.receive(q, now_ms=at(0), maximum=2, visibility=5)
    bench.change(q, {"DelaySeconds": "8"}, now_ms=at(1))
    bench.send(q, "d", now_ms=at(1))
    assert bench.counts(q, now_ms=at(1)) == Counts(1, 2, 1)
    assert bench.counts(q, now_ms=at(5)) == Counts(3, 0, 1)
    assert bench.counts(q, now_ms=at(9)) == Counts(4, 0, 0)


@BOTH
def test_counting_is_the_same_before_and_after_tidying(bench: Bench, q: str):
    bench.create(q, {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=5)
    bench.send(q, "c", now_ms=at(30))
    for moment in (at(4), at(5), at(31), at(61), at(91)):
        before = bench.counts(q, now_ms=moment)
        bench.tidy(now_ms=moment)
        assert bench.counts(q, now_ms=moment) == before


# ── Delay ────────────────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_a_delayed_message_is_counted_as_delayed_and_becomes_visible_on_time(bench: Bench, q: str):
    bench.create(q, {"DelaySeconds": "5"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    assert bench.counts(q, now_ms=at(4.999)) == Counts(0, 0, 1)
    assert bench.receive_bodies(q, now_ms=at(4.999)) == []
    assert bench.counts(q, now_ms=at(5)) == Counts(1, 0, 0)
    assert bench.receive_one(q, now_ms=at(5)).message.sent_at_ms == at(0)


def test_a_changed_delay_leaves_sent_messages_of_a_standard_queue_alone(bench: Bench):
    bench.create("q", {"DelaySeconds": "10"}, now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    bench.change("q", {"DelaySeconds": "2"}, now_ms=at(1))
    assert bench.counts("q", now_ms=at(5)) == Counts(0, 0, 1)
    assert bench.receive_bodies("q", now_ms=at(10)) == ["a"]


@pytest.mark.parametrize("delay", [2, 20])
def test_a_changed_delay_counts_from_the_send_for_delayed_fifo_messages(bench: Bench, delay: int):
    bench.create("q.fifo", {"DelaySeconds": "10"}, now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    bench.change("q.fifo", {"DelaySeconds": str(delay)}, now_ms=at(1))
    assert bench.counts("q.fifo", now_ms=at(delay - 0.001)) == Counts(0, 0, 1)
    assert bench.receive_bodies("q.fifo", now_ms=at(delay)) == ["a"]


def test_a_longer_delay_does_not_hide_fifo_messages_whose_delay_is_over(bench: Bench):
    bench.create("q.fifo", {"DelaySeconds": "5"}, now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    bench.change("q.fifo", {"DelaySeconds": "100"}, now_ms=at(5))
    assert bench.counts("q.fifo", now_ms=at(5)) == Counts(1, 0, 0)
    assert bench.receive_bodies("q.fifo", now_ms=at(5)) == ["a"]


def test_a_changed_delay_does_not_touch_fifo_messages_in_flight(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    bench.receive_one("q.fifo", now_ms=at(1), visibility=5)
    bench.change("q.fifo", {"DelaySeconds": "100"}, now_ms=at(2))
    assert bench.counts("q.fifo", now_ms=at(2)) == Counts(0, 1, 0)
    assert bench.receive_bodies("q.fifo", now_ms=at(6)) == ["a"]


def test_a_shorter_delay_makes_an_old_fifo_message_visible_at_once(bench: Bench):
    bench.create("q.fifo", {"DelaySeconds": "100"}, now_ms=at(0))
    bench.send("q.fifo", "a", "b", now_ms=at(0))
    bench.change("q.fifo", {"DelaySeconds": "5"}, now_ms=at(50))
    assert bench.counts("q.fifo", now_ms=at(50)) == Counts(2, 0, 0)
    assert bench.receive_bodies("q.fifo", now_ms=at(50)) == ["a", "b"]


# ── Deleting and changing visibility ─────────────────────────────────────────────────────────────────────


@BOTH
def test_the_latest_handle_deletes_a_message_in_flight(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(1), visibility=5).receipt_handle
    assert bench.delete(q, handle, now_ms=at(2)) == [None]
    assert bench.counts(q, now_ms=at(2)) == NO_MESSAGES
    assert bench.receive_bodies(q, now_ms=at(60)) == []
    assert bench.peek(q) == []


@BOTH
def test_deleting_again_succeeds_and_hiding_then_does_not(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(1)).receipt_handle
    assert bench.delete(q, handle, handle, now_ms=at(2)) == [None, None]
    assert bench.delete(q, handle, now_ms=at(3)) == [None]
    (error,) = bench.hide(q, (handle, 10), now_ms=at(3))
    assert text_of(error) == GONE.format(handle)
    assert bench.counts(q, now_ms=at(3)) == Counts(1, 0, 0)


def test_a_standard_queue_deletes_with_the_latest_handle_after_its_timeout(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    handle = bench.receive_one("q", now_ms=at(0), visibility=2).receipt_handle
    assert bench.delete("q", handle, now_ms=at(5)) == [None]
    assert bench.counts("q", now_ms=at(5)) == NO_MESSAGES


def test_a_standard_queue_deletes_with_an_older_handle(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    older = bench.receive_one("q", now_ms=at(0), visibility=2).receipt_handle
    bench.receive_one("q", now_ms=at(3))
    assert bench.delete("q", older, now_ms=at(4)) == [None]
    assert bench.counts("q", now_ms=at(4)) == NO_MESSAGES


def test_a_fifo_queue_refuses_a_deletion_after_the_timeout(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    handle = bench.receive_one("q.fifo", now_ms=at(0), visibility=2).receipt_handle
    (error,) = bench.delete("q.fifo", handle, now_ms=at(2))
    assert text_of(error) == EXPIRED.format(handle)
    assert bench.counts("q.fifo", now_ms=at(2)) == Counts(1, 0, 0)


def test_a_fifo_queue_refuses_a_deletion_with_an_older_handle(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    older = bench.receive_one("q.fifo", now_ms=at(0), visibility=2).receipt_handle
    bench.receive_one("q.fifo", now_ms=at(3))
    (error,) = bench.delete("q.fifo", older, now_ms=at(4))
    assert text_of(error) == EXPIRED.format(older)
    assert bench.counts("q.fifo", now_ms=at(4)) == Counts(0, 1, 0)


def test_a_fifo_message_whose_timeout_was_extended_can_be_deleted_after_the_first_one(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    handle = bench.receive_one("q.fifo", now_ms=at(0), visibility=2).receipt_handle
    assert bench.hide("q.fifo", (handle, 30), now_ms=at(1)) == [None]
    assert bench.delete("q.fifo", handle, now_ms=at(3)) == [None]
    assert bench.counts("q.fifo", now_ms=at(3)) == NO_MESSAGES


def test_a_fifo_message_given_back_cannot_be_deleted_with_its_handle(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    handle = bench.receive_one("q.fifo", now_ms=at(0)).receipt_handle
    assert bench.hide("q.fifo", (handle, 0), now_ms=at(1)) == [None]
    (error,) = bench.delete("q.fifo", handle, now_ms=at(1))
    assert text_of(error) == EXPIRED.format(handle)


@BOTH
def test_a_batch_of_deletions_answers_each_by_itself(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", "c", now_ms=at(0))
    a, _, c = [one.receipt_handle for one in bench.receive(q, now_ms=at(0), visibility=5).deliveries]
    assert bench.delete(q, c, a, c, now_ms=at(1)) == [None, None, None]
    assert [message.body for message in bench.peek(q)] == ["b"]
    assert bench.counts(q, now_ms=at(1)) == Counts(0, 1, 0)


@BOTH
def test_visibility_counts_from_the_change(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0), visibility=30).receipt_handle
    assert bench.hide(q, (handle, 5), now_ms=at(10)) == [None]
    assert bench.receive_bodies(q, now_ms=at(14.999)) == []
    assert bench.counts(q, now_ms=at(15)) == Counts(1, 0, 0)
    assert bench.receive_bodies(q, now_ms=at(15)) == ["a"]


@BOTH
def test_timeout_zero_makes_a_message_visible_at_once(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0)).receipt_handle
    assert bench.hide(q, (handle, 0), now_ms=at(1)) == [None]
    assert bench.counts(q, now_ms=at(1)) == Counts(1, 0, 0)
    assert bench.receive_one(q, now_ms=at(1)).message.receives == 2


@BOTH
def test_a_changed_visibility_holds_for_one_receive_only(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0), visibility=2).receipt_handle
    bench.hide(q, (handle, 20), now_ms=at(1))
    bench.receive_one(q, now_ms=at(21), visibility=2)
    assert bench.receive_bodies(q, now_ms=at(23)) == ["a"]


@pytest.mark.parametrize("how", ["the timeout ran out", "it was given back"])
def test_a_visible_standard_message_is_hidden_again_by_its_handle(bench: Bench, how: str):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    handle = bench.receive_one("q", now_ms=at(0), visibility=2).receipt_handle
    if how == "it was given back":
        bench.hide("q", (handle, 0), now_ms=at(1))
    assert bench.hide("q", (handle, 10), now_ms=at(5)) == [None]
    assert bench.counts("q", now_ms=at(14.999)) == Counts(0, 1, 0)
    assert bench.receive_bodies("q", now_ms=at(15)) == ["a"]


def test_an_older_handle_makes_a_standard_message_visible(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", now_ms=at(0))
    older = bench.receive_one("q", now_ms=at(0), visibility=2).receipt_handle
    bench.receive_one("q", now_ms=at(3))
    assert bench.hide("q", (older, 0), now_ms=at(4)) == [None]
    assert bench.receive_bodies("q", now_ms=at(4)) == ["a"]


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_fifo_queue_refuses_a_visibility_change_after_the_timeout(bench: Bench, seconds: int):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    handle = bench.receive_one("q.fifo", now_ms=at(0), visibility=2).receipt_handle
    (error,) = bench.hide("q.fifo", (handle, seconds), now_ms=at(2))
    assert text_of(error) == GONE.format(handle)
    assert bench.counts("q.fifo", now_ms=at(2)) == Counts(1, 0, 0)


def test_a_fifo_queue_refuses_a_visibility_change_with_an_older_handle(bench: Bench):
    bench.create("q.fifo", now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    older = bench.receive_one("q.fifo", now_ms=at(0), visibility=2).receipt_handle
    bench.receive_one("q.fifo", now_ms=at(3))
    (error,) = bench.hide("q.fifo", (older, 0), now_ms=at(4))
    assert text_of(error) == GONE.format(older)
    assert bench.counts("q.fifo", now_ms=at(4)) == Counts(0, 1, 0)


@BOTH
def test_twelve_hours_in_all_are_the_most(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0)).receipt_handle
    assert bench.hide(q, (handle, 43_200), now_ms=at(0)) == [None]
    assert bench.hide(q, (handle, 43_195), now_ms=at(5)) == [None]
    (error,) = bench.hide(q, (handle, 43_195), now_ms=at(5.001))
    assert text_of(error) == BEYOND_LIMIT.format(43_195)
    assert bench.counts(q, now_ms=at(43_199.999)) == Counts(0, 1, 0)
    assert bench.counts(q, now_ms=at(43_200)) == Counts(1, 0, 0)


@BOTH
def test_the_twelve_hours_start_again_with_each_receive(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=43_200)
    handle = bench.receive_one(q, now_ms=at(43_200)).receipt_handle
    assert bench.hide(q, (handle, 43_200), now_ms=at(43_200)) == [None]


@BOTH
def test_a_batch_of_visibility_changes_answers_each_by_itself(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", "c", now_ms=at(0))
    a, b, c = [one.receipt_handle for one in bench.receive(q, now_ms=at(0)).deliveries]
    bench.delete(q, b, now_ms=at(1))
    first, second, third = bench.hide(q, (a, 5), (b, 5), (c, 43_200), now_ms=at(2))
    assert first is None
    assert text_of(second) == GONE.format(b)
    assert text_of(third) == BEYOND_LIMIT.format(43_200)
    assert bench.counts(q, now_ms=at(7)) == Counts(1, 1, 0)


# ── Retention ────────────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_messages_older_than_the_retention_are_gone_whatever_their_state(bench: Bench, q: str):
    bench.create(q, {"MessageRetentionPeriod": "60", "DelaySeconds": "0"}, now_ms=at(0))
    bench.send(q, "in flight", now_ms=at(0), group="1")
    bench.receive_one(q, now_ms=at(0), visibility=HOUR)
    bench.send(q, "visible", now_ms=at(0), group="2")
    bench.change(q, {"DelaySeconds": "900"}, now_ms=at(0))
    bench.send(q, "delayed", now_ms=at(0), group="3")
    assert bench.counts(q, now_ms=at(60)) == Counts(1, 1, 1)
    assert bench.counts(q, now_ms=at(61)) == NO_MESSAGES
    assert bench.receive_bodies(q, now_ms=at(61)) == []
    bench.tidy(now_ms=at(61))
    assert bench.peek(q) == []
    assert bench.counts(q, now_ms=at(2 * HOUR)) == NO_MESSAGES
    assert bench.receive_bodies(q, now_ms=at(2 * HOUR)) == []


@BOTH
@pytest.mark.parametrize("tidied", [False, True])
def test_a_handle_of_an_expired_message_deletes_silently_and_does_not_hide(bench: Bench, q: str, tidied: bool):
    bench.create(q, {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0), visibility=HOUR).receipt_handle
    if tidied:
        bench.tidy(now_ms=at(61))
    (error,) = bench.hide(q, (handle, 10), now_ms=at(61))
    assert text_of(error) == GONE.format(handle)
    assert bench.delete(q, handle, now_ms=at(61)) == [None]
    assert bench.counts(q, now_ms=at(61)) == NO_MESSAGES


@BOTH
def test_a_shorter_retention_expires_messages_that_are_there(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "old", now_ms=at(0))
    bench.send(q, "young", now_ms=at(100))
    bench.change(q, {"MessageRetentionPeriod": "60"}, now_ms=at(110))
    assert bench.counts(q, now_ms=at(110)) == Counts(1, 0, 0)
    assert bench.receive_bodies(q, now_ms=at(110)) == ["young"]


@BOTH
def test_a_longer_retention_keeps_messages_that_are_there(bench: Bench, q: str):
    bench.create(q, {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.change(q, {"MessageRetentionPeriod": "600"}, now_ms=at(50))
    bench.tidy(now_ms=at(100))
    assert bench.receive_bodies(q, now_ms=at(100)) == ["a"]


@BOTH
@pytest.mark.parametrize("tidied", [False, True])
def test_a_longer_retention_does_not_bring_back_what_has_gone(bench: Bench, q: str, tidied: bool):
    bench.create(q, {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    if tidied:
        bench.tidy(now_ms=at(61))
    bench.change(q, {"MessageRetentionPeriod": "600"}, now_ms=at(61))
    assert bench.counts(q, now_ms=at(61)) == NO_MESSAGES
    assert bench.receive_bodies(q, now_ms=at(61)) == []


def test_messages_of_a_tenant_that_expire_together_do_not_take_the_others_along(bench: Bench):
    bench.create("q", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send("q", "old", "as old", group="g", now_ms=at(0))
    bench.send("q", "young", "as young", group="g", now_ms=at(30))
    assert bench.receive_bodies("q", now_ms=at(61)) == ["young", "as young"]


def test_an_expired_message_in_flight_frees_its_group(bench: Bench):
    bench.create("q.fifo", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    bench.receive_one("q.fifo", now_ms=at(1), visibility=HOUR)
    bench.send("q.fifo", "b", now_ms=at(30))
    assert bench.receive_bodies("q.fifo", now_ms=at(60)) == []
    assert bench.receive_bodies("q.fifo", now_ms=at(61)) == ["b"]


# ── In-flight limit ──────────────────────────────────────────────────────────────────────────────────────


def test_a_short_poll_over_the_limit_of_a_standard_queue_is_refused(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", *"abc", now_ms=at(0))
    bench.receive("q", now_ms=at(0), maximum=2, visibility=5)
    with pytest.raises(OverLimit):
        bench.receive("q", now_ms=at(1), limit=2, refuse=True)
    assert bench.counts("q", now_ms=at(1)) == Counts(1, 2, 0)
    assert bodies(bench.receive("q", now_ms=at(5), maximum=1, limit=2, refuse=True)) == ["a"]


@BOTH
def test_over_the_limit_other_receives_get_nothing(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0), group="1")
    bench.send(q, "c", now_ms=at(0), group="2")
    bench.receive(q, now_ms=at(0), maximum=2, visibility=5)
    received = bench.receive(q, now_ms=at(1), limit=2)
    assert (received.deliveries, received.next_due_ms) == ([], at(5))


@BOTH
def test_a_receive_never_goes_past_the_limit(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, *"abcde", now_ms=at(0))
    assert bodies(bench.receive(q, now_ms=at(0), limit=3)) == ["a", "b", "c"]
    assert bench.counts(q, now_ms=at(0)) == Counts(2, 3, 0)


def test_a_deletion_makes_room_under_the_limit(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.send("q", *"abc", now_ms=at(0))
    first, _ = bench.receive("q", now_ms=at(0), limit=2).deliveries
    bench.delete("q", first.receipt_handle, now_ms=at(1))
    assert bodies(bench.receive("q", now_ms=at(1), limit=2, refuse=True)) == ["c"]


# ── Fair queues ──────────────────────────────────────────────────────────────────────────────────────────


def send_and_take(bench: Bench, group: str | None, count: int) -> None:
    """Have so many messages of a tenant in flight; nothing else may be visible."""
    for first in range(0, count, 10):
        batch = [bench.new(f"{group} {number}", group=group) for number in range(first, min(first + 10, count))]
        bench.send_all("q", batch, now_ms=at(0))
        assert len(bench.receive("q", now_ms=at(0), visibility=100).deliveries) == len(batch)


def test_a_noisy_tenant_waits_until_the_quiet_ones_are_served(bench: Bench):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, "noisy", 30)
    bench.send("q", "n1", "n2", group="noisy", now_ms=at(1))
    bench.send("q", "q1", group="quiet", now_ms=at(2))
    bench.send("q", "alone", now_ms=at(3))
    assert bench.receive_bodies("q", now_ms=at(4), maximum=3) == ["q1", "alone", "n1"]
    assert bench.receive_bodies("q", now_ms=at(4), maximum=3) == ["n2"]


def test_a_tenant_with_twenty_nine_in_flight_is_quiet(bench: Bench):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, "busy", 29)
    bench.send("q", "b1", group="busy", now_ms=at(1))
    bench.send("q", "q1", group="quiet", now_ms=at(2))
    assert bench.receive_bodies("q", now_ms=at(3)) == ["b1", "q1"]


def test_a_tenant_becomes_noisy_in_the_middle_of_a_receive(bench: Bench):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, "busy", 29)
    bench.send("q", "b1", "b2", group="busy", now_ms=at(1))
    bench.send("q", "q1", group="quiet", now_ms=at(2))
    assert bench.receive_bodies("q", now_ms=at(3)) == ["b1", "q1", "b2"]


def test_a_tenant_with_a_tenth_of_all_in_flight_is_quiet(bench: Bench):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, "busy", 30)
    send_and_take(bench, None, 270)
    bench.send("q", "b1", "b2", group="busy", now_ms=at(1))
    bench.send("q", "q1", group="quiet", now_ms=at(2))
    # 30 of 300 are not more than a tenth; 31 of 301 are.
    assert bench.receive_bodies("q", now_ms=at(3)) == ["b1", "q1", "b2"]


def test_messages_without_a_group_are_never_noisy_together(bench: Bench):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, None, 40)
    bench.send("q", "alone", now_ms=at(1))
    bench.send("q", "q1", group="quiet", now_ms=at(2))
    assert bench.receive_bodies("q", now_ms=at(3)) == ["alone", "q1"]


@pytest.mark.parametrize("how", ["deleted", "given back", "timed out", "purged"])
def test_a_tenant_becomes_quiet_again(bench: Bench, how: str):
    bench.create("q", now_ms=at(0))
    send_and_take(bench, "noisy", 29)
    bench.send("q", "last", group="noisy", now_ms=at(0))
    handle = bench.receive_one("q", now_ms=at(0), visibility=10).receipt_handle
    if how == "deleted":
        bench.delete("q", handle, now_ms=at(1))
    elif how == "given back":
        bench.hide("q", (handle, 0), now_ms=at(1))
    elif how == "purged":
        bench.purge("q", now_ms=at(1))
    bench.send("q", "n1", group="noisy", now_ms=at(11))
    bench.send("q", "q1", group="quiet", now_ms=at(12))
    returned = how in ("given back", "timed out")
    expected = ["last", "q1", "n1"] if returned else ["n1", "q1"]
    assert bench.receive_bodies("q", now_ms=at(13)) == expected


# ── FIFO order ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fifo(bench: Bench) -> Bench:
    bench.create("q.fifo", now_ms=at(0))
    return bench


def take(bench: Bench, moment: float, *, maximum: int = 10, visibility: int = 30) -> list[str]:
    return bench.receive_bodies("q.fifo", now_ms=at(moment), maximum=maximum, visibility=visibility)


def test_a_message_in_flight_blocks_its_group_and_no_other(fifo: Bench):
    fifo.send("q.fifo", "1", "2", group="g", now_ms=at(0))
    fifo.send("q.fifo", "x", group="h", now_ms=at(0))
    assert take(fifo, 1, maximum=1) == ["1"]
    assert take(fifo, 2) == ["x"]
    assert take(fifo, 3) == []
    assert fifo.counts("q.fifo", now_ms=at(3)) == Counts(1, 2, 0)


def test_a_new_message_does_not_unlock_its_group(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    take(fifo, 1)
    fifo.send("q.fifo", "2", now_ms=at(2))
    assert take(fifo, 3) == []
    assert fifo.counts("q.fifo", now_ms=at(3)) == Counts(1, 1, 0)


def test_a_deletion_frees_the_next_message_at_once(fifo: Bench):
    fifo.send("q.fifo", "1", "2", now_ms=at(0))
    handle = fifo.receive_one("q.fifo", now_ms=at(1)).receipt_handle
    fifo.delete("q.fifo", handle, now_ms=at(2))
    assert take(fifo, 2) == ["2"]


def test_a_group_stays_blocked_until_all_earlier_messages_are_deleted(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    one, two = fifo.receive("q.fifo", now_ms=at(1), maximum=2).deliveries
    fifo.delete("q.fifo", one.receipt_handle, now_ms=at(2))
    assert take(fifo, 2) == []
    fifo.delete("q.fifo", two.receipt_handle, now_ms=at(3))
    assert take(fifo, 3) == ["3"]


def test_a_later_deletion_does_not_free_what_an_earlier_message_blocks(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    _, two = fifo.receive("q.fifo", now_ms=at(1), maximum=2).deliveries
    fifo.delete("q.fifo", two.receipt_handle, now_ms=at(2))
    assert take(fifo, 2) == []
    assert take(fifo, 31) == ["1", "3"]


def test_an_earlier_message_given_back_is_not_blocked_by_later_ones(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    one, _ = fifo.receive("q.fifo", now_ms=at(1), maximum=2).deliveries
    fifo.hide("q.fifo", (one.receipt_handle, 0), now_ms=at(2))
    assert take(fifo, 2) == ["1"]
    assert take(fifo, 3) == []


@pytest.mark.parametrize(("extended", "expected"), [(0, []), (1, ["1"]), (2, ["1", "2"])])
def test_an_extended_message_blocks_those_after_it(fifo: Bench, extended: int, expected: list[str]):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    deliveries = fifo.receive("q.fifo", now_ms=at(0), visibility=1).deliveries
    fifo.hide("q.fifo", (deliveries[extended].receipt_handle, 4), now_ms=at(0.5))
    assert take(fifo, 2.5) == expected


def test_messages_come_in_order_again_when_all_timeouts_have_run_out(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    take(fifo, 0, visibility=1)
    assert take(fifo, 2.5) == ["1", "2", "3"]


def test_timeouts_that_end_out_of_order_keep_the_order(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    one, two, three = fifo.receive("q.fifo", now_ms=at(0), visibility=100).deliveries
    fifo.hide("q.fifo", (three.receipt_handle, 1), (two.receipt_handle, 2), (one.receipt_handle, 3), now_ms=at(0))
    assert take(fifo, 2) == []
    assert take(fifo, 3) == ["1", "2", "3"]


def test_as_many_messages_as_possible_come_from_one_group(fifo: Bench):
    for body, group in (("1", "g1"), ("2", "g2"), ("3", "g1"), ("4", "g1")):
        fifo.send("q.fifo", body, group=group, now_ms=at(0))
    assert take(fifo, 1) == ["1", "3", "4", "2"]


def test_groups_follow_each_other_by_their_oldest_message(fifo: Bench):
    for body, group in (("1", "c"), ("2", "a"), ("3", "b"), ("4", "a")):
        fifo.send("q.fifo", body, group=group, now_ms=at(0))
    assert take(fifo, 1, maximum=1) == ["1"]
    assert take(fifo, 1, maximum=1) == ["2"]
    assert take(fifo, 1, maximum=1) == ["3"]
    assert take(fifo, 1, maximum=1) == []


def test_two_receives_of_one_take_the_heads_of_two_groups(fifo: Bench):
    fifo.send("q.fifo", "a1", "a2", group="a", now_ms=at(0))
    fifo.send("q.fifo", "b1", "b2", group="b", now_ms=at(0))
    assert [take(fifo, 1, maximum=1), take(fifo, 1, maximum=1)] == [["a1"], ["b1"]]
    assert fifo.counts("q.fifo", now_ms=at(1)) == Counts(2, 2, 0)


def test_timeout_zero_leaves_the_group_unlocked(fifo: Bench):
    fifo.send("q.fifo", "1", "2", now_ms=at(0))
    assert take(fifo, 1, maximum=1, visibility=0) == ["1"]
    assert take(fifo, 1, visibility=0) == ["1", "2"]
    assert fifo.counts("q.fifo", now_ms=at(1)) == Counts(2, 0, 0)


def test_timeout_zero_starves_no_group(fifo: Bench):
    for group in "abc":
        fifo.send("q.fifo", group, group=group, now_ms=at(0))
    served = take(fifo, 1, maximum=2, visibility=0) + take(fifo, 1, maximum=1, visibility=0)
    assert sorted(served) == ["a", "b", "c"]


def test_a_delayed_message_blocks_its_group(fifo: Bench):
    fifo.change("q.fifo", {"DelaySeconds": "10"}, now_ms=at(0))
    fifo.send("q.fifo", "1", now_ms=at(0))
    fifo.send("q.fifo", "2", now_ms=at(5))
    assert take(fifo, 9) == []
    assert take(fifo, 10, visibility=2) == ["1"]
    assert take(fifo, 15) == ["1", "2"]


def test_groups_of_one_thousand_names_each_give_their_head(fifo: Bench):
    for number in range(100):
        batch = [fifo.new(f"{number}-{turn}", group=f"group {number}", dedup=f"{number}-{turn}") for turn in range(2)]
        fifo.send_all("q.fifo", batch, now_ms=at(0))
    heads = [take(fifo, 1, maximum=1)[0] for _ in range(100)]
    assert heads == [f"{number}-0" for number in range(100)]
    assert take(fifo, 1) == []


# ── Deduplication ────────────────────────────────────────────────────────────────────────────────────────


def test_a_duplicate_answers_with_the_original_and_stores_nothing(fifo: Bench):
    (original,) = fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))
    (again,) = fifo.send("q.fifo", "second", dedup="d", now_ms=at(299.999))
    assert again.duplicate
    assert (again.message_id, again.sequence) == (original.message_id, original.sequence)
    assert take(fifo, 300) == ["first"]
    assert fifo.counts("q.fifo", now_ms=at(300)) == Counts(0, 1, 0)


def test_after_five_minutes_the_same_id_is_a_new_message(fifo: Bench):
    fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))
    fifo.send("q.fifo", "duplicate", dedup="d", now_ms=at(299))
    (sent,) = fifo.send("q.fifo", "second", dedup="d", now_ms=at(300))
    assert not sent.duplicate
    assert take(fifo, 300) == ["first", "second"]
    assert fifo.send("q.fifo", "third", dedup="d", now_ms=at(599))[0].duplicate


def test_tidying_forgets_no_id_before_its_time(fifo: Bench):
    fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))
    fifo.tidy(now_ms=at(299))
    assert fifo.send("q.fifo", "second", dedup="d", now_ms=at(299))[0].duplicate
    fifo.tidy(now_ms=at(301))
    assert not fifo.send("q.fifo", "third", dedup="d", now_ms=at(301))[0].duplicate


@pytest.mark.parametrize("fate", ["deleted", "expired", "dead-lettered"])
def test_an_id_is_remembered_whatever_became_of_its_message(bench: Bench, fate: str):
    bench.create("dead.fifo", now_ms=at(0))
    bench.create("q.fifo", {"MessageRetentionPeriod": "60"} | redrive("dead.fifo", 1), now_ms=at(0))
    (original,) = bench.send("q.fifo", "first", dedup="d", now_ms=at(0))
    handle = bench.receive_one("q.fifo", now_ms=at(1), visibility=10).receipt_handle
    if fate == "deleted":
        bench.delete("q.fifo", handle, now_ms=at(2))
    elif fate == "dead-lettered":
        assert take(bench, 12) == []
        assert bench.counts("dead.fifo", now_ms=at(12)) == Counts(1, 0, 0)
    bench.tidy(now_ms=at(100))
    (again,) = bench.send("q.fifo", "second", dedup="d", now_ms=at(100))
    assert (again.duplicate, again.message_id) == (True, original.message_id)
    assert bench.counts("q.fifo", now_ms=at(100)) == NO_MESSAGES


def test_two_equal_ids_in_one_batch_are_one_message(fifo: Bench):
    first, second = fifo.send("q.fifo", "first", "second", dedup="d", now_ms=at(0))
    assert (first.duplicate, second.duplicate) == (False, True)
    assert second.message_id == first.message_id
    assert take(fifo, 1) == ["first"]


def test_with_the_scope_queue_the_group_makes_no_difference(fifo: Bench):
    fifo.send("q.fifo", "first", group="g1", dedup="d", now_ms=at(0))
    assert fifo.send("q.fifo", "second", group="g2", dedup="d", now_ms=at(1))[0].duplicate


def test_with_the_scope_message_group_each_group_has_its_own_ids(bench: Bench):
    bench.create("q.fifo", {"DeduplicationScope": "messageGroup"}, now_ms=at(0))
    bench.send("q.fifo", "first", group="g1", dedup="d", now_ms=at(0))
    assert not bench.send("q.fifo", "second", group="g2", dedup="d", now_ms=at(1))[0].duplicate
    assert bench.send("q.fifo", "third", group="g1", dedup="d", now_ms=at(2))[0].duplicate
    assert take(bench, 3) == ["first", "second"]


def test_two_queues_do_not_share_ids(fifo: Bench):
    fifo.create("other.fifo", now_ms=at(0))
    fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))
    assert not fifo.send("other.fifo", "second", dedup="d", now_ms=at(0))[0].duplicate


def test_a_refused_send_leaves_no_id_behind(fifo: Bench):
    def decide(_queue: Queue) -> list:
        raise OverLimit("no")

    with pytest.raises(OverLimit):
        fifo.run(lambda: fifo.store.send(key_of("q.fifo"), decide, at(0)))
    assert not fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))[0].duplicate


# ── Receive attempts ─────────────────────────────────────────────────────────────────────────────────────


def attempt(bench: Bench, moment: float, attempt_id: str = "try", *, maximum: int = 10, visibility: int = 30):
    received = bench.receive("q.fifo", now_ms=at(moment), maximum=maximum, visibility=visibility, attempt=attempt_id)
    return [(one.message.body, one.message.receives, one.receipt_handle) for one in received.deliveries]


def test_the_same_attempt_gets_the_same_messages_and_handles(fifo: Bench):
    fifo.send("q.fifo", "1", "2", "3", now_ms=at(0))
    first = attempt(fifo, 1, maximum=2)
    assert [body for body, _, _ in first] == ["1", "2"]
    assert attempt(fifo, 2, maximum=2) == first
    assert fifo.counts("q.fifo", now_ms=at(2)) == Counts(1, 2, 0)


def test_a_repeated_attempt_starts_the_timeout_again(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    ((_, _, handle),) = attempt(fifo, 0, visibility=30)
    attempt(fifo, 20, visibility=30)
    assert attempt(fifo, 45, visibility=30) == [("1", 1, handle)]
    assert take(fifo, 74) == []
    assert fifo.delete("q.fifo", handle, now_ms=at(74.999)) == [None]


def test_another_attempt_finds_the_group_locked(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    attempt(fifo, 0, "one")
    assert attempt(fifo, 1, "two") == []
    assert take(fifo, 1) == []


def test_after_the_timeout_the_same_attempt_is_a_new_receive(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    ((_, _, handle),) = attempt(fifo, 0, visibility=5)
    ((body, receives, new_handle),) = attempt(fifo, 5, visibility=5)
    assert (body, receives) == ("1", 2)
    assert new_handle != handle


def test_after_five_minutes_the_same_attempt_is_a_new_receive(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    first = attempt(fifo, 0, visibility=HOUR)
    assert attempt(fifo, 299.999, visibility=HOUR) == first
    assert attempt(fifo, 300, visibility=HOUR) == []


@pytest.mark.parametrize("how", ["deleted", "extended", "given back"])
def test_a_touched_message_makes_the_same_attempt_a_new_receive(fifo: Bench, how: str):
    fifo.send("q.fifo", "1", "2", group="a", now_ms=at(0))
    fifo.send("q.fifo", "x", group="b", now_ms=at(0))
    first = attempt(fifo, 0, maximum=2)
    handle = first[0][2]
    if how == "deleted":
        fifo.delete("q.fifo", handle, now_ms=at(1))
    else:
        fifo.hide("q.fifo", (handle, 100 if how == "extended" else 0), now_ms=at(1))
    again = [(body, receives) for body, receives, _ in attempt(fifo, 2, maximum=2)]
    assert again == ([("1", 2), ("x", 1)] if how == "given back" else [("x", 1)])


@pytest.mark.parametrize(("maximum", "visibility"), [(1, 30), (2, 31)])
def test_other_parameters_make_the_same_attempt_a_new_receive(fifo: Bench, maximum: int, visibility: int):
    fifo.send("q.fifo", "1", "2", group="a", now_ms=at(0))
    fifo.send("q.fifo", "x", group="b", now_ms=at(0))
    attempt(fifo, 0, maximum=2, visibility=30)
    assert [body for body, _, _ in attempt(fifo, 1, maximum=maximum, visibility=visibility)] == ["x"]


def test_an_attempt_that_found_nothing_is_not_repeated(fifo: Bench):
    assert attempt(fifo, 0) == []
    fifo.send("q.fifo", "1", now_ms=at(1))
    assert [body for body, _, _ in attempt(fifo, 2)] == ["1"]


def test_a_purge_ends_an_attempt(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    attempt(fifo, 0)
    fifo.purge("q.fifo", now_ms=at(1))
    assert attempt(fifo, 2) == []


def test_attempts_of_two_queues_are_two_attempts(fifo: Bench):
    fifo.create("other.fifo", now_ms=at(0))
    fifo.send("q.fifo", "1", now_ms=at(0))
    fifo.send("other.fifo", "x", now_ms=at(0))
    attempt(fifo, 0)
    other = fifo.receive("other.fifo", now_ms=at(1), attempt="try")
    assert bodies(other) == ["x"]


# ── Dead letters ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["", ".fifo"], ids=["standard", "fifo"])
def dead(request: pytest.FixtureRequest) -> str:
    return f"dead{request.param}"


def source_of(dead: str) -> str:
    return dead.replace("dead", "q")


def with_dead_letters(bench: Bench, dead: str, count: int, **attributes: str) -> str:
    bench.create(dead, now_ms=at(0))
    bench.create(source_of(dead), attributes | redrive(dead, count), now_ms=at(0))
    return source_of(dead)


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 2)
    bench.send(q, "a", now_ms=at(0), group="g", dedup="d" if "." in q else None)
    for _ in range(2):
        assert bench.receive_bodies(q, now_ms=at(1), visibility=0) == ["a"]
    assert bench.receive_bodies(q, now_ms=at(2)) == []
    assert (bench.counts(q, now_ms=at(2)), bench.counts(dead, now_ms=at(2))) == (NO_MESSAGES, Counts(1, 0, 0))
    original = bench.receive_one(dead, now_ms=at(3)).message
    assert (original.body, original.receives, original.first_received_at_ms) == ("a", 3, at(1))
    assert original.dead_letter_source_arn == arn_of(q)
    assert original.group_id == "g"
    assert original.deduplication_id == ("d" if "." in q else None)


def test_a_dead_letter_keeps_id_body_attributes_trace_and_sender(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    new = bench.new(
        "ü" * 20_000,
        group="g",
        dedup="d" if "." in q else None,
        attributes={"a": MessageAttribute("Binary", b"\x00")},
        trace_header="Root=1",
    )
    bench.send_all(q, [new], now_ms=at(0))
    bench.receive_one(q, now_ms=at(1), visibility=0)
    bench.receive(q, now_ms=at(1))
    message = bench.receive_one(dead, now_ms=at(2)).message
    assert (message.message_id, message.body, message.body_md5) == (new.message_id, new.body, new.body_md5)
    assert (message.attributes, message.trace_header, message.sender_id) == (
        new.attributes,
        new.trace_header,
        new.sender_id,
    )


def test_messages_move_at_the_receive_and_not_before(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=5)
    bench.tidy(now_ms=at(100))
    assert (bench.counts(q, now_ms=at(100)), bench.counts(dead, now_ms=at(100))) == (Counts(1, 0, 0), NO_MESSAGES)


def test_a_receive_goes_on_behind_dead_letters(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, "a", "b", now_ms=at(0))
    bench.receive(q, now_ms=at(0), maximum=2, visibility=1)
    bench.send(q, "c", "d", now_ms=at(1))
    assert bench.receive_bodies(q, now_ms=at(2)) == ["c", "d"]
    assert bench.receive_bodies(dead, now_ms=at(2)) == ["a", "b"]


def test_a_standard_dead_letter_keeps_its_sent_time_and_place(bench: Bench):
    q = with_dead_letters(bench, "dead", 1)
    bench.send(q, "older", now_ms=at(0))
    bench.send("dead", "younger", now_ms=at(5))
    bench.receive_one(q, now_ms=at(6), visibility=0)
    bench.receive(q, now_ms=at(7))
    older, younger = bench.receive("dead", now_ms=at(8)).deliveries
    assert (older.message.body, older.message.sent_at_ms) == ("older", at(0))
    assert younger.message.body == "younger"


def test_a_standard_dead_letter_expires_by_its_first_send(bench: Bench):
    q = with_dead_letters(bench, "dead", 1)
    bench.change("dead", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(50), visibility=0)
    bench.receive(q, now_ms=at(50))
    assert bench.counts("dead", now_ms=at(60)) == Counts(1, 0, 0)
    assert bench.counts("dead", now_ms=at(61)) == NO_MESSAGES


def test_a_fifo_dead_letter_starts_anew_with_sequence_and_sent_time(bench: Bench):
    q = with_dead_letters(bench, "dead.fifo", 1)
    bench.send(q, "older", now_ms=at(0))
    (younger,) = bench.send("dead.fifo", "younger", now_ms=at(5))
    bench.receive_one(q, now_ms=at(50), visibility=0)
    bench.receive(q, now_ms=at(50))
    first, second = bench.receive("dead.fifo", now_ms=at(51)).deliveries
    assert (first.message.body, second.message.body) == ("younger", "older")
    assert second.message.sequence > younger.sequence
    assert second.message.sent_at_ms == at(50)


def test_a_fifo_dead_letter_has_a_fresh_retention(bench: Bench):
    q = with_dead_letters(bench, "dead.fifo", 1)
    bench.change("dead.fifo", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(50), visibility=0)
    bench.receive(q, now_ms=at(50))
    assert bench.counts("dead.fifo", now_ms=at(110)) == Counts(1, 0, 0)
    assert bench.counts("dead.fifo", now_ms=at(111)) == NO_MESSAGES


def test_dead_letters_with_the_same_deduplication_id_are_both_stored(bench: Bench):
    bench.create("dead.fifo", now_ms=at(0))
    for q in ("a.fifo", "b.fifo"):
        bench.create(q, redrive("dead.fifo", 1), now_ms=at(0))
        bench.send(q, q, dedup="same", now_ms=at(0))
        bench.receive_one(q, now_ms=at(1), visibility=0)
        bench.receive(q, now_ms=at(1))
    bench.send("dead.fifo", "own", dedup="same", now_ms=at(2))
    assert bench.receive_bodies("dead.fifo", now_ms=at(3)) == ["a.fifo", "b.fifo", "own"]


def test_a_dead_letter_is_not_delayed(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.change(dead, {"DelaySeconds": "900"}, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=0)
    bench.receive(q, now_ms=at(1))
    assert bench.counts(dead, now_ms=at(1)) == Counts(1, 0, 0)
    assert bench.receive_bodies(dead, now_ms=at(1)) == ["a"]


def test_a_dead_lettered_head_frees_its_group_in_the_same_receive(bench: Bench):
    q = with_dead_letters(bench, "dead.fifo", 1)
    bench.send(q, "1", "2", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=1)
    assert take(bench, 2) == ["2"]
    assert bench.receive_bodies("dead.fifo", now_ms=at(2)) == ["1"]


@pytest.mark.parametrize("recreated", [False, True])
def test_without_the_target_messages_are_delivered_as_if_there_were_no_policy(
    bench: Bench, dead: str, recreated: bool
):
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=1)
    bench.drop(dead, now_ms=at(1))
    if recreated:
        bench.create(dead, now_ms=at(70))
        assert bench.receive_bodies(q, now_ms=at(71)) == []
        assert bench.receive_bodies(dead, now_ms=at(71)) == ["a"]
    else:
        assert bench.receive_one(q, now_ms=at(71)).message.receives == 2


def test_a_chain_of_dead_letter_queues_goes_on_counting(bench: Bench, dead: str):
    last = dead.replace("dead", "last")
    bench.create(last, now_ms=at(0))
    q = with_dead_letters(bench, dead, 2)
    bench.change(dead, redrive(last, 1), now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    for _ in range(2):
        bench.receive_one(q, now_ms=at(1), visibility=0)
    assert bench.receive_bodies(q, now_ms=at(2)) == []
    assert bench.receive_bodies(dead, now_ms=at(3)) == []
    message = bench.receive_one(last, now_ms=at(4)).message
    assert (message.receives, message.dead_letter_source_arn) == (3, arn_of(dead))


def test_a_queue_that_is_its_own_dead_letter_queue_delivers_as_if_there_were_no_policy(bench: Bench, dead: str):
    bench.create(dead, redrive(dead, 1), now_ms=at(0))
    bench.send(dead, "a", "b", now_ms=at(0))
    for receives in (1, 2, 3):
        received = bench.receive(dead, now_ms=at(receives), visibility=0).deliveries
        assert [(one.message.body, one.message.receives) for one in received] == [("a", receives), ("b", receives)]
        assert received[0].message.dead_letter_source_arn is None


def test_two_queues_that_name_each_other_move_a_message_back_and_forth(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.change(dead, redrive(q, 1), now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(1), visibility=0)
    for here, there in ((q, dead), (dead, q), (q, dead)):
        assert bench.receive_bodies(here, now_ms=at(2)) == []
        assert bench.counts(here, now_ms=at(2)) == NO_MESSAGES
        assert bench.counts(there, now_ms=at(2)) == Counts(1, 0, 0)


def test_a_handle_of_the_source_does_not_reach_a_dead_letter(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0), visibility=1).receipt_handle
    bench.receive(q, now_ms=at(2))
    assert bench.delete(q, handle, now_ms=at(3)) == [None]
    (error,) = bench.hide(q, (handle, 10), now_ms=at(3))
    assert text_of(error) == GONE.format(handle)
    with pytest.raises(ReceiptHandleIsInvalid):
        bench.delete(dead, handle, now_ms=at(3))
    assert bench.counts(dead, now_ms=at(3)) == Counts(1, 0, 0)


def test_a_policy_set_later_holds_for_messages_that_are_there(bench: Bench, dead: str):
    q = source_of(dead)
    bench.create(dead, now_ms=at(0))
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    for _ in range(3):
        bench.receive_one(q, now_ms=at(0), visibility=0)
    bench.change(q, redrive(dead, 2), now_ms=at(1))
    assert bench.receive_bodies(q, now_ms=at(2)) == []
    assert bench.receive_bodies(dead, now_ms=at(2)) == ["a"]


def test_many_dead_letters_are_moved_in_small_steps_and_none_is_lost(bench: Bench, dead: str):
    q = source_of(dead)
    bench.create(dead, now_ms=at(0))
    bench.create(q, now_ms=at(0))
    for first in range(0, 450, 50):
        bench.send(q, *[str(number) for number in range(first, first + 50)], now_ms=at(0))
    assert len(bench.receive(q, now_ms=at(1), maximum=450, visibility=2).deliveries) == 450
    bench.send(q, "last", now_ms=at(2))
    bench.change(q, redrive(dead, 1), now_ms=at(2))
    found: list[str] = []
    for _ in range(450):
        received = bench.receive(q, now_ms=at(4))
        found += bodies(received)
        if not received.more:
            break
    assert found == ["last"]
    assert bench.counts(dead, now_ms=at(4)) == Counts(450, 0, 0)
    assert [message.body for message in bench.peek(dead)] == [str(number) for number in range(450)]


# ── Purge ────────────────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_a_purge_removes_messages_of_every_state(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "in flight", "visible", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=5)
    bench.change(q, {"DelaySeconds": "10"}, now_ms=at(0))
    bench.send(q, "delayed", now_ms=at(0))
    bench.purge(q, now_ms=at(1))
    assert bench.counts(q, now_ms=at(1)) == NO_MESSAGES
    assert bench.peek(q) == []
    for moment in (1, 5, 10, 100):
        assert bench.receive_bodies(q, now_ms=at(moment)) == []
        bench.tidy(now_ms=at(moment))
    assert bench.counts(q, now_ms=at(100)) == NO_MESSAGES


@BOTH
def test_a_purge_is_noted_and_keeps_later_sends(bench: Bench, q: str):
    made = bench.create(q, now_ms=at(0))
    bench.send(q, "before", now_ms=at(0))
    bench.purge(q, now_ms=at(1))
    bench.send(q, "after", now_ms=at(1))
    found = bench.find(q)
    assert (found.purged_at_ms, found.id, found.modified_at_ms) == (at(1), made.id, at(0))
    assert found.generation != made.generation
    bench.tidy(now_ms=at(2))
    assert bench.receive_bodies(q, now_ms=at(2)) == ["after"]


@BOTH
def test_handles_from_before_a_purge_are_dead(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0)).receipt_handle
    bench.purge(q, now_ms=at(1))
    bench.send(q, "b", now_ms=at(1))
    assert bench.delete(q, handle, now_ms=at(2)) == [None]
    (error,) = bench.hide(q, (handle, 10), now_ms=at(2))
    assert text_of(error) == GONE.format(handle)
    assert bench.counts(q, now_ms=at(2)) == Counts(1, 0, 0)


def test_a_purge_forgets_deduplication_ids(fifo: Bench):
    fifo.send("q.fifo", "first", dedup="d", now_ms=at(0))
    fifo.purge("q.fifo", now_ms=at(1))
    assert not fifo.send("q.fifo", "second", dedup="d", now_ms=at(2))[0].duplicate
    assert take(fifo, 3) == ["second"]


def test_a_purge_unlocks_groups(fifo: Bench):
    fifo.send("q.fifo", "1", now_ms=at(0))
    take(fifo, 1)
    fifo.purge("q.fifo", now_ms=at(2))
    fifo.send("q.fifo", "2", now_ms=at(3))
    assert take(fifo, 3) == ["2"]


@BOTH
def test_the_purge_decision_sees_the_last_purge(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.purge(q, now_ms=at(1))
    seen = []
    bench.run(lambda: bench.store.purge_queue(key_of(q), lambda queue: seen.append(queue.purged_at_ms), at(70)))
    assert seen == [at(1)]


# ── Peek ─────────────────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_peek_shows_messages_of_every_state_in_send_order(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "in flight", "visible", now_ms=at(0))
    bench.receive_one(q, now_ms=at(1), visibility=5)
    bench.change(q, {"DelaySeconds": "10"}, now_ms=at(1))
    bench.send(q, "delayed", now_ms=at(1))
    in_flight, visible, delayed = bench.peek(q)
    assert (in_flight.body, in_flight.receives, in_flight.due_at_ms) == ("in flight", 1, at(6))
    assert in_flight.first_received_at_ms == at(1)
    assert (visible.body, visible.receives) == ("visible", 0)
    assert visible.due_at_ms is None or visible.due_at_ms <= at(1)
    assert (delayed.body, delayed.receives, delayed.due_at_ms) == ("delayed", 0, at(11))


@BOTH
def test_peek_shows_one_page_after_a_sequence(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    sent = bench.send(q, *"abcde", now_ms=at(0))
    assert [message.body for message in bench.peek(q, limit=2)] == ["a", "b"]
    assert [message.body for message in bench.peek(q, after=sent[1].sequence, limit=2)] == ["c", "d"]
    assert [message.body for message in bench.peek(q, after=sent[4].sequence)] == []


@BOTH
def test_peek_changes_nothing(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", "b", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(1), visibility=5).receipt_handle
    before = bench.peek(q)
    assert bench.peek(q) == before
    assert bench.counts(q, now_ms=at(2)) == Counts(1, 1, 0)
    assert bench.delete(q, handle, now_ms=at(2)) == [None]


# ── Overviews ────────────────────────────────────────────────────────────────────────────────────────────


def overview(bench: Bench, search: str = "", sort: str = "name", **how: object) -> Overview:
    page = {"descending": False, "offset": 0, "limit": 100, "now_ms": at(10)} | how
    return bench.run(
        lambda: bench.store.overview(
            ACCOUNT, REGION, search, sort, page["descending"], page["offset"], page["limit"], page["now_ms"]
        )
    )


def names(page: Overview) -> list[str]:
    return [summary.queue.key.name for summary in page.summaries]


def test_an_overview_of_no_queues(bench: Bench):
    assert overview(bench) == Overview(0, [])


def test_an_overview_shows_counts_and_the_oldest_message_of_each_queue(bench: Bench):
    bench.create("busy", now_ms=at(0))
    bench.create("empty", now_ms=at(0))
    bench.send("busy", "a", now_ms=at(1))
    bench.send("busy", "b", "c", now_ms=at(2))
    bench.receive_one("busy", now_ms=at(3))
    busy, empty = overview(bench).summaries
    assert (busy.queue, busy.counts, busy.oldest_sent_at_ms) == (bench.find("busy"), Counts(2, 1, 0), at(1))
    assert (empty.queue, empty.counts, empty.oldest_sent_at_ms) == (bench.find("empty"), NO_MESSAGES, None)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["a", "b.fifo", "c"]),
        ("type", ["a", "c", "b.fifo"]),
        ("created", ["c", "a", "b.fifo"]),
        ("modified", ["a", "b.fifo", "c"]),
        ("available", ["b.fifo", "a", "c"]),
        ("in_flight", ["b.fifo", "c", "a"]),
        ("delayed", ["a", "c", "b.fifo"]),
        ("oldest", ["a", "c", "b.fifo"]),
    ],
)
def test_an_overview_is_sorted_both_ways(bench: Bench, sort: str, order: list[str]):
    bench.create("c", now_ms=at(0))
    bench.create("a", now_ms=at(1))
    bench.create("b.fifo", {"DelaySeconds": "900"}, now_ms=at(2))
    bench.change("c", {"DelaySeconds": "5"}, now_ms=at(3))
    bench.change("c", {"DelaySeconds": "0"}, now_ms=at(4))
    bench.send("a", "1", "2", now_ms=at(5))
    bench.receive_one("a", now_ms=at(5), visibility=600)
    bench.send("c", "1", "2", now_ms=at(6))
    bench.send("b.fifo", "1", now_ms=at(7))
    assert names(overview(bench, sort=sort)) == order
    ties = {"type": ["b.fifo", "a", "c"], "in_flight": ["a", "b.fifo", "c"], "delayed": ["b.fifo", "a", "c"]}
    assert names(overview(bench, sort=sort, descending=True)) == ties.get(sort, order[::-1])


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("encryption", ["b", "c", "a", "d.fifo", "e.fifo"]),
        ("content_based_deduplication", ["a", "b", "c", "d.fifo", "e.fifo"]),
        ("dead_letter_queue", ["b", "c", "d.fifo", "e.fifo", "a"]),
        ("visibility_timeout", ["b", "a", "c", "d.fifo", "e.fifo"]),
        ("retention", ["b", "a", "c", "d.fifo", "e.fifo"]),
        ("maximum_size", ["b", "a", "c", "d.fifo", "e.fifo"]),
        ("delay", ["a", "c", "d.fifo", "e.fifo", "b"]),
        ("receive_wait", ["a", "c", "d.fifo", "e.fifo", "b"]),
    ],
)
def test_an_overview_is_sorted_by_attributes_and_their_defaults(bench: Bench, sort: str, order: list[str]):
    bench.create(
        "b",
        {
            "SqsManagedSseEnabled": "false",
            "VisibilityTimeout": "9",  # as text it would come after the default of 30
            "MessageRetentionPeriod": "99999",
            "MaximumMessageSize": "9999",
            "DelaySeconds": "10",
            "ReceiveMessageWaitTimeSeconds": "10",
        },
        now_ms=at(0),
    )
    bench.create("c", {"KmsMasterKeyId": "alias/own"}, now_ms=at(0))
    policy = f'{{"deadLetterTargetArn":"{bench.find("b").arn}","maxReceiveCount":3}}'
    bench.create("a", {"RedrivePolicy": policy}, now_ms=at(0))
    bench.create("d.fifo", {"FifoQueue": "true"}, now_ms=at(0))
    bench.create("e.fifo", {"FifoQueue": "true", "ContentBasedDeduplication": "true"}, now_ms=at(0))
    assert names(overview(bench, sort=sort)) == order


def test_an_overview_is_paged_and_tells_how_many_match(bench: Bench):
    for number in range(25):
        bench.create(f"q{number:02}", now_ms=at(0))
    bench.create("other", now_ms=at(0))
    page = overview(bench, "q", offset=10, limit=10)
    assert (page.total, names(page)) == (25, [f"q{number:02}" for number in range(10, 20)])
    assert names(overview(bench, "q", offset=20, limit=10)) == [f"q{number:02}" for number in range(20, 25)]
    assert overview(bench, "q", offset=30, limit=10) == Overview(25, [])


def test_a_search_finds_any_part_of_a_name_whatever_its_case(bench: Bench):
    for name in ("Orders-2024", "old_orders", "invoices"):
        bench.create(name, now_ms=at(0))
    assert names(overview(bench, "oRDers")) == ["Orders-2024", "old_orders"]


@pytest.mark.parametrize("search", ["%", "*", "?", "'", "\0", "ü", "\ud800", "[a-z]"])
def test_a_search_for_what_no_name_holds_finds_nothing(bench: Bench, search: str):
    bench.create("q", now_ms=at(0))
    assert overview(bench, search) == Overview(0, [])


def test_an_underscore_in_a_search_is_an_underscore(bench: Bench):
    bench.create("a_b", now_ms=at(0))
    bench.create("a-b", now_ms=at(0))
    assert names(overview(bench, "a_b")) == ["a_b"]


# ── Browsing ─────────────────────────────────────────────────────────────────────────────────────────────


def browse(bench: Bench, name: str, wanted: BrowseFilter | None = None, **how: int) -> BrowsePage:
    given = {"after": 0, "limit": 100, "now_ms": at(1)} | how
    passes = filtering(wanted or BrowseFilter(), given["now_ms"])
    return bench.run(
        lambda: bench.store.browse(key_of(name), admit, passes, given["after"], given["limit"], given["now_ms"])
    )


@BOTH
def test_browsing_shows_what_peek_does(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, *"abc", now_ms=at(0))
    bench.receive_one(q, now_ms=at(1))
    assert browse(bench, q) == BrowsePage(bench.peek(q), None, 3)


@BOTH
def test_browsing_goes_on_where_a_page_ended(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, *"abcde", now_ms=at(0))
    first = browse(bench, q, limit=2)
    second = browse(bench, q, limit=2, after=first.next_sequence)
    last = browse(bench, q, limit=2, after=second.next_sequence)
    pages = [[message.body for message in page.messages] for page in (first, second, last)]
    assert pages == [["a", "b"], ["c", "d"], ["e"]]
    assert last.next_sequence is None


@pytest.mark.parametrize(
    ("state", "shown"), [("visible", ["b"]), ("in_flight", ["a"]), ("delayed", ["c"]), ("", ["a", "b", "c"])]
)
def test_browsing_by_state(bench: Bench, state: str, shown: list[str]):
    bench.create("q", now_ms=at(0))
    bench.send("q", "a", "b", now_ms=at(0))
    bench.receive_one("q", now_ms=at(1))
    bench.change("q", {"DelaySeconds": "60"}, now_ms=at(1))
    bench.send("q", "c", now_ms=at(1))
    assert [message.body for message in browse(bench, "q", BrowseFilter(state=state)).messages] == shown


def test_browsing_a_backlog_takes_bounded_steps_that_say_where_to_go_on(bench: Bench):
    bench.create("q", now_ms=at(0))
    for first in range(0, 2_500, 500):
        bench.send("q", *[f"number {number}" for number in range(first, first + 500)], now_ms=at(0))
    after, pages = 0, []
    while after is not None:
        page = browse(bench, "q", BrowseFilter(text="NUMBER 2222"), after=after)
        pages.append(page)
        after = page.next_sequence
    assert [message.body for page in pages for message in page.messages] == ["number 2222"]
    assert sum(page.looked_at for page in pages) == 2_500
    assert max(page.looked_at for page in pages) <= 1_000


def test_browsing_leaves_out_what_is_past_its_retention(bench: Bench):
    bench.create("q", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send("q", "old", now_ms=at(0))
    bench.send("q", "new", now_ms=at(30))
    assert [message.body for message in browse(bench, "q", now_ms=at(61)).messages] == ["new"]


@BOTH
def test_browsing_changes_nothing(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    browse(bench, q)
    assert bench.receive_one(q, now_ms=at(1)).message.receives == 1


# ── Move tasks ───────────────────────────────────────────────────────────────────────────────────────────


def dead_letters(bench: Bench, dead: str, *texts: str) -> str:
    """Messages that went through a source into its dead-letter queue; the source's name."""
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, *texts, now_ms=at(0))
    assert len(bench.receive(q, now_ms=at(1), visibility=0).deliveries) == len(texts)
    assert bench.receive_bodies(q, now_ms=at(1)) == []
    return q


def finish(bench: Bench, moment: float) -> None:
    bench.tidy(now_ms=at(moment))


def test_a_move_task_returns_dead_letters_to_their_source_as_new_messages(bench: Bench, dead: str):
    q = dead_letters(bench, dead, "a", "b")
    old = {message.body: message for message in bench.peek(dead)}
    started = bench.start_task("task", dead, now_ms=at(10))
    assert (started.status, started.moved, started.to_move) == ("RUNNING", 0, 2)
    assert (started.source_arn, started.destination_arn) == (arn_of(dead), None)
    assert (started.started_at_ms, started.account, started.id) == (at(10), ACCOUNT, "task")
    finish(bench, 10)
    (task,) = bench.tasks(dead)
    assert (task.status, task.moved, task.to_move, task.failure_reason) == ("COMPLETED", 2, 2, None)
    assert bench.counts(dead, now_ms=at(10)) == NO_MESSAGES
    moved = [one.message for one in bench.receive(q, now_ms=at(11)).deliveries]
    assert [message.body for message in moved] == ["a", "b"]
    for message in moved:
        before = old[message.body]
        assert message.message_id != before.message_id
        assert message.sequence > before.sequence
        assert (message.sent_at_ms, message.receives, message.first_received_at_ms) == (at(10), 1, at(11))
        assert message.dead_letter_source_arn is None
        assert (message.group_id, message.deduplication_id) == (before.group_id, before.deduplication_id)
        assert message.body_md5 == before.body_md5


def test_moved_messages_keep_large_bodies_attributes_and_trace(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    new = bench.new(
        "ü" * 20_000,
        group="g",
        dedup="d" if "." in q else None,
        attributes={"a": MessageAttribute("Binary", b"\x00")},
        trace_header="Root=1",
    )
    bench.send_all(q, [new], now_ms=at(0))
    bench.receive_one(q, now_ms=at(1), visibility=0)
    bench.receive(q, now_ms=at(1))
    bench.start_task("task", dead, now_ms=at(2))
    finish(bench, 2)
    message = bench.receive_one(q, now_ms=at(3)).message
    assert (message.body, message.attributes, message.trace_header) == (new.body, new.attributes, new.trace_header)
    assert message.sender_id == new.sender_id


def test_each_message_goes_back_to_its_own_source(bench: Bench):
    bench.create("dead", now_ms=at(0))
    for q in ("a", "b"):
        bench.create(q, redrive("dead", 1), now_ms=at(0))
        bench.send(q, f"from {q}", now_ms=at(0))
        bench.receive_one(q, now_ms=at(1), visibility=0)
        bench.receive(q, now_ms=at(1))
    bench.start_task("task", "dead", now_ms=at(2))
    finish(bench, 2)
    assert bench.receive_bodies("a", now_ms=at(3)) == ["from a"]
    assert bench.receive_bodies("b", now_ms=at(3)) == ["from b"]


def send_back(
    bench: Bench, dead: str, *messages: Message, now_ms: int, admit_target: Callable[[Queue], None] = admit
) -> int:
    sequences = [message.sequence for message in messages]
    return bench.run(lambda: bench.store.send_back(key_of(dead), admit, sequences, admit_target, now_ms))


def test_chosen_dead_letters_are_sent_back_as_new_messages_and_the_others_stay(bench: Bench, dead: str):
    q = dead_letters(bench, dead, "a", "b", "c")
    a, b, c = bench.peek(dead)
    assert send_back(bench, dead, c, a, now_ms=at(20)) == 2
    assert [message.body for message in bench.peek(dead)] == ["b"]
    returned = bench.peek(q)
    assert [message.body for message in returned] == ["c", "a"]
    assert {message.message_id for message in returned}.isdisjoint({a.message_id, b.message_id, c.message_id})
    assert [(message.receives, message.sent_at_ms) for message in returned] == [(0, at(20))] * 2
    assert bench.receive_bodies(q, now_ms=at(21)) == ["c", "a"]
    assert bench.receive_bodies(dead, now_ms=at(21)) == ["b"]


def test_dead_letters_in_flight_or_gone_or_without_their_source_stay(bench: Bench, dead: str):
    q = dead_letters(bench, dead, "a", "b")
    bench.receive(dead, now_ms=at(20), maximum=1)
    busy, free = bench.peek(dead)
    bench.send(dead, "sent here", now_ms=at(20))
    sent_here = bench.peek(dead)[-1]
    assert send_back(bench, dead, busy, sent_here, now_ms=at(21)) == 0
    bench.drop(q, now_ms=at(22))
    assert send_back(bench, dead, free, now_ms=at(23)) == 0
    assert len(bench.peek(dead)) == 3


def test_nothing_is_sent_back_when_one_of_the_sources_does_not_admit(bench: Bench, dead: str):
    dead_letters(bench, dead, "a", "b")
    with pytest.raises(PurgeQueueInProgress):
        send_back(bench, dead, *bench.peek(dead), now_ms=at(20), admit_target=refuse)
    assert [message.body for message in bench.peek(dead)] == ["a", "b"]


def test_a_move_task_with_a_destination_moves_everything_there(bench: Bench, dead: str):
    dead_letters(bench, dead, "a")
    other = dead.replace("dead", "other")
    bench.create(other, now_ms=at(2))
    bench.send(dead, "direct", now_ms=at(2))
    task = bench.start_task("task", dead, other, now_ms=at(3))
    assert (task.destination_arn, task.to_move) == (arn_of(other), 2)
    finish(bench, 3)
    assert bench.tasks(dead)[0].status == "COMPLETED"
    assert bench.receive_bodies(other, now_ms=at(4)) == ["a", "direct"]


def test_a_message_without_a_source_fails_the_task_and_stays(bench: Bench, dead: str):
    q = dead_letters(bench, dead, "a")
    bench.send(dead, "direct", now_ms=at(2))
    bench.start_task("task", dead, now_ms=at(3))
    finish(bench, 3)
    (task,) = bench.tasks(dead)
    assert (task.status, task.failure_reason) == ("FAILED", "CouldNotDetermineMessageSource")
    assert task.moved == 1
    assert [message.body for message in bench.peek(dead)] == ["direct"]
    assert bench.counts(q, now_ms=at(3)) == Counts(1, 0, 0)


@pytest.mark.parametrize("named", [False, True])
def test_a_deleted_destination_fails_the_task_and_loses_nothing(bench: Bench, dead: str, named: bool):
    q = dead_letters(bench, dead, "a", "b")
    bench.start_task("task", dead, q if named else None, now_ms=at(10))
    bench.drop(q, now_ms=at(10))
    finish(bench, 10)
    (task,) = bench.tasks(dead)
    assert (task.status, task.failure_reason) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert bench.receive_bodies(dead, now_ms=at(11)) == ["a", "b"]


def test_a_rate_spreads_the_messages_over_seconds(bench: Bench, dead: str):
    q = dead_letters(bench, dead, *"abcd")
    bench.start_task("task", dead, rate=1, now_ms=at(10))
    for second in range(4):
        finish(bench, 10 + second)
        (task,) = bench.tasks(dead)
        assert task.moved == second + 1
        assert len(bench.peek(q)) == second + 1
        assert len(bench.peek(dead)) == 3 - second
    finish(bench, 14)
    (task,) = bench.tasks(dead)
    assert (task.status, task.moved, task.to_move) == ("COMPLETED", 4, 4)


def test_tidying_says_when_the_next_message_may_move(bench: Bench, dead: str):
    dead_letters(bench, dead, *"ab")
    bench.start_task("task", dead, rate=1, now_ms=at(10))
    assert bench.tidy(now_ms=at(10)) <= at(11)


def test_messages_in_flight_are_not_moved(bench: Bench):
    dead_letters(bench, "dead", "a", "b")
    bench.receive_one("dead", now_ms=at(2), visibility=100)
    assert bench.start_task("task", "dead", now_ms=at(3)).to_move == 1
    finish(bench, 3)
    (task,) = bench.tasks("dead")
    assert (task.status, task.moved) == ("COMPLETED", 1)
    assert [message.body for message in bench.peek("dead")] == ["a"]


def test_a_task_with_nothing_to_move_is_completed(bench: Bench, dead: str):
    with_dead_letters(bench, dead, 1)
    assert bench.start_task("task", dead, now_ms=at(1)).to_move == 0
    finish(bench, 1)
    (task,) = bench.tasks(dead)
    assert (task.status, task.moved) == ("COMPLETED", 0)


def test_a_task_whose_source_is_deleted_fails(bench: Bench, dead: str):
    dead_letters(bench, dead, *"abc")
    bench.start_task("task", dead, rate=1, now_ms=at(10))
    finish(bench, 10)
    bench.drop(dead, now_ms=at(10))
    finish(bench, 12)
    (task,) = bench.tasks(dead)
    assert (task.status, task.moved, task.failure_reason) == ("FAILED", 1, "AWS.SimpleQueueService.NonExistentQueue")


def test_a_task_ends_after_thirty_six_hours(bench: Bench, dead: str):
    dead_letters(bench, dead, *"abc")
    bench.start_task("task", dead, rate=1, now_ms=at(10))
    finish(bench, 11 + 36 * HOUR)
    (task,) = bench.tasks(dead)
    assert task.status == "FAILED"
    assert len(bench.peek(dead)) == 3


def test_a_cancelled_task_moves_no_more(bench: Bench, dead: str):
    dead_letters(bench, dead, *"abcd")
    bench.start_task("task", dead, rate=1, now_ms=at(10))
    finish(bench, 10)
    cancelled = bench.cancel_task("task")
    assert (cancelled.status, cancelled.moved) == ("CANCELLING", 1)
    finish(bench, 10.5)
    finish(bench, 20)
    (task,) = bench.tasks(dead)
    assert (task.status, task.moved, task.to_move) == ("CANCELLED", 1, 4)
    assert len(bench.peek(dead)) == 3


def test_the_cancel_decision_sees_the_task_or_none(bench: Bench):
    dead_letters(bench, "dead", "a")
    bench.start_task("task", "dead", now_ms=at(2))
    finish(bench, 2)
    seen = []

    def decide(task: object) -> None:
        seen.append(task)
        raise ResourceNotFound("Task does not exist.")

    for task_id in ("task", "unknown"):
        with pytest.raises(ResourceNotFound):
            bench.run(lambda task_id=task_id: bench.store.cancel_move_task(task_id, decide))
    assert seen == [bench.tasks("dead")[0], None]


def test_tasks_are_listed_newest_first_and_by_source(bench: Bench):
    dead_letters(bench, "dead", "a")
    bench.create("idle", now_ms=at(0))
    for number in range(12):
        bench.start_task(f"task {number}", "dead", now_ms=at(2 + number))
        finish(bench, 2 + number)
    bench.start_task("other", "idle", now_ms=at(20))
    assert [task.id for task in bench.tasks("dead", limit=1)] == ["task 11"]
    assert [task.id for task in bench.tasks("dead", limit=10)] == [f"task {n}" for n in range(11, 1, -1)]
    assert [task.id for task in bench.tasks("idle")] == ["other"]


def test_the_directory_knows_active_tasks(bench: Bench):
    dead_letters(bench, "dead", *"abc")
    bench.start_task("one", "dead", rate=1, now_ms=at(2))
    seen = []

    def decide(directory: Directory) -> MoveTaskDraft:
        seen.append([(task.id, task.status) for task in directory.active_move_tasks(ACCOUNT)])
        seen.append(list(directory.active_move_tasks("111111111111")))
        raise ResourceNotFound("no")

    def ask() -> None:
        with pytest.raises(ResourceNotFound):
            bench.run(lambda: bench.store.start_move_task(key_of("dead"), decide, at(2)))

    ask()
    bench.cancel_task("one")
    ask()
    finish(bench, 2)
    ask()
    assert seen == [[("one", "RUNNING")], [], [("one", "CANCELLING")], [], [], []]


def test_moved_fifo_messages_are_not_dropped_as_duplicates(bench: Bench):
    q = with_dead_letters(bench, "dead.fifo", 1)
    bench.send(q, "a", dedup="d", now_ms=at(0))
    bench.receive_one(q, now_ms=at(1), visibility=0)
    bench.receive(q, now_ms=at(1))
    bench.start_task("task", "dead.fifo", now_ms=at(2))
    finish(bench, 2)
    assert bench.receive_bodies(q, now_ms=at(3)) == ["a"]


def test_a_large_task_is_done_in_small_steps(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    other = dead.replace("dead", "other")
    bench.create(other, now_ms=at(0))
    for first in range(0, 1_000, 100):
        bench.send(dead, *[str(number) for number in range(first, first + 100)], now_ms=at(0))
    bench.start_task("task", dead, other, now_ms=at(1))
    for second in range(1, 42):
        finish(bench, second)
    assert bench.tasks(dead)[0].status == "COMPLETED"
    assert [message.body for message in bench.peek(other)] == [str(number) for number in range(1_000)]
    assert bench.counts(dead, now_ms=at(42)) == NO_MESSAGES
    assert bench.counts(q, now_ms=at(42)) == NO_MESSAGES


# ── Whom to tell ─────────────────────────────────────────────────────────────────────────────────────────
# A listener may be told too often or too early, because it looks for itself; it must not be told too late.


@BOTH
def test_a_send_is_told(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.told.clear()
    bench.send(q, "a", now_ms=at(1))
    assert any(when <= at(1) for when in bench.told_of(q))


@BOTH
def test_a_delayed_send_is_told_with_the_moment_it_is_due(bench: Bench, q: str):
    bench.create(q, {"DelaySeconds": "9"}, now_ms=at(0))
    bench.told.clear()
    bench.send(q, "a", now_ms=at(1))
    assert any(when <= at(10) for when in bench.told_of(q))


def test_a_listener_hears_only_of_queues_that_may_have_something(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.create("other", now_ms=at(0))
    bench.told.clear()
    bench.send("q", "a", now_ms=at(1))
    assert bench.told_of("other") == []


def test_a_duplicate_is_not_told(fifo: Bench):
    fifo.send("q.fifo", "a", dedup="d", now_ms=at(0))
    fifo.told.clear()
    fifo.send("q.fifo", "a", dedup="d", now_ms=at(1))
    assert fifo.told_of("q.fifo") == []


@BOTH
@pytest.mark.parametrize("seconds", [0, 4])
def test_a_changed_visibility_is_told(bench: Bench, q: str, seconds: int):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0)).receipt_handle
    bench.told.clear()
    bench.hide(q, (handle, seconds), now_ms=at(1))
    assert any(when <= at(1 + seconds) for when in bench.told_of(q))


def test_a_group_freed_by_a_deletion_is_told(fifo: Bench):
    fifo.send("q.fifo", "1", "2", now_ms=at(0))
    handle = fifo.receive_one("q.fifo", now_ms=at(0)).receipt_handle
    fifo.told.clear()
    fifo.delete("q.fifo", handle, now_ms=at(1))
    assert any(when <= at(1) for when in fifo.told_of("q.fifo"))


def test_a_group_freed_by_expiry_is_told(bench: Bench):
    bench.create("q.fifo", {"MessageRetentionPeriod": "60"}, now_ms=at(0))
    bench.send("q.fifo", "1", now_ms=at(0))
    bench.receive_one("q.fifo", now_ms=at(0), visibility=HOUR)
    bench.send("q.fifo", "2", now_ms=at(30))
    bench.told.clear()
    next_ms = bench.tidy(now_ms=at(40))
    assert next_ms <= at(61)
    bench.tidy(now_ms=at(61))
    assert any(when <= at(61) for when in bench.told_of("q.fifo"))


def test_a_group_freed_by_a_dead_letter_is_told_or_served(bench: Bench):
    q = with_dead_letters(bench, "dead.fifo", 1)
    bench.send(q, "1", "2", group="a", now_ms=at(0))
    bench.send(q, "x", "y", group="b", now_ms=at(0))
    assert take(bench, 0, maximum=1, visibility=1) == ["1"]
    bench.told.clear()
    (served,) = take(bench, 2, maximum=1)
    assert served in ("2", "x")
    assert any(when <= at(2) for when in bench.told_of(q)) or served == "2"


def test_the_arrival_of_a_dead_letter_is_told(bench: Bench, dead: str):
    q = with_dead_letters(bench, dead, 1)
    bench.send(q, "a", now_ms=at(0))
    bench.receive_one(q, now_ms=at(0), visibility=1)
    bench.told.clear()
    bench.receive(q, now_ms=at(2))
    assert any(when <= at(2) for when in bench.told_of(dead))


def test_the_arrival_of_a_moved_message_is_told(bench: Bench, dead: str):
    q = dead_letters(bench, dead, "a")
    bench.start_task("task", dead, now_ms=at(3))
    finish(bench, 3)
    assert any(when <= at(3) for when in bench.told_of(q))


def test_a_shorter_delay_of_a_fifo_queue_is_told(bench: Bench):
    bench.create("q.fifo", {"DelaySeconds": "100"}, now_ms=at(0))
    bench.send("q.fifo", "a", now_ms=at(0))
    bench.told.clear()
    bench.change("q.fifo", {"DelaySeconds": "5"}, now_ms=at(1))
    assert any(when <= at(5) for when in bench.told_of("q.fifo"))


def test_a_listener_is_told_after_the_result_can_be_seen(bench: Bench):
    bench.create("q", now_ms=at(0))
    counts = []

    async def wait_and_look() -> None:
        told = asyncio.get_running_loop().create_future()
        bench.store.on_available(lambda _key, _when: told.done() or told.set_result(None))
        sent = bench.store.send(key_of("q"), lambda _queue: [bench.new("a")], at(1))
        await told
        counts.append((await bench.store.queue_status(key_of("q"), admit, at(1))).counts)
        await sent

    bench.run(lambda: asyncio.ensure_future(wait_and_look()))
    assert counts == [Counts(1, 0, 0)]


# ── Verbs together ───────────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_verbs_that_arrive_together_each_get_their_own_answer(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    key, store = key_of(q), bench.store
    news = [bench.new(str(number), group="g", dedup=str(number)) for number in range(20)]
    order = ReceiveOrder(1, 30, 120_000, False)
    sends = [lambda new=new: store.send(key, lambda _queue: [new], at(0)) for new in news]
    answers = bench.together(*sends, lambda: store.receive(key, lambda _queue: order, at(1)))
    assert [answer[0].message_id for answer in answers[:-1]] == [new.message_id for new in news]
    assert bodies(answers[-1]) == ["0"]
    assert bench.counts(q, now_ms=at(1)) == Counts(19, 1, 0)


@BOTH
def test_a_refused_verb_harms_none_that_arrived_with_it(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    key, store = key_of(q), bench.store
    first, second = bench.new("first", group="g", dedup="1"), bench.new("second", group="g", dedup="2")
    answers = bench.together(
        lambda: store.send(key, lambda _queue: [first], at(0)),
        lambda: store.send(key, refuse, at(0)),
        lambda: store.send(key_of("unknown"), lambda _queue: [first], at(0)),
        lambda: store.send(key, lambda _queue: [second], at(0)),
    )
    assert [type(answer) for answer in answers] == [list, PurgeQueueInProgress, QueueDoesNotExist, list]
    assert bench.receive_bodies(q, now_ms=at(1)) == ["first", "second"]


@BOTH
def test_a_broken_decision_fails_its_own_verb_alone(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    key, store = key_of(q), bench.store
    good = bench.new("good", group="g", dedup="1")
    answers = bench.together(
        lambda: store.send(key, lambda _queue: [1 / 0], at(0)),
        lambda: store.send(key, lambda _queue: [good], at(0)),
    )
    assert isinstance(answers[0], Exception)
    assert isinstance(answers[1], list)
    assert bench.receive_bodies(q, now_ms=at(1)) == ["good"]


@BOTH
def test_a_decision_sees_what_verbs_before_it_did(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    key, store = key_of(q), bench.store
    seen = []

    def remember(queue: Queue) -> list:
        seen.append(queue.settings.visibility_timeout_seconds)
        return []

    def change(queue: Queue, _directory: Directory) -> QueueChange:
        return QueueChange(queue.attributes | {"VisibilityTimeout": "77"}, queue.tags, modified=True)

    bench.together(
        lambda: store.send(key, remember, at(0)),
        lambda: store.change_queue(key, change, at(0)),
        lambda: store.send(key, remember, at(0)),
    )
    assert seen == [30, 77]


@BOTH
def test_two_receives_together_do_not_share_a_message(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, *[str(number) for number in range(5)], now_ms=at(0))
    order = ReceiveOrder(3, 30, 120_000, False)
    answers = bench.together(*[lambda: bench.store.receive(key_of(q), lambda _queue: order, at(1)) for _ in range(3)])
    found = [body for answer in answers for body in bodies(answer)]
    assert found == (["0", "1", "2", "3", "4"] if q == "q" else ["0", "1", "2"])


def test_a_receive_over_the_limit_moves_no_dead_letters_before_it_is_refused(bench: Bench):
    bench.create("dead", now_ms=at(0))
    bench.create("q", redrive("dead", 1), now_ms=at(0))
    bench.send("q", "a", "b", now_ms=at(0))
    bench.receive_one("q", now_ms=at(0), visibility=1)
    bench.receive_one("q", now_ms=at(0), visibility=100)
    with pytest.raises(OverLimit):
        bench.receive("q", now_ms=at(2), limit=1, refuse=True)
    assert (bench.counts("q", now_ms=at(2)), bench.counts("dead", now_ms=at(2))) == (Counts(1, 1, 0), NO_MESSAGES)


# ── Opening, closing, upkeep ─────────────────────────────────────────────────────────────────────────────


def test_a_closed_store_refuses_what_comes_after(bench: Bench):
    bench.create("q", now_ms=at(0))
    bench.run(lambda: asyncio.ensure_future(bench.store.close()))
    with pytest.raises(ServiceUnavailable):
        bench.send("q", "a", now_ms=at(1))
    with pytest.raises(ServiceUnavailable):
        bench.find("q")


def test_closing_twice_is_harmless(bench: Bench):
    bench.run(lambda: asyncio.ensure_future(bench.store.close()))
    bench.run(lambda: asyncio.ensure_future(bench.store.close()))


@BOTH
def test_tidying_answers_with_a_moment_to_come(bench: Bench, q: str):
    bench.create(q, now_ms=at(0))
    bench.send(q, "a", now_ms=at(0))
    assert bench.tidy(now_ms=at(1)) > at(1)


def test_the_receipt_key_is_long_enough(bench: Bench):
    assert 16 <= len(bench.store.receipt_key) <= 64
    bench.create("q", now_ms=at(0))
    queue = bench.find("q")
    bench.send("q", "a", now_ms=at(0))
    delivery = bench.receive_one("q", now_ms=at(5))
    receipt = ids.read_receipt_handle(bench.store.receipt_key, delivery.receipt_handle, queue.id)
    assert (receipt.queue_id, receipt.sequence) == (queue.id, delivery.message.sequence)
    assert (receipt.receives, receipt.received_at_ms) == (1, at(5))


@BOTH
def test_a_reopened_store_has_everything(sqlite_bench: Bench, q: str):
    bench = sqlite_bench
    bench.create(q, {"VisibilityTimeout": "7"}, tags={"a": "1"}, now_ms=at(0))
    bench.send(q, "taken", "x" * 30_000, now_ms=at(0))
    handle = bench.receive_one(q, now_ms=at(0), visibility=100).receipt_handle
    bench.change(q, {"DelaySeconds": "50"}, now_ms=at(1))
    bench.send(q, "delayed", now_ms=at(1))
    queue, messages, key = bench.find(q), bench.peek(q), bench.store.receipt_key
    bench.reopen()
    assert (bench.find(q), bench.peek(q), bench.store.receipt_key) == (queue, messages, key)
    assert bench.list_names() == [q]
    assert bench.counts(q, now_ms=at(2)) == Counts(1, 1, 1)
    assert bench.delete(q, handle, now_ms=at(2)) == [None]
    assert bench.counts(q, now_ms=at(60)) == Counts(2, 0, 0)


def test_a_reopened_store_gives_no_sequence_twice(sqlite_bench: Bench):
    sqlite_bench.create("q", now_ms=at(0))
    (before,) = sqlite_bench.send("q", "a", now_ms=at(0))
    handle = sqlite_bench.receive_one("q", now_ms=at(0)).receipt_handle
    sqlite_bench.delete("q", handle, now_ms=at(0))
    sqlite_bench.reopen()
    (after,) = sqlite_bench.send("q", "b", now_ms=at(0))
    assert after.sequence > before.sequence


def test_a_reopened_store_remembers_deduplication_ids(sqlite_bench: Bench):
    sqlite_bench.create("q.fifo", now_ms=at(0))
    (original,) = sqlite_bench.send("q.fifo", "a", dedup="d", now_ms=at(0))
    sqlite_bench.reopen()
    (again,) = sqlite_bench.send("q.fifo", "b", dedup="d", now_ms=at(200))
    assert (again.duplicate, again.message_id, again.sequence) == (True, original.message_id, original.sequence)


def test_a_reopened_store_repeats_attempts(sqlite_bench: Bench):
    sqlite_bench.create("q.fifo", now_ms=at(0))
    sqlite_bench.send("q.fifo", "a", now_ms=at(0))
    first = attempt(sqlite_bench, 0)
    sqlite_bench.reopen()
    assert attempt(sqlite_bench, 1) == first


def test_a_reopened_store_goes_on_with_move_tasks(sqlite_bench: Bench):
    dead_letters(sqlite_bench, "dead", *"abc")
    sqlite_bench.start_task("task", "dead", rate=1, now_ms=at(10))
    finish(sqlite_bench, 10)
    sqlite_bench.reopen()
    assert [(task.status, task.moved) for task in sqlite_bench.tasks("dead")] == [("RUNNING", 1)]
    for second in (11, 12, 13):
        finish(sqlite_bench, second)
    assert [(task.status, task.moved) for task in sqlite_bench.tasks("dead")] == [("COMPLETED", 3)]


def test_a_reopened_store_remembers_deletions_and_purges(sqlite_bench: Bench):
    sqlite_bench.create("q", now_ms=at(0))
    sqlite_bench.create("gone", now_ms=at(0))
    sqlite_bench.send("q", "a", now_ms=at(0))
    sqlite_bench.send("gone", "a", now_ms=at(0))
    sqlite_bench.purge("q", now_ms=at(1))
    sqlite_bench.drop("gone", now_ms=at(2))
    sqlite_bench.reopen()
    assert sqlite_bench.find("q").purged_at_ms == at(1)
    assert sqlite_bench.counts("q", now_ms=at(3)) == NO_MESSAGES
    seen = []

    def decide(directory: Directory) -> QueueDraft:
        seen.append(directory.deleted_at_ms(key_of("gone")))
        return QueueDraft({}, {})

    sqlite_bench.run(lambda: sqlite_bench.store.create_queue(key_of("gone"), decide, at(10)))
    assert seen == [at(2)]
    assert sqlite_bench.counts("gone", now_ms=at(10)) == NO_MESSAGES
