"""Signature version 2: parameters of a Query request, signed together with its method, host and path.

Retired by the service, kept for clients from before 2013, and refused unless it is switched on.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from stanchion.auth.sigv4 import UNRESERVED, check_not_early, check_not_expired, check_not_old
from stanchion.errors import InvalidParameterValue, InvalidSecurity, MissingParameter
from stanchion.timestamps import read_extended
from stanchion.wire.http import HttpRequest

_MARKS: Final = frozenset({"AWSAccessKeyId", "Signature"})
_DIGESTS: Final = {"HmacSHA256": "sha256", "HmacSHA1": "sha1"}
_PORT: Final = re.compile(r":[0-9]+\Z")


class Claim(NamedTuple):
    """What the parameters say about their signature. Exactly one of the two times is there."""

    access_key_id: str
    signature: str
    digest: str
    signed_at_ms: int | None
    expires_ms: int | None
    token: str | None


def is_signed(parameters: Sequence[tuple[str, str]]) -> bool:
    return any(name in _MARKS for name, _ in parameters)


def read(parameters: Sequence[tuple[str, str]]) -> Claim:
    """The claim in the parameters. Raises InvalidSecurity for the versions before 2, MissingParameter and
    InvalidParameterValue for a claim that is not whole."""
    given = dict(parameters)
    if given.get("SignatureVersion") != "2":
        raise InvalidSecurity
    for name in ("AWSAccessKeyId", "Signature", "SignatureMethod"):
        if not given.get(name):
            raise MissingParameter(name)
    method = given["SignatureMethod"]
    if method not in _DIGESTS:
        raise InvalidParameterValue.of(method, "SignatureMethod", "Must be HmacSHA256 or HmacSHA1.")
    if "Expires" in given and "Timestamp" in given:
        raise InvalidParameterValue.of(given["Expires"], "Expires", "Cannot be used together with Timestamp.")
    if "Expires" not in given and "Timestamp" not in given:
        raise MissingParameter("Timestamp")
    return Claim(
        given["AWSAccessKeyId"],
        given["Signature"],
        _DIGESTS[method],
        _read_time(given, "Timestamp"),
        _read_time(given, "Expires"),
        given.get("SecurityToken"),
    )


def _read_time(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    moment_ms = read_extended(text)
    if moment_ms is None:
        raise InvalidParameterValue.of(text, name, "Must be in ISO8601 format.")
    return moment_ms


def check_time(claim: Claim, now_ms: int) -> None:
    """Raise SignatureDoesNotMatch for a Timestamp more than 15 minutes off or an Expires that has passed."""
    if claim.signed_at_ms is not None:
        check_not_old(claim.signed_at_ms, now_ms)
        check_not_early(claim.signed_at_ms, now_ms)
    if claim.expires_ms is not None:
        check_not_expired(claim.expires_ms, now_ms)


def is_genuine(request: HttpRequest, parameters: Sequence[tuple[str, str]], claim: Claim, secret: str) -> bool:
    """Whether ``secret`` made the signature over this request and all of its parameters."""
    host = request.headers.get("host", "").lower()
    query = canonical_parameters(parameters)
    # boto signs the host's name alone, botocore the name with its port.
    genuine = [
        _matches(claim, secret, f"{request.method}\n{spelling}\n{request.path or '/'}\n{query}")
        for spelling in (host, _PORT.sub("", host))
    ]
    return any(genuine)


def _matches(claim: Claim, secret: str, text: str) -> bool:
    expected = hmac.digest(secret.encode(), text.encode("utf-8", "replace"), claim.digest)
    return hmac.compare_digest(base64.b64encode(expected), claim.signature.encode("utf-8", "replace"))


def canonical_parameters(parameters: Sequence[tuple[str, str]]) -> str:
    """All but the signature, in the byte order of the names."""
    pairs = sorted(
        (name.encode("utf-8", "replace"), value.encode("utf-8", "replace"))
        for name, value in parameters
        if name != "Signature"
    )
    return "&".join(f"{quote(name, safe=UNRESERVED)}={quote(value, safe=UNRESERVED)}" for name, value in pairs)
