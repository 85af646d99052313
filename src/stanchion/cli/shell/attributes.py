"""Message attributes as they are written on a command line: NAME=VALUE, NAME:Number=5, NAME:Binary=BASE64."""

import base64
import binascii
import re
from typing import Any, Final

from stanchion import limits
from stanchion.engine.characters import has_illegal

_SYNTAX: Final = re.compile(r"(?P<name>[^:=]+)(?::(?P<type>[^=]*))?=(?P<value>.*)", re.DOTALL)
_NAME: Final = re.compile(rf"[\w.-]{{1,{limits.ATTRIBUTE_NAME_LENGTH}}}")
_TYPE: Final = re.compile(r"(String|Number|Binary)(\..+)?")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def check_name(name: str) -> None:
    """ValueError when SQS takes no attribute of this name."""
    reserved = name.lower().startswith(("aws.", "amazon."))
    if not _NAME.fullmatch(name) or ".." in name or name.startswith(".") or name.endswith(".") or reserved:
        raise ValueError(
            f"{name!r} is no attribute name; give up to {limits.ATTRIBUTE_NAME_LENGTH} letters, digits, _ - and "
            "single periods, not beginning with AWS. or Amazon."
        )


def attribute_value(data_type: str, value: str) -> dict[str, Any]:
    """An attribute as SendMessage takes it. ``value`` is base64 when the type is Binary. ValueError says the cure."""
    found = _TYPE.fullmatch(data_type)
    if found is None:
        raise ValueError(f"{data_type!r} is no type; give String, Number or Binary, or one of them with .LABEL")
    if not value:
        raise ValueError("an attribute needs a value that is not empty")
    if found[1] == "Number" and not _NUMBER.fullmatch(value):
        raise ValueError(f"{value!r} is no number")
    if has_illegal(value):
        raise ValueError(f"{value!r} holds a character that SQS does not take")
    if found[1] != "Binary":
        return {"DataType": data_type, "StringValue": value}
    try:
        return {"DataType": data_type, "BinaryValue": base64.b64decode(value, validate=True)}
    except (binascii.Error, ValueError):
        raise ValueError(f"{value!r} is no base64") from None


def parse_attribute(text: str) -> tuple[str, dict[str, Any]]:
    """Name and value of one ``--attribute``; ValueError says what is wrong and the cure."""
    found = _SYNTAX.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no attribute; write name=value, name:Number=5 or name:Binary=BASE64")
    check_name(found["name"])
    return found["name"], attribute_value("String" if found["type"] is None else found["type"], found["value"])


def parse_attributes(texts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    attributes: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, value = parse_attribute(text)
        if name in attributes:
            raise ValueError(f"the attribute {name!r} is given twice")
        attributes[name] = value
    return attributes


def plain(attribute: dict[str, Any]) -> dict[str, str]:
    """An attribute as received, ready for JSON: its type and its value, base64 when it is binary."""
    if "BinaryValue" in attribute:
        value = base64.b64encode(attribute["BinaryValue"]).decode()
    else:
        value = attribute.get("StringValue", "")
    return {"type": attribute["DataType"], "value": value}
