import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.actions import (
    BatchResultErrorEntry,
    ChangeMessageVisibilityEntry,
    DeleteMessageEntry,
    MessageAttributeValue,
    SendMessageEntry,
)
from stanchion.engine.batches import check_batch, check_send_batch, failed
from stanchion.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InternalFailure,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    ReceiptHandleIsInvalid,
    SQSError,
    TooManyEntriesInBatchRequest,
)
from unit.engine.queues import queue
from unit.engine.texts import ANY_TEXT

ACTIONS = [
    ("SendMessageBatch", SendMessageEntry),
    ("DeleteMessageBatch", DeleteMessageEntry),
    ("ChangeMessageVisibilityBatch", ChangeMessageVisibilityEntry),
]
every_action = pytest.mark.parametrize(("action", "entry"), ACTIONS)


def refused(error: type[SQSError], message: str, action: str, entries) -> None:
    with pytest.raises(error) as raised:
        check_batch(action, entries)
    assert raised.value.message == message


@every_action
@pytest.mark.parametrize("entries", [None, []])
def test_a_batch_must_have_entries(action, entry, entries):
    refused(EmptyBatchRequest, f"There should be at least one {action}RequestEntry in the request.", action, entries)


@every_action
def test_a_batch_has_at_most_ten_entries(action, entry):
    check_batch(action, [entry(id=str(n)) for n in range(10)])
    eleven = [entry(id="same") for _ in range(11)]
    message = "Maximum number of entries per request are 10. You have sent 11."
    refused(TooManyEntriesInBatchRequest, message, action, eleven)


@every_action
@pytest.mark.parametrize("entry_id", ["a", "A_b-9", "x" * 80])
def test_good_ids(action, entry, entry_id):
    check_batch(action, [entry(id=entry_id)])


@every_action
@pytest.mark.parametrize("entry_id", ["", "a b", "x" * 81, "a.b", "é", "a\n", "\ud800"])
def test_bad_ids(action, entry, entry_id):
    message = (
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
        "It can be at most 80 letters long."
    )
    refused(InvalidBatchEntryId, message, action, [entry(id="ok"), entry(id=entry_id)])


@every_action
def test_a_missing_id_is_told_by_its_place(action, entry):
    message = f"The request must contain the parameter {action}RequestEntry.2.Id."
    refused(MissingParameter, message, action, [entry(id="a"), entry()])


@every_action
@pytest.mark.parametrize(("ids", "repeated"), [("1221", "2"), ("aa", "a"), ("abcb", "b")])
def test_the_id_whose_repetition_comes_first_is_named(action, entry, ids, repeated):
    refused(BatchEntryIdsNotDistinct, f"Id {repeated} repeated.", action, [entry(id=i) for i in ids])


def test_bad_ids_come_before_repeated_ones():
    entries = [DeleteMessageEntry(id=entry_id) for entry_id in ("a", "a", "!")]
    with pytest.raises(InvalidBatchEntryId):
        check_batch("DeleteMessageBatch", entries)


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────


def messages(*sizes: int) -> list[SendMessageEntry]:
    return [SendMessageEntry(id=str(n), message_body="x" * size) for n, size in enumerate(sizes)]


def test_a_batch_may_have_a_mebibyte_in_all_whatever_the_queue_takes():
    check_send_batch(queue(MaximumMessageSize="1024"), messages(1_000_000, 48_576))


def test_a_batch_that_is_too_long_names_its_size():
    with pytest.raises(BatchRequestTooLong) as raised:
        check_send_batch(queue(), messages(1_000_000, 48_577))
    assert raised.value.message == "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."


def test_attributes_count_for_the_size_of_a_batch():
    entries = messages(1_048_568)
    entries[0].message_attributes = {"k": MessageAttributeValue(string_value="x", data_type="String")}
    check_send_batch(queue(), entries)
    entries[0].message_body += "x"
    with pytest.raises(BatchRequestTooLong):
        check_send_batch(queue(), entries)


def test_a_standard_queue_needs_neither_group_nor_deduplication_id():
    check_send_batch(queue(), messages(1, 1))


def fifo_entries(*members: dict) -> list[SendMessageEntry]:
    return [SendMessageEntry(id=str(n), message_body="b", **given_members) for n, given_members in enumerate(members)]


def refused_on_fifo(message: str, *members: dict, **attributes: str) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        check_send_batch(queue("q.fifo", **attributes), fifo_entries(*members))
    assert raised.value.message == message


COMPLETE = {"message_group_id": "g", "message_deduplication_id": "d"}
NO_DEDUPLICATION_ID = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)


@pytest.mark.parametrize("group", [None, ""])
def test_one_entry_without_group_refuses_a_fifo_batch(group):
    message = "The request must contain the parameter MessageGroupId."
    refused_on_fifo(message, COMPLETE, COMPLETE | {"message_group_id": group})


def test_one_entry_without_deduplication_id_refuses_a_fifo_batch():
    refused_on_fifo(NO_DEDUPLICATION_ID, COMPLETE, {"message_group_id": "g"})


def test_content_based_deduplication_needs_no_ids():
    by_content = queue("q.fifo", ContentBasedDeduplication="true")
    check_send_batch(by_content, fifo_entries({"message_group_id": "g"}))
    message = "The request must contain the parameter MessageGroupId."
    refused_on_fifo(message, {}, ContentBasedDeduplication="true")


def test_an_empty_deduplication_id_fails_later_and_alone():
    check_send_batch(queue("q.fifo"), fifo_entries(COMPLETE | {"message_deduplication_id": ""}))


# ── What fails alone ─────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_entry_tells_the_code_the_text_and_whose_fault_it_is():
    assert failed("a", ReceiptHandleIsInvalid("garbage")) == BatchResultErrorEntry(
        id="a",
        code="ReceiptHandleIsInvalid",
        message='The input receipt handle "garbage" is not a valid receipt handle.',
        sender_fault=True,
    )


def test_a_failure_of_the_server_is_not_the_senders_fault():
    assert not failed("a", InternalFailure()).sender_fault


ids = st.none() | st.sampled_from("abc") | ANY_TEXT
entry_lists = st.lists(st.builds(SendMessageEntry, id=ids, message_body=ids, message_group_id=ids), max_size=12)


@given(st.none() | entry_lists)
def test_whatever_is_sent_passes_or_is_an_error(entries):
    try:
        check_batch("SendMessageBatch", entries)
        check_send_batch(queue("q.fifo"), entries)
    except SQSError as error:
        assert error.message
    else:
        assert 1 <= len({entry.id for entry in entries}) == len(entries) <= 10
