"""The ``stanchion`` command: one file per subcommand, assembled here."""

import click

from stanchion import __version__
from stanchion.cli.check import check
from stanchion.cli.copy import copy
from stanchion.cli.demo import demo
from stanchion.cli.dump import dump
from stanchion.cli.load import load
from stanchion.cli.peek import peek
from stanchion.cli.purge import purge
from stanchion.cli.queues import queues
from stanchion.cli.receive import receive
from stanchion.cli.redrive import redrive
from stanchion.cli.send import send
from stanchion.cli.serve import serve
from stanchion.cli.top import top


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="stanchion", message="%(prog)s %(version)s")
def main() -> None:
    """A self-hosted message queue that speaks Amazon SQS."""


_SHELL = (queues, send, receive, peek, purge, redrive, dump, load, copy, top)

for command in (serve, demo, check, *_SHELL):
    main.add_command(command)
