"""``stanchion copy``: the messages of one queue into another, of any two endpoints."""

import zlib
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from stanchion.cli.errors import CannotGoOn
from stanchion.cli.shell.batches import batches
from stanchion.cli.shell.counts import counts
from stanchion.cli.shell.draining import Source, tell_of_others, what_is_left
from stanchion.cli.shell.endpoint import Place, Queue, Sqs, connect, place_options, told
from stanchion.cli.shell.interrupt import Interruption
from stanchion.cli.shell.lines import Outgoing, check_limits, outgoing
from stanchion.cli.shell.messages import Message
from stanchion.cli.shell.progress import progress
from stanchion.cli.shell.sending import Outcome, Sender
from stanchion.cli.shell.show import note
from stanchion.cli.shell.state import State, discard
from stanchion.cli.shell.transfer import (
    DROPPED_CURE,
    Fitting,
    dropped_as,
    fifo_options,
    hiding_options,
    hiding_seconds,
    restart_option,
)

_REFUSALS: Final = 10  # so many messages that the target does not take are a reason to stop


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--move", is_flag=True, help="Delete each message from SOURCE once TARGET has it.")
@click.option(
    "--state",
    "state_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Where to remember what is copied.  [default: a name made of both queues, in this folder]",
)
@fifo_options
@hiding_options
@restart_option
@place_options
@lambda command: place_options(command, prefix="from-", whose=" of SOURCE")
@lambda command: place_options(command, prefix="to-", whose=" of TARGET")
def copy(source: str, target: str, **given: Any) -> None:
    """Copy the messages of SOURCE into TARGET, each a name or a URL, on the same endpoint or on two.

    Bodies, attributes, groups and deduplication ids are kept. Without --move the messages stay in SOURCE, hidden
    until the copy ends; SQS counts it as a receive. What is copied is remembered in a small file: after an
    interruption the same command goes on from there.

    \b
    Examples:
      stanchion copy orders orders-test
      stanchion copy orders orders --from-endpoint-url aws --from-region eu-west-1
      stanchion copy old.fifo new.fifo --move
    """
    with told():
        origin, destination = (
            connect(_place(given, side), name) for side, name in (("from", source), ("to", target))
        )
        _copy(origin, origin.queue(source), destination, destination.queue(target), given)


def _place(given: dict[str, Any], side: str) -> Place:
    """What is said for one side, or for both."""
    names = ("endpoint_url", "region", "profile")
    return Place(*(given[f"{side}_{name}"] or given[name] for name in names))


def _copy(origin: Sqs, source: Queue, destination: Sqs, target: Queue, given: dict[str, Any]) -> None:
    facts = {"kind": "copy", "source": _address(origin, source), "target": _address(destination, target)}
    if facts["source"] == facts["target"]:
        raise click.UsageError("SOURCE and TARGET are the same queue")
    path = given["state_path"] or _state_name(source, target, facts)
    if given["restart"]:
        discard(path)
    note(f"what is copied is remembered in {path}")
    with Interruption() as stop, closing(State(path, facts)) as state:
        run = _Copying(origin, source, destination, target, state, stop, given)
        run.tell_what_may_be_twice()
        try:
            run.run()
        except BaseException:
            stop.heeded()
            note(f"{state.done_count()} messages are in {target.name}; the same command goes on from there")
            run.let_go()
            raise
        run.finish()


def _address(sqs: Sqs, queue: Queue) -> str:
    return f"{queue.url} at {sqs.endpoint_url}"


def _state_name(source: Queue, target: Queue, facts: dict[str, str]) -> Path:
    """The same for the same two queues; another for their namesakes elsewhere."""
    number = zlib.crc32("\n".join(facts.values()).encode())
    return Path(f"copy-{source.name}-{target.name}-{number:08x}.state")


class _Copying:
    """One run. A batch is noted before it is sent, again when it is taken, and only then deleted."""

    def __init__(
        self,
        origin: Sqs,
        source: Queue,
        destination: Sqs,
        target: Queue,
        state: State,
        stop: Interruption,
        given: dict[str, Any],
    ) -> None:
        self._state = state
        self._origin = origin
        self._target = target
        self._move = bool(given["move"])
        self._fitting = Fitting(destination, target, state, group=given["group"], anew=given["new_deduplication_ids"])
        self._sender: Sender[str] = Sender(destination, target, self._doubt)
        self._refused: list[str] = []  # handles
        self._source = Source(
            origin,
            source,
            state,
            take=self._move,
            visibility=hiding_seconds(given["visibility_timeout"], take=self._move),
            wait=given["wait"],
            stop=stop,
        )

    def tell_what_may_be_twice(self) -> None:
        """What was being sent when the last run was killed is sent again."""
        under_way = self._state.under_way()
        if under_way:
            ids = ", ".join(message_id for message_id, _ in under_way)
            note(f"being sent when the last run ended; may be in {self._target.name} twice: {ids}")
            self._source.release_under_way()

    def run(self) -> None:
        held = counts(self._origin, self._source.queue)
        done = self._state.done_count()
        total = done + (held.visible if held is not None else 0)
        with progress("copying") as bar:
            for received in self._source.batches():
                self._send(received)
                done += len(received)
                bar.set(done, total)
        with progress("releasing") as bar:
            held_count = self._state.held_count()
            self._source.release(lambda released: bar.set(released, held_count))

    def _send(self, received: list[Message]) -> None:
        by_id = {each["MessageId"]: each for each in received}
        fitting = [(each["MessageId"], fitted) for each in received if (fitted := self._fit(each)) is not None]
        for batch in batches(((key, message), message.size) for key, message in fitting):
            with self._state as state:
                state.note_messages([(key, by_id[key]["ReceiptHandle"]) for key, _ in batch], done=False)
            outcome = self._sender.send(batch)
            taken = [by_id[key] for key in self._note(batch, outcome, by_id)]
            if self._move and taken:
                self._source.delete(taken)
            self._tell_refusals(outcome, by_id)

    def _fit(self, message: Message) -> Outgoing | None:
        """A message as the target takes it, or None when it cannot be had so."""
        key = message["MessageId"]
        try:
            fitted = self._fitting.fit(key, outgoing(message))
            check_limits(fitted)
        except ValueError as problem:
            self._refuse(key, message, str(problem))
            return None
        return fitted

    def _note(self, batch: list[tuple[str, Outgoing]], outcome: Outcome[str], by_id: dict[str, Message]) -> list[str]:
        """Write down what became of a batch; the ids that the target has now."""
        taken = []
        with self._state as state:
            for key, message in batch:
                new_id = outcome.accepted.get(key)
                earlier = (
                    dropped_as(state, "message", key, message, new_id) if new_id and self._fitting.fifo else None
                )
                if earlier is not None:
                    outcome.refused[key] = f"taken for a duplicate of {earlier}: {DROPPED_CURE}"
                if new_id is None or earlier is not None:
                    continue
                taken.append(key)
                if self._fitting.fifo:
                    state.note_accepted(new_id, key)
            handles = [(key, None if self._move else by_id[key]["ReceiptHandle"]) for key in taken]
            state.note_messages(handles, done=True)
            state.forget(outcome.refused)
        return taken

    def _tell_refusals(self, outcome: Outcome[str], by_id: dict[str, Message]) -> None:
        for key in sorted(outcome.overtaken):
            note(f"message {key}: it was taken after later ones of its group")
        for key, reason in outcome.refused.items():
            self._refuse(key, by_id[key], reason)
        if outcome.refused and self._fitting.fifo:
            raise CannotGoOn("stopped, to keep the order")

    def _refuse(self, key: str, message: Message, reason: str) -> None:
        note(f"message {key}: {reason}")
        self._refused.append(message["ReceiptHandle"])
        if len(self._refused) >= _REFUSALS:
            raise CannotGoOn("stopped: too many messages were not taken; they are still in the source")

    def let_go(self) -> None:
        """Everything that is hidden, also what the target did not take."""
        self._source.try_to_release(self._refused)

    def finish(self) -> None:
        done = self._state.done_count()
        tell_of_others(self._source)
        problems = what_is_left(self._source, take=self._move, flag="--move")
        if self._refused:
            self.let_go()
            problems.append(f"{len(self._refused)} messages were not taken, and are still in the source")
        if problems:
            raise CannotGoOn("\n".join([f"{done} messages are in {self._target.name}", *problems]))
        self._state.remove()
        click.echo(f"{done} messages are in {self._target.name}", err=True)

    def _doubt(self, keys: list[str], reason: str) -> None:
        note(f"may be in {self._target.name} twice, sent again after {reason}: {', '.join(keys)}")
