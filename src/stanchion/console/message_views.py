"""What a page shows of a message, received or only looked at. Pure."""

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from stanchion.actions import MessageAttributeValue, MessageToSend, ReceivedMessage, ReceiveMessageInput
from stanchion.console import texts
from stanchion.engine import browsing
from stanchion.engine.messages import size_of
from stanchion.engine.receiving import received_message
from stanchion.model import Delivery, Message
from stanchion.wire.checksums import md5_of_attributes

_PREVIEW: Final = 160  # characters of a body in a list
_STATES: Final = {
    browsing.VISIBLE: "Available",
    browsing.IN_FLIGHT: "In flight",
    browsing.DELAYED: "Delayed",
}
EVERYTHING: Final = ReceiveMessageInput(message_system_attribute_names=["All"], message_attribute_names=["All"])
"""A receive that asks for all that a message has."""


class AttributeView(msgspec.Struct, frozen=True):
    """``value`` of a ``binary`` attribute is Base64."""

    name: str
    type: str
    value: str
    binary: bool


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message as scripts and templates get it.

    ``facts`` is what the Details tab lists: label and text. ``handle`` is that of a message that was received;
    ``sequence`` and ``state`` belong to one that was only looked at. ``returns``: a dead letter that can be sent
    back, because it is available and says where it came from.
    """

    id: str
    body: str
    sent: str
    size: str
    receives: str
    facts: list[tuple[str, str]]
    attributes: list[AttributeView]
    handle: str = ""
    sequence: int = 0
    state: str = ""
    group: str = ""
    returns: bool = False

    @property
    def preview(self) -> str:
        """The body's beginning, on one line."""
        start = " ".join(self.body[: 2 * _PREVIEW].split())[:_PREVIEW]
        return start if len(self.body) <= _PREVIEW else f"{start} …"


def of_received(received: ReceivedMessage) -> MessageView:
    system, attributes = received.attributes or {}, received.message_attributes or {}
    return MessageView(
        id=received.message_id,
        handle=received.receipt_handle,
        body=received.body,
        sent=texts.moment(system.get("SentTimestamp")),
        size=texts.size(_size(received.body, attributes)),
        receives=texts.count(system.get("ApproximateReceiveCount")),
        facts=_facts(received, system, attributes),
        attributes=[_attribute_view(name, value) for name, value in attributes.items()],
        group=system.get("MessageGroupId", ""),
    )


def of_stored(message: Message, now_ms: int, *, fifo: bool) -> MessageView:
    received = received_message(fifo, Delivery(message, ""), EVERYTHING, False, md5_of_attributes)
    if not message.receives and received.attributes:
        del received.attributes["ApproximateFirstReceiveTimestamp"]
    view = of_received(received)
    state = browsing.state_of(message, now_ms)
    return msgspec.structs.replace(
        view,
        sequence=message.sequence,
        state=_STATES[state],
        facts=[view.facts[0], ("State", _state_text(message, state)), *view.facts[1:]],
        returns=state == browsing.VISIBLE and message.dead_letter_source_arn is not None,
    )


def _state_text(message: Message, state: str) -> str:
    if state == browsing.VISIBLE:
        return _STATES[state]
    return f"{_STATES[state]} until {texts.moment(message.due_at_ms)}"


def _facts(
    received: ReceivedMessage, system: Mapping[str, str], attributes: Mapping[str, MessageAttributeValue]
) -> list[tuple[str, str]]:
    always = [
        ("ID", received.message_id),
        ("Size", texts.size(_size(received.body, attributes))),
        ("MD5 of message body", received.md5_of_body),
        ("Sender ID", system.get("SenderId", texts.NO_VALUE)),
        ("Sent", texts.moment(system.get("SentTimestamp"))),
        ("First received", texts.moment(system.get("ApproximateFirstReceiveTimestamp"))),
        ("Receive count", texts.count(system.get("ApproximateReceiveCount"))),
        ("Message attributes count", texts.count(len(attributes))),
        ("Message attributes size", texts.size(_size("", attributes))),
        ("MD5 of message attributes", received.md5_of_message_attributes or texts.NO_VALUE),
    ]
    optional = [
        ("Message group ID", "MessageGroupId"),
        ("Message deduplication ID", "MessageDeduplicationId"),
        ("Sequence number", "SequenceNumber"),
        ("Dead-letter queue source", "DeadLetterQueueSourceArn"),
        ("AWS trace header", "AWSTraceHeader"),
    ]
    return always + [(label, system[name]) for label, name in optional if name in system]


def _size(body: str, attributes: Mapping[str, MessageAttributeValue]) -> int:
    return size_of(MessageToSend(message_body=body, message_attributes=dict(attributes)))


def _attribute_view(name: str, value: MessageAttributeValue) -> AttributeView:
    if value.binary_value is not None:
        encoded = base64.b64encode(value.binary_value).decode("ascii")
        return AttributeView(name, value.data_type or "", encoded, True)
    return AttributeView(name, value.data_type or "", value.string_value or "", False)
