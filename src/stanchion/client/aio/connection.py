"""Connections to await."""

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar, Unpack

from stanchion.client import plans
from stanchion.client.aio.queue import Queue
from stanchion.client.endpoints import Options, RegionInfo, library_errors, needs, translated, where_of
from stanchion.client.exceptions import BotoClientError, SQSError
from stanchion.client.messages import RawMessage
from stanchion.client.plans import BatchEntry, Call, Plan
from stanchion.client.resultset import Attributes, BatchResults, ResultSet

Result = TypeVar("Result")


class SQSConnection:
    """As `stanchion.client.SQSConnection`, to await: for one event loop, and for any number of tasks at once.

    To be used in an ``async with`` statement; without one it is opened by its first call, and to be closed by
    ``await connection.close()``.
    """

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        is_secure: bool = True,
        port: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        where = where_of(aws_access_key_id, aws_secret_access_key, is_secure, port, options)
        try:
            import aiobotocore.config
            import aiobotocore.session
        except ImportError:
            raise needs("aiobotocore", "client-async") from None
        self._errors = library_errors()
        self._client: Any = None
        self._opening = asyncio.Lock()
        try:
            self._session: Any = aiobotocore.session.AioSession(profile=options.get("profile_name"))
            self.region: RegionInfo = where.region_info(self._session.get_config_variable("region"))
        except self._errors as error:
            raise translated(error) from None
        self._arguments = where.client_arguments(self.region.name)
        self._arguments["config"] = aiobotocore.config.AioConfig(**where.config())

    @property
    def endpoint_url(self) -> str:
        """Where the service is; "" while nothing was asked yet of a connection that leaves it to botocore."""
        if self._client is None:
            return self._arguments["endpoint_url"] or ""
        return str(self._client.meta.endpoint_url)

    async def run(self, plan: Plan[Result]) -> Result:
        """Do what a plan asks for, and give its result. For this package's own methods; see ``plans.py``."""
        try:
            call = next(plan)
            while True:
                try:
                    answer = await self._ask(call)
                except (SQSError, BotoClientError, ValueError) as problem:
                    call = plan.throw(problem)
                else:
                    call = plan.send(answer)
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _ask(self, call: Call) -> dict[str, Any]:
        try:
            client = await self._opened()
            answer: dict[str, Any] = await getattr(client, call.method)(**call.parameters)
        except self._errors as error:
            raise translated(error) from None
        return answer

    async def _opened(self) -> Any:
        async with self._opening:
            if self._client is None:
                self._client = await self._session.create_client(**self._arguments).__aenter__()
            return self._client

    # Queues

    async def create_queue(
        self, queue_name: str, visibility_timeout: int | None = None, attributes: dict[str, Any] | None = None
    ) -> Queue:
        """Create a queue, or find the one of that name and those attributes.

        ``visibility_timeout`` is in seconds, 0 to 43,200; ``attributes`` are any others, by their names in SQS.
        """
        return self._queue(await self.run(plans.create_queue(queue_name, visibility_timeout, attributes)))

    async def get_queue(self, queue_name: str, owner_acct_id: str | None = None) -> Queue | None:
        """The queue of that name, of another account if that is given; None when there is none.

        Any other error is raised, where boto answered None too.
        """
        url = await self.run(plans.find_queue(queue_name, owner_acct_id))
        return None if url is None else self._queue(url)

    lookup = get_queue

    async def get_all_queues(self, prefix: str = "") -> ResultSet[Queue]:
        """All queues, or those whose names begin so; however many there are."""
        return self._queues(await self.run(plans.all_queues(prefix)))

    async def get_dead_letter_source_queues(self, queue: Queue) -> ResultSet[Queue]:
        """The queues whose dead letters come to this one."""
        return self._queues(await self.run(plans.dead_letter_sources(queue)))

    async def delete_queue(self, queue: Queue, force_deletion: bool = False) -> bool:
        """Delete a queue. Raises QueueNotEmpty for one that holds messages, unless ``force_deletion`` is True.

        The counts that this looks at are approximate at AWS, exact at Stanchion.
        """
        return await self.run(plans.delete_queue(queue, force_deletion))

    async def purge_queue(self, queue: Queue) -> bool:
        """Delete all messages; once a minute at most."""
        return await self.run(plans.purge_queue(queue))

    async def get_queue_attributes(self, queue: Queue, attribute: str | Sequence[str] = "All") -> Attributes:
        return await self.run(plans.get_attributes(queue, attribute))

    async def set_queue_attribute(self, queue: Queue, attribute: str, value: Any) -> bool:
        return await self.run(plans.set_attribute(queue, attribute, value))

    async def add_permission(self, queue: Queue, label: str, aws_account_id: str, action_name: str) -> bool:
        """Let an account do an action (``SendMessage``, … or ``*``) with the queue; ``label`` names the statement."""
        return await self.run(plans.add_permission(queue, label, aws_account_id, action_name))

    async def remove_permission(self, queue: Queue, label: str) -> bool:
        return await self.run(plans.remove_permission(queue, label))

    # Messages

    async def send_message(
        self,
        queue: Queue,
        message_content: Any,
        delay_seconds: int | None = None,
        message_attributes: plans.MessageAttributes | None = None,
    ) -> RawMessage:
        """Send a text as it is, without the encoding of the queue's message class."""
        message = RawMessage(queue, message_content, message_attributes=dict(message_attributes or {}))
        return await self.run(plans.write(queue, message, delay_seconds))

    async def send_message_batch(self, queue: Queue, messages: Iterable[BatchEntry]) -> BatchResults:
        return await self.run(plans.write_batch(queue, messages))

    async def receive_message(
        self,
        queue: Queue,
        number_messages: int = 1,
        visibility_timeout: int | None = None,
        attributes: str | Sequence[str] | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> ResultSet[Any]:
        return await self.run(
            plans.get_messages(
                queue, number_messages, visibility_timeout, attributes, wait_time_seconds, message_attributes
            )
        )

    async def delete_message(self, queue: Queue, message: RawMessage) -> bool:
        return await self.run(plans.delete_message(queue, message))

    async def delete_message_from_handle(self, queue: Queue, receipt_handle: str) -> bool:
        return await self.run(plans.delete_message(queue, receipt_handle))

    async def delete_message_batch(self, queue: Queue, messages: Iterable[RawMessage | str]) -> BatchResults:
        return await self.run(plans.delete_message_batch(queue, messages))

    async def change_message_visibility(self, queue: Queue, receipt_handle: str, visibility_timeout: int) -> bool:
        return await self.run(plans.change_message_visibility(queue, receipt_handle, visibility_timeout))

    async def change_message_visibility_batch(
        self, queue: Queue, messages: Iterable[tuple[RawMessage | str, int]]
    ) -> BatchResults:
        return await self.run(plans.change_message_visibility_batch(queue, messages))

    # Life

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)

    async def __aenter__(self) -> "SQSConnection":
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"SQSConnection:{self.endpoint_url or self.region.name}"

    def _queue(self, url: str) -> Queue:
        return Queue(self, url)

    def _queues(self, urls: ResultSet[str]) -> ResultSet[Queue]:
        return ResultSet((self._queue(url) for url in urls), request_id=urls.request_id)


def connect_sqs(
    aws_access_key_id: str | None = None, aws_secret_access_key: str | None = None, **arguments: Any
) -> SQSConnection:
    """The short way to a connection; the arguments are those of SQSConnection."""
    return SQSConnection(aws_access_key_id, aws_secret_access_key, **arguments)


def connect_to_region(region_name: str, **arguments: Any) -> SQSConnection:
    """A connection to a region by its name, of which Stanchion and others may have any."""
    return SQSConnection(region=region_name, **arguments)
