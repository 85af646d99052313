"""Signature version 4: reading what a request claims, and working out what its signature must be.

The signature covers the method, path, query string, the headers it names and a digest of the body:

    canonical request = method ⏎ path ⏎ query ⏎ name:value ⏎ for each signed header, ⏎ names ⏎ body digest
    string to sign    = AWS4-HMAC-SHA256 ⏎ time ⏎ date/region/sqs/aws4_request ⏎ SHA-256 of the canonical request

It comes in the Authorization header or, presigned, in the query string. The steps are functions of their own,
because each step fails with an error of its own and the order of the steps shows from outside.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec

from stanchion.errors import IncompleteSignature, SignatureDoesNotMatch
from stanchion.limits import CLOCK_SKEW_SECONDS, PRESIGNED_SECONDS
from stanchion.timestamps import read_basic, read_http_date, write_basic
from stanchion.wire.http import HttpRequest

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICE: Final = "sqs"
TERMINATOR: Final = "aws4_request"
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
UNRESERVED: Final = "-_.~"  # what RFC 3986 leaves unencoded beside letters and digits

# What precedes the signature in the spelling of all current SDKs (", ") and of boto 2.49 (",").
_USUAL: Final = re.compile(rf"{ALGORITHM} Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*")
_PRESIGNED_MARKS: Final = frozenset({b"X-Amz-Algorithm", b"X-Amz-Credential", b"X-Amz-Signature"})
_PRESIGNED_REQUIRED: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
    "X-Amz-Expires",
)
_INNER_PAD: Final = bytes(octet ^ 0x36 for octet in range(256))  # as translation tables; RFC 2104
_OUTER_PAD: Final = bytes(octet ^ 0x5C for octet in range(256))
_BLANKS: Final = re.compile(r"[ \t]+")
_SKEW_MS: Final = CLOCK_SKEW_SECONDS * 1000
_SKEW_MINUTES: Final = CLOCK_SKEW_SECONDS // 60


class Scope(NamedTuple):
    """The part of a claim that a client repeats all day."""

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    names: str  # of the signed headers, joined with semicolons
    name_list: tuple[str, ...]


class Claim(msgspec.Struct, frozen=True):
    """What a request says about its signature. Nothing of it is believed yet."""

    scope: Scope
    signature: str
    time: str  # YYYYMMDDThhmmssZ
    time_ms: int
    query: str  # canonical
    token: str | None
    lifetime_seconds: int | None  # only presigned requests have one


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────


def read_header(request: HttpRequest, authorization: str) -> Claim:
    """The claim in an Authorization header. Raises IncompleteSignature when a part is missing or malformed."""
    headers = request.headers
    time = headers.get("x-amz-date") or headers.get("date") or ""
    head, _, signature = authorization.rpartition("Signature=")
    scope = _read_head(head)
    if not (scope and signature and time):
        scope, signature = _read_parts(authorization, time)
    time_ms = read_basic(time)
    if time_ms is None:
        time, time_ms = _read_date_header(headers, time)
    query = canonical_query(read_query(request.query)) if request.query else ""
    return Claim(scope, signature, time, time_ms, query, headers.get("x-amz-security-token"), None)


def read_presigned(request: HttpRequest) -> Claim | None:
    """The claim in a query string, None when it holds no signature. Raises IncompleteSignature."""
    pairs = read_query(request.query)
    if _PRESIGNED_MARKS.isdisjoint(name for name, _ in pairs):
        return None
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(pairs)}
    missing = [name for name in _PRESIGNED_REQUIRED if not given.get(name)]
    if missing:
        parts = [f"AWS query-string parameters must include '{name}'." for name in missing]
        raise IncompleteSignature(" ".join([*parts, "Re-examine the query-string parameters."]))
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise IncompleteSignature(f"X-Amz-Algorithm must be '{ALGORITHM}'.")
    time = given["X-Amz-Date"]
    time_ms = read_basic(time)
    if time_ms is None:
        raise _bad_date(time)
    return Claim(
        _read_scope(given["X-Amz-Credential"], given["X-Amz-SignedHeaders"]),
        given["X-Amz-Signature"],
        time,
        time_ms,
        canonical_query([pair for pair in pairs if pair[0] != b"X-Amz-Signature"]),
        given.get("X-Amz-Security-Token"),
        _read_lifetime(given["X-Amz-Expires"]),
    )


# A client's requests of one day differ behind this point only.
@lru_cache(maxsize=256)
def _read_head(head: str) -> Scope | None:
    match = _USUAL.fullmatch(head)
    return _read_scope(match[1], match[2]) if match else None


def _read_parts(authorization: str, time: str) -> tuple[Scope, str]:
    """Scope and signature from parts in any order and spacing."""
    scheme, _, rest = authorization.strip().partition(" ")
    parts = {}
    for part in rest.split(",") if scheme == ALGORITHM else ():
        name, _, value = part.partition("=")
        parts[name.strip()] = value.strip()
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    if missing or not time:
        raise _incomplete(missing, time, authorization)
    return _read_scope(parts["Credential"], parts["SignedHeaders"]), parts["Signature"]


def _incomplete(missing: Sequence[str], time: str, authorization: str) -> IncompleteSignature:
    reasons = [f"Authorization header requires '{name}' parameter." for name in missing]
    if not time:
        reasons.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    return IncompleteSignature(" ".join([*reasons, f"Authorization={authorization}"]))


def _read_scope(credential: str, names: str) -> Scope:
    parts = credential.split("/")
    if len(parts) != 5:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        )
    access_key_id, date, region, service, terminator = parts
    return Scope(access_key_id, date, region, service, terminator, names, tuple(names.split(";")))


def _read_date_header(headers: Mapping[str, str], time: str) -> tuple[str, int]:
    """The time of a request that is dated by its Date header in HTTP's own form."""
    time_ms = None if headers.get("x-amz-date") else read_http_date(time)
    if time_ms is None:
        raise _bad_date(time)
    return write_basic(time_ms), time_ms


def _bad_date(time: str) -> IncompleteSignature:
    return IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{time}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _read_lifetime(text: str) -> int:
    # Seven digits are more than the maximum needs, and keep int() from texts of any length.
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0
    if not 1 <= seconds <= PRESIGNED_SECONDS:
        raise IncompleteSignature(f"X-Amz-Expires must be a number of seconds from 1 to {PRESIGNED_SECONDS}.")
    return seconds


# ── Scope and time ───────────────────────────────────────────────────────────────────────────────────────


def check_scope(claim: Claim, regions: Sequence[str]) -> None:
    """Raise SignatureDoesNotMatch unless the claim is for this service, one of ``regions`` (empty: any) and its
    own date. The text names all that is wrong."""
    scope = claim.scope
    reasons = ""
    if scope.region not in regions if regions else not scope.region:
        reasons += "Credential should be scoped to a valid region. "
    if scope.service != SERVICE:
        reasons += f"Credential should be scoped to correct service: '{SERVICE}'. "
    if scope.terminator != TERMINATOR:
        reasons += f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{scope.terminator}'. "
    date = claim.time[:8]
    if scope.date != date:
        reasons += (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{scope.date}' != '{date}', from '{claim.time}'."
        )
    if reasons:
        raise SignatureDoesNotMatch(reasons)


def check_time(claim: Claim, now_ms: int) -> None:
    """Raise SignatureDoesNotMatch outside 15 minutes around now or, presigned, after the lifetime."""
    if claim.lifetime_seconds is None:
        check_not_old(claim.time_ms, now_ms)
    else:
        check_not_expired(claim.time_ms + claim.lifetime_seconds * 1000, now_ms)
    check_not_early(claim.time_ms, now_ms)


def check_not_old(time_ms: int, now_ms: int) -> None:
    if time_ms < now_ms - _SKEW_MS:
        raise SignatureDoesNotMatch(
            f"Signature expired: {write_basic(time_ms)} is now earlier than {write_basic(now_ms - _SKEW_MS)} "
            f"({write_basic(now_ms)} - {_SKEW_MINUTES} min.)"
        )


def check_not_early(time_ms: int, now_ms: int) -> None:
    if time_ms > now_ms + _SKEW_MS:
        raise SignatureDoesNotMatch(
            f"Signature not yet current: {write_basic(time_ms)} is still later than {write_basic(now_ms + _SKEW_MS)} "
            f"({write_basic(now_ms)} + {_SKEW_MINUTES} min.)"
        )


def check_not_expired(expires_ms: int, now_ms: int) -> None:
    if expires_ms < now_ms:
        raise SignatureDoesNotMatch(
            f"Signature expired: {write_basic(expires_ms)} is now earlier than {write_basic(now_ms)}"
        )


# ── The signature ────────────────────────────────────────────────────────────────────────────────────────


def is_genuine(request: HttpRequest, claim: Claim, secret: str) -> bool:
    """Whether ``secret`` made the claim's signature over this very request. Call it after ``check_scope``."""
    canonical = canonical_request(request, claim)
    if canonical is None:
        return False
    scope = claim.scope
    text = (
        f"{ALGORITHM}\n{claim.time}\n{scope.date}/{scope.region}/{SERVICE}/{TERMINATOR}\n"
        f"{sha256(canonical).hexdigest()}"
    )
    inner, outer = signing_pads(secret, scope.date, scope.region)
    expected = sha256(outer + sha256(inner + octets(text)).digest()).hexdigest()
    return hmac.compare_digest(expected.encode(), octets(claim.signature))


# Four rounds of HMAC, the same for a key all day. The secret is part of the cache's key, so that a secret that
# was changed is never answered from the cache; the bound keeps invented regions from filling the memory.
# What is kept are the two padded blocks that HMAC puts before its text: hashing behind them is the last round,
# at half of what hmac.digest takes for a text of this size (1.2 against 2.4 µs).
@lru_cache(maxsize=256)
def signing_pads(secret: str, date: str, region: str) -> tuple[bytes, bytes]:
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, TERMINATOR):
        key = hmac.digest(key, octets(part), "sha256")
    block = key.ljust(sha256().block_size, b"\0")
    return block.translate(_INNER_PAD), block.translate(_OUTER_PAD)


def canonical_request(request: HttpRequest, claim: Claim) -> bytes | None:
    """What was signed, or None when it cannot be: a signed header is not there, the host or the body is not
    covered."""
    headers = request.headers
    names = claim.scope.name_list
    if "host" not in names:
        return None
    # A presigned URL is handed on. Unsigned, this header would let whoever has it do another action.
    if claim.lifetime_seconds is not None and "x-amz-target" in headers and "x-amz-target" not in names:
        return None
    try:
        lines = "".join([f"{name}:{headers[name]}\n" for name in names])
    except KeyError:
        return None
    if "  " in lines or " \n" in lines or ": " in lines or "\t" in lines:
        lines = "".join([f"{name}:{_BLANKS.sub(' ', headers[name]).strip()}\n" for name in names])
    digest = sha256(request.body).hexdigest()
    if "x-amz-content-sha256" in names:
        declared = headers["x-amz-content-sha256"]
        if declared != digest:
            # Only TLS protects a body that the signature does not.
            if declared != UNSIGNED_PAYLOAD or not request.secure:
                return None
            digest = declared
    path = canonical_path(request.path)
    return octets(f"{request.method}\n{path}\n{claim.query}\n{lines}\n{claim.scope.names}\n{digest}")


def canonical_path(path: str) -> str:
    """The path as sent with dots and double slashes resolved, percent-encoded once more."""
    if path == "/":
        return path
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment and segment != ".":
            segments.append(segment)
    resolved = "/" + "/".join(segments)
    if segments and path.endswith("/"):
        resolved += "/"
    return quote(octets(resolved), safe="/" + UNRESERVED)


def read_query(query: str) -> list[tuple[bytes, bytes]]:
    """The names and values of a query string, decoded; a plus sign is a blank, as it is to the actions."""
    pairs = []
    for item in octets(query).replace(b"+", b" ").split(b"&"):
        if item:
            name, _, value = item.partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def canonical_query(pairs: Sequence[tuple[bytes, bytes]]) -> str:
    """Names and values encoded in the one way of RFC 3986, sorted in that form."""
    encoded = sorted((quote(name, safe=UNRESERVED), quote(value, safe=UNRESERVED)) for name, value in pairs)
    return "&".join([f"{name}={value}" for name, value in encoded])


def octets(text: str) -> bytes:
    """The bytes that a header came as: the listener decodes them one to one. Text from anywhere else may hold
    more; it cannot be what was signed, but it must not fail either."""
    return text.encode("latin-1", "replace")
