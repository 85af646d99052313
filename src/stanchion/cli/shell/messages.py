"""Receiving, releasing and deleting, in as few calls as SQS allows; and showing what was received."""

from collections.abc import Iterator, Sequence
from typing import Any

from stanchion import limits
from stanchion.cli.shell.endpoint import Queue, Sqs
from stanchion.cli.shell.lines import SYSTEM_ATTRIBUTES, record
from stanchion.cli.shell.show import moment, print_json, print_table

Message = dict[str, Any]


def receive_up_to(
    sqs: Sqs, queue: Queue, number: int, *, wait: int, visibility: int | None = None
) -> Iterator[list[Message]]:
    """Batches of messages, ``number`` of them in all at most; ends early with the first answer that is empty."""
    while number > 0:
        batch = receive_batch(sqs, queue, min(number, limits.RECEIVE_MESSAGES), wait=wait, visibility=visibility)
        if not batch:
            return
        yield batch
        number -= len(batch)


def receive_batch(sqs: Sqs, queue: Queue, number: int, *, wait: int, visibility: int | None) -> list[Message]:
    hidden = {} if visibility is None else {"VisibilityTimeout": visibility}
    answer = sqs.call(
        "ReceiveMessage",
        QueueUrl=queue.url,
        MaxNumberOfMessages=number,
        WaitTimeSeconds=wait,
        AttributeNames=list(SYSTEM_ATTRIBUTES),
        MessageAttributeNames=["All"],
        **hidden,
    )
    found: list[Message] = answer.get("Messages", [])
    return found


def delete_batch(sqs: Sqs, queue: Queue, handles: Sequence[str]) -> list[str]:
    """What was wrong, a line each; empty when all went well. At most ten."""
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    return _failures(sqs.call("DeleteMessageBatch", QueueUrl=queue.url, Entries=entries))


def release_batch(sqs: Sqs, queue: Queue, handles: Sequence[str]) -> list[str]:
    """Let messages be received again at once; like delete_batch. One that is not in flight any more needs nothing."""
    entries = [
        {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0} for number, handle in enumerate(handles)
    ]
    answer = sqs.call("ChangeMessageVisibilityBatch", QueueUrl=queue.url, Entries=entries)
    failed = [each for each in answer.get("Failed", []) if not each["Code"].endswith("MessageNotInflight")]
    return _failures({"Failed": failed})


def _failures(answer: dict[str, Any]) -> list[str]:
    return [f"{each['Code']}: {each.get('Message', '')}" for each in answer.get("Failed", [])]


# ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────


def print_messages_as_json(messages: Sequence[Message]) -> None:
    for message in messages:
        print_json(record(message) | {"receipt_handle": message["ReceiptHandle"]})


def print_messages_as_table(messages: Sequence[Message]) -> None:
    print_table(("ID", "SENT (UTC)", "#RECEIVES", "GROUP", "ATTRIBUTES", "BODY"), map(_row, messages))


def _row(message: Message) -> list[object]:
    kept = record(message)
    attributes = " ".join(f"{name}={each['value']}" for name, each in kept.get("attributes", {}).items())
    rest = (attributes or None, kept["body"])
    return [kept["id"], moment(kept.get("sent_ms")), kept.get("receives"), kept.get("group"), *rest]
