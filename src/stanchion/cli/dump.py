"""``stanchion dump``: the messages of a queue into a file."""

import os
from contextlib import closing
from pathlib import Path
from typing import IO

import click

from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.counts import Counts, counts
from stanchion.cli.shell.draining import Source, pairs, tell_of_others, what_is_left
from stanchion.cli.shell.endpoint import Sqs, with_endpoint
from stanchion.cli.shell.interrupt import Interruption
from stanchion.cli.shell.lines import to_line
from stanchion.cli.shell.messages import Message
from stanchion.cli.shell.progress import progress
from stanchion.cli.shell.show import confirm, note, yes_option
from stanchion.cli.shell.state import State
from stanchion.cli.shell.transfer import hiding_options, hiding_seconds, restart_option, state_beside


@click.command()
@click.argument("queue")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file.")
@click.option("--delete", is_flag=True, help="Take each message out of the queue once its line is on disk.")
@hiding_options
@restart_option
@yes_option
@with_endpoint
def dump(
    sqs: Sqs,
    queue: str,
    output: Path,
    delete: bool,
    visibility_timeout: int | None,
    wait: int,
    restart: bool,
    yes: bool,
) -> None:
    """Write all messages of QUEUE, a name or a URL, into a file of JSON lines.

    The messages stay in the queue unless --delete is given. They are hidden from others until the dump ends, and SQS
    counts it as a receive. A queue gives out no more than 120,000 messages at once, and a FIFO queue ten of each
    group: for all of a longer one use --delete.

    FILE.state remembers what is written. After an interruption the same command goes on from there.

    \b
    Examples:
      stanchion dump orders -o orders.jsonl
      stanchion dump orders.fifo -o orders.jsonl --delete
    """
    source_queue = sqs.queue(queue)
    state_path = state_beside(output, restart=restart)
    if output.exists() and not state_path.exists():
        confirm(f"{output} exists; it will be written anew.", yes=yes)
        output.unlink()
    if "RedrivePolicy" in sqs.attributes(source_queue, "RedrivePolicy") and not delete:
        note(f"{queue} has a dead-letter queue: this counts as a receive towards its maxReceiveCount")
    with Interruption() as stop, closing(State(state_path, {"kind": "dump", "source": source_queue.url})) as state:
        visibility = hiding_seconds(visibility_timeout, take=delete)
        source = Source(sqs, source_queue, state, take=delete, visibility=visibility, wait=wait, stop=stop)
        try:
            _write(source, state, output, delete, counts(sqs, source_queue))
        except BaseException:
            stop.heeded()
            note(f"{state.done_count()} messages are in {output}; the same command goes on from there")
            source.try_to_release()
            raise
        _finish(source, state, output, delete)


def _write(source: Source, state: State, output: Path, delete: bool, held: Counts | None) -> None:
    with _opened(output, state) as file, progress("dumping") as bar:
        done = state.done_count()
        total = done + (held.visible if held is not None else 0)
        for batch in source.batches():
            _append(file, batch)
            with state:
                state.note_messages([(key, None if delete else handle) for key, handle in pairs(batch)], done=True)
                state.set_fact("size", file.tell())
            if delete:
                source.delete(batch)
            done += len(batch)
            bar.set(done, total)
    with progress("releasing") as bar:
        held_count = state.held_count()
        source.release(lambda released: bar.set(released, held_count))


def _opened(output: Path, state: State) -> IO[bytes]:
    """The file, without what a killed run wrote after its last note: those messages come again."""
    size = state.number("size")
    file = output.open("ab")
    if file.tell() < size:
        file.close()
        raise CannotGoOn(f"{output} is shorter than it was ({size} bytes); give --restart to begin anew")
    file.truncate(size)
    return file


def _append(file: IO[bytes], batch: list[Message]) -> None:
    """On disk when it returns."""
    file.write("".join(map(to_line, batch)).encode())
    file.flush()
    os.fsync(file.fileno())


def _finish(source: Source, state: State, output: Path, delete: bool) -> None:
    done = state.done_count()
    tell_of_others(source)
    problems = what_is_left(source, take=delete, flag="--delete")
    if problems:
        raise CannotGoOn("\n".join([f"{done} messages are in {output}", *problems]))
    state.remove()
    click.echo(f"{done} messages are in {output}", err=True)
