"""From the fields of the send form to the input of SendMessage. Pure.

Values that make no sense are passed on as they were typed, so that it is the service that refuses them, in its words;
only what the API could not carry at all is refused here.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from stanchion.actions import MessageAttributeValue, SendMessageInput
from stanchion.console.forms import UNITS, multiplied
from stanchion.errors import InvalidParameterValue
from stanchion.limits import DELAY_SECONDS

ATTRIBUTE_TYPES: Final = ("String", "Number", "Binary")
DELAY_UNITS: Final = ("seconds", "minutes")
_ROW: Final = ("attribute_name", "attribute_type", "attribute_custom", "attribute_value")


class AttributeRow(NamedTuple):
    """A line of the form. ``custom`` is what follows the type after a dot; a Binary ``value`` is Base64."""

    name: str = ""
    type: str = "String"
    custom: str = ""
    value: str = ""


class MessageForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields hold, as text."""

    body: str = ""
    group: str = ""
    deduplication_id: str = ""
    delay: str = ""
    delay_unit: str = "seconds"
    attributes: tuple[AttributeRow, ...] = ()


_TEXTS: Final = tuple(name for name in MessageForm.__struct_fields__ if name != "attributes")


def read(fields: Sequence[tuple[str, str]]) -> MessageForm:
    """The form as posted. Browsers end lines with CRLF in what they post, whatever stood in the text area."""
    given = {name: value.replace("\r\n", "\n") for name, value in fields if name in _TEXTS}
    columns = [[value for name, value in fields if name == column] for column in _ROW]
    rows = (AttributeRow(*row) for row in zip(*columns, strict=False))
    return MessageForm(**given, attributes=tuple(row for row in rows if row.name or row.value))


def input_of(form: MessageForm, queue_url: str, *, fifo: bool) -> SendMessageInput:
    """Raises InvalidParameterValue for a delay that is no number, a name that is there twice, and broken Base64."""
    return SendMessageInput(
        queue_url=queue_url,
        message_body=form.body,
        delay_seconds=None if fifo else _delay(form),
        message_attributes=_attributes(form.attributes) or None,
        message_group_id=form.group or None,
        message_deduplication_id=form.deduplication_id or None,
    )


def _delay(form: MessageForm) -> int | None:
    if not form.delay.strip():
        return None  # the queue's own delay
    seconds = multiplied(form.delay, UNITS.get(form.delay_unit, 1))
    if not re.fullmatch(r"-?[0-9]{1,15}", seconds):
        raise InvalidParameterValue.of(
            form.delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {DELAY_SECONDS}."
        )
    return int(seconds)


def _attributes(rows: Sequence[AttributeRow]) -> dict[str, MessageAttributeValue]:
    found: dict[str, MessageAttributeValue] = {}
    for row in rows:
        if row.name in found:  # the later one would silently win
            raise InvalidParameterValue(f"Names of message attributes must be unique: {row.name} is there twice.")
        found[row.name] = _attribute(row)
    return found


def _attribute(row: AttributeRow) -> MessageAttributeValue:
    custom = row.custom.strip()
    data_type = f"{row.type}.{custom}" if custom else row.type
    if row.type == "Binary":
        return MessageAttributeValue(data_type=data_type, binary_value=_bytes(row))
    return MessageAttributeValue(data_type=data_type, string_value=row.value)


def _bytes(row: AttributeRow) -> bytes:
    try:
        return base64.b64decode("".join(row.value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidParameterValue(
            f"The value of message attribute '{row.name}' must be Base64, for its type is Binary."
        ) from None
