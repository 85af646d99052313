"""Signature version 2, where it is switched on."""

import base64
import hmac
import warnings
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
import pytest
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as ClientCredentials
from hypothesis import given
from hypothesis import strategies as st

from stanchion.auth.authenticate import authenticate
from stanchion.errors import (
    ExpiredToken,
    InvalidClientTokenId,
    InvalidParameterValue,
    InvalidSecurity,
    MissingParameter,
    SignatureDoesNotMatch,
    SQSError,
)
from stanchion.model import Caller
from stanchion.timestamps import read_extended
from stanchion.wire.http import HttpRequest
from unit.auth.signing import CREDENTIALS, HOST, KEY_ID, NOW_MS, OLD_RULES, SECRET, TOKEN, URL

PARAMETERS = {"Action": "SendMessage", "MessageBody": "a b+c/d~e é", "QueueUrl": "http://h/1/q"}


def check(request: HttpRequest, now_ms: int = NOW_MS) -> Caller:
    text = request.query or request.body.decode()
    return authenticate(request, parse_qsl(text, keep_blank_values=True), CREDENTIALS, OLD_RULES, now_ms)


def request_of(method: str, parameters: dict[str, str], path: str = "/", host: str = HOST) -> HttpRequest:
    text = urlencode(parameters)
    query, body = (text, b"") if method == "GET" else ("", text.encode())
    return HttpRequest(method=method, path=path, query=query, headers={"host": host}, body=body)


def signed(
    method: str = "GET",
    *,
    digest: str = "sha256",
    host: str = "127.0.0.1",
    key_id: str = KEY_ID,
    secret: str = SECRET,
    leave_out: str = "",
    **extra: str,
) -> HttpRequest:
    """A request signed by the published recipe, at NOW unless ``extra`` says otherwise."""
    given = PARAMETERS | {
        "AWSAccessKeyId": key_id,
        "SignatureMethod": f"Hmac{digest.upper()}",
        "SignatureVersion": "2",
    }
    if "Expires" not in extra:
        given["Timestamp"] = "2026-11-21T01:21:00Z"
    given |= extra
    given.pop(leave_out, None)
    query = "&".join(f"{quote(name, safe='')}={quote(given[name], safe='-_.~')}" for name in sorted(given))
    text = f"{method}\n{host}\n/\n{query}"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
    return request_of(method, given | {"Signature": signature})


def refusal(request: HttpRequest, now_ms: int = NOW_MS) -> SQSError:
    with pytest.raises(SQSError) as caught:
        check(request, now_ms)
    return caught.value


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_botocore_signs_is_believed(method: str) -> None:
    request = AWSRequest(method, f"{URL}/", params={}, data={})
    given = request.data if method == "POST" else request.params
    given.update(PARAMETERS)
    SigV2Auth(ClientCredentials(KEY_ID, SECRET)).add_auth(request)
    now_ms = read_extended(given["Timestamp"])
    assert now_ms is not None
    assert check(request_of(method, given), now_ms).access_key_id == KEY_ID


def test_what_boto_2_signs_is_believed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # boto was written for older Pythons
        boto = pytest.importorskip("boto")
        from boto.auth import QuerySignatureV2AuthHandler
        from boto.connection import HTTPRequest
        from boto.provider import Provider

        handler = QuerySignatureV2AuthHandler("127.0.0.1", boto.config, Provider("aws", KEY_ID, SECRET))
        request = HTTPRequest("GET", "http", "127.0.0.1", 9324, "/", "/", dict(PARAMETERS), {}, "")
        handler.add_auth(request)
    received = HttpRequest(
        method="GET", path="/", query=request.path.partition("?")[2], headers={"host": HOST}, body=b""
    )
    now_ms = read_extended(request.params["Timestamp"])
    assert now_ms is not None
    assert check(received, now_ms).access_key_id == KEY_ID


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
@pytest.mark.parametrize("host", ["127.0.0.1", HOST])
def test_both_digests_and_both_spellings_of_the_host_are_believed(digest: str, host: str) -> None:
    assert check(signed(digest=digest, host=host)).access_key_id == KEY_ID


def test_the_caller_is_in_the_default_region() -> None:
    assert check(signed()).region == OLD_RULES.default_region


def test_a_session_token_is_a_parameter() -> None:
    assert check(signed(key_id="ASIABOB", SecurityToken=TOKEN)).access_key_id == "ASIABOB"
    assert isinstance(refusal(signed(key_id="ASIABOB")), InvalidClientTokenId)
    expired = refusal(signed(key_id="ASIABOB", SecurityToken=TOKEN), NOW_MS + 60_000)
    assert isinstance(expired, ExpiredToken)


@pytest.mark.parametrize("version", ["0", "1", "3", ""])
def test_other_versions_are_refused(version: str) -> None:
    assert isinstance(refusal(signed(SignatureVersion=version)), InvalidSecurity)


def test_an_unknown_key_is_refused() -> None:
    assert isinstance(refusal(signed(key_id="AKIDNOBODY")), InvalidClientTokenId)


def test_a_wrong_secret_is_refused() -> None:
    assert isinstance(refusal(signed(secret="wrong")), SignatureDoesNotMatch)


@pytest.mark.parametrize("minutes", [-15, 15])
def test_a_timestamp_up_to_15_minutes_off_is_accepted(minutes: int) -> None:
    assert check(signed(), NOW_MS + minutes * 60_000).access_key_id == KEY_ID


@pytest.mark.parametrize("minutes, text", [(-16, "Signature not yet current: "), (16, "Signature expired: ")])
def test_a_timestamp_further_off_is_refused(minutes: int, text: str) -> None:
    error = refusal(signed(), NOW_MS + minutes * 60_000)
    assert error.message.startswith(f"{text}20261121T012100Z is ")


def test_an_expiry_holds_until_it_has_passed() -> None:
    request = signed(Expires="2026-11-21T02:00:00.000Z")
    end_ms = NOW_MS + timedelta(minutes=39) // timedelta(milliseconds=1)
    assert check(request, end_ms).access_key_id == KEY_ID
    assert refusal(request, end_ms + 1000).message == (
        "Signature expired: 20261121T020000Z is now earlier than 20261121T020001Z"
    )


def test_a_timestamp_and_an_expiry_exclude_each_other() -> None:
    error = refusal(signed(Expires="2026-11-21T02:00:00Z", Timestamp="2026-11-21T01:21:00Z"))
    assert isinstance(error, InvalidParameterValue)


@pytest.mark.parametrize("name", ["AWSAccessKeyId", "SignatureMethod", "Timestamp"])
def test_a_missing_parameter_is_named(name: str) -> None:
    error = refusal(signed(leave_out=name))
    assert isinstance(error, MissingParameter)
    assert error.message == f"The request must contain the parameter {name}."


def test_a_missing_signature_is_named() -> None:
    request = signed()
    unsigned = msgspec.structs.replace(request, query=request.query.partition("&Signature=")[0])
    assert refusal(unsigned).message == "The request must contain the parameter Signature."


@pytest.mark.parametrize(
    "extra", [{"SignatureMethod": "HmacMD5"}, {"Timestamp": "yesterday"}, {"Timestamp": "2026-13-01"}]
)
def test_a_malformed_parameter_is_refused(extra: dict[str, str]) -> None:
    assert isinstance(refusal(signed(**extra)), InvalidParameterValue)


def test_parameters_beside_the_signed_form_are_refused() -> None:
    request = signed("POST")
    added = [*parse_qsl(request.body.decode()), ("DelaySeconds", "900")]
    with pytest.raises(SignatureDoesNotMatch):
        authenticate(request, added, CREDENTIALS, OLD_RULES, NOW_MS)


@given(st.sampled_from(sorted(PARAMETERS)), st.text(min_size=1))
def test_a_changed_parameter_is_refused(name: str, tail: str) -> None:
    request = signed()
    changed = [(n, v + tail if n == name else v) for n, v in parse_qsl(request.query)]
    with pytest.raises(SignatureDoesNotMatch):
        authenticate(request, changed, CREDENTIALS, OLD_RULES, NOW_MS)


NAMES = st.sampled_from(
    [
        "AWSAccessKeyId",
        "Signature",
        "SignatureVersion",
        "SignatureMethod",
        "Timestamp",
        "Expires",
        "SecurityToken",
        "x",
    ]
)
TEXTS = st.text(st.characters()) | st.sampled_from(
    [KEY_ID, "2", "HmacSHA1", "2026-11-21T01:21:00Z", "0001-01-01T00:00:00+23:59", "2026-11-21T01:21:00+99:99"]
)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("name", ["Timestamp", "Expires"])
def test_the_ends_of_time_are_refused_like_any_other_wrong_time(name: str, moment: str) -> None:
    assert isinstance(refusal(signed(**{name: moment})), SignatureDoesNotMatch | InvalidParameterValue)


@given(st.lists(st.tuples(NAMES, TEXTS)))
def test_no_parameters_raise_anything_but_errors_of_sqs(parameters: list[tuple[str, str]]) -> None:
    request = HttpRequest(method="GET", path="", query="", headers={}, body=b"")
    try:
        assert authenticate(request, parameters, CREDENTIALS, OLD_RULES, NOW_MS).access_key_id is None
    except SQSError as error:
        assert error.status in (400, 403)
