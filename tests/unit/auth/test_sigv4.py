"""Signature version 4: what the published clients sign is believed, and nothing else."""

import hmac
import warnings
from datetime import timedelta
from email.utils import format_datetime
from hashlib import sha256
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stanchion.auth import sigv4
from stanchion.auth.authenticate import AuthRules, authenticate, unverified_caller
from stanchion.auth.credentials import AccessKey, Credentials
from stanchion.errors import SignatureDoesNotMatch, SQSError
from stanchion.wire.http import HttpRequest
from unit.auth.signing import (
    ACCOUNT,
    ALICE,
    CREDENTIALS,
    HOST,
    KEY_ID,
    NOW,
    NOW_MS,
    REGION,
    RULES,
    SECRET,
    SEND_BODY,
    TOKEN,
    URL,
    as_received,
    check,
    client,
    presigned,
    sent_by,
    signed,
)


def with_headers(request: HttpRequest, **headers: str) -> HttpRequest:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return msgspec.structs.replace(request, headers={**request.headers, **given})


def without_header(request: HttpRequest, name: str) -> HttpRequest:
    return msgspec.structs.replace(request, headers={n: v for n, v in request.headers.items() if n != name})


# ── Header form ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_post_signed_by_botocore_is_its_key_s_caller() -> None:
    caller = check(signed())
    assert (caller.account, caller.arn, caller.sender_id) == (ACCOUNT, ALICE.arn, "AIDAALICE")
    assert (caller.access_key_id, caller.trusted, caller.tags) == (KEY_ID, False, (("team", "blue"),))


def test_the_caller_is_in_the_default_region_while_any_region_may_sign() -> None:
    assert check(signed(region="an-invented-one")).region == "us-east-1"


def test_the_caller_is_in_the_signed_region_when_regions_are_fixed() -> None:
    rules = AuthRules(default_region="us-east-1", regions=("us-east-1", REGION))
    assert check(signed(), rules=rules).region == REGION


@pytest.mark.parametrize(
    "operation, arguments",
    [
        ("send_message", {"QueueUrl": f"{URL}/{ACCOUNT}/q", "MessageBody": "höllo  wörld \u2603"}),
        ("receive_message", {"QueueUrl": f"{URL}/{ACCOUNT}/q.fifo", "WaitTimeSeconds": 20}),
        ("list_queues", {}),
    ],
)
def test_a_botocore_client_s_calls_are_believed(operation: str, arguments: dict[str, object]) -> None:
    assert check(sent_by(client(), operation, **arguments)).access_key_id == KEY_ID


def test_a_url_that_boto3_presigned_is_believed_as_a_post_with_its_headers() -> None:
    request = presigned(URL + "/", method="POST", body=b"", headers={
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.ReceiveMessage",
        "x-amzn-query-mode": "true",
    })  # fmt: skip
    assert "x-amz-target" in request.query
    assert check(request).access_key_id == KEY_ID


def boto_request(method: str, path: str, params: dict[str, str], token: str | None = None) -> HttpRequest:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # boto was written for older Pythons
        boto = pytest.importorskip("boto")
        from boto.auth import HmacAuthV4Handler
        from boto.connection import HTTPRequest
        from boto.provider import Provider

        provider = Provider("aws", KEY_ID if token is None else "ASIABOB", SECRET, security_token=token)
        handler = HmacAuthV4Handler("127.0.0.1", boto.config, provider, service_name="sqs", region_name=REGION)
        request = HTTPRequest(method, "http", "127.0.0.1", 9324, path, path, params, {}, "")
        request.headers["Host"] = HOST
        handler.add_auth(request)
    request.url = URL + request.path
    return as_received(request)


def now_of(request: HttpRequest) -> int:
    moment_ms = sigv4.read_basic(request.headers["x-amz-date"])
    assert moment_ms is not None
    return moment_ms


@pytest.mark.parametrize(
    "method, path, params",
    [
        ("GET", "/", {"Action": "ListQueues", "Version": "2012-11-05"}),
        ("GET", f"/{ACCOUNT}/q.fifo", {"Action": "GetQueueAttributes", "AttributeName.1": "a b~c/d+ü*"}),
        ("GET", f"/{ACCOUNT}/q/", {"Action": "PurgeQueue"}),
        ("POST", f"/{ACCOUNT}/q", {"Action": "SendMessage", "MessageBody": "a b & c=d"}),
    ],
)
def test_what_boto_2_signs_is_believed(method: str, path: str, params: dict[str, str]) -> None:
    request = boto_request(method, path, params)
    assert ",SignedHeaders=" in request.headers["authorization"]  # no blanks between the parts
    assert check(request, now_ms=now_of(request)).access_key_id == KEY_ID


def test_a_session_token_from_boto_2_is_believed() -> None:
    request = boto_request("GET", "/", {"Action": "ListQueues"}, token=TOKEN)
    key = msgspec.structs.replace(CREDENTIALS["ASIABOB"], expires_at_ms=None)
    assert check(request, now_ms=now_of(request), credentials=Credentials([key])).access_key_id == "ASIABOB"


@pytest.mark.parametrize(
    "path",
    [
        "/", f"/{ACCOUNT}/q", f"/{ACCOUNT}/q/", "/a%20b/c%2Fd", "/a//b/../c/./d", "/..", "/a/.", "/~x/%C3%A9",
    ],
)  # fmt: skip
def test_paths_are_canonical_like_botocore_s(path: str) -> None:
    assert check(signed(url=URL + path)).access_key_id == KEY_ID


@pytest.mark.parametrize(
    "query",
    [
        "Action=ListQueues&Version=2012-11-05", "b=2&a=1&b=1&a=", "empty&Action=X", "x=%20%2B~%25&X=%E2%98%83",
        "a-b=1&a=2&aB=3&a.b=4&a_b=5", "a=1&a=1&a=",
    ],
)  # fmt: skip
def test_query_strings_are_canonical_like_botocore_s(query: str) -> None:
    # botocore takes the URL's query as it stands, so names without "=" are its own affair; give it all as pairs.
    pairs = [part.partition("=") for part in query.split("&")]
    whole = "&".join(f"{name}={value}" for name, _, value in pairs)
    request = signed("GET", f"{URL}/?{whole}", body=b"", headers={})
    assert check(msgspec.structs.replace(request, query=query)).access_key_id == KEY_ID


def test_the_spelling_of_percent_encodings_does_not_matter() -> None:
    request = signed("GET", f"{URL}/?Action=a%2Fb~c", body=b"", headers={})
    assert check(msgspec.structs.replace(request, query="Action=%61%2fb%7Ec")).access_key_id == KEY_ID


def test_a_plus_sign_in_a_query_is_signed_as_the_blank_that_it_is() -> None:
    request = signed("GET", f"{URL}/?MessageBody=a%20b", body=b"", headers={})
    assert check(msgspec.structs.replace(request, query="MessageBody=a+b")).access_key_id == KEY_ID


def test_runs_of_blanks_in_a_header_count_as_one() -> None:
    request = signed(headers={"X-Amz-Meta": "  a   b\t c  "})
    assert request.headers["x-amz-meta"] == "  a   b\t c  "
    assert check(request).access_key_id == KEY_ID


@pytest.mark.parametrize("separator", [",", ", ", ",  ", " , "])
def test_the_parts_of_authorization_may_be_spaced_in_any_way(separator: str) -> None:
    request = signed()
    spaced = request.headers["authorization"].replace(", ", separator)
    assert check(with_headers(request, authorization=spaced)).access_key_id == KEY_ID


def test_the_parts_of_authorization_may_come_in_any_order() -> None:
    request = signed()
    scheme, _, rest = request.headers["authorization"].partition(" ")
    turned = f"{scheme} {', '.join(reversed(rest.split(', ')))}"
    assert check(with_headers(request, authorization=turned)).access_key_id == KEY_ID


def test_headers_that_are_not_signed_may_be_there() -> None:
    assert check(with_headers(signed(), user_agent="x", x_forwarded_for="1.2.3.4")).access_key_id == KEY_ID


def test_a_session_token_in_its_header_is_believed() -> None:
    assert check(signed(key_id="ASIABOB", token=TOKEN)).access_key_id == "ASIABOB"


def test_a_request_may_be_dated_by_the_date_header_in_http_s_form() -> None:
    request = signed(headers={"Date": "to be replaced"})
    assert "x-amz-date" not in request.headers
    assert check(request).access_key_id == KEY_ID


@pytest.mark.parametrize("text", ["20261121T012100Z", format_datetime(NOW, usegmt=True), "21 Nov 2026 01:21:00 GMT"])
def test_the_date_header_may_be_iso_or_http(text: str) -> None:
    request = without_header(signed(headers={}), "x-amz-date")
    hand_made = sign_by_hand(with_headers(request, date=text), "date;host")
    assert check(hand_made).access_key_id == KEY_ID


def sign_by_hand(request: HttpRequest, names: str, payload: str | None = None) -> HttpRequest:
    """The signature by the published recipe, apart from the code under test. For simple paths without a query."""
    lines = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    digest = payload or sha256(request.body).hexdigest()
    canonical = f"{request.method}\n{quote(request.path)}\n\n{lines}\n{names}\n{digest}"
    scope = f"20261121/{REGION}/sqs/aws4_request"
    text = f"AWS4-HMAC-SHA256\n20261121T012100Z\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    signature = hmac.new(key, text.encode(), sha256).hexdigest()
    credential = f"{KEY_ID}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return with_headers(request, authorization=authorization)


def test_the_recipe_written_down_by_hand_agrees() -> None:
    request = signed(headers={})
    assert sign_by_hand(request, "host;x-amz-date").headers == request.headers


# ── The body ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_declared_and_signed_body_digest_must_be_the_body_s() -> None:
    digest = sha256(SEND_BODY).hexdigest()
    assert check(signed(headers={"X-Amz-Content-SHA256": digest})).access_key_id == KEY_ID
    wrong = signed(headers={"X-Amz-Content-SHA256": sha256(b"other").hexdigest()})
    with pytest.raises(SignatureDoesNotMatch):
        check(wrong)


def test_an_unsigned_body_is_accepted_over_tls_only() -> None:
    request = signed(url=f"https://{HOST}/", unsigned_payload=True)
    assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert check(msgspec.structs.replace(request, secure=True)).access_key_id == KEY_ID
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_a_declared_digest_that_is_not_signed_means_nothing() -> None:
    unsigned = sign_by_hand(with_headers(signed(headers={}), x_amz_content_sha256="anything"), "host;x-amz-date")
    assert check(unsigned).access_key_id == KEY_ID


# ── Presigned ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_presigned_get_is_believed() -> None:
    assert check(presigned()).access_key_id == KEY_ID


def test_a_presigned_get_carries_its_session_token_in_the_query() -> None:
    assert check(presigned(key_id="ASIABOB", token=TOKEN)).access_key_id == "ASIABOB"


def test_a_presigned_url_holds_until_its_end_and_from_15_minutes_before_its_time() -> None:
    request = presigned(lifetime=600)
    for after in (timedelta(minutes=-15), timedelta(minutes=10)):
        assert check(request, after=after).access_key_id == KEY_ID


def test_a_presigned_post_covers_its_body() -> None:
    request = presigned(URL + "/", method="POST", body=b"")
    with pytest.raises(SignatureDoesNotMatch):
        check(msgspec.structs.replace(request, body=b"other"))


# ── What must fail ───────────────────────────────────────────────────────────────────────────────────────


def refused(request: HttpRequest, **options: object) -> bool:
    try:
        caller = check(request, **options)  # type: ignore[arg-type]
    except SQSError:
        return True
    return caller.access_key_id is None


@given(st.data())
def test_a_changed_byte_in_anything_signed_is_refused(data: st.DataObject) -> None:
    request = signed(url=f"{URL}/{ACCOUNT}/queue?Action=Send&Body=abc")
    part = data.draw(st.sampled_from(["method", "path", "query", "body", "header"]))
    if part == "header":
        name = data.draw(st.sampled_from(sorted(set(request.headers) - {"authorization"})))
        changed = with_headers(request, **{name: replaced(data, request.headers[name])})
    elif part == "body":
        changed = msgspec.structs.replace(request, body=replaced(data, request.body.decode()).encode())
    else:
        changed = msgspec.structs.replace(request, **{part: replaced(data, getattr(request, part))})
    assert refused(changed)


def replaced(data: st.DataObject, text: str) -> str:
    """The text with one character changed into another that means something else."""
    position = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from("abcxyzABCXYZ0189"))
    assume(character != text[position])
    return text[:position] + character + text[position + 1 :]


@given(st.data())
def test_a_changed_byte_in_authorization_is_refused(data: st.DataObject) -> None:
    request = signed()
    changed = replaced(data, request.headers["authorization"])
    assert refused(with_headers(request, authorization=changed))


@given(st.data())
def test_a_changed_byte_in_a_presigned_query_is_refused(data: st.DataObject) -> None:
    request = presigned(url=f"{URL}/?Action=Send&Body=abc")
    assert refused(msgspec.structs.replace(request, query=replaced(data, request.query)))


@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-target", "content-type"])
def test_a_signed_header_that_is_gone_is_refused(name: str) -> None:
    assert refused(without_header(signed(), name))


def test_a_signature_that_leaves_out_the_host_is_refused() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(sign_by_hand(signed(headers={}), "x-amz-date"))


def test_the_port_is_part_of_the_signed_host() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(with_headers(signed(), host="127.0.0.1"))


def test_a_changed_secret_is_not_answered_from_the_cache() -> None:
    request = signed()
    assert check(request).access_key_id == KEY_ID
    renewed = msgspec.structs.replace(ALICE, secret="another")
    with pytest.raises(SignatureDoesNotMatch):
        check(request, credentials=Credentials([renewed]))


HEADER_NAMES = st.sampled_from(
    ["authorization", "x-amz-date", "date", "host", "x-amz-security-token", "x-amz-content-sha256", "x-other"]
)
AUTH_TEXTS = st.one_of(
    st.text(),
    st.builds(
        "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/{}, SignedHeaders={}, Signature={}".format,
        st.just(KEY_ID) | st.text(),
        st.just("20261121") | st.text(),
        st.just(REGION) | st.text(),
        st.just("sqs") | st.text(),
        st.just("aws4_request") | st.text(),
        st.just("host") | st.just("x-amz-content-sha256;host") | st.text(),
        st.text(),
    ),
    st.just("20261121T012100Z"),
)
TEXTS = st.text(st.characters())  # lone surrogates too


@given(st.dictionaries(HEADER_NAMES, AUTH_TEXTS | TEXTS), TEXTS, TEXTS, st.binary())
def test_no_header_path_or_query_raises_anything_but_errors_of_sqs(
    headers: dict[str, str], path: str, query: str, body: bytes
) -> None:
    request = HttpRequest(method="POST", path=path, query=query, headers=headers, body=body)
    assert refused(request)
    assert unverified_caller(request, (), RULES, ACCOUNT).trusted


PRESIGNED_NAMES = st.sampled_from(
    ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires", "Security-Token"]
)
PRESIGNED_VALUES = TEXTS | st.sampled_from(
    [
        "AWS4-HMAC-SHA256",
        f"{KEY_ID}/20261121/{REGION}/sqs/aws4_request",
        "host",
        "20261121T012100Z",
        "600",
        "9" * 5000,
    ]
)


@given(st.lists(st.tuples(PRESIGNED_NAMES, PRESIGNED_VALUES)))
def test_no_presigned_query_raises_anything_but_errors_of_sqs(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"X-Amz-{name}={quote(value, errors='replace')}" for name, value in pairs)
    request = HttpRequest(method="GET", path="/", query=query, headers={"host": "h"}, body=b"")
    assert refused(request)
    assert unverified_caller(request, (), RULES, ACCOUNT).trusted


@given(st.text(st.characters(codec="latin-1"), min_size=1).filter(str.isprintable), st.binary())
def test_any_secret_signs_and_any_body_is_covered(secret: str, body: bytes) -> None:
    key = AccessKey(access_key_id="K", secret=secret, account=ACCOUNT, arn="a", sender_id="s")
    request = signed(key_id="K", secret=secret, body=body)
    assert authenticate(request, (), Credentials([key]), RULES, NOW_MS).access_key_id == "K"
