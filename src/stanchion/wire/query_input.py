"""Query input: from a tree of form parameters to the input of an action.

Lists count from 1 right after the name (``AttributeName.1``), maps add Name and Value (tags: Key and Value). Old
clients leave out the index of a single element (``AttributeName=All``, ``Attribute.Name=…``), and a newer one
spells an empty list as the JSON name without a value (``Entries=``).
"""

import re
from typing import Any, Final

from stanchion.actions import CreateQueueInput, Shape
from stanchion.errors import MalformedInput, MissingParameter
from stanchion.wire.form import Node, tree_of
from stanchion.wire.json_input import read_base64
from stanchion.wire.schema import INPUTS, Kind, ListOf, MapOf, Member, Scalar, Structure

_INTEGER = re.compile(r"[+-]?[0-9]{1,100}")  # Python refuses to read or write over 4,300 digits

# Versions before 2009-02-01 gave CreateQueue the visibility timeout under this name.
_OLD_TIMEOUT: Final = "DefaultVisibilityTimeout"


def read_input(action: str, parameters: dict[str, str]) -> Shape:
    """The input of an action; MalformedInput or MissingParameter when a parameter does not fit."""
    given = _read_structure(tree_of(parameters), INPUTS[action])
    if isinstance(given, CreateQueueInput) and _OLD_TIMEOUT in parameters:
        given.attributes = {"VisibilityTimeout": parameters[_OLD_TIMEOUT]} | (given.attributes or {})
    return given


def _read_structure(node: Node, structure: Structure) -> Shape:
    fields = {}
    for member in structure.members:
        value = _read_member(node, member)
        if value is not None:
            fields[member.field] = value
    return structure.type(**fields)


def _read_member(node: Node, member: Member) -> Any:
    given = node.parts.get(member.query_name)
    if given is not None:
        return _read(given, member.kind, member.query_name)
    emptied = node.parts.get(member.json_name)
    if emptied is None or emptied.text != "":
        return None
    return {} if isinstance(member.kind, MapOf) else []


def _read(node: Node, kind: Kind, name: str) -> Any:
    if isinstance(kind, Structure):
        return _read_structure(node, kind)
    if isinstance(kind, ListOf):
        values = (_read(element, kind.element, name) for element in _elements(node, kind.element))
        return [value for value in values if value is not None]
    if isinstance(kind, MapOf):
        return dict(_read_entry(entry, kind, name) for entry in _elements(node, kind))
    return None if node.text is None else _read_scalar(node.text, kind)


def _elements(node: Node, kind: Kind) -> list[Node]:
    """The elements of a list or map, the one without an index first."""
    single = node.text is not None if isinstance(kind, Scalar) else node.has_named_parts()
    return [node, *node.numbered()] if single else node.numbered()


def _read_entry(entry: Node, kind: MapOf, name: str) -> tuple[str, Any]:
    key_node, value_node = entry.parts.get(kind.key_name), entry.parts.get("Value")
    key = key_node.text if key_node else None
    value = _read(value_node, kind.value, name) if value_node else None
    if isinstance(kind.value, Structure):
        # The rules for message attributes have texts of their own for a missing name, type or value.
        return key or "", value or kind.value.type()
    if key is None:
        raise MissingParameter(f"{name}.{kind.key_name}")
    if value is None:
        raise MissingParameter(f"{name}.Value")
    return key, value


def _read_scalar(text: str, kind: Scalar) -> Any:
    if kind is Scalar.TEXT:
        return text
    return read_base64(text) if kind is Scalar.BLOB else _read_integer(text)


def _read_integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise MalformedInput("STRING_VALUE can not be converted to an Integer")
    return int(text)
