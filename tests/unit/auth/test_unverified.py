"""Callers while authentication is off: everybody is trusted, nothing is refused."""

import pytest

from stanchion.auth.authenticate import AuthRules, unverified_caller
from stanchion.model import Caller
from stanchion.wire.http import HttpRequest
from unit.auth.signing import ACCOUNT, RULES, presigned, signed

DEFAULT = "000000000000"


def caller_of(request: HttpRequest, parameters: tuple[tuple[str, str], ...] = (), rules: AuthRules = RULES) -> Caller:
    return unverified_caller(request, parameters, rules, DEFAULT)


def bare(query: str = "", **headers: str) -> HttpRequest:
    return HttpRequest(method="POST", path="/", query=query, headers=headers, body=b"")


def test_an_unsigned_request_belongs_to_the_default_account() -> None:
    assert caller_of(bare()) == Caller(
        account=DEFAULT,
        region="us-east-1",
        arn=f"arn:aws:iam::{DEFAULT}:root",
        sender_id=DEFAULT,
        access_key_id=None,
        trusted=True,
    )


def test_any_access_key_belongs_to_the_default_account() -> None:
    caller = caller_of(signed(key_id="anything", secret="at all"))
    assert (caller.account, caller.access_key_id, caller.trusted) == (DEFAULT, "anything", True)


@pytest.mark.parametrize("request_", [signed(key_id=ACCOUNT), presigned(key_id=ACCOUNT)], ids=["header", "query"])
def test_a_key_of_12_digits_is_the_account(request_: HttpRequest) -> None:
    caller = caller_of(request_)
    assert (caller.account, caller.arn, caller.sender_id) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)


def test_a_version_2_key_of_12_digits_is_the_account() -> None:
    assert caller_of(bare(), (("Action", "ListQueues"), ("AWSAccessKeyId", ACCOUNT))).account == ACCOUNT


def test_the_signed_region_counts_only_where_regions_are_fixed() -> None:
    fixed = AuthRules(default_region="us-east-1", regions=("us-east-1", "eu-west-1"))
    assert caller_of(signed(region="eu-west-1")).region == "us-east-1"
    assert caller_of(signed(region="eu-west-1"), rules=fixed).region == "eu-west-1"
    assert caller_of(signed(region="elsewhere"), rules=fixed).region == "us-east-1"
    assert caller_of(presigned(region="eu-west-1"), rules=fixed).region == "eu-west-1"


@pytest.mark.parametrize(
    "request_",
    [
        bare(authorization="Bearer abc"),
        bare(authorization="AWS4-HMAC-SHA256 Credential=x, Signature="),
        bare(query="X-Amz-Credential="),
        bare(query="X-Amz-Credential=only-a-key"),
        bare(query="X-Amz-Credential=%00%ff/%/"),
    ],
)
def test_malformed_signatures_are_no_obstacle(request_: HttpRequest) -> None:
    caller = caller_of(request_)
    assert (caller.account, caller.trusted) == (DEFAULT, True)
