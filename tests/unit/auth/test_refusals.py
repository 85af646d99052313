"""Every refusal with its literal text, and the order in which they come."""

from datetime import timedelta

import msgspec
import pytest

from stanchion.auth.authenticate import AuthRules
from stanchion.errors import (
    ExpiredToken,
    IncompleteSignature,
    InvalidClientTokenId,
    InvalidSecurity,
    SignatureDoesNotMatch,
    SQSError,
)
from stanchion.wire.http import HttpRequest
from unit.auth.signing import (
    ACCOUNT,
    KEY_ID,
    REGION,
    RULES,
    TOKEN,
    URL,
    check,
    presigned,
    signed,
)

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
    "Key and signing method. Consult the service documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid."


def refusal(request: HttpRequest, **options) -> SQSError:
    with pytest.raises(SQSError) as caught:
        check(request, **options)
    return caught.value


def told(request: HttpRequest, **options) -> tuple[type[SQSError], int, str]:
    error = refusal(request, **options)
    return type(error), error.status, error.message


def with_header(request: HttpRequest, name: str, value: str | None) -> HttpRequest:
    headers = {n: v for n, v in request.headers.items() if n != name}
    return msgspec.structs.replace(request, headers=headers if value is None else {**headers, name: value})


def with_query(request: HttpRequest, old: str, new: str) -> HttpRequest:
    assert old in request.query
    return msgspec.structs.replace(request, query=request.query.replace(old, new))


def authorization(request: HttpRequest) -> dict[str, str]:
    parts = request.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    return dict(part.split("=", 1) for part in parts)


def header_with(*names: str) -> tuple[HttpRequest, str]:
    """A request whose Authorization header has only some of its parts, and that header."""
    request = signed()
    given = authorization(request)
    text = "AWS4-HMAC-SHA256 " + ", ".join(f"{name}={given[name]}" for name in names)
    return with_header(request, "authorization", text), text


def test_an_unsigned_request_has_an_anonymous_caller_and_is_for_the_policies_to_judge() -> None:
    caller = check(with_header(signed(), "authorization", None))
    assert (caller.access_key_id, caller.account, caller.arn, caller.trusted) == (None, "", "", False)
    assert caller.region == RULES.default_region


def test_an_unknown_access_key() -> None:
    assert told(signed(key_id="AKIDNOBODY")) == (InvalidClientTokenId, 403, INVALID_TOKEN)


def test_a_disabled_access_key() -> None:
    assert told(signed(key_id="AKIDGONE")) == (InvalidClientTokenId, 403, INVALID_TOKEN)


def test_a_wrong_secret() -> None:
    assert told(signed(secret="wrong")) == (SignatureDoesNotMatch, 403, MISMATCH)


def test_a_request_that_is_too_old() -> None:
    text = "Signature expired: 20261121T012100Z is now earlier than 20261121T012200Z (20261121T013700Z - 15 min.)"
    assert told(signed(), after=timedelta(minutes=16)) == (SignatureDoesNotMatch, 403, text)


def test_a_request_from_the_future() -> None:
    text = (
        "Signature not yet current: 20261121T012100Z is still later than 20261121T012000Z "
        "(20261121T010500Z + 15 min.)"
    )
    assert told(signed(), after=timedelta(minutes=-16)) == (SignatureDoesNotMatch, 403, text)


@pytest.mark.parametrize("minutes", [-15, -4, 4, 15])
def test_up_to_15_minutes_off_is_accepted(minutes: int) -> None:
    assert check(signed(), after=timedelta(minutes=minutes)).access_key_id == KEY_ID


@pytest.mark.parametrize("past", [timedelta(minutes=15), timedelta(minutes=-15)])
def test_a_millisecond_more_than_15_minutes_is_not(past: timedelta) -> None:
    beyond = past + timedelta(milliseconds=1 if past > timedelta(0) else -1)
    assert isinstance(refusal(signed(), after=beyond), SignatureDoesNotMatch)


def test_a_presigned_url_after_its_end() -> None:
    text = "Signature expired: 20261121T013100Z is now earlier than 20261121T013101Z"
    request = presigned(lifetime=600)
    assert told(request, after=timedelta(minutes=10, seconds=1)) == (SignatureDoesNotMatch, 403, text)


def test_a_presigned_url_from_the_future() -> None:
    error = refusal(presigned(), after=timedelta(minutes=-16))
    assert error.message.startswith("Signature not yet current: 20261121T012100Z is still later than ")


@pytest.mark.parametrize(
    "present, missing",
    [
        (("SignedHeaders", "Signature"), "Authorization header requires 'Credential' parameter."),
        (("Credential", "SignedHeaders"), "Authorization header requires 'Signature' parameter."),
        (("Credential", "Signature"), "Authorization header requires 'SignedHeaders' parameter."),
    ],
)
def test_an_authorization_header_without_one_part(present: tuple[str, ...], missing: str) -> None:
    request, text = header_with(*present)
    assert told(request) == (IncompleteSignature, 400, f"{missing} Authorization={text}")


@pytest.mark.parametrize("text", ["", "AWS4-HMAC-SHA256", "Bearer abc", "AWS AKIDALICE:c2ln", "AWS4-HMAC-SHA256 x"])
def test_an_authorization_header_without_anything(text: str) -> None:
    undated = with_header(with_header(signed(), "x-amz-date", None), "authorization", text)
    assert told(undated) == (
        IncompleteSignature,
        400,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either "
        f"a 'X-Amz-Date' or a 'Date' header. Authorization={text}",
    )


def test_a_request_without_a_date() -> None:
    request = with_header(signed(), "x-amz-date", None)
    assert told(request) == (
        IncompleteSignature,
        400,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        f"Authorization={request.headers['authorization']}",
    )


@pytest.mark.parametrize("text", ["2026-11-21T01:21:00Z", "20261321T012100Z", "now", "Sat, 21 Nov 2026 01:21:00 GMT"])
def test_a_date_that_is_none(text: str) -> None:
    assert told(with_header(signed(), "x-amz-date", text)) == (
        IncompleteSignature,
        400,
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601",
    )


def test_a_credential_that_is_no_scope() -> None:
    request = signed()
    text = request.headers["authorization"].replace(f"{KEY_ID}/20261121/", f"{KEY_ID}/")
    error = refusal(with_header(request, "authorization", text))
    assert isinstance(error, IncompleteSignature)
    assert error.message == (
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
        f"got '{KEY_ID}/{REGION}/sqs/aws4_request'"
    )


def test_a_scope_for_another_service() -> None:
    text = "Credential should be scoped to correct service: 'sqs'. "
    assert told(signed(service="sns")) == (SignatureDoesNotMatch, 403, text)


def test_a_scope_for_a_region_that_is_not_allowed() -> None:
    rules = AuthRules(default_region="us-east-1", regions=("us-east-1",))
    text = "Credential should be scoped to a valid region. "
    assert told(signed(), rules=rules) == (SignatureDoesNotMatch, 403, text)


def test_a_scope_without_a_region() -> None:
    text = "Credential should be scoped to a valid region. "
    assert told(signed(region="")) == (SignatureDoesNotMatch, 403, text)


def test_a_scope_of_another_date() -> None:
    request = signed()
    text = request.headers["authorization"].replace("/20261121/", "/20261120/")
    assert told(with_header(request, "authorization", text)) == (
        SignatureDoesNotMatch,
        403,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'20261120' != '20261121', from '20261121T012100Z'.",
    )


def test_a_scope_with_another_ending() -> None:
    request = signed()
    text = request.headers["authorization"].replace("aws4_request", "aws5_request")
    assert told(with_header(request, "authorization", text)) == (
        SignatureDoesNotMatch,
        403,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
    )


@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x"])
def test_a_wrong_session_token(token: str | None) -> None:
    assert told(signed(key_id="ASIABOB", token=token)) == (InvalidClientTokenId, 403, INVALID_TOKEN)


def test_a_session_token_for_a_key_that_has_none() -> None:
    assert told(signed(token=TOKEN)) == (InvalidClientTokenId, 403, INVALID_TOKEN)


def test_an_expired_session_token() -> None:
    request = signed(key_id="ASIABOB", token=TOKEN)
    assert check(request, after=timedelta(seconds=59)).access_key_id == "ASIABOB"
    text = "The security token included in the request is expired"
    assert told(request, after=timedelta(seconds=60)) == (ExpiredToken, 403, text)


def test_signature_version_2_is_refused_unless_it_is_switched_on() -> None:
    query = "Action=ListQueues&AWSAccessKeyId=AKIDALICE&Signature=c2ln&SignatureVersion=2"
    request = HttpRequest(method="GET", path="/", query=query, headers={"host": "h"}, body=b"")
    assert told(request) == (InvalidSecurity, 403, "All requests to this queue must use HTTPS and SigV4.")


# ── Presigned shapes ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires"])
def test_a_presigned_url_without_one_parameter(name: str) -> None:
    error = refusal(with_query(presigned(), f"X-Amz-{name}=", f"Y-Amz-{name}="))
    assert isinstance(error, IncompleteSignature)
    assert error.message == (
        f"AWS query-string parameters must include 'X-Amz-{name}'. Re-examine the query-string parameters."
    )


@pytest.mark.parametrize("lifetime", ["0", "604801", "-1", "ten", "1.5", "\u0661", "9" * 5000])
def test_a_presigned_url_with_a_lifetime_out_of_range(lifetime: str) -> None:
    error = refusal(with_query(presigned(lifetime=600), "X-Amz-Expires=600", f"X-Amz-Expires={lifetime}"))
    assert isinstance(error, IncompleteSignature)
    assert error.message == "X-Amz-Expires must be a number of seconds from 1 to 604800."


@pytest.mark.parametrize("lifetime", [1, 604_800])
def test_the_ends_of_the_range_of_lifetimes_are_accepted(lifetime: int) -> None:
    assert check(presigned(lifetime=lifetime)).access_key_id == KEY_ID


def test_a_presigned_url_with_another_algorithm() -> None:
    error = refusal(with_query(presigned(), "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"))
    assert isinstance(error, IncompleteSignature)
    assert error.message == "X-Amz-Algorithm must be 'AWS4-HMAC-SHA256'."


def test_a_presigned_url_with_a_malformed_date() -> None:
    error = refusal(with_query(presigned(), "X-Amz-Date=20261121T012100Z", "X-Amz-Date=yesterday"))
    assert isinstance(error, IncompleteSignature)


# ── The order of the checks ──────────────────────────────────────────────────────────────────────────────

LATE = timedelta(hours=1)


def test_the_shape_comes_before_the_key() -> None:
    request = signed(key_id="AKIDNOBODY")
    text = request.headers["authorization"].partition(", Signature")[0]
    assert isinstance(refusal(with_header(request, "authorization", text)), IncompleteSignature)


def test_the_key_comes_before_the_scope() -> None:
    assert isinstance(refusal(signed(key_id="AKIDNOBODY", service="sns")), InvalidClientTokenId)


def test_the_scope_comes_before_the_time() -> None:
    assert refusal(signed(service="sns"), after=LATE).message.startswith("Credential should be scoped")


def test_the_time_comes_before_the_signature() -> None:
    assert refusal(signed(secret="wrong"), after=LATE).message.startswith("Signature expired")


def test_the_signature_comes_before_the_token() -> None:
    assert refusal(signed(key_id="ASIABOB", secret="wrong", token="wrong")).message == MISMATCH


def test_a_presigned_post_with_another_action_in_a_header_that_is_not_signed() -> None:
    request = presigned(method="POST")
    assert check(request).access_key_id == KEY_ID
    error = refusal(with_header(request, "x-amz-target", "AmazonSQS.ListQueues"))
    assert isinstance(error, SignatureDoesNotMatch)
    assert error.message == MISMATCH


def test_an_authorization_header_decides_over_a_presigned_query() -> None:
    request = with_header(presigned(), "authorization", "Bearer abc")
    assert isinstance(refusal(request), IncompleteSignature)


def test_a_refusal_is_the_same_whatever_queue_is_named() -> None:
    answers = {refusal(signed(url=f"{URL}/{ACCOUNT}/{name}", secret="wrong")).message for name in ("a", "b")}
    assert answers == {MISMATCH}
