"""The verbs of the hot path: send, receive, delete, change visibility, and their batches.

Each hands the store a decision and answers with a promise; no task is made for a request. What was done is counted
when the store has answered (see `stanchion.broker.metering`).
"""

from collections.abc import Sequence
from typing import Any

from stanchion import ids
from stanchion.actions import (
    ChangeMessageVisibilityBatchInput,
    ChangeMessageVisibilityBatchOutput,
    ChangeMessageVisibilityInput,
    DeleteMessageBatchInput,
    DeleteMessageBatchOutput,
    DeleteMessageInput,
    MessageAttributeValue,
    MessageToSend,
    ReceiveMessageInput,
    ReceiveMessageOutput,
    SendMessageBatchInput,
    SendMessageBatchOutput,
    SendMessageBatchResultEntry,
    SendMessageEntry,
    SendMessageInput,
    SendMessageOutput,
    Shape,
)
from stanchion.broker.batch import Batch
from stanchion.broker.polls import Polls
from stanchion.broker.request import Outcome, Request, Tools
from stanchion.engine import batches, messages, receiving
from stanchion.errors import SQSError
from stanchion.model import MessageAttribute, NewMessage, Queue, QueueKey, SentMessage
from stanchion.store.base import Deletion, Received, ReceiveOrder, VisibilityChange
from stanchion.wire.checksums import md5_of_attributes, md5_of_body


class MessageVerbs:
    def __init__(self, tools: Tools, polls: Polls) -> None:
        self._tools = tools
        self._store = tools.store
        self._meters = tools.meters
        self._polls = polls

    # Send

    def send_message(self, request: Request) -> Outcome:
        sent: SendMessageInput = request.input
        key = request.queue_key()
        new: list[NewMessage] = []
        fifo = False

        def decide(queue: Queue) -> Sequence[NewMessage]:
            nonlocal fifo
            request.admit(queue)
            fifo = queue.settings.fifo
            new[:] = [self._new_message(queue, sent, request)]
            return new

        def translate(results: list[SentMessage]) -> Shape:
            self._count_sent(key, new[0], results[0])
            return SendMessageOutput(
                message_id=results[0].message_id,
                md5_of_message_body=new[0].body_md5,
                md5_of_message_attributes=_digest(new[0].attributes),
                md5_of_message_system_attributes=_system_digest(sent.message_system_attributes),
                sequence_number=ids.sequence_number(results[0].sequence) if fifo else None,
            )

        return Outcome(self._store.send(key, decide, request.now_ms), translate)

    def _count_sent(self, key: QueueKey, new: NewMessage, sent: SentMessage) -> None:
        if sent.duplicate:
            self._meters.deduplicated(key)
        else:
            self._meters.sent(key, new.size_bytes)

    def _new_message(
        self, queue: Queue, sent: MessageToSend, request: Request, entry: int | None = None
    ) -> NewMessage:
        return messages.new_message(
            queue,
            sent,
            message_id=self._tools.new_message_id(),
            body_md5=_body_digest(sent.message_body),
            sender_id=request.caller.sender_id,
            trace_header=request.context.trace_header,
            entry=entry,
        )

    def send_message_batch(self, request: Request) -> Outcome:
        asked: SendMessageBatchInput = request.input
        key = request.queue_key()
        batch = Batch[SendMessageEntry, NewMessage](asked.entries)
        fifo = False

        def decide(queue: Queue) -> Sequence[NewMessage]:
            nonlocal fifo
            request.admit(queue)
            fifo = queue.settings.fifo
            batches.check_batch(request.action.name, asked.entries)
            batches.check_send_batch(queue, batch.entries)
            return batch.prepare(lambda entry, place: self._new_message(queue, entry, request, place))

        def result(entry: SendMessageEntry, new: NewMessage, sent: SentMessage) -> SendMessageBatchResultEntry:
            self._count_sent(key, new, sent)
            return SendMessageBatchResultEntry(
                id=entry.id or "",
                message_id=sent.message_id,
                md5_of_message_body=new.body_md5,
                md5_of_message_attributes=_digest(new.attributes),
                md5_of_message_system_attributes=_system_digest(entry.message_system_attributes),
                sequence_number=ids.sequence_number(sent.sequence) if fifo else None,
            )

        def translate(results: list[SentMessage]) -> Shape:
            successful = [
                result(entry, new, sent) for (entry, new), sent in zip(batch.prepared, results, strict=True)
            ]
            return SendMessageBatchOutput(successful=successful or None, failed=batch.failed())

        return Outcome(self._store.send(key, decide, request.now_ms), translate)

    # Receive

    def receive_message(self, request: Request) -> Outcome:
        asked: ReceiveMessageInput = request.input

        def decide(queue: Queue) -> tuple[ReceiveOrder, int]:
            request.admit(queue)
            return receiving.receive_order(queue, asked, self._tools.rules.in_flight_limit)

        def translate(received: Received) -> Shape:
            self._meters.received(received.queue.key, len(received.deliveries))
            fifo = received.queue.settings.fifo
            handed_out = [
                receiving.received_message(fifo, delivery, asked, request.query, md5_of_attributes)
                for delivery in received.deliveries
            ]
            return ReceiveMessageOutput(messages=handed_out or None)

        return Outcome(self._polls.receive(request.queue_key(), decide, request.now_ms), translate)

    # Delete

    def delete_message(self, request: Request) -> Outcome:
        asked: DeleteMessageInput = request.input
        key = request.queue_key()

        def decide(queue: Queue) -> Sequence[Deletion]:
            request.admit(queue)
            return [self._deletion(queue, asked.receipt_handle)]

        def translate(refusals: list[SQSError | None]) -> None:
            _raise_refusal(refusals)
            self._meters.deleted(key, 1)

        return Outcome(self._store.delete(key, decide, request.now_ms), translate)

    def _deletion(self, queue: Queue, handle: str | None, parameter: str = "ReceiptHandle") -> Deletion:
        handle = receiving.check_handle(handle, parameter)
        return Deletion(ids.read_receipt_handle(self._store.receipt_key, handle, queue.id), handle)

    def delete_message_batch(self, request: Request) -> Outcome:
        asked: DeleteMessageBatchInput = request.input
        key = request.queue_key()
        batch = Batch[Any, Deletion](asked.entries)

        def decide(queue: Queue) -> Sequence[Deletion]:
            request.admit(queue)
            batches.check_batch(request.action.name, asked.entries)
            return batch.prepare(
                lambda entry, place: self._deletion(
                    queue, entry.receipt_handle, f"DeleteMessageBatchRequestEntry.{place}.ReceiptHandle"
                )
            )

        def translate(refusals: list[SQSError | None]) -> Shape:
            successful = batch.settle(refusals)
            if successful:
                self._meters.deleted(key, len(successful))
            return DeleteMessageBatchOutput(successful=successful, failed=batch.failed())

        return Outcome(self._store.delete(key, decide, request.now_ms), translate)

    # Change visibility

    def change_message_visibility(self, request: Request) -> Outcome:
        asked: ChangeMessageVisibilityInput = request.input

        def decide(queue: Queue) -> Sequence[VisibilityChange]:
            request.admit(queue)
            handle = receiving.check_handle(asked.receipt_handle)
            seconds = receiving.check_visibility_timeout(asked.visibility_timeout)
            receipt = ids.read_receipt_handle(self._store.receipt_key, handle, queue.id)
            return [VisibilityChange(receipt, handle, seconds)]

        return Outcome(self._store.change_visibility(request.queue_key(), decide, request.now_ms), _raise_refusal)

    def change_message_visibility_batch(self, request: Request) -> Outcome:
        asked: ChangeMessageVisibilityBatchInput = request.input
        batch = Batch[Any, VisibilityChange](asked.entries)

        def change(queue: Queue, entry: Any, place: int) -> VisibilityChange:
            parameter = f"ChangeMessageVisibilityBatchRequestEntry.{place}.ReceiptHandle"
            deletion = self._deletion(queue, entry.receipt_handle, parameter)
            seconds = receiving.check_visibility_timeout(entry.visibility_timeout, place)
            return VisibilityChange(deletion.receipt, deletion.handle, seconds)

        def decide(queue: Queue) -> Sequence[VisibilityChange]:
            request.admit(queue)
            batches.check_batch(request.action.name, asked.entries)
            return batch.prepare(lambda entry, place: change(queue, entry, place))

        def translate(refusals: list[SQSError | None]) -> Shape:
            successful = batch.settle(refusals)
            return ChangeMessageVisibilityBatchOutput(successful=successful, failed=batch.failed())

        return Outcome(self._store.change_visibility(request.queue_key(), decide, request.now_ms), translate)


def _raise_refusal(refusals: list[SQSError | None]) -> None:
    """The answer of the single forms: nothing, or the one error."""
    if refusals[0] is not None:
        raise refusals[0]


def _body_digest(body: str | None) -> str:
    try:
        return md5_of_body(body or "")
    except UnicodeEncodeError:  # a lone surrogate: the engine refuses such a body
        return ""


def _digest(attributes: dict[str, MessageAttribute] | None) -> str | None:
    return md5_of_attributes(attributes) if attributes else None


def _system_digest(sent: dict[str, MessageAttributeValue] | None) -> str | None:
    """Over the system attributes given as a parameter; they have passed the engine's checks."""
    if not sent:
        return None
    return md5_of_attributes(
        {name: MessageAttribute(value.data_type or "", value.string_value or "") for name, value in sent.items()}
    )
