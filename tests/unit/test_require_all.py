"""STANCHION_REQUIRE_ALL=1, under which no test may be left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

SKIPPING = """
import pytest
from support.tools import need, need_client

def test_program():
    need("no-such-program", "to see what happens")

def test_client():
    need_client("no-such-client")

@pytest.mark.skipif(True, reason="a condition")
def test_condition():
    pass

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False

def test_present():
    assert need("sh", "to see what happens").endswith("sh")
"""


def outcomes(folder: Path, text: str, require_all: str) -> tuple[dict[str, int], str]:
    """How many tests ended how, and everything pytest said."""
    (folder / "test_sample.py").write_text(text)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "conftest",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            folder,
            "-ra",
            folder,
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(TESTS), "STANCHION_REQUIRE_ALL": require_all},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    words = done.stdout.splitlines()[-1].strip("= ").split(" in ")[0].split(", ")
    return {word.split()[1].rstrip("s"): int(word.split()[0]) for word in words}, done.stdout


def test_without_it_what_is_missing_is_skipped_with_a_reason(tmp_path) -> None:
    counts, output = outcomes(tmp_path, SKIPPING, "")
    assert counts == {"passed": 1, "skipped": 3, "xfailed": 1}
    assert "no-such-program is not installed, needed to see what happens" in output
    assert ".venv-no-such-client is not there; make test builds it" in output


def test_with_it_every_skip_is_a_failure_that_tells_the_reason(tmp_path) -> None:
    counts, output = outcomes(tmp_path, SKIPPING, "1")
    # A condition is looked at before the test itself, where pytest speaks of an error.
    assert counts == {"passed": 1, "failed": 2, "error": 1, "xfailed": 1}
    assert "allows no skip. Skipped: no-such-program is not installed, needed to see what happens" in output
    assert "allows no skip. Skipped: a condition" in output


@pytest.mark.parametrize(("require_all", "expected"), [("", "skipped"), ("1", "error")])
def test_a_whole_file_that_skips_itself_counts_too(tmp_path, require_all, expected) -> None:
    counts, _ = outcomes(tmp_path, 'import pytest\npytest.importorskip("no_such_module")', require_all)
    assert counts == {expected: 1}
