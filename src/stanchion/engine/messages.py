"""The rules for a message that is sent."""

import re
from hashlib import sha256
from typing import Final

from stanchion.actions import MessageAttributeValue, MessageToSend
from stanchion.engine.characters import has_illegal, is_identifier
from stanchion.errors import (
    INVALID_CHARACTERS,
    InvalidMessageContents,
    InvalidParameterValue,
    MissingParameter,
    UnsupportedOperation,
)
from stanchion.limits import (
    ATTRIBUTE_NAME_LENGTH,
    ATTRIBUTE_TYPE_LENGTH,
    DELAY_SECONDS,
    IDENTIFIER_LENGTH,
    MESSAGE_ATTRIBUTES,
)
from stanchion.model import MessageAttribute, NewMessage, Queue, QueueSettings

NOT_FOR_THIS_TYPE: Final = "The request include parameter that is not valid for this queue type"
NO_DEDUPLICATION_ID: Final = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)
_TRACE_HEADER: Final = "AWSTraceHeader"


def new_message(
    queue: Queue,
    sent: MessageToSend,
    *,
    message_id: str,
    body_md5: str,
    sender_id: str,
    trace_header: str | None,
    entry: int | None = None,
) -> NewMessage:
    """The message to store, or the error that the sender gets.

    ``trace_header`` is the request's X-Amzn-Trace-Id. ``entry`` is the place in a batch, from 1: some texts
    differ there, and what ``batches.check_send_batch`` has checked for all entries is not told twice.
    """
    settings = queue.settings
    body = sent.message_body
    if not body:
        raise MissingParameter(
            "MessageBody" if entry is None else f"SendMessageBatchRequestEntry.{entry}.MessageBody"
        )
    size_bytes = _checked_size(sent, settings.maximum_message_size, entry)
    if has_illegal(body):
        raise InvalidMessageContents
    attributes = _read_attributes(sent.message_attributes) if sent.message_attributes else None
    trace = _trace_header(sent, trace_header)
    _check_identifiers(sent, settings.fifo)
    return NewMessage(
        message_id=message_id,
        body=body,
        body_md5=body_md5,
        sender_id=sender_id,
        delay_seconds=_delay_seconds(sent, settings),
        size_bytes=size_bytes,
        attributes=attributes,
        trace_header=trace,
        group_id=_group_id(sent, settings),
        deduplication_id=_deduplication_id(sent, body, settings, entry),
    )


# ── Size ─────────────────────────────────────────────────────────────────────────────────────────────────


def _bytes(text: str) -> int:
    # Lone surrogates are refused later; until then they must only not break the counting.
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def size_of(sent: MessageToSend) -> int:
    """Bytes of the body, and of name, type and value of the attributes. Nothing else of a message counts."""
    size = _bytes(sent.message_body or "")
    for name, attribute in (sent.message_attributes or {}).items():
        size += _bytes(name) + _bytes(attribute.data_type or "")
        size += _bytes(attribute.string_value or "") + len(attribute.binary_value or b"")
    return size


def _checked_size(sent: MessageToSend, maximum: int, entry: int | None) -> int:
    size = size_of(sent)
    if size > maximum:
        fault = "are invalid" if entry is None else "cannot be validated"
        raise InvalidParameterValue(
            f"One or more parameters {fault}. Reason: Message must be shorter than {maximum} bytes."
        )
    return size


# ── Attributes ───────────────────────────────────────────────────────────────────────────────────────────
# The texts speak of a "message (user) attribute" or of a "message system attribute".

_USER: Final = "(user)"
_SYSTEM: Final = "system"

_NAME: Final = re.compile(r"[\w.-]+")  # the reference says ASCII; the service takes the letters of all scripts
_TYPE: Final = re.compile(r"(String|Number|Binary)(?:\..+)?", re.DOTALL)
_RESERVED_PREFIXES: Final = ("aws.", "amazon.")


def _read_attributes(sent: dict[str, MessageAttributeValue]) -> dict[str, MessageAttribute]:
    if len(sent) > MESSAGE_ATTRIBUTES:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(sent)}] exceeds the allowed maximum [{MESSAGE_ATTRIBUTES}]."
        )
    return {name: _read_attribute(name, attribute) for name, attribute in sent.items()}


def _read_attribute(name: str, sent: MessageAttributeValue) -> MessageAttribute:
    _check_attribute_name(name)
    return _read_attribute_value(name, sent, _USER)


def _check_attribute_name(name: str) -> None:
    if not name:
        raise InvalidParameterValue("The request must contain non-empty message (user) attribute names.")
    if len(name) > ATTRIBUTE_NAME_LENGTH:
        raise InvalidParameterValue(
            f"Message (user) attribute name must be shorter than {ATTRIBUTE_NAME_LENGTH} bytes."
        )
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
            "underscore (_), hyphen (-), and period (.) characters."
        )
    if name.lower().startswith(_RESERVED_PREFIXES):
        raise InvalidParameterValue(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use."
        )
    _check_periods(name)


def _check_periods(name: str) -> None:
    if name.startswith("."):
        raise InvalidParameterValue("Message (user) attribute name must not begin with character '.'.")
    if name.endswith("."):
        raise InvalidParameterValue("Message (user) attribute name must not end with character '.'.")
    if ".." in name:
        raise InvalidParameterValue("Message (user) attribute name must not have successive '.' characters.")


def _read_attribute_value(name: str, sent: MessageAttributeValue, whose: str) -> MessageAttribute:
    if sent.string_list_values or sent.binary_list_values:
        raise UnsupportedOperation("Message attribute list values in SendMessage operation are not supported.")
    data_type, basic_type = _read_type(name, sent.data_type, whose)
    text, binary = sent.string_value, sent.binary_value
    if not text and not binary:
        raise InvalidParameterValue(
            f"Message {whose} attribute '{name}' must contain a non-empty value of type '{data_type}'."
        )
    if text is not None and binary is not None:
        raise InvalidParameterValue(f"Message {whose} attribute '{name}' must have a single value.")
    if basic_type == "Binary":
        if binary is None:
            raise InvalidParameterValue(
                f"Message {whose} attribute '{name}' with type 'Binary' must use field 'Binary'."
            )
        return MessageAttribute(data_type, binary)
    if text is None:
        raise InvalidParameterValue(
            f"Message {whose} attribute '{name}' with type '{data_type}' must use field 'String'."
        )
    if has_illegal(text):
        raise InvalidParameterValue(INVALID_CHARACTERS)
    if basic_type == "Number" and not _is_number(text):
        raise InvalidParameterValue(f"Can't cast the value of message {whose} attribute '{name}' to a number.")
    return MessageAttribute(data_type, text)


def _read_type(name: str, data_type: str | None, whose: str) -> tuple[str, str]:
    """The type as sent, and the part of it before its label."""
    if not data_type:
        raise InvalidParameterValue(
            f"The message {whose} attribute '{name}' must contain a non-empty message attribute type."
        )
    match = _TYPE.fullmatch(data_type)
    if match is None or has_illegal(data_type):
        raise InvalidParameterValue(
            f"The type of message {whose} attribute '{name}' is invalid. You must use only the following "
            "supported type prefixes: Binary, Number, String."
        )
    if len(data_type) > ATTRIBUTE_TYPE_LENGTH:
        raise InvalidParameterValue(
            f"Message {whose} attribute type must be shorter than {ATTRIBUTE_TYPE_LENGTH} bytes."
        )
    return data_type, match[1]


# Up to 38 significant digits, between 10^-128 and 10^126 in magnitude. Values are kept as sent, because the
# client checks a digest over what it sent. No conversion: that would be slow for a megabyte of digits.
_NUMBER: Final = re.compile(r"[+-]?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,6}))?")
_SIGNIFICANT_DIGITS: Final = 38
_SMALLEST_EXPONENT: Final = -128
_LARGEST_EXPONENT: Final = 126


def _is_number(text: str) -> bool:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return False
    whole = match[1] or ""
    digits = whole + (match[2] or match[3] or "")
    significant = digits.strip("0")
    if not significant:  # zero, in any spelling
        return True
    leading_zeros = len(digits) - len(digits.lstrip("0"))
    exponent = len(whole) - leading_zeros - 1 + int(match[4] or 0)
    return len(significant) <= _SIGNIFICANT_DIGITS and _SMALLEST_EXPONENT <= exponent <= _LARGEST_EXPONENT


# ── Trace header ─────────────────────────────────────────────────────────────────────────────────────────


def _trace_header(sent: MessageToSend, from_request: str | None) -> str | None:
    """The message's AWSTraceHeader: the parameter, else the request's header unless it cannot be stored."""
    if sent.message_system_attributes:
        return _read_system_attributes(sent.message_system_attributes)
    if not from_request or has_illegal(from_request):
        return None
    return from_request


def _read_system_attributes(sent: dict[str, MessageAttributeValue]) -> str:
    for name in sent:
        if name != _TRACE_HEADER:
            raise InvalidParameterValue(f"Message system attribute name '{name}' is invalid.")
    attribute = _read_attribute_value(_TRACE_HEADER, sent[_TRACE_HEADER], _SYSTEM)
    if attribute.data_type != "String" or not isinstance(attribute.value, str):
        raise InvalidParameterValue(
            f"The type of message system attribute '{_TRACE_HEADER}' is invalid. "
            "You must use only the following supported type: String."
        )
    return attribute.value


# ── Group, deduplication, delay ──────────────────────────────────────────────────────────────────────────


def _check_identifiers(sent: MessageToSend, fifo: bool) -> None:
    deduplication_id, group_id = sent.message_deduplication_id, sent.message_group_id
    if deduplication_id is not None and not is_identifier(deduplication_id):
        raise bad_identifier(deduplication_id, "MessageDeduplicationId")
    # On a FIFO queue an empty group is a missing one, which has an error of its own.
    if group_id is not None and not is_identifier(group_id) and (group_id or not fifo):
        raise bad_identifier(group_id, "MessageGroupId")


def bad_identifier(value: str, parameter: str) -> InvalidParameterValue:
    """The error for a group, deduplication or attempt id of bad characters or length."""
    return InvalidParameterValue.of(
        value,
        parameter,
        f"{parameter} can only include alphanumeric and punctuation characters. 1 to {IDENTIFIER_LENGTH} in length.",
    )


def _delay_seconds(sent: MessageToSend, settings: QueueSettings) -> int:
    delay = sent.delay_seconds
    if settings.fifo:
        # A FIFO queue delays all its messages alike; 0 is accepted, and the queue's delay still applies.
        if delay:
            raise InvalidParameterValue.of(delay, "DelaySeconds", f"{NOT_FOR_THIS_TYPE}.")
        return settings.delay_seconds
    if delay is None:
        return settings.delay_seconds
    if not 0 <= delay <= DELAY_SECONDS:
        raise InvalidParameterValue.of(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {DELAY_SECONDS}.")
    return delay


def _group_id(sent: MessageToSend, settings: QueueSettings) -> str | None:
    if settings.fifo and not sent.message_group_id:
        raise MissingParameter("MessageGroupId")
    return sent.message_group_id


def _deduplication_id(sent: MessageToSend, body: str, settings: QueueSettings, entry: int | None) -> str | None:
    given = sent.message_deduplication_id
    if not settings.fifo:
        if given is not None:
            raise _deduplication_on_standard(given, entry)
        return None
    if given is not None:
        return given
    if not settings.content_based_deduplication:
        raise InvalidParameterValue(NO_DEDUPLICATION_ID)
    return sha256(body.encode()).hexdigest()


def _deduplication_on_standard(given: str, entry: int | None) -> InvalidParameterValue:
    if entry is not None:
        return InvalidParameterValue(NOT_FOR_THIS_TYPE)
    return InvalidParameterValue.of(given, "MessageDeduplicationId", f"{NOT_FOR_THIS_TYPE}.")
