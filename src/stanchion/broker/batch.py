"""The bookkeeping of a batch: entries that can be tried, entries that failed alone."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from stanchion.actions import BatchResultEntry, BatchResultErrorEntry
from stanchion.engine import batches
from stanchion.errors import SQSError

Entry = TypeVar("Entry", bound=Any)
Prepared = TypeVar("Prepared")


class Batch(Generic[Entry, Prepared]):
    def __init__(self, entries: Sequence[Entry] | None) -> None:
        self.entries: Sequence[Entry] = entries or ()
        self.prepared: list[tuple[Entry, Prepared]] = []
        self._failures: list[tuple[int, BatchResultErrorEntry]] = []
        self._places: list[int] = []

    def prepare(self, make: Callable[[Entry, int], Prepared]) -> list[Prepared]:
        """What can be tried, made of each entry and its place (from 1); the others are noted as failed.

        Starts afresh each time: the store may ask twice when a commit has to be tried again.
        """
        self.prepared, self._failures, self._places = [], [], []
        for place, entry in enumerate(self.entries, 1):
            try:
                self.prepared.append((entry, make(entry, place)))
                self._places.append(place)
            except SQSError as error:
                self._fail(place, entry, error)
        return [prepared for _, prepared in self.prepared]

    def settle(self, refusals: Sequence[SQSError | None]) -> list[BatchResultEntry] | None:
        """Sort in what the store answered for the prepared entries; the successes, or None."""
        successful = []
        for place, (entry, _), refusal in zip(self._places, self.prepared, refusals, strict=True):
            if refusal is None:
                successful.append(BatchResultEntry(id=entry.id))
            else:
                self._fail(place, entry, refusal)
        return successful or None

    def failed(self) -> list[BatchResultErrorEntry] | None:
        """The failures in the order of the request, or None."""
        return [failure for _, failure in sorted(self._failures, key=lambda pair: pair[0])] or None

    def _fail(self, place: int, entry: Entry, error: SQSError) -> None:
        self._failures.append((place, batches.failed(entry.id, error)))
