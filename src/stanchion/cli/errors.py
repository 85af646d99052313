"""How a command ends that cannot do what it was asked: one line a mistake on standard error, exit code 1."""

from typing import IO, Any

import click


class CannotGoOn(click.ClickException):
    """Each line of the text is one mistake."""

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"stanchion: {line}", file=file, err=True)
