"""Connections to SQS, or to whatever speaks it."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar, Unpack

from stanchion.client import plans
from stanchion.client.endpoints import Options, RegionInfo, library_errors, needs, translated, where_of
from stanchion.client.exceptions import BotoClientError, SQSError
from stanchion.client.messages import RawMessage
from stanchion.client.plans import BatchEntry, Call, Plan
from stanchion.client.queue import Queue
from stanchion.client.resultset import Attributes, BatchResults, ResultSet

Result = TypeVar("Result")


class SQSConnection:
    """A connection, as boto made it, over botocore.

    Credentials and region are found by botocore's rules (environment, profiles, roles) when they are not given; the
    region is ``us-east-1`` when nobody names one. ``endpoint_url`` is where the service is; without it, it is what
    ``AWS_ENDPOINT_URL_SQS`` says, or AWS. boto's other keywords work as they did: ``is_secure``, ``port``, ``path``
    (with a RegionInfo that has an endpoint), ``proxy`` and its kin, ``security_token``, ``validate_certs`` and
    ``profile_name``. To be used in a ``with`` statement, which closes it, and from several threads at once.

    Methods raise SQSError for what the service refuses, BotoClientError when it cannot be reached, and ValueError or
    TypeError for a wrong argument.
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
            import botocore.config
            import botocore.session
        except ImportError:
            raise needs("botocore", "client") from None
        self._errors = library_errors()
        try:
            session = botocore.session.Session(profile=options.get("profile_name"))
            self.region = where.region_info(session.get_config_variable("region"))
            self._client: Any = session.create_client(
                config=botocore.config.Config(**where.config()), **where.client_arguments(self.region.name)
            )
        except self._errors as error:
            raise translated(error) from None

    @property
    def endpoint_url(self) -> str:
        return str(self._client.meta.endpoint_url)

    def run(self, plan: Plan[Result]) -> Result:
        """Do what a plan asks for, and give its result. For this package's own methods; see ``plans.py``."""
        try:
            call = next(plan)
            while True:
                try:
                    answer = self._ask(call)
                except (SQSError, BotoClientError, ValueError) as problem:
                    call = plan.throw(problem)
                else:
                    call = plan.send(answer)
        except StopIteration as end:
            result: Result = end.value
            return result

    def _ask(self, call: Call) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, call.method)(**call.parameters)
        except self._errors as error:
            raise translated(error) from None
        return answer

    # Queues

    def create_queue(
        self, queue_name: str, visibility_timeout: int | None = None, attributes: dict[str, Any] | None = None
    ) -> Queue:
        """Create a queue, or find the one of that name and those attributes.

        ``visibility_timeout`` is in seconds, 0 to 43,200; ``attributes`` are any others, by their names in SQS.
        """
        return self._queue(self.run(plans.create_queue(queue_name, visibility_timeout, attributes)))

    def get_queue(self, queue_name: str, owner_acct_id: str | None = None) -> Queue | None:
        """The queue of that name, of another account if that is given; None when there is none.

        Any other error is raised, where boto answered None too.
        """
        url = self.run(plans.find_queue(queue_name, owner_acct_id))
        return None if url is None else self._queue(url)

    lookup = get_queue

    def get_all_queues(self, prefix: str = "") -> ResultSet[Queue]:
        """All queues, or those whose names begin so; however many there are."""
        return self._queues(self.run(plans.all_queues(prefix)))

    def get_dead_letter_source_queues(self, queue: Queue) -> ResultSet[Queue]:
        """The queues whose dead letters come to this one."""
        return self._queues(self.run(plans.dead_letter_sources(queue)))

    def delete_queue(self, queue: Queue, force_deletion: bool = False) -> bool:
        """Delete a queue. Raises QueueNotEmpty for one that holds messages, unless ``force_deletion`` is True.

        The counts that this looks at are approximate at AWS, exact at Stanchion.
        """
        return self.run(plans.delete_queue(queue, force_deletion))

    def purge_queue(self, queue: Queue) -> bool:
        """Delete all messages; once a minute at most."""
        return self.run(plans.purge_queue(queue))

    def get_queue_attributes(self, queue: Queue, attribute: str | Sequence[str] = "All") -> Attributes:
        return self.run(plans.get_attributes(queue, attribute))

    def set_queue_attribute(self, queue: Queue, attribute: str, value: Any) -> bool:
        return self.run(plans.set_attribute(queue, attribute, value))

    def add_permission(self, queue: Queue, label: str, aws_account_id: str, action_name: str) -> bool:
        """Let an account do an action (``SendMessage``, … or ``*``) with the queue; ``label`` names the statement."""
        return self.run(plans.add_permission(queue, label, aws_account_id, action_name))

    def remove_permission(self, queue: Queue, label: str) -> bool:
        return self.run(plans.remove_permission(queue, label))

    # Messages

    def send_message(
        self,
        queue: Queue,
        message_content: Any,
        delay_seconds: int | None = None,
        message_attributes: plans.MessageAttributes | None = None,
    ) -> RawMessage:
        """Send a text as it is, without the encoding of the queue's message class."""
        message = RawMessage(queue, message_content, message_attributes=dict(message_attributes or {}))
        return self.run(plans.write(queue, message, delay_seconds))

    def send_message_batch(self, queue: Queue, messages: Iterable[BatchEntry]) -> BatchResults:
        return self.run(plans.write_batch(queue, messages))

    def receive_message(
        self,
        queue: Queue,
        number_messages: int = 1,
        visibility_timeout: int | None = None,
        attributes: str | Sequence[str] | None = None,
        wait_time_seconds: int | None = None,
        message_attributes: Sequence[str] | None = None,
    ) -> ResultSet[Any]:
        return self.run(
            plans.get_messages(
                queue, number_messages, visibility_timeout, attributes, wait_time_seconds, message_attributes
            )
        )

    def delete_message(self, queue: Queue, message: RawMessage) -> bool:
        return self.run(plans.delete_message(queue, message))

    def delete_message_from_handle(self, queue: Queue, receipt_handle: str) -> bool:
        return self.run(plans.delete_message(queue, receipt_handle))

    def delete_message_batch(self, queue: Queue, messages: Iterable[RawMessage | str]) -> BatchResults:
        return self.run(plans.delete_message_batch(queue, messages))

    def change_message_visibility(self, queue: Queue, receipt_handle: str, visibility_timeout: int) -> bool:
        return self.run(plans.change_message_visibility(queue, receipt_handle, visibility_timeout))

    def change_message_visibility_batch(
        self, queue: Queue, messages: Iterable[tuple[RawMessage | str, int]]
    ) -> BatchResults:
        return self.run(plans.change_message_visibility_batch(queue, messages))

    # Life

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "SQSConnection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SQSConnection:{self.endpoint_url}"

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


def regions() -> list[RegionInfo]:
    """The regions in which AWS has SQS, as far as botocore knows."""
    try:
        import botocore.session
    except ImportError:
        raise needs("botocore", "client") from None
    return [RegionInfo(name=name) for name in botocore.session.Session().get_available_regions("sqs")]
