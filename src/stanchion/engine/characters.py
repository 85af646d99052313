"""Which characters SQS lets through."""

import re
from typing import Final

# XML 1.0 cannot carry the other code points, and the older of the two protocols is XML.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_IDENTIFIER: Final = re.compile(r"[\x21-\x7e]{1,128}")

SIMPLE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""Names of queues and ids of batch entries."""


def has_illegal(text: str) -> bool:
    """Whether a body or value holds a character outside
    ``#x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF``."""
    # Every printable character is legal, and asking for that is three times as fast as the search.
    return not text.isprintable() and _ILLEGAL.search(text) is not None


def is_identifier(text: str) -> bool:
    """Group ids, deduplication ids and receive attempt ids: 1-128 printable ASCII characters, no blank."""
    return _IDENTIFIER.fullmatch(text) is not None
