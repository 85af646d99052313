"""What is particular to FIFO queues: deduplication and the replay of a receive.

The order rule itself is one sentence: a visible message may be returned if every earlier message of its group
is either returned in the same response or gone. So only the first message of a group can open it; the stores keep
just that one in line.
"""

from collections.abc import Sequence
from typing import NamedTuple

from stanchion import limits
from stanchion.model import QueueSettings


def deduplication_key(settings: QueueSettings, group_id: str, deduplication_id: str) -> str:
    """What makes two sends the same message. With the scope messageGroup the group is part of it.

    The blank cannot occur in either id, so keys of the two scopes never meet.
    """
    if settings.deduplication_per_group:
        return f"{group_id} {deduplication_id}"
    return deduplication_id


def remembered_until_ms(first_sent_at_ms: int) -> int:
    """The moment from which the same id is a new message. Duplicates do not prolong it."""
    return first_sent_at_ms + limits.DEDUPLICATION_MS


class AttemptedDelivery(NamedTuple):
    """One message of a receive that carried a ReceiveRequestAttemptId."""

    sequence: int
    receives: int
    due_at_ms: int


class Attempt(NamedTuple):
    """A receive to be repeated word for word if the same attempt id comes again."""

    received_at_ms: int
    maximum: int
    visibility_seconds: int
    deliveries: Sequence[AttemptedDelivery]


def may_replay(
    attempt: Attempt,
    *,
    maximum: int,
    visibility_seconds: int,
    current: Sequence[AttemptedDelivery | None],
    now_ms: int,
) -> bool:
    """Whether the receive is answered again with the same messages and handles.

    Only within five minutes, with the same parameters, and while every message is exactly as that receive left
    it: not deleted, its visibility not changed, its timeout not over. ``current`` are the messages as they are.
    """
    return (
        now_ms < attempt.received_at_ms + limits.RECEIVE_ATTEMPT_MS
        and (attempt.maximum, attempt.visibility_seconds) == (maximum, visibility_seconds)
        and all(
            now is not None and now == then and then.due_at_ms > now_ms
            for now, then in zip(current, attempt.deliveries, strict=True)
        )
    )
