"""The ``stanchion`` command: one file per subcommand, assembled here."""

import click

from stanchion import __version__
from stanchion.cli.demo import demo
from stanchion.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="stanchion", message="%(prog)s %(version)s")
def main() -> None:
    """A self-hosted message queue that speaks Amazon SQS."""


for command in (serve, demo):
    main.add_command(command)
