"""Which messages somebody wants to see who looks through a queue."""

from collections.abc import Callable
from typing import Final

from stanchion.model import Message, MessageAttribute
from stanchion.store.base import BrowseFilter

VISIBLE: Final = "visible"
IN_FLIGHT: Final = "in_flight"
DELAYED: Final = "delayed"


def state_of(message: Message, now_ms: int) -> str:
    """Where a message stands: VISIBLE, IN_FLIGHT or DELAYED."""
    if message.due_at_ms is None or message.due_at_ms <= now_ms:
        return VISIBLE
    return IN_FLIGHT if message.receives else DELAYED


def filtering(wanted: BrowseFilter, now_ms: int) -> Callable[[Message], bool]:
    """Whether a message passes the filter at ``now_ms``."""
    text = wanted.text.casefold()
    name, separator, value = wanted.attribute.partition("=")

    def passes(message: Message) -> bool:
        return (
            (not wanted.state or state_of(message, now_ms) == wanted.state)
            and (not wanted.group or message.group_id == wanted.group)
            and (not name or _has(message, name, value if separator else None))
            and (not text or text in message.body.casefold())
        )

    return passes


def _has(message: Message, name: str, value: str | None) -> bool:
    """Whether the message has the attribute, and the value if one is asked for. Bytes are compared as UTF-8."""
    attribute: MessageAttribute | None = (message.attributes or {}).get(name)
    if attribute is None or value is None:
        return attribute is not None
    if isinstance(attribute.value, bytes):
        return attribute.value == value.encode("utf-8", "surrogatepass")
    return attribute.value == value
