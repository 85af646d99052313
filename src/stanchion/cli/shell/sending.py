"""Sending batches so that nothing is lost or doubled without a word."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from stanchion.cli.shell.endpoint import Queue, Sqs, one_line_of
from stanchion.cli.shell.lines import Outgoing, entry

Key = TypeVar("Key")

ATTEMPTS: Final = 5
_FIRST_PAUSE_SECONDS: Final = 0.2  # doubled each time: three seconds in all
_THROTTLED: Final = ("RequestThrottled", "Throttl", "TooManyRequests", "SlowDown")


def not_sent(problem: Exception) -> bool:
    """Whether trying again is sure not to double anything: the service never got it, or refused it for haste."""
    from botocore import exceptions

    if isinstance(problem, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        return True
    code = problem.response["Error"]["Code"] if isinstance(problem, exceptions.ClientError) else ""
    return any(word in code for word in _THROTTLED)


def worth_another_try(problem: Exception) -> bool:
    """A service that is away or in trouble may be back soon; one that says no will say it again."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(problem, exceptions.ClientError):
        return not_sent(problem) or problem.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return isinstance(problem, exceptions.HTTPClientError | ResponseParserError)


def patiently(action: Callable[[], dict[str, Any]], on_trouble: Callable[[Exception], None]) -> dict[str, Any]:
    """What an action answers, tried up to five times. ``on_trouble`` hears of each try that failed."""
    for attempt in range(1, ATTEMPTS):
        try:
            return action()
        except Exception as problem:
            if not worth_another_try(problem):
                raise
            on_trouble(problem)
            pause(attempt)
    return action()


def pause(attempt: int) -> None:
    time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))


@dataclass(slots=True)
class Outcome(Generic[Key]):
    """What became of a batch: the id each message got, or why it was not taken, and what came after later ones."""

    accepted: dict[Key, str] = field(default_factory=dict)
    refused: dict[Key, str] = field(default_factory=dict)
    overtaken: set[Key] = field(default_factory=set)


class Sender(Generic[Key]):
    """Sends to one queue, in order."""

    def __init__(self, sqs: Sqs, target: Queue, doubt: Callable[[list[Key], str], None]) -> None:
        """``doubt`` is told of messages that may be in the queue twice, and why."""
        self._sqs = sqs.once
        self._target = target
        self._doubt = doubt

    def send(self, batch: Sequence[tuple[Key, Outgoing]]) -> Outcome[Key]:
        """At most ten messages. Raises when the service cannot be reached or refuses the whole."""
        outcome: Outcome[Key] = Outcome()
        waiting = list(batch)
        for attempt in range(1, ATTEMPTS + 1):
            waiting = self._once(waiting, outcome)
            if not waiting:
                break
            outcome.overtaken |= self._overtaken(batch, waiting, outcome)
            if attempt < ATTEMPTS:
                pause(attempt)
        return outcome

    def _overtaken(
        self, batch: Sequence[tuple[Key, Outgoing]], waiting: Sequence[tuple[Key, Outgoing]], outcome: Outcome[Key]
    ) -> set[Key]:
        """Messages of a FIFO queue that failed while a later one of their group was taken."""
        keys = {key for key, _ in waiting}
        taken_groups: set[str | None] = set()
        found = set()
        for key, message in reversed(batch):
            if key in outcome.accepted:
                taken_groups.add(message.group)
            elif self._target.fifo and key in keys and message.group in taken_groups:
                found.add(key)
        return found

    def _once(self, batch: list[tuple[Key, Outgoing]], outcome: Outcome[Key]) -> list[tuple[Key, Outgoing]]:
        """Send what is left; the messages that failed through no fault of theirs."""
        entries = [{"Id": str(number)} | entry(message) for number, (_, message) in enumerate(batch)]
        answer = patiently(
            lambda: self._sqs.call("SendMessageBatch", QueueUrl=self._target.url, Entries=entries),
            lambda problem: self._trouble(batch, problem),
        )
        for each in answer.get("Successful", []):
            key = batch[int(each["Id"])][0]
            outcome.accepted[key] = each["MessageId"]
            outcome.refused.pop(key, None)
        again = []
        for each in answer.get("Failed", []):
            place = int(each["Id"])
            outcome.refused[batch[place][0]] = f"{each['Code']}: {each.get('Message', '')}"
            if not each.get("SenderFault"):
                again.append(place)
        return [batch[place] for place in sorted(again)]

    def _trouble(self, batch: list[tuple[Key, Outgoing]], problem: Exception) -> None:
        # A FIFO queue recognises by its deduplication id what it has got already.
        if not not_sent(problem) and not self._target.fifo:
            self._doubt([key for key, _ in batch], one_line_of(problem))
