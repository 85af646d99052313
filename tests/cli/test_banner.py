"""What a server says about itself when it is ready."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from stanchion import __version__
from stanchion.app import Running
from stanchion.cli.banner import print_banner
from stanchion.settings import load


def printed(folder: Path, *, screen: Console | None = None, **flags: object) -> list[str]:
    settings = load(flags, {}, folder=folder)
    console_url = "http://127.0.0.1:9325" if settings.console else None
    running = Running("http://127.0.0.1:9324", console_url, settings)
    screen = screen or Console(file=io.StringIO(), highlight=False, width=80)
    print_banner(running, screen)
    return screen.file.getvalue().splitlines()


def test_the_banner_says_where_the_server_is_and_what_it_promises(tmp_path) -> None:
    assert printed(tmp_path) == [
        f"Stanchion {__version__}",
        "  SQS endpoint   http://127.0.0.1:9324         region us-east-1, account 000000000000",
        "  Console        http://127.0.0.1:9325",
        "  Store          sqlite:stanchion.db           every reply is on disk (fsync)",
        "  Auth           off: any credentials, loopback only",
    ]


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (
            {"durability": "os"},
            "sqlite:stanchion.db           replies survive the end of this process, not a power cut",
        ),
        ({"console": False}, "off"),
        ({"console_read_only": True}, "http://127.0.0.1:9325         read-only"),
        ({"host": "0.0.0.0", "auth": "off"}, "http://127.0.0.1:9325         loopback only, while auth is off"),
        ({"store": "memory"}, "memory                        nothing is kept when the server ends"),
        ({"credentials": "keys"}, "sigv4: keys of keys"),
        ({"host": "0.0.0.0", "auth": "off"}, "off: any credentials, from any machine that can reach it"),
    ],
)
def test_the_banner_tells_the_truth_about_other_settings(tmp_path, flags, line) -> None:
    assert line in [shown[17:] for shown in printed(tmp_path, **flags)]


def test_a_long_line_is_never_broken(tmp_path) -> None:
    path = "/".join(["folder"] * 30)
    assert any(path in line for line in printed(tmp_path, store=f"sqlite:{path}/x.db"))


def test_square_brackets_are_no_markup(tmp_path) -> None:
    assert any("sqlite:[bold]x.db" in line for line in printed(tmp_path, store="sqlite:[bold]x.db"))


def test_a_terminal_gets_colour_and_a_pipe_does_not(tmp_path) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    assert "\x1b[" in "".join(printed(tmp_path, screen=terminal))
    assert "\x1b[" not in "".join(printed(tmp_path))
