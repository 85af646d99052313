"""The XML documents of AWS Query: results and errors."""

import binascii
import re
from typing import Any, Final

from stanchion.actions import Action, Shape
from stanchion.errors import SQSError
from stanchion.wire.schema import OUTPUTS, Kind, ListOf, MapOf, Structure

_DECLARATION: Final = '<?xml version="1.0"?>'

# What XML 1.0 cannot carry, not even escaped. Message bodies never hold these, but an error may quote them.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def result_document(action: Action, output: Shape | None, request_id: str, version: str) -> bytes:
    """The answer to a call. Actions with an output always get a Result element: old botocore insists on it."""
    name = action.name
    parts = [_DECLARATION, f'<{name}Response xmlns="{_namespace(version)}">']
    if output is not None:
        members: list[str] = []
        _write_members(members, output, OUTPUTS[name])
        inner = "".join(members)
        parts.append(f"<{name}Result>{inner}</{name}Result>" if inner else f"<{name}Result/>")
    parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>")
    return _encoded(parts)


def error_document(error: SQSError, request_id: str, version: str) -> bytes:
    return _encoded(
        [
            f'{_DECLARATION}<ErrorResponse xmlns="{_namespace(version)}">',
            f"<Error><Type>{error.fault}</Type><Code>{error.code}</Code>",
            f"<Message>{_escape(error.query_message)}</Message><Detail/></Error>",
            f"<RequestId>{request_id}</RequestId></ErrorResponse>",
        ]
    )


def _namespace(version: str) -> str:
    return f"http://queue.amazonaws.com/doc/{version}/"


def _encoded(parts: list[str]) -> bytes:
    return _ILLEGAL.sub("\ufffd", "".join(parts)).encode()


def _escape(text: str) -> str:
    """Text as element content. A raw carriage return would reach the client as a line feed and break the MD5."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("\r", "&#xD;")


def _write_members(parts: list[str], value: Shape, structure: Structure) -> None:
    for member in structure.members:
        given = getattr(value, member.field)
        if given is not None:
            _write(parts, member.query_name, given, member.kind)


def _write(parts: list[str], name: str, value: Any, kind: Kind) -> None:
    if isinstance(kind, ListOf):
        for element in value:
            _write(parts, name, element, kind.element)
    elif isinstance(kind, MapOf):
        for key, item in value.items():
            parts.append(f"<{name}><{kind.key_name}>{_escape(key)}</{kind.key_name}>")
            _write(parts, "Value", item, kind.value)
            parts.append(f"</{name}>")
    elif isinstance(kind, Structure):
        parts.append(f"<{name}>")
        _write_members(parts, value, kind)
        parts.append(f"</{name}>")
    else:
        parts.append(f"<{name}>{_scalar_text(value)}</{name}>")


def _scalar_text(value: str | int | bytes) -> str:
    if isinstance(value, str):
        return _escape(value)
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
