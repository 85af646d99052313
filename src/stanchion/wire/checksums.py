"""The MD5 digests by which clients check that a message arrived as it was sent."""

from collections.abc import Mapping
from hashlib import md5
from typing import Final

from stanchion.model import MessageAttribute

_TEXT: Final = b"\x01"
_BINARY: Final = b"\x02"


def md5_of_body(body: str) -> str:
    """MD5OfBody and MD5OfMessageBody: hexadecimal, over the body in UTF-8."""
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, MessageAttribute]) -> str:
    """MD5OfMessageAttributes and MD5OfMessageSystemAttributes, over attributes sorted by name.

    Each counts with its name and full data type, a byte for the kind of value, and the value; all but that byte
    come after their length. The caller leaves the member out when there are no attributes.
    """
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):  # by code point, which is the order of the UTF-8 bytes too
        attribute = attributes[name]
        digest.update(_measured(name.encode()))
        digest.update(_measured(attribute.data_type.encode()))
        digest.update(_measured_value(attribute.value))
    return digest.hexdigest()


def _measured_value(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return _BINARY + _measured(value)
    return _TEXT + _measured(value.encode())


def _measured(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
