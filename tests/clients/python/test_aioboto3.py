"""aioboto3: the same client, on an event loop."""

import pytest

from support.tools import need_client


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_calls_run_side_by_side(serve, walk, signed):
    walk("aioboto3_walk.py", serve(signed=signed), need_client("aioboto3"))
