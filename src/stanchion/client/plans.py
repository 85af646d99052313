"""What each method asks of the service, and what it makes of the answers: written once for both twins.

A plan is a generator: it yields calls of botocore's client, is sent their answers (or thrown the errors), and returns
the result. ``connection.py`` runs plans with a client that blocks, ``aio`` with one that is awaited. No plan does
anything else than ask.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from stanchion.client.exceptions import BotoClientError, QueueNotEmpty, SQSDecodeError, SQSError
from stanchion.client.messages import RawMessage
from stanchion.client.resultset import Attributes, BatchResults, ResultEntry, ResultSet

Result = TypeVar("Result")
BATCH: Final = 10  # entries that the service takes at once
LARGEST_BATCH_BYTES: Final = 1_048_576
_PAGE: Final = 1_000  # queues in one answer

MessageAttributes = Mapping[str, Mapping[str, Any]]
BatchEntry = Sequence[Any]
"""Of ``write_batch``: (id, body or message, delay_seconds) or (id, body or message, delay_seconds, attributes)."""


class Call(NamedTuple):
    """A method of botocore's SQS client and its parameters."""

    method: str
    parameters: dict[str, Any]


Plan = Generator[Call, dict[str, Any], Result]


class AnyQueue(Protocol):
    """What plans and messages know of a queue, of either twin."""

    url: str
    message_class: type[RawMessage]

    def delete_message(self, message: Any) -> Any: ...
    def change_message_visibility(self, message: Any, visibility_timeout: int) -> Any: ...


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _request_id(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def url_of(queue: "AnyQueue | str") -> str:
    return queue if isinstance(queue, str) else queue.url


def handle_of(message: "RawMessage | str") -> str:
    handle = message if isinstance(message, str) else message.receipt_handle
    if not handle:
        raise BotoClientError("The message has no receipt handle: only a message that was read can be dealt with.")
    return handle


# ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────


def create_queue(name: str, visibility_timeout: int | None, attributes: Mapping[str, str] | None) -> Plan[str]:
    """The URL."""
    wanted = dict(attributes or {})
    if visibility_timeout is not None:
        wanted["VisibilityTimeout"] = str(visibility_timeout)
    answer = yield Call("create_queue", _given(QueueName=name, Attributes=wanted or None))
    return str(answer["QueueUrl"])


def find_queue(name: str, owner_account: str | None) -> Plan[str | None]:
    """The URL; None when there is no such queue."""
    try:
        answer = yield Call("get_queue_url", _given(QueueName=name, QueueOwnerAWSAccountId=owner_account))
    except SQSError as error:
        if error.no_such_queue:
            return None
        raise
    return str(answer["QueueUrl"])


def all_queues(prefix: str) -> Plan[ResultSet[str]]:
    """The URLs of all queues whose names begin so."""
    found: list[str] = []
    token = None
    while True:
        asked = _given(QueueNamePrefix=prefix or None, MaxResults=_PAGE, NextToken=token)
        answer = yield Call("list_queues", asked)
        found += answer.get("QueueUrls", ())
        token = answer.get("NextToken")
        if not token:
            return ResultSet(found, request_id=_request_id(answer))


def dead_letter_sources(queue: AnyQueue) -> Plan[ResultSet[str]]:
    found: list[str] = []
    token = None
    while True:
        asked = _given(QueueUrl=queue.url, MaxResults=_PAGE, NextToken=token)
        answer = yield Call("list_dead_letter_source_queues", asked)
        found += answer.get("queueUrls", ())
        token = answer.get("NextToken")
        if not token:
            return ResultSet(found, request_id=_request_id(answer))


_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def delete_queue(queue: AnyQueue, force_deletion: bool) -> Plan[bool]:
    if not force_deletion:
        answer = yield Call("get_queue_attributes", {"QueueUrl": queue.url, "AttributeNames": list(_COUNTS)})
        held = sum(int(answer.get("Attributes", {}).get(name, 0)) for name in _COUNTS)
        if held:
            name = queue.url.rpartition("/")[2]
            raise QueueNotEmpty(
                f"Queue {name} holds {held} messages, so it was not deleted. Delete them first, or give "
                "force_deletion=True."
            )
    yield Call("delete_queue", {"QueueUrl": queue.url})
    return True


def purge_queue(queue: AnyQueue) -> Plan[bool]:
    yield Call("purge_queue", {"QueueUrl": queue.url})
    return True


def get_attributes(queue: AnyQueue, attribute: str) -> Plan[Attributes]:
    answer = yield Call("get_queue_attributes", {"QueueUrl": queue.url, "AttributeNames": [attribute]})
    return Attributes(answer.get("Attributes", {}))


def set_attribute(queue: AnyQueue, attribute: str, value: Any) -> Plan[bool]:
    yield Call("set_queue_attributes", {"QueueUrl": queue.url, "Attributes": {attribute: str(value)}})
    return True


def get_timeout(queue: AnyQueue) -> Plan[int]:
    attributes = yield from get_attributes(queue, "VisibilityTimeout")
    return int(attributes["VisibilityTimeout"])


def count(queue: AnyQueue) -> Plan[int]:
    attributes = yield from get_attributes(queue, _COUNTS[0])
    return int(attributes[_COUNTS[0]])


def add_permission(queue: AnyQueue, label: str, aws_account_id: str, action_name: str) -> Plan[bool]:
    asked = {"QueueUrl": queue.url, "Label": label, "AWSAccountIds": [aws_account_id], "Actions": [action_name]}
    yield Call("add_permission", asked)
    return True


def remove_permission(queue: AnyQueue, label: str) -> Plan[bool]:
    yield Call("remove_permission", {"QueueUrl": queue.url, "Label": label})
    return True


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────


def write(
    queue: AnyQueue,
    message: Any,
    delay_seconds: int | None,
    group: str | None = None,
    deduplication_id: str | None = None,
) -> Plan[RawMessage]:
    """The message as it was sent, with its id."""
    sent = as_message(queue, message)
    answer = yield Call(
        "send_message",
        _given(
            QueueUrl=queue.url,
            MessageBody=sent.get_body_encoded(),
            DelaySeconds=delay_seconds,
            MessageAttributes=wire_attributes(sent.message_attributes) or None,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication_id,
        ),
    )
    sent.id, sent.md5 = answer["MessageId"], answer["MD5OfMessageBody"]
    sent.sequence_number = answer.get("SequenceNumber")
    return sent


def as_message(queue: AnyQueue, message: Any) -> RawMessage:
    """A body becomes a message of the queue's class."""
    return message if isinstance(message, RawMessage) else queue.message_class(queue, message)


def wire_attributes(attributes: MessageAttributes) -> dict[str, dict[str, Any]]:
    """Message attributes as the service has them; boto's names of their members are taken too."""
    names = {
        "data_type": "DataType",
        "string_value": "StringValue",
        "binary_value": "BinaryValue",
    }
    return {
        name: {names.get(member, member): value for member, value in attribute.items()}
        for name, attribute in attributes.items()
    }


def read_attributes(attributes: MessageAttributes) -> dict[str, dict[str, Any]]:
    """As boto named the members of a message attribute."""
    names = {"DataType": "data_type", "StringValue": "string_value", "BinaryValue": "binary_value"}
    return {
        name: {names.get(member, member): value for member, value in attribute.items()}
        for name, attribute in attributes.items()
    }


def write_batch(queue: AnyQueue, messages: Iterable[BatchEntry]) -> Plan[BatchResults]:
    """Any number of messages; each call takes ten, and no more than a mebibyte."""
    entries = [_send_entry(each) for each in messages]
    _check_ids(entries)
    results = BatchResults()
    for batch in batches(entries):
        answer = yield Call("send_message_batch", {"QueueUrl": queue.url, "Entries": batch})
        _add_results(results, answer)
    return results


def _send_entry(given: BatchEntry) -> dict[str, Any]:
    """A body that is text is sent as it is, as boto does; a message is encoded by its class."""
    if not 2 <= len(given) <= 4:
        raise BotoClientError("An entry of a batch is (id, body, delay_seconds), or with attributes behind these.")
    number, body = given[0], given[1]
    delay = given[2] if len(given) > 2 else None
    attributes = given[3] if len(given) > 3 else None
    encoded = body.get_body_encoded() if isinstance(body, RawMessage) else str(body)
    shown = attributes or (body.message_attributes if isinstance(body, RawMessage) else None)
    return _given(
        Id=str(number),
        MessageBody=encoded,
        DelaySeconds=int(delay) if delay else None,
        MessageAttributes=wire_attributes(shown) if shown else None,
    )


def _check_ids(entries: Sequence[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry["Id"] in seen:
            raise BotoClientError(f"The id {entry['Id']} is there twice in the batch: each entry needs its own.")
        seen.add(entry["Id"])


def batches(entries: Sequence[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """At most ten entries each, and not more bytes than one call may have."""
    batch: list[dict[str, Any]] = []
    spent = 0
    for entry in entries:
        size = len(str(entry.get("MessageBody", "")).encode())
        if batch and (len(batch) == BATCH or spent + size > LARGEST_BATCH_BYTES):
            yield batch
            batch, spent = [], 0
        batch.append(entry)
        spent += size
    if batch:
        yield batch


def _add_results(results: BatchResults, answer: Mapping[str, Any]) -> None:
    for entry in answer.get("Successful", ()):
        results.results.append(
            ResultEntry(id=entry["Id"], message_id=entry.get("MessageId"), message_md5=entry.get("MD5OfMessageBody"))
        )
    for entry in answer.get("Failed", ()):
        results.errors.append(
            ResultEntry(
                id=entry["Id"],
                error_code=entry["Code"],
                error_message=entry.get("Message", ""),
                sender_fault=entry["SenderFault"],
            )
        )


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────


def get_messages(
    queue: AnyQueue,
    num_messages: int = 1,
    visibility_timeout: int | None = None,
    attributes: str | Sequence[str] | None = None,
    wait_time_seconds: int | None = None,
    message_attributes: Sequence[str] | None = None,
    *,
    strict: bool = True,
) -> Plan[ResultSet[Any]]:
    """Not ``strict``: a message that cannot be decoded is there with its text and a ``decode_error``."""
    answer = yield Call(
        "receive_message",
        _given(
            QueueUrl=queue.url,
            MaxNumberOfMessages=num_messages,
            VisibilityTimeout=visibility_timeout,
            WaitTimeSeconds=wait_time_seconds,
            AttributeNames=[attributes] if isinstance(attributes, str) else attributes,
            MessageAttributeNames=message_attributes,
        ),
    )
    return ResultSet(
        (_read(queue, each, strict) for each in answer.get("Messages", ())), request_id=_request_id(answer)
    )


def _read(queue: AnyQueue, given: Mapping[str, Any], strict: bool) -> RawMessage:
    message = queue.message_class(queue)
    message.id, message.receipt_handle = given["MessageId"], given["ReceiptHandle"]
    message.md5 = given["MD5OfBody"]
    message.attributes = Attributes(given.get("Attributes", {}))
    message.message_attributes = read_attributes(given.get("MessageAttributes", {}))
    try:
        message.set_body(message.decode(given["Body"]))
    except SQSDecodeError as problem:
        if strict:
            raise SQSDecodeError(f"{problem.reason} (message {message.id})", message) from None
        message.set_body(given["Body"])
        message.decode_error = problem
    return message


def delete_message(queue: AnyQueue, message: "RawMessage | str") -> Plan[bool]:
    yield Call("delete_message", {"QueueUrl": queue.url, "ReceiptHandle": handle_of(message)})
    return True


def delete_message_batch(queue: AnyQueue, messages: Iterable[RawMessage]) -> Plan[BatchResults]:
    entries = [{"Id": str(number), "ReceiptHandle": handle_of(message)} for number, message in enumerate(messages)]
    results = BatchResults()
    for batch in batches(entries):
        answer = yield Call("delete_message_batch", {"QueueUrl": queue.url, "Entries": batch})
        _add_results(results, answer)
    return results


def change_message_visibility(queue: AnyQueue, message: "RawMessage | str", visibility_timeout: int) -> Plan[bool]:
    asked = {"QueueUrl": queue.url, "ReceiptHandle": handle_of(message), "VisibilityTimeout": visibility_timeout}
    yield Call("change_message_visibility", asked)
    return True


def change_message_visibility_batch(
    queue: AnyQueue, messages: Iterable[tuple["RawMessage | str", int]]
) -> Plan[BatchResults]:
    """``messages``: pairs of message and seconds."""
    entries = [
        {"Id": str(number), "ReceiptHandle": handle_of(message), "VisibilityTimeout": seconds}
        for number, (message, seconds) in enumerate(messages)
    ]
    results = BatchResults()
    for batch in batches(entries):
        answer = yield Call("change_message_visibility_batch", {"QueueUrl": queue.url, "Entries": batch})
        _add_results(results, answer)
    return results


def clear(queue: AnyQueue, page_size: int, visibility_timeout: int) -> Plan[int]:
    """Receive and delete until nothing more comes; how many there were."""
    removed = 0
    while True:
        answer = yield Call(
            "receive_message",
            {"QueueUrl": queue.url, "MaxNumberOfMessages": page_size, "VisibilityTimeout": visibility_timeout},
        )
        handles = [message["ReceiptHandle"] for message in answer.get("Messages", ())]
        if not handles:
            return removed
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
        deleted = yield Call("delete_message_batch", {"QueueUrl": queue.url, "Entries": entries})
        removed += len(deleted.get("Successful", ()))
