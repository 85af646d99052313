"""boto3 and botocore: today's, which speak JSON, and 1.31.80, the last that spoke AWS Query."""

import pytest
from support.tools import need_client

from stanchion.actions import ACTIONS

both = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])


def calls_everything(report) -> bool:
    return report["called"] == report["operations"] == sorted(ACTIONS)


@both
def test_every_method_of_todays_client_and_resource_works(serve, walk, signed):
    report = walk("boto3_walk.py", serve(signed=signed))
    assert report["protocol"] == "json"
    assert calls_everything(report)


@both
def test_every_method_of_the_last_client_of_the_query_protocol_works(serve, walk, signed):
    python = need_client("botocore-query")
    report = walk("boto3_walk.py", serve(signed=signed), python)
    assert report["versions"] == ["1.28.80", "1.31.80"]
    assert report["protocol"] == "query"
    assert calls_everything(report)


def test_signature_version_2_is_taken_where_it_is_allowed(serve, walk):
    python = need_client("botocore-query")
    walk("sigv2_walk.py", serve("--sigv2", signed=True), python)
