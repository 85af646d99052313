"""Who is asking. The checks run in one order: the shape of the claim, the key, its scope, the time, the
signature, the session token. Nothing about queues is looked at before all of them have passed."""

import hmac
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from stanchion.auth import sigv2, sigv4
from stanchion.auth.credentials import AccessKey, Credentials
from stanchion.errors import ExpiredToken, InvalidClientTokenId, InvalidSecurity, SignatureDoesNotMatch
from stanchion.ids import ACCOUNT
from stanchion.model import Caller
from stanchion.wire.http import HttpRequest

_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
# The access key id and the region of a header, whatever else is in it.
_NAMED: Final = re.compile(r"Credential=([^/,\s]+)/[^/,]*/([^/,]*)/")


class AuthRules(msgspec.Struct, frozen=True):
    """What signatures are accepted. ``regions`` are those a request may be signed for; empty: any, and every
    caller is in ``default_region``."""

    default_region: str
    regions: tuple[str, ...] = ()
    allow_sigv2: bool = False


def authenticate(
    request: HttpRequest,
    parameters: Sequence[tuple[str, str]],
    credentials: Credentials,
    rules: AuthRules,
    now_ms: int,
) -> Caller:
    """The caller of a request; one without ``access_key_id`` when the request is not signed.

    ``parameters`` are those of a Query request (query string and form), decoded. Raises IncompleteSignature,
    InvalidClientTokenId, SignatureDoesNotMatch, ExpiredToken or InvalidSecurity; for SigV2 also
    MissingParameter and InvalidParameterValue.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _authenticate_v4(request, sigv4.read_header(request, authorization), credentials, rules, now_ms)
    presigned = sigv4.read_presigned(request) if request.query else None
    if presigned is not None:
        return _authenticate_v4(request, presigned, credentials, rules, now_ms)
    if sigv2.is_signed(parameters):
        return _authenticate_v2(request, parameters, credentials, rules, now_ms)
    return _anonymous(rules)


def _authenticate_v4(
    request: HttpRequest, claim: sigv4.Claim, credentials: Credentials, rules: AuthRules, now_ms: int
) -> Caller:
    key = _find(credentials, claim.scope.access_key_id)
    sigv4.check_scope(claim, rules.regions)
    sigv4.check_time(claim, now_ms)
    if not sigv4.is_genuine(request, claim, key.secret):
        raise SignatureDoesNotMatch(_MISMATCH)
    _check_token(key, claim.token, now_ms)
    return caller_of(key, claim.scope.region if rules.regions else rules.default_region)


def _authenticate_v2(
    request: HttpRequest,
    parameters: Sequence[tuple[str, str]],
    credentials: Credentials,
    rules: AuthRules,
    now_ms: int,
) -> Caller:
    if not rules.allow_sigv2:
        raise InvalidSecurity
    claim = sigv2.read(parameters)
    key = _find(credentials, claim.access_key_id)
    sigv2.check_time(claim, now_ms)
    if not sigv2.is_genuine(request, parameters, claim, key.secret):
        raise SignatureDoesNotMatch(_MISMATCH)
    _check_token(key, claim.token, now_ms)
    return caller_of(key, rules.default_region)


def _find(credentials: Credentials, access_key_id: str) -> AccessKey:
    try:
        key = credentials[access_key_id]
    except KeyError:
        raise InvalidClientTokenId from None
    if not key.enabled:
        raise InvalidClientTokenId
    return key


def _check_token(key: AccessKey, token: str | None, now_ms: int) -> None:
    expected = key.session_token
    if (expected is not None or token is not None) and not hmac.compare_digest(
        sigv4.octets(expected or ""), sigv4.octets(token or "")
    ):
        raise InvalidClientTokenId
    if key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
        raise ExpiredToken


def caller_of(key: AccessKey, region: str) -> Caller:
    """Whoever holds a key, asking in a region."""
    return Caller(
        account=key.account,
        region=region,
        arn=key.arn,
        sender_id=key.sender_id,
        access_key_id=key.access_key_id,
        tags=tuple(key.tags.items()) if key.tags else (),
    )


def _anonymous(rules: AuthRules) -> Caller:
    return Caller(account="", region=rules.default_region, arn="", sender_id="anonymous", access_key_id=None)


def unverified_caller(
    request: HttpRequest, parameters: Sequence[tuple[str, str]], rules: AuthRules, default_account: str
) -> Caller:
    """The caller when authentication is off: trusted, whatever the request carries.

    An access key id of 12 digits is the account, as users of emulators expect; any other means
    ``default_account``.
    """
    access_key_id, region = _named(request, parameters)
    account = access_key_id if access_key_id and ACCOUNT.match(access_key_id) else default_account
    return Caller(
        account=account,
        region=region if region in rules.regions else rules.default_region,
        arn=f"arn:aws:iam::{account}:root",
        sender_id=account,
        access_key_id=access_key_id,
        trusted=True,
    )


def _named(request: HttpRequest, parameters: Sequence[tuple[str, str]]) -> tuple[str | None, str]:
    """The access key id (None: no signature of a known kind) and the region that a request names."""
    match = _NAMED.search(request.headers.get("authorization", ""))
    if match:
        return match[1], match[2]
    if "X-Amz-Credential=" in request.query:
        for name, value in sigv4.read_query(request.query):
            if name == b"X-Amz-Credential":
                access_key_id, _, region, *_ = [*value.decode("latin-1").split("/"), "", ""]
                return access_key_id or None, region
    return next((value for name, value in parameters if name == "AWSAccessKeyId"), None) or None, ""
