"""The shapes of the 23 actions, worked out once for everything that walks a value member by member.

The types in ``actions`` say what there is; this says what each member is called in each protocol.
"""

from enum import Enum
from typing import Final

import msgspec
from msgspec import inspect

from stanchion.actions import ACTIONS, QUERY_NAMES, TAG_MEMBERS, Shape


class Scalar(Enum):
    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"
    BLOB = "blob"


class ListOf(msgspec.Struct, frozen=True):
    element: "Kind"


class MapOf(msgspec.Struct, frozen=True):
    """A map of text to ``value``. ``key_name`` is what Query calls the key: Name, or Key for tags."""

    value: "Kind"
    key_name: str


class Structure(msgspec.Struct, frozen=True):
    type: type[Shape]
    members: "tuple[Member, ...]"


class Member(msgspec.Struct, frozen=True):
    """One member: ``field`` names it in Python, ``json_name`` and ``query_name`` on the wire."""

    field: str
    json_name: str
    query_name: str
    kind: "Kind"


Kind = Scalar | ListOf | MapOf | Structure

_SCALARS: Final[dict[type[inspect.Type], Scalar]] = {
    inspect.StrType: Scalar.TEXT,
    inspect.IntType: Scalar.INTEGER,
    inspect.BoolType: Scalar.FLAG,
    inspect.BytesType: Scalar.BLOB,
}


def _kind(given: inspect.Type, json_name: str, action: str) -> Kind:
    if isinstance(given, inspect.UnionType):  # every member of an input is something or None
        (given,) = (option for option in given.types if not isinstance(option, inspect.NoneType))
    if isinstance(given, inspect.ListType):
        return ListOf(_kind(given.item_type, json_name, action))
    if isinstance(given, inspect.DictType):
        key_name = "Key" if json_name in TAG_MEMBERS else "Name"
        return MapOf(_kind(given.value_type, json_name, action), key_name)
    if isinstance(given, inspect.StructType):
        return _structure(given, action)
    return _SCALARS[type(given)]


def _member(field: inspect.Field, action: str) -> Member:
    json_name = field.encode_name
    query_name = QUERY_NAMES.get(json_name, json_name).format(action=action)
    return Member(field.name, json_name, query_name, _kind(field.type, json_name, action))


def _structure(given: inspect.StructType, action: str) -> Structure:
    assert issubclass(given.cls, Shape)
    return Structure(given.cls, tuple(_member(field, action) for field in given.fields))


def _structure_of(shape: type[Shape], action: str) -> Structure:
    given = inspect.type_info(shape)
    assert isinstance(given, inspect.StructType)
    return _structure(given, action)


INPUTS: Final = {name: _structure_of(action.input, name) for name, action in ACTIONS.items()}
"""The input of each action."""

OUTPUTS: Final = {
    name: _structure_of(action.output, name) for name, action in ACTIONS.items() if action.output is not None
}
"""The output of each action that has one."""
