"""The life of a message: delayed → visible → in flight ⇄ visible → deleted, dead-lettered or expired."""

from enum import Enum

from stanchion import limits
from stanchion.errors import InvalidParameterValue, SQSError
from stanchion.model import QueueSettings, Receipt


class Fate(Enum):
    """What a receive does to a visible message."""

    DELIVER = "deliver"
    DEAD_LETTER = "dead-letter"
    EXPIRE = "expire"


def expires_at_ms(sent_at_ms: int, settings: QueueSettings) -> int:
    """The last millisecond a message lives: it goes when its age is *more* than the retention period."""
    return sent_at_ms + settings.message_retention_seconds * 1000


def fate_on_receive(settings: QueueSettings, *, sent_at_ms: int, receives: int, now_ms: int) -> Fate:
    """``receives`` counts the deliveries so far: with maxReceiveCount 1 the first receive still delivers."""
    if now_ms > expires_at_ms(sent_at_ms, settings):
        return Fate.EXPIRE
    redrive = settings.redrive_policy
    if redrive is not None and receives >= redrive.max_receive_count:
        return Fate.DEAD_LETTER
    return Fate.DELIVER


def is_current(receipt: Receipt, *, receives: int, due_at_ms: int | None, now_ms: int) -> bool:
    """Whether the receipt names the latest delivery and that delivery's timeout still runs."""
    return receipt.receives == receives and due_at_ms is not None and due_at_ms > now_ms


def refuse_deletion(
    receipt: Receipt, handle: str, *, fifo: bool, receives: int, due_at_ms: int | None, now_ms: int
) -> SQSError | None:
    """Why an existing message may not be deleted with this receipt.

    A standard queue deletes with any receipt of the message; a FIFO queue only while that delivery runs,
    because afterwards the message may be in other hands and its group's order at stake.
    """
    if not fifo or is_current(receipt, receives=receives, due_at_ms=due_at_ms, now_ms=now_ms):
        return None
    return InvalidParameterValue.of(handle, "ReceiptHandle", "The receipt handle has expired.")


def not_available(handle: str) -> SQSError:
    """The answer to a visibility change of a message that is gone or not this receipt's any more."""
    return InvalidParameterValue.of(
        handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change."
    )


def refuse_visibility_change(
    receipt: Receipt,
    handle: str,
    seconds: int,
    *,
    fifo: bool,
    receives: int,
    due_at_ms: int | None,
    now_ms: int,
) -> SQSError | None:
    """Why an existing message's timeout may not be changed with this receipt.

    A standard queue lets any receipt of the message do it, even after the timeout has run out. The total
    since the receive is limited to twelve hours; making a message visible is always allowed.
    """
    if fifo and not is_current(receipt, receives=receives, due_at_ms=due_at_ms, now_ms=now_ms):
        return not_available(handle)
    total_ms = now_ms - receipt.received_at_ms + seconds * 1000
    if seconds and total_ms > limits.VISIBILITY_SECONDS * 1000:
        return InvalidParameterValue.of(
            seconds,
            "VisibilityTimeout",
            f"Total VisibilityTimeout for the message is beyond the limit [{limits.VISIBILITY_SECONDS} seconds].",
        )
    return None
