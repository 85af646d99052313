"""Lists as boto answered them."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class ResultSet(list[Item], Generic[Item]):
    """A list with what else came in the answer: its ``request_id``.

    ``next_token`` is None and ``status`` True, always: lists are whole, and what goes wrong is raised.
    """

    def __init__(self, items: Iterable[Item] = (), *, request_id: str = "") -> None:
        super().__init__(items)
        self.request_id = request_id
        self.next_token: str | None = None
        self.status = True


class ResultEntry(dict[str, Any]):
    """What became of one message of a batch.

    ``id``; of a message that was sent also ``message_id`` and ``message_md5``; of a failure ``error_code``,
    ``error_message`` and ``sender_fault`` ("true" or "false").
    """


class BatchResults:
    """Of a batch: ``results`` of the messages that were served, ``errors`` of those that were not.

    ``status`` is True when there are no errors. An entry's ``id`` is the one it was sent with.
    """

    def __init__(self, results: Iterable[ResultEntry] = (), errors: Iterable[ResultEntry] = ()) -> None:
        self.results = list(results)
        self.errors = list(errors)

    @property
    def status(self) -> bool:
        return not self.errors

    def __repr__(self) -> str:
        return f"BatchResults({len(self.results)} done, {len(self.errors)} failed)"


class Attributes(dict[str, str]):
    """Attributes of a queue or of a message, by their names in SQS."""
