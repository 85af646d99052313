"""Names and numbers that travel: message ids, receipt handles, sequence numbers, queue URLs, ARNs, tokens."""

import base64
import binascii
import hmac
import re
import struct
from hashlib import blake2b
from typing import Final

from stanchion.errors import InvalidAddress, QueueDoesNotExist, ReceiptHandleIsInvalid
from stanchion.model import QueueKey, Receipt

ACCOUNT = re.compile(r"[0-9]{12}\Z")

# ── Message ids ──────────────────────────────────────────────────────────────────────────────────────────


def message_id(entropy: bytes) -> str:
    """A version 4 UUID made of 16 random bytes. (uuid.UUID takes three times as long.)"""
    text = entropy.hex()
    variant = "89ab"[entropy[8] & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


# ── Receipt handles ──────────────────────────────────────────────────────────────────────────────────────
# A handle is base64 of: version, queue, sequence, receive number, time of the receive, and a keyed digest over
# these. The digest tells garbage and forgeries from stale handles, without a look-up; the key lives in the store,
# so handles survive a restart. 45 bytes make 60 characters without padding: every handle has one spelling.

_RECEIPT: Final = struct.Struct(">BQQIQ")
_RECEIPT_VERSION: Final = 1
_DIGEST_BYTES: Final = 16
_HANDLE_LENGTH: Final = 60


def receipt_handle(key: bytes, receipt: Receipt) -> str:
    """The text that names one delivery. ``key`` is 16 to 64 secret bytes."""
    facts = _RECEIPT.pack(
        _RECEIPT_VERSION, receipt.queue_id, receipt.sequence, receipt.receives, receipt.received_at_ms
    )
    digest = blake2b(facts, key=key, digest_size=_DIGEST_BYTES).digest()
    return binascii.b2a_base64(facts + digest, newline=False).decode("ascii")


def read_receipt_handle(key: bytes, handle: str, queue_id: int) -> Receipt:
    """The delivery a handle names; ReceiptHandleIsInvalid for garbage, forgeries and other queues' handles."""
    if len(handle) != _HANDLE_LENGTH or not handle.isascii():
        raise ReceiptHandleIsInvalid(handle)
    try:
        raw = binascii.a2b_base64(handle, strict_mode=True)
    except binascii.Error:
        raise ReceiptHandleIsInvalid(handle) from None
    facts, digest = raw[: _RECEIPT.size], raw[_RECEIPT.size :]
    expected = blake2b(facts, key=key, digest_size=_DIGEST_BYTES).digest()
    if not hmac.compare_digest(digest, expected):
        raise ReceiptHandleIsInvalid(handle)
    version, receipt_queue_id, sequence, receives, received_at_ms = _RECEIPT.unpack(facts)
    if version != _RECEIPT_VERSION or receipt_queue_id != queue_id:
        raise ReceiptHandleIsInvalid(handle)
    return Receipt(queue_id, sequence, receives, received_at_ms)


# ── Sequence numbers ─────────────────────────────────────────────────────────────────────────────────────
# SQS shows 20 digits that grow but are not consecutive. The step leaves room, the base keeps the length.

_SEQUENCE_BASE: Final = 18_000_000_000_000_000_000
_SEQUENCE_STEP: Final = 256


def sequence_number(sequence: int) -> str:
    """The SequenceNumber of a FIFO message: 20 digits, in the order of ``sequence``."""
    return str(_SEQUENCE_BASE + sequence * _SEQUENCE_STEP)


# ── ARNs ─────────────────────────────────────────────────────────────────────────────────────────────────

_QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)\Z")


def partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def queue_arn(key: QueueKey) -> str:
    return f"arn:{partition(key.region)}:sqs:{key.region}:{key.account}:{key.name}"


def read_queue_arn(arn: str) -> QueueKey | None:
    """The queue an ARN names, or None when it is not the ARN of an SQS queue."""
    match = _QUEUE_ARN.match(arn)
    if match is None:
        return None
    region, account, name = match.groups()
    return QueueKey(account, region, name)


# ── Queue URLs ───────────────────────────────────────────────────────────────────────────────────────────


def queue_url(base_url: str, key: QueueKey) -> str:
    """``base_url`` without a slash at its end. Two segments only: boto 2.49 counts them."""
    return f"{base_url}/{key.account}/{key.name}"


def read_queue_url(url: str) -> tuple[str | None, str]:
    """The account and name in a queue URL; account None for a bare queue name.

    Only the last two path segments matter: clients reach one server under many hosts. Raises
    QueueDoesNotExist for nothing at all, InvalidAddress for an address without a queue in it.
    """
    if not url:
        raise QueueDoesNotExist
    if "/" not in url:
        return None, url
    has_host = "://" in url
    path = url.split("://", 1)[1].partition("/")[2] if has_host else url
    segments = path.split("?", 1)[0].strip("/").split("/")
    if len(segments) < 2 or not ACCOUNT.match(segments[-2]):
        raise InvalidAddress(url)
    return segments[-2], segments[-1]


# ── Page tokens ──────────────────────────────────────────────────────────────────────────────────────────


def page_token(scope: str, after: str) -> str:
    """Where the next page starts: after the name ``after``, for requests with the same ``scope``."""
    return base64.b64encode(f"{scope}\0{after}".encode()).decode()


def read_page_token(token: str) -> tuple[str, str] | None:
    """Scope and name of a token, or None when we did not make it."""
    try:
        scope, separator, after = base64.b64decode(token, validate=True).decode().partition("\0")
    except ValueError:
        return None
    return (scope, after) if separator else None
