"""The rules for receiving: what a consumer may ask, what a message looks like to it, its receipt handles."""

from collections.abc import Callable
from typing import Final

from stanchion.actions import MessageAttributeValue, ReceivedMessage, ReceiveMessageInput
from stanchion.engine.characters import is_identifier
from stanchion.engine.messages import NOT_FOR_THIS_TYPE, bad_identifier
from stanchion.errors import InvalidAttributeName, InvalidParameterValue, MissingParameter
from stanchion.ids import sequence_number
from stanchion.limits import RECEIVE_MESSAGES, VISIBILITY_SECONDS, WAIT_SECONDS
from stanchion.model import Delivery, Message, MessageAttribute, Queue
from stanchion.store.base import ReceiveOrder

SYSTEM_ATTRIBUTES: Final = frozenset(
    {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "MessageGroupId",
        "MessageDeduplicationId",
        "SequenceNumber",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
    }
)
_REQUESTABLE: Final = SYSTEM_ATTRIBUTES | {"All"}


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────


def receive_order(queue: Queue, asked: ReceiveMessageInput, in_flight_limit: int) -> tuple[ReceiveOrder, int]:
    """What the store is asked for, and how many seconds to wait for it."""
    settings = queue.settings
    maximum = asked.max_number_of_messages
    if maximum is None:
        maximum = 1
    elif not 1 <= maximum <= RECEIVE_MESSAGES:
        raise InvalidParameterValue.of(
            maximum, "MaxNumberOfMessages", f"Must be between 1 and {RECEIVE_MESSAGES}, if provided."
        )
    visibility_seconds = _seconds(
        asked.visibility_timeout, settings.visibility_timeout_seconds, VISIBILITY_SECONDS, "VisibilityTimeout"
    )
    wait_seconds = _seconds(asked.wait_time_seconds, settings.receive_wait_seconds, WAIT_SECONDS, "WaitTimeSeconds")
    check_system_attribute_names(asked.attribute_names)
    check_system_attribute_names(asked.message_system_attribute_names)
    _check_attempt_id(asked.receive_request_attempt_id, settings.fifo)
    refuse = not settings.fifo and wait_seconds == 0
    return (
        ReceiveOrder(maximum, visibility_seconds, in_flight_limit, refuse, asked.receive_request_attempt_id),
        wait_seconds,
    )


def _seconds(asked: int | None, default: int, highest: int, parameter: str) -> int:
    if asked is None:
        return default
    if not 0 <= asked <= highest:
        raise InvalidParameterValue.of(asked, parameter, f"Must be >= 0 and <= {highest}, if provided.")
    return asked


def check_system_attribute_names(names: list[str] | None) -> None:
    """Names of system attributes to be returned, or ``All``."""
    if names and not _REQUESTABLE.issuperset(names):
        raise InvalidAttributeName.unknown(next(name for name in names if name not in _REQUESTABLE))


def _check_attempt_id(attempt_id: str | None, fifo: bool) -> None:
    if attempt_id is None:
        return
    if not fifo:
        raise InvalidParameterValue.of(attempt_id, "ReceiveRequestAttemptId", f"{NOT_FOR_THIS_TYPE}.")
    if not is_identifier(attempt_id):
        raise bad_identifier(attempt_id, "ReceiveRequestAttemptId")


# ── Answering ────────────────────────────────────────────────────────────────────────────────────────────


def received_message(
    queue_fifo: bool,
    delivery: Delivery,
    asked: ReceiveMessageInput,
    query: bool,
    md5_of_attributes: Callable[[dict[str, MessageAttribute]], str],
) -> ReceivedMessage:
    """A delivery as the consumer sees it. ``query`` says that the consumer speaks the Query protocol."""
    message = delivery.message
    answer = ReceivedMessage(
        message_id=message.message_id,
        receipt_handle=delivery.receipt_handle,
        md5_of_body=message.body_md5,
        body=message.body,
    )
    if asked.attribute_names or asked.message_system_attribute_names:
        answer.attributes = _system_attributes(message, queue_fifo, _requested_names(asked, query)) or None
    if message.attributes and asked.message_attribute_names:
        returned = _select(message.attributes, asked.message_attribute_names)
        if returned:
            # The digest covers what is returned, not all that the message has.
            answer.md5_of_message_attributes = md5_of_attributes(returned)
            answer.message_attributes = {name: _value(attribute) for name, attribute in returned.items()}
    return answer


def _requested_names(asked: ReceiveMessageInput, query: bool) -> list[str]:
    old, new = asked.attribute_names or [], asked.message_system_attribute_names or []
    if query and old:  # there the older parameter decides; JSON adds the two up
        return old
    return [*old, *new]


def _system_attributes(message: Message, fifo: bool, names: list[str]) -> dict[str, str]:
    present = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_at_ms),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(message.first_received_at_ms),
    }
    if fifo:
        present["SequenceNumber"] = sequence_number(message.sequence)
    optional = {
        "MessageGroupId": message.group_id,
        "MessageDeduplicationId": message.deduplication_id if fifo else None,
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.dead_letter_source_arn,
    }
    present |= {name: value for name, value in optional.items() if value is not None}
    if "All" in names:
        return present
    return {name: value for name, value in present.items() if name in names}


_EVERY_ATTRIBUTE: Final = frozenset({"All", "*", ".*"})


def _select(attributes: dict[str, MessageAttribute], names: list[str]) -> dict[str, MessageAttribute]:
    """The attributes that some name asks for; names that match nothing are no error."""
    if not _EVERY_ATTRIBUTE.isdisjoint(names):
        return attributes
    # The dot is not part of the prefix: "Hel.*" takes "Hello" as well as "Help.Me".
    prefixes = tuple(name[:-2] for name in names if name.endswith(".*"))
    return {name: attribute for name, attribute in attributes.items() if name in names or name.startswith(prefixes)}


def _value(attribute: MessageAttribute) -> MessageAttributeValue:
    value = attribute.value
    if isinstance(value, str):
        return MessageAttributeValue(string_value=value, data_type=attribute.data_type)
    return MessageAttributeValue(binary_value=value, data_type=attribute.data_type)


# ── Receipt handles and timeouts ─────────────────────────────────────────────────────────────────────────


def check_handle(handle: str | None, parameter: str = "ReceiptHandle") -> str:
    """A receipt handle must be given; whether it is a good one, ``ids.read_receipt_handle`` says."""
    if not handle:
        raise MissingParameter(parameter)
    return handle


def check_visibility_timeout(value: int | None, entry: int | None = None) -> int:
    """A new visibility timeout, 0-43200 seconds. ``entry`` is the place in a batch, from 1."""
    if value is None:
        raise MissingParameter(
            "VisibilityTimeout"
            if entry is None
            else f"ChangeMessageVisibilityBatchRequestEntry.{entry}.VisibilityTimeout"
        )
    if not 0 <= value <= VISIBILITY_SECONDS:
        rule = "Must be" if entry is None else "VisibilityTimeout must be an integer"
        raise InvalidParameterValue.of(value, "VisibilityTimeout", f"{rule} between 0 and {VISIBILITY_SECONDS}.")
    return value
