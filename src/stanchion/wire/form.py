"""Form parameters: from ``a.1.b=x&c=y`` to a tree that can be walked by name."""

from typing import Final

from stanchion.errors import MalformedInput

# The largest batch has ten entries of ten attributes, about 500 parameters. This leaves room for lists of any sane
# length and keeps a body of ampersands cheap.
_MOST_PARAMETERS: Final = 10_000

# SendMessageBatchRequestEntry.1.MessageAttribute.2.Value.StringListValue.3 has seven parts. Whatever is longer
# names nothing and is left whole, so that a name made of dots stays cheap.
_MOST_PARTS: Final = 7

# An index has at most ten digits; a longer one names nothing.
_INDEX_DIGITS: Final = 10

Pair = tuple[str, str]


def read_form(encoded: bytes) -> list[Pair]:
    """The decoded parameters in order. MalformedInput for bad escapes, text that is not UTF-8, or too many."""
    if encoded.count(b"&") >= _MOST_PARAMETERS:
        raise MalformedInput("The request has too many parameters.")
    try:
        return [_read_pair(part) for part in encoded.split(b"&") if part]
    except UnicodeDecodeError:
        raise MalformedInput("A parameter is not UTF-8 text in percent-encoding.") from None


def _read_pair(part: bytes) -> Pair:
    name, _, value = part.partition(b"=")
    return _unquote(name), _unquote(value)


def _unquote(text: bytes) -> str:
    """Percent-decoded UTF-8, with + for a space. Raises UnicodeDecodeError.

    Rewriting %41 as the Python escape \\x41 lets one C decoder do the whole text: a megabyte takes 10 ms, where
    urllib's unquote_to_bytes takes a third of a second and a server on one thread answers nobody.
    """
    text = text.replace(b"+", b" ")
    if b"%" in text:
        escaped = text.replace(b"\\", b"\\\\").replace(b"%", b"\\x")
        text = escaped.decode("unicode_escape").encode("latin-1")
    return text.decode()


class Node:
    """What was given under one name: a text, parts below it, or both."""

    __slots__ = ("parts", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.parts: dict[str, Node] = {}

    def numbered(self) -> list["Node"]:
        """The parts that have an index, by number: 10 after 9, from any start, with any gaps."""
        found = [(int(part), node) for part, node in self.parts.items() if _is_index(part)]
        found.sort(key=lambda pair: pair[0])
        return [node for _, node in found]

    def has_named_parts(self) -> bool:
        return not all(map(_is_index, self.parts))


def _is_index(part: str) -> bool:
    return len(part) <= _INDEX_DIGITS and part.isascii() and part.isdigit()


def tree_of(parameters: dict[str, str]) -> Node:
    """All parameters as one tree, a level for each dot in their names."""
    root = Node()
    for name, value in parameters.items():
        node = root
        for part in name.split(".", _MOST_PARTS):
            below = node.parts.get(part)
            if below is None:
                below = node.parts[part] = Node()
            node = below
        node.text = value
    return root
