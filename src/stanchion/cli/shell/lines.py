"""The line that one message makes in a dump, and in what ``receive --json`` prints: a JSON object."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stanchion import limits
from stanchion.cli.shell.attributes import attribute_value, check_name, plain
from stanchion.cli.shell.batches import message_size
from stanchion.engine.characters import has_illegal, is_identifier

# What a line may hold, with the type it has. Only the body has to be there.
_KEYS: Final[dict[str, type]] = {
    "id": str,
    "body": str,
    "attributes": dict,
    "group": str,
    "deduplication_id": str,
    "trace_header": str,
    "sent_ms": int,
    "receives": int,
    "sequence_number": str,
    "receipt_handle": str,
}
_TYPE_NAMES: Final = {str: "a text", dict: "an object", int: "a whole number"}
_SYSTEM: Final = {  # where receives put what a line keeps
    "group": "MessageGroupId",
    "deduplication_id": "MessageDeduplicationId",
    "trace_header": "AWSTraceHeader",
    "sequence_number": "SequenceNumber",
}
SYSTEM_ATTRIBUTES: Final = (*_SYSTEM.values(), "SentTimestamp", "ApproximateReceiveCount")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send, as a line or a receive gave it. ``id`` is the one it had; it gets a new one."""

    body: str
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    group: str | None = None
    deduplication_id: str | None = None
    trace_header: str | None = None
    id: str | None = None

    @property
    def size(self) -> int:
        return message_size(self.body, self.attributes)


def record(message: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a message as ReceiveMessage gave it; without the keys that have nothing to say."""
    system = message.get("Attributes", {})
    attributes = {name: plain(each) for name, each in message.get("MessageAttributes", {}).items()}
    kept = {"id": message["MessageId"], "body": message["Body"], "attributes": attributes}
    kept |= {key: system.get(name) for key, name in _SYSTEM.items()}
    kept |= {
        "sent_ms": _number(system.get("SentTimestamp")),
        "receives": _number(system.get("ApproximateReceiveCount")),
    }
    return {key: value for key, value in kept.items() if value not in (None, {})}


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def to_line(message: dict[str, Any]) -> str:
    """With its end of line; never more than one line, whatever the body holds."""
    return json.dumps(record(message), ensure_ascii=False) + "\n"


def outgoing(message: dict[str, Any]) -> Outgoing:
    """A received message, ready to be sent elsewhere."""
    return _outgoing(record(message))


def from_line(line: str) -> Outgoing:
    """The message of a line; ValueError says what is wrong with it."""
    if not line.endswith("\n"):
        _complete(line)
    try:
        found = json.loads(line)
    except json.JSONDecodeError as problem:
        raise ValueError(f"this is no JSON: {problem.msg} at character {problem.pos + 1}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets within brackets without end
        raise ValueError("this is no JSON that makes sense") from None
    if not isinstance(found, dict):
        raise ValueError("a line is one JSON object")
    _check_keys(found)
    message = _outgoing(found)
    check_limits(message)
    return message


def check_limits(message: Outgoing) -> None:
    """ValueError when SQS would refuse the message whatever the queue."""
    if message.size > limits.MESSAGE_BYTES:
        raise ValueError(f"the message has {message.size} bytes; SQS takes {limits.MESSAGE_BYTES}")
    if len(message.attributes) > limits.MESSAGE_ATTRIBUTES:
        raise ValueError(f"it has {len(message.attributes)} attributes; SQS takes {limits.MESSAGE_ATTRIBUTES}")


def _complete(line: str) -> None:
    """The last line of a file may lack its end, if it is whole otherwise."""
    if not line.rstrip().endswith("}"):
        raise ValueError("the file ends within this line; it was cut short")


def _check_keys(found: dict[str, Any]) -> None:
    for key, value in found.items():
        if key not in _KEYS:
            raise ValueError(f"{key!r} is unknown; a line has {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise ValueError(f"{key!r} must be {_TYPE_NAMES[_KEYS[key]]}")
        _check_text(key, value)
    if not found.get("body"):
        raise ValueError("it has no body, and SQS takes no empty one")


def _check_text(key: str, value: object) -> None:
    if key in ("group", "deduplication_id") and not is_identifier(str(value)):
        raise ValueError(f"{key!r} must be 1 to {limits.IDENTIFIER_LENGTH} printable ASCII characters without blanks")
    if key == "body" and has_illegal(str(value)):
        bad = next(place for place, each in enumerate(str(value)) if has_illegal(each))
        raise ValueError(
            f"the body holds U+{ord(str(value)[bad]):04X} at character {bad + 1}, which SQS does not take"
        )


def _outgoing(found: dict[str, Any]) -> Outgoing:
    attributes = {name: _attribute(name, each) for name, each in found.get("attributes", {}).items()}
    rest = {key: found.get(key) for key in ("group", "deduplication_id", "trace_header", "id")}
    return Outgoing(found["body"], attributes, **rest)


def _attribute(name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or set(given) != {"type", "value"} or not _all_text(given):
        raise ValueError(f"the attribute {name!r} must be an object with the texts 'type' and 'value'")
    try:
        check_name(name)
        return attribute_value(given["type"], given["value"])
    except ValueError as problem:
        raise ValueError(f"attribute {name!r}: {problem}") from None


def _all_text(given: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in given.values())


def entry(message: Outgoing) -> dict[str, Any]:
    """The members that SendMessage and an entry of SendMessageBatch have in common."""
    members: dict[str, Any] = {"MessageBody": message.body}
    if message.attributes:
        members["MessageAttributes"] = message.attributes
    if message.group is not None:
        members["MessageGroupId"] = message.group
    if message.deduplication_id is not None:
        members["MessageDeduplicationId"] = message.deduplication_id
    if message.trace_header is not None:
        trace = {"DataType": "String", "StringValue": message.trace_header}
        members["MessageSystemAttributes"] = {"AWSTraceHeader": trace}
    return members


def fitted(message: Outgoing, *, fifo: bool, content_based: bool, group: str | None) -> Outgoing:
    """The message as a target takes it, FIFO or not; ValueError says what it lacks.

    ``group`` is for messages that have none. One without a deduplication id gets its id as such, so that two with
    the same body are not taken for one; only if it has neither, the target's ``content_based`` rule has to do.
    """
    if not fifo:
        return replace(message, deduplication_id=None)  # a standard queue refuses one
    own_group = message.group or group
    if own_group is None:
        raise ValueError("it has no group, which a FIFO queue needs; give --group")
    deduplication_id = message.deduplication_id or message.id
    if deduplication_id is None and not content_based:
        raise ValueError("it has no deduplication_id, which this FIFO queue needs; give --new-deduplication-ids")
    return replace(message, group=own_group, deduplication_id=deduplication_id)
