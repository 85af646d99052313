"""The commands of ``stanchion``, as click has them."""

import click

from stanchion.cli.main import main


def command_named(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command
