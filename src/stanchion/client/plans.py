"""What each method asks of the service, and what it makes of the answers: written once for both twins.

A plan is a generator: it yields calls of botocore's client, is sent their answers (or thrown the errors), and returns
the result. ``connection.py`` runs plans with a client that blocks, ``aio`` with one that is awaited. No plan does
anything else than ask.
"""

import base64
import binascii
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import IO, Any, Final, NamedTuple, Protocol, TypeVar

from stanchion.client import files
from stanchion.client.exceptions import QueueNotEmpty, SQSDecodeError, SQSError
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


def _of(queue: Any, method: str, **parameters: Any) -> Call:
    """A call about a queue."""
    if not isinstance(getattr(queue, "url", None), str):
        raise TypeError(f"queue must be a Queue, not {queue!r}; lookup answers None for a queue that is not there.")
    return Call(method, _given(QueueUrl=queue.url, **parameters))


def handle_of(message: "RawMessage | str") -> str:
    handle = message if isinstance(message, str) else getattr(message, "receipt_handle", None)
    if not handle:
        raise ValueError("message has no receipt handle: only a message that was read can be deleted or hidden.")
    return str(handle)


def _number(name: str, value: Any) -> int | None:
    """A whole number, also written as text, as boto took it. The service knows the limits, and tells them."""
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a whole number, not {value!r}.") from None


def _names(given: str | Iterable[str] | None) -> list[str] | None:
    return [given] if isinstance(given, str) else None if given is None else list(given)


# ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────


def create_queue(name: str, visibility_timeout: int | None, attributes: Mapping[str, Any] | None) -> Plan[str]:
    """The URL."""
    wanted = {attribute: str(value) for attribute, value in (attributes or {}).items()}
    if visibility_timeout is not None:
        wanted["VisibilityTimeout"] = str(_number("visibility_timeout", visibility_timeout))
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
    return (yield from _pages("QueueUrls", Call("list_queues", _given(QueueNamePrefix=prefix or None))))


def dead_letter_sources(queue: AnyQueue) -> Plan[ResultSet[str]]:
    return (yield from _pages("queueUrls", _of(queue, "list_dead_letter_source_queues")))


def _pages(member: str, call: Call) -> Plan[ResultSet[str]]:
    """What all pages of a list hold."""
    found: list[str] = []
    token = None
    while True:
        asked = call.parameters | _given(MaxResults=_PAGE, NextToken=token)
        answer = yield Call(call.method, asked)
        found += answer.get(member, ())
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
        attributes = yield from get_attributes(queue, _COUNTS)
        held = sum(int(attributes.get(name, 0)) for name in _COUNTS)
        if held:
            name = queue.url.rpartition("/")[2]
            raise QueueNotEmpty(
                f"Queue {name} holds {held} message{'s' if held > 1 else ''}, so it was not deleted. "
                "Delete them first, or give force_deletion=True."
            )
    yield _of(queue, "delete_queue")
    return True


def purge_queue(queue: AnyQueue) -> Plan[bool]:
    yield _of(queue, "purge_queue")
    return True


def get_attributes(queue: AnyQueue, attributes: str | Iterable[str]) -> Plan[Attributes]:
    answer = yield _of(queue, "get_queue_attributes", AttributeNames=_names(attributes))
    return Attributes(answer.get("Attributes", {}))


def set_attribute(queue: AnyQueue, attribute: str, value: Any) -> Plan[bool]:
    yield _of(queue, "set_queue_attributes", Attributes={attribute: str(value)})
    return True


def get_timeout(queue: AnyQueue) -> Plan[int]:
    attributes = yield from get_attributes(queue, "VisibilityTimeout")
    return int(attributes["VisibilityTimeout"])


def count(queue: AnyQueue) -> Plan[int]:
    attributes = yield from get_attributes(queue, _COUNTS[0])
    return int(attributes[_COUNTS[0]])


def add_permission(queue: AnyQueue, label: str, aws_account_id: str, action_name: str) -> Plan[bool]:
    yield _of(queue, "add_permission", Label=label, AWSAccountIds=[aws_account_id], Actions=[action_name])
    return True


def remove_permission(queue: AnyQueue, label: str) -> Plan[bool]:
    yield _of(queue, "remove_permission", Label=label)
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
    answer = yield _of(
        queue,
        "send_message",
        MessageBody=sent.get_body_encoded(),
        DelaySeconds=_number("delay_seconds", delay_seconds),
        MessageAttributes=wire_attributes(sent.message_attributes) or None,
        MessageGroupId=group,
        MessageDeduplicationId=deduplication_id,
    )
    sent.id, sent.md5 = answer["MessageId"], answer["MD5OfMessageBody"]
    sent.md5_message_attributes = answer.get("MD5OfMessageAttributes")
    sent.sequence_number = answer.get("SequenceNumber")
    return sent


def as_message(queue: AnyQueue, message: Any) -> RawMessage:
    """A body becomes a message of the queue's class."""
    return message if isinstance(message, RawMessage) else queue.message_class(queue, message)


def wire_attributes(attributes: MessageAttributes) -> dict[str, dict[str, Any]]:
    """Message attributes as botocore has them, from boto's names of their members or from SQS's.

    Under boto's ``binary_value`` text is Base64, as it was with boto; under SQS's ``BinaryValue`` nothing is decoded.
    """
    return {name: _wire_attribute(name, attribute) for name, attribute in attributes.items()}


_MEMBERS: Final = {"data_type": "DataType", "string_value": "StringValue", "binary_value": "BinaryValue"}


def _wire_attribute(name: str, attribute: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(attribute, Mapping):
        raise ValueError(f"message_attributes: {name} must be a dictionary with data_type and string_value.")
    found = {_MEMBERS.get(member, member): value for member, value in attribute.items()}
    text = attribute.get("binary_value")
    if isinstance(text, str):
        try:
            found["BinaryValue"] = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"message_attributes: binary_value of {name} must be bytes or Base64.") from None
    return found


def read_attributes(attributes: MessageAttributes) -> dict[str, dict[str, Any]]:
    """As boto gave message attributes: its names of the members, and Base64 for bytes."""
    names = {theirs: ours for ours, theirs in _MEMBERS.items()}
    return {
        name: {
            names.get(member, member): base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
            for member, value in attribute.items()
        }
        for name, attribute in attributes.items()
    }


def write_batch(queue: AnyQueue, messages: Iterable[BatchEntry]) -> Plan[BatchResults]:
    """Any number of messages; each call takes ten, and no more than a mebibyte."""
    entries = [_send_entry(each) for each in messages]
    _check_ids(entries)
    return (yield from _in_batches(queue, "send_message_batch", entries))


def _send_entry(given: BatchEntry) -> dict[str, Any]:
    """A body that is text is sent as it is, as boto does; a message is encoded by its class."""
    if isinstance(given, str) or not 2 <= len(given) <= 4:
        raise ValueError("messages: an entry is (id, body, delay_seconds), or with attributes behind these.")
    number, body, delay, attributes = (*given, None, None)[:4]
    message = body if isinstance(body, RawMessage) else RawMessage(None, body)
    return _given(
        Id=str(number),
        MessageBody=message.get_body_encoded(),
        DelaySeconds=_number("delay_seconds", delay) or None,  # FIFO queues refuse even a delay of 0
        MessageAttributes=wire_attributes(attributes or message.message_attributes) or None,
    )


def _check_ids(entries: Sequence[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry["Id"] in seen:
            raise ValueError(f"messages: the id {entry['Id']} is there twice; each entry needs its own.")
        seen.add(entry["Id"])


def _in_batches(
    queue: AnyQueue, method: str, entries: Sequence[dict[str, Any]], shown: Sequence[str | None] = ()
) -> Plan[BatchResults]:
    """``shown``: what the entries are called in the results, when their ids are their numbers."""
    results = BatchResults()
    for batch in batches(entries):
        answer = yield _of(queue, method, Entries=batch)
        for entry in answer.get("Successful", ()):
            results.results.append(_done(entry, shown))
        for entry in answer.get("Failed", ()):
            results.errors.append(_failed(entry, shown))
    return results


def batches(entries: Sequence[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """At most ten entries each, and not more bytes than one call may have."""
    batch: list[dict[str, Any]] = []
    spent = 0
    for entry in entries:
        size = _bytes_of(entry)
        if batch and (len(batch) == BATCH or spent + size > LARGEST_BATCH_BYTES):
            yield batch
            batch, spent = [], 0
        batch.append(entry)
        spent += size
    if batch:
        yield batch


def _bytes_of(entry: Mapping[str, Any]) -> int:
    """As the service counts a message: body, and names, types and values of its attributes."""
    texts: list[Any] = [entry.get("MessageBody", "")]
    for name, attribute in entry.get("MessageAttributes", {}).items():
        texts += [name, *attribute.values()]
    return sum(len(text if isinstance(text, bytes) else str(text).encode()) for text in texts)


def _shown_id(entry: Mapping[str, Any], shown: Sequence[str | None]) -> Any:
    return (shown[int(entry["Id"])] if shown else None) or entry["Id"]


def _done(entry: Mapping[str, Any], shown: Sequence[str | None]) -> ResultEntry:
    return ResultEntry(
        id=_shown_id(entry, shown), message_id=entry.get("MessageId"), message_md5=entry.get("MD5OfMessageBody")
    )


def _failed(entry: Mapping[str, Any], shown: Sequence[str | None]) -> ResultEntry:
    return ResultEntry(
        id=_shown_id(entry, shown),
        error_code=entry["Code"],
        error_message=entry.get("Message", ""),
        sender_fault="true" if entry["SenderFault"] else "false",  # text, as with boto
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
    answer = yield _of(
        queue,
        "receive_message",
        MaxNumberOfMessages=_number("num_messages", num_messages),
        VisibilityTimeout=_number("visibility_timeout", visibility_timeout),
        WaitTimeSeconds=_number("wait_time_seconds", wait_time_seconds),
        AttributeNames=_names(attributes),
        MessageAttributeNames=_names(message_attributes),
    )
    return ResultSet(
        [_read(queue, each, strict) for each in answer.get("Messages", ())], request_id=_request_id(answer)
    )


def _read(queue: AnyQueue, given: Mapping[str, Any], strict: bool) -> RawMessage:
    message = queue.message_class(queue)
    message.id, message.receipt_handle = given["MessageId"], given["ReceiptHandle"]
    message.queue = queue
    message.md5, message.md5_message_attributes = given["MD5OfBody"], given.get("MD5OfMessageAttributes")
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
    yield _of(queue, "delete_message", ReceiptHandle=handle_of(message))
    return True


def delete_message_batch(queue: AnyQueue, messages: Iterable["RawMessage | str"]) -> Plan[BatchResults]:
    found = list(messages)
    entries = [{"Id": str(number), "ReceiptHandle": handle_of(each)} for number, each in enumerate(found)]
    return (yield from _in_batches(queue, "delete_message_batch", entries, _ids(found)))


def change_message_visibility(queue: AnyQueue, message: "RawMessage | str", visibility_timeout: int) -> Plan[bool]:
    seconds = _number("visibility_timeout", visibility_timeout)
    yield _of(queue, "change_message_visibility", ReceiptHandle=handle_of(message), VisibilityTimeout=seconds)
    return True


def change_message_visibility_batch(
    queue: AnyQueue, messages: Iterable[tuple["RawMessage | str", int]]
) -> Plan[BatchResults]:
    """``messages``: pairs of message and seconds."""
    pairs = list(messages)
    entries = [
        {
            "Id": str(number),
            "ReceiptHandle": handle_of(message),
            "VisibilityTimeout": _number("visibility_timeout", seconds),
        }
        for number, (message, seconds) in enumerate(pairs)
    ]
    shown = _ids([message for message, _ in pairs])
    return (yield from _in_batches(queue, "change_message_visibility_batch", entries, shown))


def _ids(messages: Sequence["RawMessage | str"]) -> list[str | None]:
    return [None if isinstance(each, str) else each.id for each in messages]


# ── All messages of a queue ──────────────────────────────────────────────────────────────────────────────


def count_slow(queue: AnyQueue, page_size: int, visibility_timeout: int) -> Plan[int]:
    """How many messages there are, by reading them."""
    counted = 0
    while found := (yield from get_messages(queue, page_size, visibility_timeout, strict=False)):
        counted += len(found)
    return counted


def dump(queue: AnyQueue, file: IO[str], page_size: int, visibility_timeout: int, separator: str) -> Plan[int]:
    """Write all bodies to a file; the messages stay, hidden for so many seconds."""
    written = 0
    while found := (yield from get_messages(queue, page_size, visibility_timeout)):
        files.write_bodies(file, found, separator)
        written += len(found)
    return written


def save(queue: AnyQueue, file: IO[str], separator: str) -> Plan[int]:
    """Write all bodies to a file, and delete each message when its body is written."""
    written = 0
    while found := (yield from get_messages(queue, BATCH)):
        files.write_bodies(file, found, separator)
        file.flush()
        yield from delete_message_batch(queue, found)
        written += len(found)
    return written


def load(queue: AnyQueue, file: IO[str], separator: str) -> Plan[int]:
    """Send a message for each body in a file."""
    loaded = 0
    for body in files.read_bodies(file, separator):
        yield from write(queue, queue.message_class(queue, body), None)
        loaded += 1
    return loaded
