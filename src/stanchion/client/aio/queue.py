"""Queues to await."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stanchion.client import files, plans
from stanchion.client.aio.consuming import Consumer
from stanchion.client.messages import Message, RawMessage
from stanchion.client.plans import BatchEntry
from stanchion.client.queue import QueueName
from stanchion.client.resultset import Attributes, BatchResults, ResultSet
from stanchion.client.work import DEFAULTS, Backoff

if TYPE_CHECKING:
    from stanchion.client.aio.connection import SQSConnection


class Queue(QueueName):
    """A queue of a connection, as `stanchion.client.Queue`, to await.

    Times are in seconds; a visibility timeout is 0 to 43,200, a wait 0 to 20, a delay 0 to 900. Methods raise
    SQSError for what the service refuses.
    """

    def __init__(self, connection: "SQSConnection", url: str, message_class: type[RawMessage] = Message) -> None:
        super().__init__(connection.region.name, url, message_class)
        self.connection = connection

    # Attributes

    async def get_attributes(self, attributes: str | Sequence[str] = "All") -> Attributes:
        """All attributes, or those of these names; values are texts."""
        return await self.connection.run(plans.get_attributes(self, attributes))

    async def set_attribute(self, attribute: str, value: Any) -> bool:
        return await self.connection.run(plans.set_attribute(self, attribute, value))

    async def get_timeout(self) -> int:
        """How long a message is hidden once it was read, unless the reader says otherwise."""
        return await self.connection.run(plans.get_timeout(self))

    async def set_timeout(self, visibility_timeout: int) -> bool:
        return await self.set_attribute("VisibilityTimeout", visibility_timeout)

    async def add_permission(self, label: str, aws_account_id: str, action_name: str) -> bool:
        return await self.connection.run(plans.add_permission(self, label, aws_account_id, action_name))

    async def remove_permission(self, label: str) -> bool:
        return await self.connection.run(plans.remove_permission(self, label))

    # Writing

    def new_message(self, body: Any = "", **given: Any) -> Any:
        """A message of the queue's class, not written yet."""
        return self.message_class(self, body, **given)

    async def write(
        self,
        message: Any,
        delay_seconds: int | None = None,
        group: str | None = None,
        deduplication_id: str | None = None,
    ) -> RawMessage:
        """Send a message, or a body of which the queue's class makes one; the message that was sent, with its id.

        ``group`` and ``deduplication_id`` are for FIFO queues, where a message has no delay of its own.
        """
        return await self.connection.run(plans.write(self, message, delay_seconds, group, deduplication_id))

    async def write_batch(self, messages: Iterable[BatchEntry]) -> BatchResults:
        """Send any number of (id, body or message, delay_seconds), attributes behind them if there are any.

        A body that is text is sent as it is, as with boto; give messages for the encoding of their class.
        """
        return await self.connection.run(plans.write_batch(self, messages))

    # Reading

    async def read(
        self,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> Any:
        """One message, or None when there is none."""
        found = await self.get_messages(
            1, visibility_timeout, wait_time_seconds=wait_time_seconds, message_attributes=message_attributes
        )
        return found[0] if found else None

    async def get_messages(
        self,
        num_messages: int = 1,
        visibility_timeout: int | None = None,
        attributes: str | Sequence[str] | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> ResultSet[Any]:
        """Up to ten messages. ``attributes`` and ``message_attributes`` name what they shall bring ("All")."""
        return await self.connection.run(
            plans.get_messages(
                self, num_messages, visibility_timeout, attributes, wait_time_seconds, message_attributes
            )
        )

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The messages that are there, until a read finds nothing. They are read, not deleted."""
        while found := await self.get_messages(10):
            for message in found:
                yield message

    async def delete_message(self, message: RawMessage | str) -> bool:
        return await self.connection.run(plans.delete_message(self, message))

    async def delete_message_batch(self, messages: Iterable[RawMessage | str]) -> BatchResults:
        return await self.connection.run(plans.delete_message_batch(self, messages))

    async def change_message_visibility(self, message: RawMessage | str, visibility_timeout: int) -> bool:
        return await self.connection.run(plans.change_message_visibility(self, message, visibility_timeout))

    async def change_message_visibility_batch(self, messages: Iterable[tuple[RawMessage | str, int]]) -> BatchResults:
        """Pairs of message and seconds."""
        return await self.connection.run(plans.change_message_visibility_batch(self, messages))

    def consumer(self, handler: Callable[[Any], Awaitable[object]], **how: Any) -> Consumer:
        """A `Consumer`, for a program that wants to ``stop`` it itself; the arguments are those of ``consume``."""
        return Consumer(self, handler, **how)

    async def consume(
        self,
        handler: Callable[[Any], Awaitable[object]],
        *,
        concurrency: int = DEFAULTS.concurrency,
        visibility_timeout: int = DEFAULTS.visibility_timeout,
        wait_time_seconds: int = DEFAULTS.wait_time_seconds,
        backoff: Backoff = DEFAULTS.backoff,
    ) -> None:
        """Hand every message to ``handler``, until SIGTERM or SIGINT. See `Consumer` for the rules."""
        await self.consumer(
            handler,
            concurrency=concurrency,
            visibility_timeout=visibility_timeout,
            wait_time_seconds=wait_time_seconds,
            backoff=backoff,
        ).run()

    # All of it

    async def count(self, page_size: int = 10, vtimeout: int = 10) -> int:  # noqa: ARG002 - boto's, which it ignores too
        """Messages that can be read now; approximate at AWS, exact at Stanchion."""
        return await self.connection.run(plans.count(self))

    async def count_slow(self, page_size: int = 10, vtimeout: int = 10) -> int:
        """Count by reading every message, each of which is hidden for ``vtimeout`` seconds by that."""
        return await self.connection.run(plans.count_slow(self, page_size, vtimeout))

    async def clear(self, page_size: int = 10, vtimeout: int = 10) -> bool:  # noqa: ARG002 - boto's, which it ignores too
        """Delete all messages: another name of ``purge``, as in the last boto."""
        return await self.purge()

    async def purge(self) -> bool:
        """Delete all messages; once a minute at most."""
        return await self.connection.run(plans.purge_queue(self))

    async def delete(self, force_deletion: bool = False) -> bool:
        """See `SQSConnection.delete_queue`."""
        return await self.connection.delete_queue(self, force_deletion)

    # Files

    async def dump(self, file_name: str | Path, page_size: int = 10, vtimeout: int = 10, sep: str = "\n") -> int:
        """Write the bodies of all messages to a file, each followed by ``sep``; how many there were.

        They stay in the queue, hidden for ``vtimeout`` seconds: give enough for all of them, or some come twice.
        """
        with files.writing(file_name) as file:
            return await self.connection.run(plans.dump(self, file, page_size, vtimeout, sep))

    async def save_to_file(self, fp: IO[str], sep: str = "\n") -> int:
        """As ``dump``, to an open file; each message is deleted once it is written."""
        return await self.connection.run(plans.save(self, fp, sep))

    async def save_to_filename(self, file_name: str | Path, sep: str = "\n") -> int:
        with files.writing(file_name) as file:
            return await self.save_to_file(file, sep)

    save = save_to_filename

    async def load_from_file(self, fp: IO[str], sep: str = "\n") -> int:
        """Write a message for each body of a file that ``dump`` or ``save`` made; how many there were."""
        return await self.connection.run(plans.load(self, fp, sep))

    async def load_from_filename(self, file_name: str | Path, sep: str = "\n") -> int:
        with files.reading(file_name) as file:
            return await self.load_from_file(file, sep)

    load = load_from_filename
