"""Receiving all that a queue holds: each message once, hidden meanwhile, and saying what could not be seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stanchion import limits
from stanchion.cli.shell.counts import counts
from stanchion.cli.shell.endpoint import Queue, Sqs, one_line_of
from stanchion.cli.shell.interrupt import Interruption
from stanchion.cli.shell.messages import Message, delete_batch, receive_batch, release_batch
from stanchion.cli.shell.sending import patiently
from stanchion.cli.shell.show import note
from stanchion.cli.shell.state import State

HOLD_SECONDS: Final = 900  # how long a message is hidden that stays in the queue; comes back by itself after a kill
TAKE_SECONDS: Final = 120  # and one that is deleted as soon as it is safe elsewhere
_EMPTY_ANSWERS: Final = 4  # so many in a row, while the counts say that there is more, mean that it cannot be had
_LOOK_AGAIN_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Left:
    """What a source still held, at the end, that could not be received. All approximate."""

    visible: int = 0
    with_others: int = 0
    delayed: int = 0


class Source:
    """A queue that is being emptied, or looked through with every message held until the end."""

    def __init__(
        self, sqs: Sqs, queue: Queue, state: State, *, take: bool, visibility: int, wait: int, stop: Interruption
    ) -> None:
        """``take``: messages are deleted once they are safe; otherwise they stay, hidden until ``release``."""
        self.queue = queue
        self.left = Left()
        self._sqs = sqs
        self._state = state
        self._take = take
        self._visibility = visibility
        self._wait = wait
        self._stop = stop
        # What a killed run had received, and not noted yet, is hidden for as long as it asked for.
        self._hidden_until = time.monotonic() + state.number("visibility") if state.resumed else 0.0
        with state:
            state.set_fact("visibility", visibility)

    def batches(self) -> Iterator[list[Message]]:
        """Messages that are not done yet, ten at most, until there are no more. Note each before the next."""
        empty_answers = 0
        while True:
            self._stop.check()
            batch = self._receive()
            if not batch:
                empty_answers += 1
                if self._at_the_end(empty_answers):
                    return
                continue
            empty_answers = 0
            fresh = self._without_known(batch)
            if fresh:
                yield fresh

    def _receive(self) -> list[Message]:
        answer = patiently(self._receive_once, self._lost)
        return list({each["MessageId"]: each for each in answer["Messages"]}.values())

    def _receive_once(self) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        number = limits.RECEIVE_MESSAGES
        try:
            found = receive_batch(self._sqs.once, self.queue, number, wait=self._wait, visibility=self._visibility)
        except ClientError as refusal:
            if not refusal.response["Error"]["Code"].endswith("OverLimit"):
                raise
            found = []  # as many are hidden as may be
        return {"Messages": found}

    def _lost(self, _problem: Exception) -> None:
        """An answer that got lost may have hidden messages."""
        self._hidden_until = time.monotonic() + self._visibility

    def _without_known(self, batch: list[Message]) -> list[Message]:
        """New messages. One that is done was not deleted in time, or came back because its timeout ended."""
        known = [each for each in batch if self._state.is_done(each["MessageId"])]
        if known and self._take:
            self.delete(known)
        elif known:
            with self._state:
                self._state.note_messages(pairs(known), done=True)
        return [each for each in batch if each not in known]

    def _at_the_end(self, empty_answers: int) -> bool:
        held = counts(self._sqs, self.queue)
        if held is None:
            return True
        others = max(0, held.in_flight - self._state.held_count())
        self.left = Left(held.visible, others, held.delayed)
        coming_back = others > 0 and time.monotonic() < self._hidden_until
        if coming_back and empty_answers == 1:
            seconds = self._hidden_until - time.monotonic()
            note(f"{others} messages are hidden, perhaps since the last run; waiting up to {seconds:.0f} seconds")
        if coming_back or (held.visible and empty_answers < _EMPTY_ANSWERS):
            time.sleep(_LOOK_AGAIN_SECONDS)
            return False
        return True

    def delete(self, messages: list[Message]) -> None:
        """Messages that are safe elsewhere. One that cannot be deleted comes back, and is deleted then."""
        failures = delete_batch(self._sqs, self.queue, [each["ReceiptHandle"] for each in messages])
        for each in failures:
            note(f"a message was not deleted, and will be when it comes back: {each}")

    def release(self, on_step: Callable[[int], None] = lambda _count: None) -> None:
        """Let go of all that is hidden. Interrupted, the rest comes back when its timeout ends."""
        released = 0
        for page in self._state.held_pages():
            for problem in release_batch(self._sqs, self.queue, [handle for _, handle in page]):
                note(f"a message stays hidden until its timeout ends: {problem}")
            with self._state:
                self._state.let_go([message_id for message_id, _ in page])
            released += len(page)
            on_step(released)

    def try_to_release(self, more: Sequence[str] = ()) -> None:
        """The same, with at most ten handles more, on the way out: there something else is what has to be told."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if more:
                release_batch(self._sqs, self.queue, more)
            self.release()
        except (BotoCoreError, ClientError) as problem:
            note(f"messages of {self.queue.name} stay hidden for {self._visibility} seconds: {one_line_of(problem)}")

    def release_under_way(self) -> None:
        """Make what a killed run was sending visible again, so that it comes at once, and in order."""
        under_way = self._state.under_way()
        handles = [handle for _, handle in under_way if handle is not None]
        if handles:
            release_batch(self._sqs, self.queue, handles)
        with self._state:
            self._state.forget([message_id for message_id, _ in under_way])


def pairs(messages: list[Message]) -> list[tuple[str, str | None]]:
    """Ids and handles."""
    return [(each["MessageId"], each["ReceiptHandle"]) for each in messages]


def what_is_left(source: Source, *, take: bool, flag: str) -> list[str]:
    """What could not be received, a line each, with the cure."""
    left, name, told = source.left, source.queue.name, []
    if left.visible and not take and source.queue.fifo:
        told.append(
            f"about {left.visible} messages of {name} could not be seen: a FIFO queue holds back the rest of a group "
            f"while some of it is hidden; use {flag}"
        )
    elif left.visible:
        told.append(
            f"about {left.visible} messages of {name} could not be received (too many in flight, or they just came)"
            f"; run the same command again{'' if take else f', or use {flag}'}"
        )
    return told


def tell_of_others(source: Source) -> None:
    left = source.left
    if left.with_others or left.delayed:
        note(
            f"not seen in {source.queue.name}: {left.with_others} messages in flight with other consumers, "
            f"{left.delayed} delayed (approximate)"
        )
