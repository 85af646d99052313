"""JSON input member by member: the way of a request that the fast decoder refused.

It finds SQS's own text for what is wrong, and lets pass what SQS lets pass: an empty body, nulls within lists and
maps, numbers and booleans as queue attributes, and half a surrogate pair in a text (a rule of the engine refuses
it, with an error of its own).
"""

import binascii
import json
from collections.abc import Callable
from typing import Any, Final, NoReturn

from stanchion.actions import Shape
from stanchion.errors import MalformedInput
from stanchion.wire.schema import INPUTS, Kind, ListOf, MapOf, Scalar, Structure

# Nothing that SQS takes holds as many values. Without a bound, eight megabytes of "[],[],…" keep the server busy
# for seconds. Commas within texts count too: no client that writes so much also writes what only passes here.
_MOST_COMMAS: Final = 10_000

# Clients write {"DelaySeconds": 5} where the type says text; SQS takes it as "5".
_LOOSELY_TYPED: Final = "Attributes"


def read_input(action: str, body: bytes) -> Shape:
    """The input of an action; MalformedInput when there is none to be had from the body."""
    if not body:
        return INPUTS[action].type()
    raw = _parse(body)
    if not isinstance(raw, dict):
        raise MalformedInput
    return _read_structure(raw, INPUTS[action])


def _parse(body: bytes) -> Any:
    if body.count(b",") > _MOST_COMMAS:
        raise MalformedInput
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, an integer of over 4,300 digits, nested too deep
        raise MalformedInput from None


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def _read_structure(raw: Any, structure: Structure) -> Shape:
    given = _object(raw, "a Structure")
    fields = {}
    for member in structure.members:
        value = given.get(member.json_name)
        if value is not None:
            if member.json_name == _LOOSELY_TYPED:
                value = _as_texts(value)
            fields[member.field] = _read(value, member.kind)
    return structure.type(**fields)


def _read(raw: Any, kind: Kind) -> object:
    if isinstance(kind, Structure):
        return _read_structure(raw, kind)
    if isinstance(kind, ListOf):
        return _read_list(raw, kind.element)
    if isinstance(kind, MapOf):
        return _read_map(raw, kind.value)
    return _SCALARS[kind](raw)


def _read_list(raw: Any, kind: Kind) -> list[object]:
    if not isinstance(raw, list):
        raise _unfit(raw, "a List")
    return [_read(element, kind) for element in raw if element is not None]


def _read_map(raw: Any, kind: Kind) -> dict[str, object]:
    given = _object(raw, "a Map")
    if kind is Scalar.TEXT and any(isinstance(value, list) for value in given.values()):
        raise MalformedInput("Unrecognized collection type class java.lang.String")
    return {name: _read(value, kind) for name, value in given.items() if value is not None}


def _object(raw: Any, wanted: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _unfit(raw, wanted)
    return raw


def _as_texts(raw: Any) -> Any:
    """A map with its numbers and booleans as the texts that spell them in JSON."""
    if not isinstance(raw, dict):
        return raw
    return {
        name: json.dumps(value) if isinstance(value, (bool, int, float)) else value for name, value in raw.items()
    }


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise _unfit(raw, "a String")
    return raw


def _integer(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _unfit(raw, "an Integer")
    return raw


def _blob(raw: Any) -> bytes:
    return read_base64(_text(raw))


def read_base64(text: str) -> bytes:
    """The bytes of standard, padded base64; MalformedInput for anything else."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, or text beyond ASCII
        raise MalformedInput("Invalid base64 text.") from None


_SCALARS: Final[dict[Scalar, Callable[[Any], object]]] = {  # no input has a flag
    Scalar.TEXT: _text,
    Scalar.INTEGER: _integer,
    Scalar.BLOB: _blob,
}


def _unfit(raw: Any, wanted: str) -> MalformedInput:
    """The error for a value of the wrong type, in SQS's words."""
    if isinstance(raw, dict):
        return MalformedInput("Start of structure or map found where not expected.")
    if isinstance(raw, list):
        return MalformedInput("Start of list found where not expected")
    return MalformedInput(f"{_token(raw)} can not be converted to {wanted}")


def _token(raw: Any) -> str:
    if isinstance(raw, bool):
        return "TRUE_VALUE" if raw else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(raw, str) else "NUMBER_VALUE"
