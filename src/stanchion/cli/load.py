"""``stanchion load``: the lines of a dump into a queue."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final, NamedTuple

import click

from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.batches import batches
from stanchion.cli.shell.endpoint import Queue, Sqs, with_endpoint
from stanchion.cli.shell.interrupt import Interruption
from stanchion.cli.shell.lines import Outgoing, from_line
from stanchion.cli.shell.progress import Bar, progress
from stanchion.cli.shell.sending import Outcome, Sender
from stanchion.cli.shell.show import note
from stanchion.cli.shell.state import State
from stanchion.cli.shell.transfer import (
    DROPPED_CURE,
    Fitting,
    dropped_as,
    fifo_options,
    restart_option,
    state_beside,
)

_LINE_BYTES: Final = 16 * 1_048_576  # more than any message makes, every character of it escaped
_MISTAKES_SHOWN: Final = 20


class BadFile(CannotGoOn):
    """A mistake of whoever gave the file: wrong usage."""

    exit_code = 2


class Line(NamedTuple):
    number: int
    start: int  # the byte it begins at
    text: bytes


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("queue")
@fifo_options
@restart_option
@with_endpoint
def load(sqs: Sqs, file: Path, queue: str, group: str | None, new_deduplication_ids: bool, restart: bool) -> None:
    """Send each line of FILE, a dump, to QUEUE, a name or a URL.

    Bodies, attributes, groups and deduplication ids are kept; ids and times are new. The whole file is checked before
    anything is sent. FILE.state remembers what the queue has taken: after an interruption the same command goes on
    from there, and tries again what failed.

    \b
    Examples:
      stanchion load orders.jsonl orders-copy
      stanchion load orders.jsonl orders.fifo --group imported
    """
    target = sqs.queue(queue)
    lines, digest = _check(file, Fitting(sqs, target, None, group=group, anew=new_deduplication_ids))
    facts = {"kind": "load", "target": target.url, "sha256": digest}
    state_path = state_beside(file, restart=restart)
    with Interruption() as stop, closing(State(state_path, facts)) as state:
        fitting = Fitting(sqs, target, state, group=group, anew=new_deduplication_ids)
        loading = _Loading(sqs, target, state, file, fitting, stop)
        loading.tell_what_may_be_twice()
        try:
            with progress("loading") as bar:
                loading.run(bar, lines)
        except BaseException:
            note(f"{state.number('line')} of {lines} lines are sent; the same command goes on from there")
            raise
        _finish(state, lines, queue)


def _finish(state: State, lines: int, queue: str) -> None:
    failed = state.failed_count()
    if failed:
        raise CannotGoOn(f"{failed} of {lines} lines were not taken; the same command tries them again")
    state.remove()
    click.echo(f"{lines} lines are in {queue}", err=True)


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────


def read_lines(file: IO[bytes], number: int = 0, start: int = 0) -> Iterator[Line]:
    """From a place in the file on: after line ``number``, which ends before byte ``start``."""
    file.seek(start)
    while text := file.readline(_LINE_BYTES):
        number += 1
        yield Line(number, start, text)
        start += len(text)


def _check(file: Path, fitting: Fitting) -> tuple[int, str]:
    """How many lines the file has, and its digest; BadFile when there is anything wrong with it."""
    digest, mistakes, number = hashlib.sha256(), [], 0
    with file.open("rb") as opened:
        for line in read_lines(opened):
            digest.update(line.text)
            number = line.number
            try:
                _message(line, fitting)
            except ValueError as problem:
                mistakes.append(f"{file}:{number}: {problem}")
            if len(mistakes) == _MISTAKES_SHOWN or len(line.text) == _LINE_BYTES:
                break
    if mistakes:
        raise BadFile("\n".join([*mistakes, "nothing was sent"]))
    return number, digest.hexdigest()


def _message(line: Line, fitting: Fitting) -> Outgoing:
    if len(line.text) == _LINE_BYTES:
        raise ValueError("this line is longer than any message; an end of line is missing")
    try:
        text = line.text.decode()
    except UnicodeDecodeError as problem:
        raise ValueError(f"this is not UTF-8 text ({problem.reason} at byte {problem.start + 1})") from None
    return fitting.fit(line.number, from_line(text))


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────


class _Loading:
    """One run. The state is ahead of nothing: a batch is noted before it is sent, and again when it is taken."""

    def __init__(
        self, sqs: Sqs, target: Queue, state: State, file: Path, fitting: Fitting, stop: Interruption
    ) -> None:
        self._state = state
        self._file = file
        self._fitting = fitting
        self._stop = stop
        self._sender: Sender[int] = Sender(sqs, target, self._doubt)

    def tell_what_may_be_twice(self) -> None:
        """What was being sent when the last run was killed is sent again."""
        under_way = self._state.fact("under_way")
        if under_way:
            note(f"{self._where(under_way)}: being sent when the last run ended; may be in the queue twice")

    def run(self, bar: Bar, lines: int) -> None:
        with self._file.open("rb") as file:
            self._send(self._failed_before(file), bar, lines)
            rest = read_lines(file, self._state.number("line"), self._state.number("offset"))
            self._send(rest, bar, lines)

    def _failed_before(self, file: IO[bytes]) -> Iterator[Line]:
        """Lines that an earlier run could not get taken."""
        last = self._state.number("line")
        number = 0
        while (found := self._state.failed_after(number)) is not None and found[0] <= last:
            number, start = found
            yield next(read_lines(file, number - 1, start))

    def _send(self, lines: Iterator[Line], bar: Bar, total: int) -> None:
        for batch in batches(map(self._sized, lines)):
            self._stop.check()
            self._send_batch(batch)
            bar.set(self._state.number("line"), total)

    def _sized(self, line: Line) -> tuple[tuple[Line, Outgoing], int]:
        message = _message(line, self._fitting)
        return (line, message), message.size

    def _send_batch(self, batch: list[tuple[Line, Outgoing]]) -> None:
        numbers = [line.number for line, _ in batch]
        with self._state as state:
            state.set_fact("under_way", ",".join(map(str, numbers)))
        outcome = self._sender.send([(line.number, message) for line, message in batch])
        dropped = self._note(batch, outcome)
        for number in sorted(outcome.overtaken):
            note(f"{self._file}:{number}: it was taken after later ones of its group")
        for number, reason in (dropped | outcome.refused).items():
            note(f"{self._file}:{number}: {reason}")
        if (dropped or outcome.refused) and self._fitting.fifo:
            raise CannotGoOn("stopped, to keep the order")

    def _note(self, batch: list[tuple[Line, Outgoing]], outcome: Outcome[int]) -> dict[int, str]:
        """Write down what became of a batch; the lines that a FIFO queue took for others, and dropped."""
        dropped = {}
        with self._state as state:
            for line, message in batch:
                new_id = outcome.accepted.get(line.number)
                earlier = (
                    dropped_as(state, "line", line.number, message, new_id) if new_id and self._fitting.fifo else None
                )
                if earlier is not None:
                    dropped[line.number] = f"taken for a duplicate of {earlier}: {DROPPED_CURE}"
                if new_id is None or earlier is not None:
                    state.note_failed(line.number, line.start)
                else:
                    state.forget_failed([line.number])
                    if self._fitting.fifo:
                        state.note_accepted(new_id, str(line.number))
            last = batch[-1][0]
            if last.number > state.number("line"):
                state.set_fact("line", last.number)
                state.set_fact("offset", last.start + len(last.text))
            state.set_fact("under_way", "")
        return dropped

    def _doubt(self, numbers: list[int], reason: str) -> None:
        note(f"{self._where(','.join(map(str, numbers)))}: may be in the queue twice, sent again after: {reason}")

    def _where(self, numbers: str) -> str:
        return f"{self._file}:{numbers.replace(',', ', ')}"
