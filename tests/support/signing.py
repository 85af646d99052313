"""Signatures by botocore's own signer, at the time of the server's clock."""

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
        moment = datetime.fromtimestamp(clock.now_ms() / 1000, UTC) + timedelta(seconds=skew_seconds)
        with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: moment):
            botocore.auth.SigV4Auth(Credentials(key_id, secret, token), service, region).add_auth(request)
        return dict(request.headers.items())

    return sign
