"""boto 2.49.0, the last one: AWS Query over GET and POST, parsed with SAX."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="boto 2.49 cannot be imported by Python 3.12")
both = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])


@both
def test_the_classic_tutorial_runs_line_by_line(serve, walk, signed):
    site = serve("--recreate-wait-seconds", "0", signed=signed)
    assert walk("boto_tutorial.py", site)["version"] == "2.49.0"


@both
def test_every_call_of_the_library_works(serve, walk, signed):
    walk("boto_calls.py", serve(signed=signed))
