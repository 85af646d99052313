"""What a server says about itself once it is ready."""

from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from stanchion import __version__
from stanchion.app import Running
from stanchion.settings import Settings

_LABEL_WIDTH = 15
_VALUE_WIDTH = 30

_DURABILITY = {
    "fsync": "every reply is on disk (fsync)",
    "os": "replies survive the end of this process, not a power cut",
}


class Line(NamedTuple):
    label: str
    value: str
    note: str


def banner(running: Running) -> list[Line]:
    settings = running.settings
    where = f"region {settings.region}, account {settings.account}"
    lines = [
        Line("SQS endpoint", running.sqs_url, where),
        Line("Console", running.console_url or "off", _console(running)),
        Line("Store", settings.store, _durability(settings)),
        Line("Auth", _auth(settings), ""),
    ]
    if settings.test_clock:
        lines.append(Line("Test clock", "on", "whoever is on this machine may turn time and empty the server"))
    return lines


def print_banner(running: Running, console: Console) -> None:
    """Plain lines of text; on a terminal with colour."""
    console.print(Text(f"Stanchion {__version__}", style="bold"))
    for line in banner(running):
        text = Text.assemble(
            f"  {line.label:<{_LABEL_WIDTH}}", (f"{line.value:<{_VALUE_WIDTH}}", "cyan"), (line.note, "dim")
        )
        text.rstrip()
        console.print(text, soft_wrap=True)
    console.file.flush()  # whoever started us through a pipe waits for these lines


def _console(running: Running) -> str:
    settings = running.settings
    if running.console_url is None:
        return ""
    loopback = "loopback only, while auth is off" if settings.auth == "off" and not settings.loopback_only else ""
    return ", ".join(filter(None, ("read-only" if settings.console_read_only else "", loopback)))


def _durability(settings: Settings) -> str:
    if settings.store == "memory":
        return "nothing is kept when the server ends"
    return _DURABILITY[settings.durability]


def _auth(settings: Settings) -> str:
    if settings.auth == "sigv4":
        return f"sigv4: keys of {settings.credentials}"
    who = "loopback only" if settings.loopback_only else "from any machine that can reach it"
    return f"off: any credentials, {who}"
