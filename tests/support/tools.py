"""Tools that some tests need and not every machine has. Under STANCHION_REQUIRE_ALL=1 a skip is a failure."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def need(tool: str, reason: str) -> str:
    """The path of a program; skips the test without it. ``reason`` says what for: "to read a queue with Go"."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed, needed {reason}")
    return path


def need_client(name: str) -> str:
    """The Python of the environment that ``make test`` builds from requirements/clients-NAME.txt."""
    python = ROOT / f".venv-{name}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"the environment .venv-{name} is not there; make test builds it")
    return str(python)
