"""Requests signed by the published clients' own signers, as the listener would hand them over."""

from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials as ClientCredentials

from stanchion.auth.authenticate import AuthRules, authenticate
from stanchion.auth.credentials import AccessKey, Credentials
from stanchion.wire.http import HttpRequest

NOW = datetime(2026, 11, 21, 1, 21, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp()) * 1000
ACCOUNT = "123456789012"
HOST = "127.0.0.1:9324"
URL = f"http://{HOST}"
REGION = "eu-west-1"

KEY_ID = "AKIDALICE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJ//////////wEaCXVzLWVhc3QtMSJ="

ALICE = AccessKey(
    access_key_id=KEY_ID,
    secret=SECRET,
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/alice",
    sender_id="AIDAALICE",
    tags={"team": "blue"},
)
TEMPORARY = AccessKey(
    access_key_id="ASIABOB",
    secret=SECRET,
    account=ACCOUNT,
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/bob",
    sender_id="AROAWORKER:bob",
    session_token=TOKEN,
    expires_at_ms=NOW_MS + 60_000,
)
DISABLED = AccessKey(
    access_key_id="AKIDGONE", secret=SECRET, account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", sender_id=ACCOUNT,
    enabled=False,
)  # fmt: skip
CREDENTIALS = Credentials([ALICE, TEMPORARY, DISABLED])
RULES = AuthRules(default_region="us-east-1")
OLD_RULES = AuthRules(default_region="us-east-1", allow_sigv2=True)

SEND_BODY = b'{"QueueUrl":"http://127.0.0.1:9324/123456789012/q","MessageBody":"hello"}'
JSON_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
    "x-amzn-query-mode": "true",
}


def as_received(request, body=None) -> HttpRequest:
    """A client's request as the listener sees it: lower-case header names, path and query as sent."""
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.setdefault("host", parts.netloc)
    content = request.body if body is None else body
    return HttpRequest(
        method=request.method,
        path=parts.path or "/",
        query=parts.query,
        headers={name: v.decode() if isinstance(v, bytes) else str(v) for name, v in headers.items()},
        body=content.encode() if isinstance(content, str) else bytes(content or b""),
    )


def at(moment: datetime):
    return mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: moment)


def signed(
    method="POST",
    url=URL + "/",
    *,
    body=SEND_BODY,
    headers=JSON_HEADERS,
    key_id=KEY_ID,
    secret=SECRET,
    token=None,
    service="sqs",
    region=REGION,
    moment=NOW,
    signer=botocore.auth.SigV4Auth,
    unsigned_payload=False,
    **options,
) -> HttpRequest:
    """A request signed by botocore's own SigV4 signer at ``moment``."""
    request = AWSRequest(method, url, data=body, headers=dict(headers))
    if unsigned_payload:
        request.context["payload_signing_enabled"] = False
    with at(moment):
        signer(ClientCredentials(key_id, secret, token), service, region, **options).add_auth(request)
    return as_received(request, body)


def presigned(url=URL + "/?Action=ReceiveMessage&QueueUrl=q%20a", *, lifetime=600, **options) -> HttpRequest:
    options = {"method": "GET", "body": b"", "headers": {}} | options
    return signed(url=url, signer=botocore.auth.SigV4QueryAuth, expires=lifetime, **options)


def check(request: HttpRequest, *, after=timedelta(0), rules=RULES, credentials=CREDENTIALS, now_ms=NOW_MS):
    """What the server says to a request that arrives ``after`` the moment NOW."""
    parameters = tuple(parse_qsl(request.query, keep_blank_values=True))
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        parameters += tuple(parse_qsl(request.body.decode(), keep_blank_values=True))
    return authenticate(request, parameters, credentials, rules, now_ms + after // timedelta(milliseconds=1))


def client(**config):
    session = botocore.session.Session()
    session.set_credentials(KEY_ID, SECRET)
    return session.create_client("sqs", region_name=REGION, endpoint_url=URL, config=Config(**config))


def sent_by(sqs, operation: str, **arguments) -> HttpRequest:
    """What a botocore client puts on the wire for a call."""
    requests = []

    def capture(request, **_):
        requests.append(request)
        return AWSResponse(request.url, 200, {}, mock.Mock(stream=lambda *_, **__: iter(())))

    sqs.meta.events.register("before-send.sqs", capture)
    with at(NOW):
        getattr(sqs, operation)(**arguments)
    return as_received(requests[0])
