"""Queues, as boto had them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stanchion.client import files, plans
from stanchion.client.consuming import Consumer
from stanchion.client.messages import Message, RawMessage
from stanchion.client.plans import BatchEntry
from stanchion.client.resultset import Attributes, BatchResults, ResultSet
from stanchion.client.work import DEFAULTS, Backoff

if TYPE_CHECKING:
    from stanchion.client.connection import SQSConnection


class QueueName:
    """What a queue knows of itself without asking; both twins are one."""

    def __init__(self, region: str, url: str, message_class: type[RawMessage]) -> None:
        self._region = region
        self.url = url
        self.message_class = message_class

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def id(self) -> str:
        """The URL's path: account and name."""
        return "/" + "/".join(self.url.split("/")[3:])

    @property
    def arn(self) -> str:
        prefixes = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
        partition = next((name for start, name in prefixes if self._region.startswith(start)), "aws")
        return f"arn:{partition}:sqs:{self._region}:{self.url.split('/')[-2]}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def set_message_class(self, message_class: type[RawMessage]) -> None:
        """Say of which class messages are that are read, or made of a body that is written."""
        if not isinstance(message_class, type):
            raise TypeError(f"message_class must be a class such as RawMessage, not {message_class!r}.")
        self.message_class = message_class

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __repr__(self) -> str:
        return f"Queue({self.url})"


class Queue(QueueName):
    """A queue of a connection.

    Times are in seconds; a visibility timeout is 0 to 43,200, a wait 0 to 20, a delay 0 to 900. Methods raise
    SQSError for what the service refuses.
    """

    def __init__(self, connection: "SQSConnection", url: str, message_class: type[RawMessage] = Message) -> None:
        super().__init__(connection.region.name, url, message_class)
        self.connection = connection

    # Attributes

    def get_attributes(self, attributes: str | Sequence[str] = "All") -> Attributes:
        """All attributes, or those of these names; values are texts."""
        return self.connection.run(plans.get_attributes(self, attributes))

    def set_attribute(self, attribute: str, value: Any) -> bool:
        return self.connection.run(plans.set_attribute(self, attribute, value))

    def get_timeout(self) -> int:
        """How long a message is hidden once it was read, unless the reader says otherwise."""
        return self.connection.run(plans.get_timeout(self))

    def set_timeout(self, visibility_timeout: int) -> bool:
        return self.set_attribute("VisibilityTimeout", visibility_timeout)

    def add_permission(self, label: str, aws_account_id: str, action_name: str) -> bool:
        return self.connection.run(plans.add_permission(self, label, aws_account_id, action_name))

    def remove_permission(self, label: str) -> bool:
        return self.connection.run(plans.remove_permission(self, label))

    # Writing

    def new_message(self, body: Any = "", **given: Any) -> Any:
        """A message of the queue's class, not written yet."""
        return self.message_class(self, body, **given)

    def write(
        self,
        message: Any,
        delay_seconds: int | None = None,
        group: str | None = None,
        deduplication_id: str | None = None,
    ) -> RawMessage:
        """Send a message, or a body of which the queue's class makes one; the message that was sent, with its id.

        ``group`` and ``deduplication_id`` are for FIFO queues, where a message has no delay of its own.
        """
        return self.connection.run(plans.write(self, message, delay_seconds, group, deduplication_id))

    def write_batch(self, messages: Iterable[BatchEntry]) -> BatchResults:
        """Send any number of (id, body or message, delay_seconds), attributes behind them if there are any.

        A body that is text is sent as it is, as with boto; give messages for the encoding of their class.
        """
        return self.connection.run(plans.write_batch(self, messages))

    # Reading

    def read(
        self,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> Any:
        """One message, or None when there is none."""
        found = self.get_messages(
            1, visibility_timeout, wait_time_seconds=wait_time_seconds, message_attributes=message_attributes
        )
        return found[0] if found else None

    def get_messages(
        self,
        num_messages: int = 1,
        visibility_timeout: int | None = None,
        attributes: str | Sequence[str] | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> ResultSet[Any]:
        """Up to ten messages. ``attributes`` and ``message_attributes`` name what they shall bring ("All")."""
        return self.connection.run(
            plans.get_messages(
                self, num_messages, visibility_timeout, attributes, wait_time_seconds, message_attributes
            )
        )

    def __iter__(self) -> Iterator[Any]:
        """The messages that are there, until a read finds nothing. They are read, not deleted."""
        while found := self.get_messages(10):
            yield from found

    def delete_message(self, message: RawMessage | str) -> bool:
        return self.connection.run(plans.delete_message(self, message))

    def delete_message_batch(self, messages: Iterable[RawMessage | str]) -> BatchResults:
        return self.connection.run(plans.delete_message_batch(self, messages))

    def change_message_visibility(self, message: RawMessage | str, visibility_timeout: int) -> bool:
        return self.connection.run(plans.change_message_visibility(self, message, visibility_timeout))

    def change_message_visibility_batch(self, messages: Iterable[tuple[RawMessage | str, int]]) -> BatchResults:
        """Pairs of message and seconds."""
        return self.connection.run(plans.change_message_visibility_batch(self, messages))

    def consumer(self, handler: Callable[[Any], object], **how: Any) -> Consumer:
        """A `Consumer`, for a program that wants to ``stop`` it itself; the arguments are those of ``consume``."""
        return Consumer(self, handler, **how)

    def consume(
        self,
        handler: Callable[[Any], object],
        *,
        concurrency: int = DEFAULTS.concurrency,
        visibility_timeout: int = DEFAULTS.visibility_timeout,
        wait_time_seconds: int = DEFAULTS.wait_time_seconds,
        backoff: Backoff = DEFAULTS.backoff,
    ) -> None:
        """Hand every message to ``handler``, until SIGTERM or SIGINT. See `Consumer` for the rules."""
        self.consumer(
            handler,
            concurrency=concurrency,
            visibility_timeout=visibility_timeout,
            wait_time_seconds=wait_time_seconds,
            backoff=backoff,
        ).run()

    # All of it

    def count(self, page_size: int = 10, vtimeout: int = 10) -> int:  # noqa: ARG002 - boto's, which it ignores too
        """Messages that can be read now; approximate at AWS, exact at Stanchion."""
        return self.connection.run(plans.count(self))

    def count_slow(self, page_size: int = 10, vtimeout: int = 10) -> int:
        """Count by reading every message, each of which is hidden for ``vtimeout`` seconds by that."""
        return self.connection.run(plans.count_slow(self, page_size, vtimeout))

    def clear(self, page_size: int = 10, vtimeout: int = 10) -> bool:  # noqa: ARG002 - boto's, which it ignores too
        """Delete all messages: another name of ``purge``, as in the last boto."""
        return self.purge()

    def purge(self) -> bool:
        """Delete all messages; once a minute at most."""
        return self.connection.run(plans.purge_queue(self))

    def delete(self, force_deletion: bool = False) -> bool:
        """See `SQSConnection.delete_queue`."""
        return self.connection.delete_queue(self, force_deletion)

    # Files

    def dump(self, file_name: str | Path, page_size: int = 10, vtimeout: int = 10, sep: str = "\n") -> int:
        """Write the bodies of all messages to a file, each followed by ``sep``; how many there were.

        They stay in the queue, hidden for ``vtimeout`` seconds: give enough for all of them, or some come twice.
        """
        with files.writing(file_name) as file:
            return self.connection.run(plans.dump(self, file, page_size, vtimeout, sep))

    def save_to_file(self, fp: IO[str], sep: str = "\n") -> int:
        """As ``dump``, to an open file; each message is deleted once it is written."""
        return self.connection.run(plans.save(self, fp, sep))

    def save_to_filename(self, file_name: str | Path, sep: str = "\n") -> int:
        with files.writing(file_name) as file:
            return self.save_to_file(file, sep)

    save = save_to_filename

    def load_from_file(self, fp: IO[str], sep: str = "\n") -> int:
        """Write a message for each body of a file that ``dump`` or ``save`` made; how many there were."""
        return self.connection.run(plans.load(self, fp, sep))

    def load_from_filename(self, file_name: str | Path, sep: str = "\n") -> int:
        with files.reading(file_name) as file:
            return self.load_from_file(file, sep)

    load = load_from_filename
