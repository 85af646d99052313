"""How answers are shown: tables for people, JSON lines for pipes, questions before what cannot be undone."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stanchion.cli.errors import CannotGoOn

PIPE_WIDTH: Final = 10_000  # a pipe has no width; nothing is to be cut there
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON lines, one object a line.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def print_json(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found, ensure_ascii=False))


def note(text: str) -> None:
    """Something to know that is not the answer: on standard error, where no pipe trips over it."""
    click.echo(f"stanchion: {text}", err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Columns whose name starts with # hold numbers, and keep to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = name.startswith("#")
        made.add_column(
            name.removeprefix("#"),
            justify="right" if numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=len(name) - 1 if numeric else None,
        )
    for row in rows:
        made.add_row(*(Text("-" if each is None else one_line(str(each))) for each in row))
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table(columns, rows))


def one_line(text: str) -> str:
    """With escapes for all that would move the cursor or say something to the terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def moment(milliseconds: int | str | None) -> str | None:
    """A time as people read it, in UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the answer was given; without a terminal there is nobody to ask."""
    if yes:
        return
    if not at_a_terminal():
        raise click.UsageError(f"{question} There is no terminal to ask at; give --yes if it is meant.")
    if not click.confirm(f"{question} Go on?", err=True):
        raise CannotGoOn("nothing was done")


def at_a_terminal() -> bool:
    return sys.stdin.isatty()
