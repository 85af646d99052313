"""Signatures by botocore's own signer, at the time of the server's clock."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stanchion.clock import ManualClock
from support.both_protocols import Sign


def signer(
    url: str,
    clock: ManualClock,
    key_id: str,
    secret: str,
    *,
    token: str | None = None,
    region: str = "us-east-1",
    service: str = "sqs",
    skew_seconds: float = 0,
) -> Sign:
    """A signer for a Caller; ``skew_seconds`` is how far the client's clock is ahead of the server's."""

    def sign(method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        request = AWSRequest(method, url + path, data=body, headers=headers)
        with _at(clock, skew_seconds):
            botocore.auth.SigV4Auth(Credentials(key_id, secret, token), service, region).add_auth(request)
        return dict(request.headers.items())

    return sign


def presigned(url: str, clock: ManualClock, key_id: str, secret: str, *, seconds: int) -> str:
    """A GET of ``url`` that is good for so many seconds."""
    request = AWSRequest("GET", url)
    with _at(clock):
        botocore.auth.SigV4QueryAuth(Credentials(key_id, secret), "sqs", "us-east-1", expires=seconds).add_auth(
            request
        )
    return str(request.url)


def _at(clock: ManualClock, skew_seconds: float = 0) -> AbstractContextManager[object]:
    moment = datetime.fromtimestamp(clock.now_ms() / 1000, UTC) + timedelta(seconds=skew_seconds)
    return mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: moment)
