"""Messages, and how their bodies are written: as boto did, so that both read each other's.

RawMessage                     the body as it is
└── Message                    Base64 around it, which is what boto sends unless told otherwise
    └── MHMessage              lines of "name: value", used like a dictionary
        ├── EncodedMHMessage   … in Base64
        └── JSONMessage        JSON in Base64

Classes of one's own give ``encode`` and ``decode``, and are registered with ``queue.set_message_class``.
"""

import base64
import binascii
import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any

from stanchion.client.exceptions import SQSDecodeError
from stanchion.client.resultset import Attributes

if TYPE_CHECKING:
    from stanchion.client.plans import AnyQueue


class RawMessage:
    """A message whose body is sent as it is.

    After a receive ``id``, ``receipt_handle``, ``md5``, ``attributes`` (of the system, those that were asked for) and
    ``message_attributes`` are set; after a write ``id`` and ``md5``.
    """

    def __init__(self, queue: "AnyQueue | None" = None, body: Any = "", **given: Any) -> None:
        self.queue = queue
        self.id: str | None = None
        self.receipt_handle: str | None = None
        self.md5: str | None = None
        self.md5_message_attributes: str | None = None
        self.sequence_number: str | None = None
        self.attributes = Attributes()
        self.message_attributes: dict[str, dict[str, Any]] = {}
        self.decode_error: SQSDecodeError | None = None  # set by a consumer's read instead of raising
        self._body: Any = None
        for name, value in given.items():
            setattr(self, name, value)
        self.set_body(body)

    # The body

    def encode(self, value: Any) -> str:
        """The text that is sent for a body."""
        return str(value)

    def decode(self, value: str) -> Any:
        """The body that a text was sent for. Raises SQSDecodeError."""
        return value

    def set_body(self, body: Any) -> None:
        self._body = body

    def get_body(self) -> Any:
        return self._body

    def get_body_encoded(self) -> str:
        """The text as it is sent."""
        return self.encode(self.get_body())

    @property
    def body(self) -> Any:
        return self.get_body()

    # What can be done with it once it was read

    def delete(self) -> Any:
        """Delete it from its queue: True. On an async queue, await it."""
        return self._its_queue().delete_message(self)

    def change_visibility(self, visibility_timeout: int) -> Any:
        """Hide it for so many seconds from now on, 0 to 43,200: True. On an async queue, await it."""
        return self._its_queue().change_message_visibility(self, visibility_timeout)

    def _its_queue(self) -> "AnyQueue":
        if self.queue is None or self.receipt_handle is None:
            raise ValueError("This message was not read from a queue, so it cannot be deleted or hidden there.")
        return self.queue

    def __len__(self) -> int:
        return len(self.get_body_encoded())

    def __bool__(self) -> bool:
        return True  # an empty message is one too

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id or 'not sent'})"


class Message(RawMessage):
    """A message in Base64, so that any text gets through."""

    def encode(self, value: Any) -> str:
        data = value if isinstance(value, bytes) else str(value).encode()
        return base64.b64encode(data).decode("ascii")

    def decode(self, value: str) -> Any:
        """The text. What is no Base64, or Base64 of no UTF-8, stays as it came, as with boto."""
        data = _unpacked(value)
        try:
            return value if data is None else data.decode()
        except UnicodeDecodeError:
            return value


def _unpacked(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.splitlines()), validate=True)
    except (binascii.Error, ValueError):
        return None


class MHMessage(Message):
    """Header lines, ``name: value``, that are read and written like a dictionary."""

    def __init__(self, queue: "AnyQueue | None" = None, body: Any = None, **given: Any) -> None:
        super().__init__(queue, {} if body is None or body == "" else body, **given)

    def encode(self, value: Any) -> str:
        return "".join(f"{name}: {item}\n" for name, item in value.items())

    def decode(self, value: str) -> Any:
        return dict(self._header(line) for line in value.splitlines() if line.strip())

    def _header(self, line: str) -> tuple[str, str]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SQSDecodeError(f"A line of the message is not of the form name: value: {line!r}", self)
        return name.strip(), value.strip()

    def __getitem__(self, name: str) -> Any:
        return self._body[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._body[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._body

    def __iter__(self) -> Iterator[str]:
        return iter(self._body)

    def keys(self) -> KeysView[str]:
        keys: KeysView[str] = self._body.keys()
        return keys

    def values(self) -> ValuesView[Any]:
        values: ValuesView[Any] = self._body.values()
        return values

    def items(self) -> ItemsView[str, Any]:
        items: ItemsView[str, Any] = self._body.items()
        return items

    def has_key(self, name: str) -> bool:
        return name in self

    def get(self, name: str, default: Any = None) -> Any:
        return self._body.get(name, default)

    def update(self, values: dict[str, Any]) -> None:
        self._body.update(values)


class EncodedMHMessage(MHMessage):
    """Header lines in Base64."""

    def encode(self, value: Any) -> str:
        return base64.b64encode(super().encode(value).encode()).decode("ascii")

    def decode(self, value: str) -> Any:
        return super().decode(_text(value, self))


class JSONMessage(MHMessage):
    """A JSON object in Base64, read and written like a dictionary."""

    def encode(self, value: Any) -> str:
        return base64.b64encode(json.dumps(value).encode()).decode("ascii")

    def decode(self, value: str) -> Any:
        text = _text(value, self)
        try:
            return json.loads(text)
        except ValueError as problem:
            raise SQSDecodeError(f"The message is no JSON: {problem}", self) from None


def _text(value: str, message: RawMessage) -> str:
    data = _unpacked(value)
    if data is None:
        raise SQSDecodeError("The message is not in Base64.", message)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SQSDecodeError("The message holds bytes that are no UTF-8.", message) from None
