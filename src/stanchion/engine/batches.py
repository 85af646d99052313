"""The rules that fail a whole batch, and the shape of what fails alone."""

from collections.abc import Sequence

from stanchion.actions import (
    BatchResultErrorEntry,
    ChangeMessageVisibilityEntry,
    DeleteMessageEntry,
    SendMessageEntry,
)
from stanchion.engine.characters import SIMPLE_NAME
from stanchion.engine.messages import NO_DEDUPLICATION_ID, size_of
from stanchion.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    SQSError,
    TooManyEntriesInBatchRequest,
)
from stanchion.limits import BATCH_BYTES, BATCH_ENTRIES
from stanchion.model import Queue

Entry = SendMessageEntry | DeleteMessageEntry | ChangeMessageVisibilityEntry


def check_batch(action: str, entries: Sequence[Entry] | None) -> None:
    """The rules that the three batch actions share: 1-10 entries with good, distinct ids."""
    if not entries:
        raise EmptyBatchRequest(action)
    if len(entries) > BATCH_ENTRIES:
        raise TooManyEntriesInBatchRequest(len(entries), BATCH_ENTRIES)
    for place, entry in enumerate(entries, 1):
        if entry.id is None:
            raise MissingParameter(f"{action}RequestEntry.{place}.Id")
        if SIMPLE_NAME.fullmatch(entry.id) is None:
            raise InvalidBatchEntryId
    _check_distinct([entry.id or "" for entry in entries])


def _check_distinct(ids: list[str]) -> None:
    seen: set[str] = set()
    for entry_id in ids:
        if entry_id in seen:
            raise BatchEntryIdsNotDistinct(entry_id)
        seen.add(entry_id)


def check_send_batch(queue: Queue, entries: Sequence[SendMessageEntry]) -> None:
    """What fails a whole SendMessageBatch beyond ``check_batch``: its size, and on a FIFO queue a missing
    group id or deduplication id in any entry."""
    size = sum(map(size_of, entries))
    if size > BATCH_BYTES:
        raise BatchRequestTooLong(size, BATCH_BYTES)
    if not queue.settings.fifo:
        return
    if any(not entry.message_group_id for entry in entries):
        # Not MissingParameter, as in SendMessage: the service differs here.
        raise InvalidParameterValue("The request must contain the parameter MessageGroupId.")
    if queue.settings.content_based_deduplication:
        return
    if any(entry.message_deduplication_id is None for entry in entries):
        raise InvalidParameterValue(NO_DEDUPLICATION_ID)


def failed(entry_id: str, error: SQSError) -> BatchResultErrorEntry:
    """An entry that failed alone. It carries the Query code in both protocols."""
    return BatchResultErrorEntry(
        id=entry_id, code=error.code, message=error.message, sender_fault=error.fault == "Sender"
    )
