"""Messages of a queue for tests to look at, in the form that emulators of AWS have made common.

XML, or JSON for who accepts it, made from that XML as they do: a member that there is once is an object, one that
there is more often a list, and a queue without messages has null.
"""

import base64
import json
from typing import Any, Final

import msgspec

from stanchion.actions import ReceivedMessage, ReceiveMessageInput
from stanchion.engine import receiving
from stanchion.model import Delivery, Message, Queue
from stanchion.wire.checksums import md5_of_attributes

NO_HANDLE: Final = "SQS/BACKDOOR/ACCESS"
"""In place of a receipt handle: nobody has received the message. It is the one that emulators give."""

_EVERYTHING: Final = ReceiveMessageInput(attribute_names=["All"], message_attribute_names=["All"])


def is_shown(message: Message, now_ms: int, *, invisible: bool, delayed: bool) -> bool:
    """Whether a message is to be seen: the visible ones, and those in flight or delayed if they are asked for."""
    if message.due_at_ms is None or message.due_at_ms <= now_ms:
        return True
    return invisible if message.receives else delayed


def as_received(queue: Queue, message: Message) -> ReceivedMessage:
    """The message as a receive would hand it out, without one."""
    never = message.first_received_at_ms is None
    shown = msgspec.structs.replace(message, first_received_at_ms=0) if never else message
    fifo = queue.settings.fifo
    return receiving.received_message(fifo, Delivery(shown, NO_HANDLE), _EVERYTHING, False, md5_of_attributes)


def json_document(messages: list[ReceivedMessage], request_id: str) -> bytes:
    result = {"Message": _one_or_more([_json_message(each) for each in messages])} if messages else None
    response = {"ReceiveMessageResult": result, "ResponseMetadata": {"RequestId": request_id}}
    return json.dumps({"ReceiveMessageResponse": response}, ensure_ascii=False).encode()


def _one_or_more(values: list[dict[str, Any]]) -> Any:
    return values if len(values) > 1 else values[0]


def _json_message(message: ReceivedMessage) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "MessageId": message.message_id,
        "MD5OfBody": message.md5_of_body,
        "Body": message.body,
        "Attribute": [{"Name": name, "Value": value} for name, value in (message.attributes or {}).items()],
        "ReceiptHandle": message.receipt_handle,
    }
    if message.message_attributes:
        attributes = message.message_attributes.items()
        shown["MD5OfMessageAttributes"] = message.md5_of_message_attributes
        shown["MessageAttribute"] = _one_or_more(
            [{"Name": name, "Value": _json_value(value)} for name, value in attributes]
        )
    return shown


def _json_value(value: Any) -> dict[str, Any]:
    if value.binary_value is not None:
        return {"BinaryValue": base64.b64encode(value.binary_value).decode(), "DataType": value.data_type}
    return {"StringValue": value.string_value, "DataType": value.data_type}
