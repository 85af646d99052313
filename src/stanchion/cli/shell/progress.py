"""A progress bar on standard error, with rate and time left; nothing at all where there is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


class Bar:
    """How far something is."""

    def __init__(self, shown: Progress, title: str) -> None:
        self._shown = shown
        self._task = shown.add_task(title, total=None)

    def set(self, done: int, total: int | None) -> None:
        """``total`` is an estimate, as SQS counts are; less than what is done already is no use."""
        self._shown.update(self._task, completed=done, total=None if total is None else max(done, total))


@contextmanager
def progress(title: str) -> Iterator[Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(shown, title)
