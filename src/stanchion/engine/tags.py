"""The rules for a queue's tags."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from stanchion.engine.characters import has_illegal
from stanchion.errors import InvalidParameterValue, MissingParameter
from stanchion.limits import TAG_KEY_LENGTH, TAG_VALUE_LENGTH, TAGS_PER_QUEUE

_ALLOWED: Final = re.compile(r"[\w\s.:/=+@-]*")  # \w: letters and digits of all scripts, and the underscore
_SYMBOLS: Final = "may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @"
_RESERVED_PREFIX: Final = "aws:"


def check_new(current: dict[str, str], tags: dict[str, str] | None, queue_name: str) -> dict[str, str]:
    """The tags of a queue after TagQueue added ``tags`` or overwrote with them."""
    if not tags:
        raise MissingParameter("Tags")
    merged = current | tags
    if len(merged) > TAGS_PER_QUEUE:
        raise InvalidParameterValue(f"Too many tags added for queue {queue_name}.")
    for key, value in tags.items():
        _check_key(key)
        _check_value(value)
    return merged


def check_created(tags: dict[str, str] | None, queue_name: str) -> dict[str, str]:
    """The tags of a queue that is created; there need not be any."""
    return check_new({}, tags, queue_name) if tags else {}


def without(current: dict[str, str], keys: Sequence[str] | None) -> dict[str, str]:
    """The tags that UntagQueue leaves. Keys that the queue does not have are ignored."""
    gone = frozenset(keys or ("",))  # no keys at all are refused like an empty one
    _check_key_lengths(gone)
    return {key: value for key, value in current.items() if key not in gone}


def _check_key_lengths(keys: Iterable[str]) -> None:
    if not all(1 <= len(key) <= TAG_KEY_LENGTH for key in keys):
        raise InvalidParameterValue(f"Tag keys must be between 1 and {TAG_KEY_LENGTH} characters in length.")


def _check_key(key: str) -> None:
    _check_key_lengths((key,))
    if not _is_allowed(key):
        raise InvalidParameterValue(f"Tag keys {_SYMBOLS}")
    if key.lower().startswith(_RESERVED_PREFIX):
        raise InvalidParameterValue(f"Tag keys must not start with {_RESERVED_PREFIX}, which is reserved.")


def _check_value(value: str) -> None:
    if len(value) > TAG_VALUE_LENGTH:
        raise InvalidParameterValue(f"Tag values must be between 0 and {TAG_VALUE_LENGTH} characters in length.")
    if not _is_allowed(value):
        raise InvalidParameterValue(f"Tag values {_SYMBOLS}'")  # the stray quote is the service's


def _is_allowed(text: str) -> bool:
    # Whitespace takes in some control characters, which no answer in XML could carry back.
    return _ALLOWED.fullmatch(text) is not None and not has_illegal(text)
