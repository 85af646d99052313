"""What a store must do, written as plainly as possible: the oracle that real stores are measured against.

Everything is a list that is searched from end to end. Nothing here is fast, nothing is clever, and nothing comes
from the engine or from a store: when this model and a store disagree, one of the two has misread the rules.
"""

import asyncio
import itertools
import json
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from stanchion import ids, limits
from stanchion.errors import InvalidParameterValue, OverLimit, QueueDoesNotExist, ServiceUnavailable, SQSError
from stanchion.model import (
    Counts,
    Delivery,
    Message,
    MoveTask,
    NewMessage,
    Queue,
    QueueKey,
    QueueSettings,
    Receipt,
    RedriveAllowPolicy,
    RedrivePolicy,
    SentMessage,
)
from stanchion.store.base import (
    Admission,
    Availability,
    BrowsePage,
    Deletion,
    Directory,
    MoveTaskDraft,
    Overview,
    QueueChange,
    QueueDraft,
    QueueStatus,
    QueueSummary,
    Received,
    ReceiveOrder,
    VisibilityChange,
)

T = TypeVar("T")

GONE = "Message does not exist or is not available for visibility timeout change."
TOO_LONG = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
EXPIRED = "The receipt handle has expired."


def settings_of(attributes: dict[str, str]) -> QueueSettings:
    """A queue's attributes read one by one."""
    redrive, allow = attributes.get("RedrivePolicy"), attributes.get("RedriveAllowPolicy")
    return QueueSettings(
        delay_seconds=int(attributes.get("DelaySeconds", 0)),
        maximum_message_size=int(attributes.get("MaximumMessageSize", 1_048_576)),
        message_retention_seconds=int(attributes.get("MessageRetentionPeriod", 345_600)),
        receive_wait_seconds=int(attributes.get("ReceiveMessageWaitTimeSeconds", 0)),
        visibility_timeout_seconds=int(attributes.get("VisibilityTimeout", 30)),
        fifo=attributes.get("FifoQueue") == "true",
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplication_per_group=attributes.get("DeduplicationScope") == "messageGroup",
        redrive_policy=redrive_policy_of(redrive) if redrive else None,
        redrive_allow_policy=redrive_allow_policy_of(allow) if allow else None,
    )


def redrive_policy_of(text: str) -> RedrivePolicy:
    policy = json.loads(text)
    return RedrivePolicy(policy["deadLetterTargetArn"], int(policy["maxReceiveCount"]))


def redrive_allow_policy_of(text: str) -> RedriveAllowPolicy:
    policy = json.loads(text)
    return RedriveAllowPolicy(policy["redrivePermission"], tuple(policy.get("sourceQueueArns", ())))


@dataclass(eq=False)
class Held:
    """A message in a queue. It is hidden before ``hidden_until_ms``.

    ``served_as`` numbers the last receive with timeout 0 that it headed its group in; hiding it clears that.
    """

    message: Message
    hidden_until_ms: int
    served_as: int = 0


@dataclass
class Remembered:
    """A deduplication id and what was first sent with it."""

    group_id: str | None
    deduplication_id: str
    sent_at_ms: int
    message_id: str
    sequence: int


@dataclass
class Attempt:
    """A receive with an attempt id: what was handed out, and how each message was left."""

    received_at_ms: int
    maximum: int
    visibility_seconds: int
    taken: list[tuple[Held, int, int]]  # message, receives, hidden until
    handles: list[str]


@dataclass
class HeldQueue:
    queue: Queue
    messages: list[Held] = field(default_factory=list)
    remembered: list[Remembered] = field(default_factory=list)
    attempts: dict[str, Attempt] = field(default_factory=dict)

    @property
    def fifo(self) -> bool:
        return self.queue.settings.fifo

    def live(self, now_ms: int) -> list[Held]:
        """The messages that are not past their retention, in send order."""
        retention_ms = self.queue.settings.message_retention_seconds * 1000
        kept = [held for held in self.messages if now_ms - held.message.sent_at_ms <= retention_ms]
        return sorted(kept, key=lambda held: held.message.sequence)

    def visible(self, now_ms: int) -> list[Held]:
        return [held for held in self.live(now_ms) if held.hidden_until_ms <= now_ms]

    def in_flight(self, now_ms: int) -> list[Held]:
        return [held for held in self.live(now_ms) if held.hidden_until_ms > now_ms and held.message.receives > 0]

    def delayed(self, now_ms: int) -> list[Held]:
        return [held for held in self.live(now_ms) if held.hidden_until_ms > now_ms and held.message.receives == 0]

    def counts(self, now_ms: int) -> Counts:
        return Counts(len(self.visible(now_ms)), len(self.in_flight(now_ms)), len(self.delayed(now_ms)))

    def with_sequence(self, sequence: int, now_ms: int) -> Held | None:
        for held in self.live(now_ms):
            if held.message.sequence == sequence:
                return held
        return None

    def next_due_ms(self, now_ms: int) -> int | None:
        return min(
            (held.hidden_until_ms for held in self.live(now_ms) if held.hidden_until_ms > now_ms), default=None
        )

    def noisy(self, group_id: str | None, taken: list[Held], now_ms: int) -> bool:
        """A tenant that holds at least 30 messages and more than a tenth of all in flight. No group: never.

        What the receive under way has taken counts as in flight, even with timeout 0.
        """
        if group_id is None:
            return False
        in_flight = [held for held in self.in_flight(now_ms) if held not in taken] + taken
        held_by_group = len([held for held in in_flight if held.message.group_id == group_id])
        return (
            held_by_group >= limits.NOISY_GROUP_MIN_IN_FLIGHT
            and held_by_group > len(in_flight) * limits.NOISY_GROUP_SHARE
        )


class Reference:
    """A store that forgets everything when the process ends, and is right until then."""

    def __init__(self) -> None:
        self.receipt_key = b"the reference model's own secret"
        self.queues: dict[QueueKey, HeldQueue] = {}
        self.deleted: dict[QueueKey, int] = {}
        self.tasks: list[MoveTask] = []
        self.closed = False
        self._listeners: list[Availability] = []
        self._sequences = itertools.count(1)
        self._queue_ids = itertools.count(1)
        self._entropy = itertools.count(1 << 64)  # apart from the ids that tests make up

    def on_available(self, listener: Availability) -> None:
        self._listeners.append(listener)

    def _answer(self, work: Callable[[], T]) -> Future[T]:
        """A future that is done: the model has no disk to wait for."""
        future: Future[T] = asyncio.get_running_loop().create_future()
        if self.closed:
            future.set_exception(ServiceUnavailable())
            return future
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        return future

    def _tell(self, key: QueueKey, when_ms: int) -> None:
        for listener in self._listeners:
            listener(key, when_ms)

    def _held(self, key: QueueKey) -> HeldQueue:
        if key not in self.queues:
            raise QueueDoesNotExist
        return self.queues[key]

    # The directory that decisions may ask

    def find(self, key: QueueKey) -> Queue | None:
        return self.queues[key].queue if key in self.queues else None

    def deleted_at_ms(self, key: QueueKey) -> int | None:
        return self.deleted.get(key)

    def is_dead_letter_queue(self, arn: str) -> bool:
        return any(self._target_arn(held.queue) == arn for held in self.queues.values())

    def active_move_tasks(self, account: str) -> Sequence[MoveTask]:
        return [task for task in self.tasks if task.account == account and task.status in ("RUNNING", "CANCELLING")]

    def _target_arn(self, queue: Queue) -> str | None:
        policy = queue.settings.redrive_policy
        return policy.dead_letter_target_arn if policy else None

    # Queues

    def create_queue(
        self, key: QueueKey, decide: Callable[[Directory], Queue | QueueDraft], now_ms: int
    ) -> Future[Queue]:
        def work() -> Queue:
            decided = decide(self)
            if isinstance(decided, Queue):
                return decided
            queue = Queue(
                id=next(self._queue_ids),
                key=key,
                generation=1,
                created_at_ms=now_ms,
                modified_at_ms=now_ms,
                purged_at_ms=None,
                attributes=decided.attributes,
                tags=decided.tags,
                settings=settings_of(decided.attributes),
                arn=ids.queue_arn(key),
            )
            self.queues[key] = HeldQueue(queue)
            self.deleted.pop(key, None)
            return queue

        return self._answer(work)

    def change_queue(
        self, key: QueueKey, decide: Callable[[Queue, Directory], QueueChange], now_ms: int
    ) -> Future[Queue]:
        def work() -> Queue:
            held_queue = self._held(key)
            change = decide(held_queue.queue, self)
            self._drop_expired(held_queue, now_ms)  # a longer retention does not bring back what is gone
            delayed = held_queue.delayed(now_ms)
            old = held_queue.queue
            held_queue.queue = replace(
                old,
                attributes=change.attributes,
                tags=change.tags,
                settings=settings_of(change.attributes),
                modified_at_ms=now_ms if change.modified else old.modified_at_ms,
            )
            if held_queue.fifo and held_queue.queue.settings.delay_seconds != old.settings.delay_seconds:
                self._delay_again(held_queue, delayed)
            self._tell(key, now_ms)
            return held_queue.queue

        return self._answer(work)

    def _delay_again(self, held_queue: HeldQueue, delayed: list[Held]) -> None:
        """A FIFO queue's delay is retroactive: delayed messages get the new one, counted from their send."""
        for held in delayed:
            held.hidden_until_ms = held.message.sent_at_ms + held_queue.queue.settings.delay_seconds * 1000
            self._tell(held_queue.queue.key, held.hidden_until_ms)

    def delete_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Future[None]:
        def work() -> None:
            admit(self._held(key).queue)
            del self.queues[key]
            self.deleted[key] = now_ms

        return self._answer(work)

    def purge_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Future[None]:
        def work() -> None:
            held_queue = self._held(key)
            admit(held_queue.queue)
            generation = held_queue.queue.generation + 1
            held_queue.queue = replace(held_queue.queue, generation=generation, purged_at_ms=now_ms)
            held_queue.messages.clear()
            held_queue.remembered.clear()
            held_queue.attempts.clear()

        return self._answer(work)

    def find_queue(self, key: QueueKey, admit: Admission) -> Future[Queue]:
        def work() -> Queue:
            queue = self._held(key).queue
            admit(queue)
            return queue

        return self._answer(work)

    def queue_status(self, key: QueueKey, admit: Admission, now_ms: int) -> Future[QueueStatus]:
        def work() -> QueueStatus:
            held_queue = self._held(key)
            admit(held_queue.queue)
            return QueueStatus(held_queue.queue, held_queue.counts(now_ms))

        return self._answer(work)

    def list_queues(self, account: str, region: str, prefix: str, after: str, limit: int) -> Future[Sequence[Queue]]:
        def work() -> Sequence[Queue]:
            keys = [
                key
                for key in self.queues
                if (key.account, key.region) == (account, region) and key.name.startswith(prefix) and key.name > after
            ]
            return [self.queues[key].queue for key in sorted(keys)[:limit]]

        return self._answer(work)

    def overview(
        self,
        account: str,
        region: str,
        search: str,
        sort: str,
        descending: bool,
        offset: int,
        limit: int,
        now_ms: int,
    ) -> Future[Overview]:
        def summary(held_queue: HeldQueue) -> QueueSummary:
            sent = [held.message.sent_at_ms for held in held_queue.live(now_ms)]
            return QueueSummary(held_queue.queue, held_queue.counts(now_ms), min(sent, default=None))

        orders: dict[str, Callable[[QueueSummary], object]] = {
            "name": lambda each: each.queue.key.name,
            "type": lambda each: each.queue.settings.fifo,
            "created": lambda each: each.queue.created_at_ms,
            "modified": lambda each: each.queue.modified_at_ms,
            "available": lambda each: each.counts.visible,
            "in_flight": lambda each: each.counts.in_flight,
            "delayed": lambda each: each.counts.delayed,
            "oldest": lambda each: (each.oldest_sent_at_ms is None, each.oldest_sent_at_ms),
            "encryption": lambda each: _encryption(each.queue.attributes),
            "content_based_deduplication": lambda each: (
                each.queue.settings.fifo,
                each.queue.settings.fifo and each.queue.settings.content_based_deduplication,
            ),
            "dead_letter_queue": lambda each: each.queue.settings.redrive_policy is not None,
            "visibility_timeout": lambda each: each.queue.settings.visibility_timeout_seconds,
            "retention": lambda each: each.queue.settings.message_retention_seconds,
            "maximum_size": lambda each: each.queue.settings.maximum_message_size,
            "delay": lambda each: each.queue.settings.delay_seconds,
            "receive_wait": lambda each: each.queue.settings.receive_wait_seconds,
        }

        def work() -> Overview:
            found = [
                summary(held_queue)
                for key, held_queue in sorted(self.queues.items())
                if (key.account, key.region) == (account, region) and search.lower() in key.name.lower()
            ]
            found.sort(key=orders[sort], reverse=descending)  # type: ignore[arg-type]
            return Overview(len(found), found[offset : offset + limit])

        return self._answer(work)

    def list_dead_letter_sources(
        self, key: QueueKey, admit: Admission, after: str, limit: int
    ) -> Future[Sequence[Queue]]:
        def work() -> Sequence[Queue]:
            target = self._held(key).queue
            admit(target)
            sources = [
                held.queue
                for held in self.queues.values()
                if self._target_arn(held.queue) == target.arn and held.queue.key.name > after
            ]
            return sorted(sources, key=lambda queue: queue.key.name)[:limit]

        return self._answer(work)

    # Sending

    def send(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[NewMessage]], now_ms: int
    ) -> Future[list[SentMessage]]:
        def work() -> list[SentMessage]:
            held_queue = self._held(key)
            return [self._send_one(held_queue, new, now_ms) for new in decide(held_queue.queue)]

        return self._answer(work)

    def _send_one(self, held_queue: HeldQueue, new: NewMessage, now_ms: int) -> SentMessage:
        original = self._original_of(held_queue, new, now_ms)
        if original is not None:
            return SentMessage(original.message_id, original.sequence, duplicate=True)
        message = Message(
            message_id=new.message_id,
            sequence=next(self._sequences),
            sent_at_ms=now_ms,
            body=new.body,
            body_md5=new.body_md5,
            sender_id=new.sender_id,
            attributes=new.attributes,
            trace_header=new.trace_header,
            group_id=new.group_id,
            deduplication_id=new.deduplication_id,
        )
        if held_queue.fifo and new.deduplication_id is not None:
            held_queue.remembered.append(
                Remembered(new.group_id, new.deduplication_id, now_ms, message.message_id, message.sequence)
            )
        self._put(held_queue, Held(message, now_ms + new.delay_seconds * 1000))
        return SentMessage(message.message_id, message.sequence)

    def _original_of(self, held_queue: HeldQueue, new: NewMessage, now_ms: int) -> Remembered | None:
        """What was sent with the same deduplication id in the last five minutes, counted from the first send."""
        if not held_queue.fifo:
            return None
        for remembered in held_queue.remembered:
            recent = now_ms - remembered.sent_at_ms < limits.DEDUPLICATION_MS
            same_id = remembered.deduplication_id == new.deduplication_id
            same_group = remembered.group_id == new.group_id
            if recent and same_id and (same_group or not held_queue.queue.settings.deduplication_per_group):
                return remembered
        return None

    def _put(self, held_queue: HeldQueue, held: Held) -> None:
        held_queue.messages.append(held)
        self._tell(held_queue.queue.key, held.hidden_until_ms)

    # Receiving

    def receive(self, key: QueueKey, decide: Callable[[Queue], ReceiveOrder], now_ms: int) -> Future[Received]:
        def work() -> Received:
            held_queue = self._held(key)
            order = decide(held_queue.queue)
            deliveries = self._replay(held_queue, order, now_ms)
            if deliveries is None:
                deliveries = self._receive_anew(held_queue, order, now_ms)
            return Received(held_queue.queue, deliveries, held_queue.next_due_ms(now_ms))

        return self._answer(work)

    def _replay(self, held_queue: HeldQueue, order: ReceiveOrder, now_ms: int) -> list[Delivery] | None:
        """The messages of an earlier receive with the same attempt id, as long as nothing happened to them."""
        attempt = held_queue.attempts.get(order.attempt_id) if held_queue.fifo and order.attempt_id else None
        if attempt is None or now_ms - attempt.received_at_ms >= limits.RECEIVE_ATTEMPT_MS:
            return None
        if (attempt.maximum, attempt.visibility_seconds) != (order.maximum, order.visibility_seconds):
            return None
        live = held_queue.live(now_ms)
        for held, receives, hidden_until_ms in attempt.taken:
            untouched = (held.message.receives, held.hidden_until_ms) == (receives, hidden_until_ms)
            if held not in live or not untouched or hidden_until_ms <= now_ms:
                return None
        hidden_until_ms = now_ms + order.visibility_seconds * 1000
        for held, _, _ in attempt.taken:
            held.hidden_until_ms = hidden_until_ms
        attempt.taken = [(held, receives, hidden_until_ms) for held, receives, _ in attempt.taken]
        taken = [held.message for held, _, _ in attempt.taken]
        return [Delivery(message, handle) for message, handle in zip(taken, attempt.handles, strict=True)]

    def _receive_anew(self, held_queue: HeldQueue, order: ReceiveOrder, now_ms: int) -> list[Delivery]:
        room = order.in_flight_limit - len(held_queue.in_flight(now_ms))
        if room <= 0 and order.refuse_over_limit and not held_queue.fifo:
            raise OverLimit(f"Too many messages in flight for queue {held_queue.queue.key.name}")
        taken = self._take(held_queue, min(order.maximum, room), order.visibility_seconds, now_ms)
        handles = [self._handle(held_queue, held, now_ms) for held in taken]
        if held_queue.fifo and order.attempt_id and taken and order.visibility_seconds:
            held_queue.attempts[order.attempt_id] = Attempt(
                now_ms,
                order.maximum,
                order.visibility_seconds,
                [(held, held.message.receives, held.hidden_until_ms) for held in taken],
                handles,
            )
        return [Delivery(held.message, handle) for held, handle in zip(taken, handles, strict=True)]

    def _take(self, held_queue: HeldQueue, maximum: int, visibility_seconds: int, now_ms: int) -> list[Held]:
        taken: list[Held] = []
        group_id: str | None = None
        while len(taken) < maximum:
            if held_queue.fifo:
                candidate = self._next_in_order_of_groups(held_queue, group_id, taken, now_ms)
            else:
                candidate = self._next_oldest(held_queue, taken, now_ms)
            if candidate is None:
                break
            group_id = candidate.message.group_id
            if not self._dead_letter(held_queue, candidate, now_ms):
                self._deliver(candidate, visibility_seconds, now_ms)
                taken.append(candidate)
        for held in taken:
            self._tell(held_queue.queue.key, held.hidden_until_ms)
        if held_queue.fifo and visibility_seconds == 0:
            self._send_to_the_back(held_queue, taken, now_ms)
        return taken

    def _send_to_the_back(self, held_queue: HeldQueue, served: list[Held], now_ms: int) -> None:
        """Served with timeout 0, the groups are visible again, and go behind the groups that wait."""
        heads = self._heads(held_queue, [], now_ms)
        for held in served:
            if held in heads:
                held.served_as = next(self._sequences)

    def _next_oldest(self, held_queue: HeldQueue, taken: list[Held], now_ms: int) -> Held | None:
        """A standard queue's next: the oldest visible message of a quiet tenant, else of a noisy one.

        A message is returned once in one receive, even if it is visible again at once.
        """
        visible = [held for held in held_queue.visible(now_ms) if held not in taken]
        groups = {held.message.group_id for held in visible}
        noisy = [group_id for group_id in groups if held_queue.noisy(group_id, taken, now_ms)]
        quiet = [held for held in visible if held.message.group_id not in noisy]
        for held in quiet + visible:
            return held
        return None

    def _next_in_order_of_groups(
        self, held_queue: HeldQueue, group_id: str | None, taken: list[Held], now_ms: int
    ) -> Held | None:
        """A FIFO queue's next: of the group being read as long as it has one, else of the group first in line."""
        available = self._heads(held_queue, taken, now_ms)
        for held in available:
            if held.message.group_id == group_id:
                return held
        for held in available:
            return held
        return None

    def _heads(self, held_queue: HeldQueue, taken: list[Held], now_ms: int) -> list[Held]:
        """The first message of each group, apart from those taken, if it is visible; that is all a FIFO queue
        can go on with. The oldest first, but groups that were served with timeout 0 after all others."""
        heads: dict[str | None, Held] = {}
        for held in held_queue.live(now_ms):
            if held not in taken and held.message.group_id not in heads:
                heads[held.message.group_id] = held
        available = [held for held in heads.values() if held.hidden_until_ms <= now_ms]
        return sorted(available, key=lambda held: held.served_as or held.message.sequence)

    def _deliver(self, held: Held, visibility_seconds: int, now_ms: int) -> None:
        first = held.message.first_received_at_ms
        held.message = replace(
            held.message,
            receives=held.message.receives + 1,
            first_received_at_ms=now_ms if first is None else first,
        )
        self._hide(held, now_ms + visibility_seconds * 1000)

    def _hide(self, held: Held, until_ms: int) -> None:
        held.hidden_until_ms = until_ms
        held.served_as = 0

    def _handle(self, held_queue: HeldQueue, held: Held, now_ms: int) -> str:
        receipt = Receipt(held_queue.queue.id, held.message.sequence, held.message.receives, now_ms)
        return ids.receipt_handle(self.receipt_key, receipt)

    def _dead_letter(self, held_queue: HeldQueue, held: Held, now_ms: int) -> bool:
        """Move a message that was received too often to the dead-letter queue, if there is one.

        A queue that names itself keeps its messages and delivers them: they would move to and fro without end.
        """
        policy = held_queue.queue.settings.redrive_policy
        if policy is None or held.message.receives < policy.max_receive_count:
            return False
        target_key = ids.read_queue_arn(policy.dead_letter_target_arn)
        if target_key not in self.queues or target_key == held_queue.queue.key:
            return False
        target = self.queues[target_key]
        held_queue.messages.remove(held)
        held.message = replace(held.message, dead_letter_source_arn=held_queue.queue.arn)
        if target.fifo:
            held.message = replace(held.message, sequence=next(self._sequences), sent_at_ms=now_ms)
        self._hide(held, now_ms)
        self._put(target, held)
        self._tell(held_queue.queue.key, now_ms)
        return True

    # Receipts

    def delete(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[Deletion]], now_ms: int
    ) -> Future[list[SQSError | None]]:
        def work() -> list[SQSError | None]:
            held_queue = self._held(key)
            return [self._delete_one(held_queue, deletion, now_ms) for deletion in decide(held_queue.queue)]

        return self._answer(work)

    def _delete_one(self, held_queue: HeldQueue, deletion: Deletion, now_ms: int) -> SQSError | None:
        held = held_queue.with_sequence(deletion.receipt.sequence, now_ms)
        if held is None:
            return None
        if held_queue.fifo and not self._current(held, deletion.receipt, now_ms):
            return InvalidParameterValue.of(deletion.handle, "ReceiptHandle", EXPIRED)
        held_queue.messages.remove(held)
        self._tell(held_queue.queue.key, now_ms)
        return None

    def _current(self, held: Held, receipt: Receipt, now_ms: int) -> bool:
        return held.hidden_until_ms > now_ms and held.message.receives == receipt.receives

    def change_visibility(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[VisibilityChange]], now_ms: int
    ) -> Future[list[SQSError | None]]:
        def work() -> list[SQSError | None]:
            held_queue = self._held(key)
            return [self._change_one(held_queue, change, now_ms) for change in decide(held_queue.queue)]

        return self._answer(work)

    def _change_one(self, held_queue: HeldQueue, change: VisibilityChange, now_ms: int) -> SQSError | None:
        held = held_queue.with_sequence(change.receipt.sequence, now_ms)
        if held is None or (held_queue.fifo and not self._current(held, change.receipt, now_ms)):
            return InvalidParameterValue.of(change.handle, "ReceiptHandle", GONE)
        # Twelve hours counted from the receive, however often the timeout is changed. Giving back is always right.
        total_ms = now_ms - change.receipt.received_at_ms + change.seconds * 1000
        if change.seconds and total_ms > limits.VISIBILITY_SECONDS * 1000:
            return InvalidParameterValue.of(change.seconds, "VisibilityTimeout", TOO_LONG)
        self._hide(held, now_ms + change.seconds * 1000)
        self._tell(held_queue.queue.key, held.hidden_until_ms)
        return None

    def peek(self, key: QueueKey, admit: Admission, after_sequence: int, limit: int) -> Future[list[Message]]:
        def work() -> list[Message]:
            held_queue = self._held(key)
            admit(held_queue.queue)
            after = [held for held in held_queue.messages if held.message.sequence > after_sequence]
            after.sort(key=lambda held: held.message.sequence)
            return [replace(held.message, due_at_ms=held.hidden_until_ms) for held in after[:limit]]

        return self._answer(work)

    def fullest(self, limit: int) -> Future[tuple[int, Sequence[QueueKey]]]:
        def work() -> tuple[int, Sequence[QueueKey]]:
            held = sorted(self.queues.values(), key=lambda each: (-len(each.messages), each.queue.id))
            return len(held), [each.queue.key for each in held[:limit]]

        return self._answer(work)

    def browse(
        self,
        key: QueueKey,
        admit: Admission,
        wanted: Callable[[Message], bool],
        after_sequence: int,
        limit: int,
        now_ms: int,
    ) -> Future[BrowsePage]:
        """The model looks at a thousand messages a call."""

        def work() -> BrowsePage:
            held_queue = self._held(key)
            admit(held_queue.queue)
            after = [held for held in held_queue.live(now_ms) if held.message.sequence > after_sequence]
            after.sort(key=lambda held: held.message.sequence)
            found: list[Message] = []
            for looked_at, held in enumerate(after, 1):
                message = replace(held.message, due_at_ms=held.hidden_until_ms)
                if wanted(message):
                    found.append(message)
                if len(found) == limit or looked_at == 1_000:
                    return BrowsePage(found, message.sequence, looked_at)
            return BrowsePage(found, None, len(after))

        return self._answer(work)

    # Move tasks

    def start_move_task(
        self, source: QueueKey, decide: Callable[[Directory], MoveTaskDraft], now_ms: int
    ) -> Future[MoveTask]:
        def work() -> MoveTask:
            draft = decide(self)
            held_queue = self._held(source)
            task = MoveTask(
                id=draft.id,
                account=source.account,
                source_arn=held_queue.queue.arn,
                destination_arn=ids.queue_arn(draft.destination) if draft.destination else None,
                max_per_second=draft.max_per_second,
                status="RUNNING",
                moved=0,
                to_move=len(held_queue.visible(now_ms)),
                started_at_ms=now_ms,
            )
            self.tasks.append(task)
            return task

        return self._answer(work)

    def list_move_tasks(self, source_arn: str, limit: int) -> Future[Sequence[MoveTask]]:
        def work() -> Sequence[MoveTask]:
            newest_first = [task for task in reversed(self.tasks) if task.source_arn == source_arn]
            return newest_first[:limit]

        return self._answer(work)

    def cancel_move_task(self, task_id: str, decide: Callable[[MoveTask | None], None]) -> Future[MoveTask]:
        def work() -> MoveTask:
            known = [task for task in self.tasks if task.id == task_id]
            task = known[0] if known else None
            decide(task)
            assert task is not None, "the decision let an unknown task pass"
            return self._update(task, status="CANCELLING")

        return self._answer(work)

    def send_back(
        self, key: QueueKey, admit: Admission, sequences: Sequence[int], admit_target: Admission, now_ms: int
    ) -> Future[int]:
        def work() -> int:
            source = self._held(key)
            admit(source.queue)
            plan = []
            for held in source.visible(now_ms):
                origin = ids.read_queue_arn(held.message.dead_letter_source_arn or "")
                if held.message.sequence in sequences and origin in self.queues and origin != key:
                    plan.append((held, self.queues[origin]))
            for _, target in plan:
                admit_target(target.queue)
            for held, target in sorted(plan, key=lambda each: sequences.index(each[0].message.sequence)):
                source.messages.remove(held)
                self._put(target, self._as_new(held, now_ms))
            return len(plan)

        return self._answer(work)

    def _update(self, task: MoveTask, **changes: object) -> MoveTask:
        changed = replace(task, **changes)
        self.tasks[self.tasks.index(task)] = changed
        return changed

    def _go_on_with(self, task: MoveTask, now_ms: int) -> None:
        if task.status == "CANCELLING":
            task = self._update(task, status="CANCELLED")
        elif now_ms - task.started_at_ms > limits.MOVE_TASK_HOURS * 3_600_000 and task.status == "RUNNING":
            task = self._update(task, status="FAILED", failure_reason="TaskTimedOut")
        while task.status == "RUNNING" and self._may_move_one(task, now_ms):
            task = self._move_one(task, now_ms)

    def _may_move_one(self, task: MoveTask, now_ms: int) -> bool:
        """The first at once, then one every 1/n seconds. The end of the task is noticed at once."""
        if task.max_per_second is None or task.moved >= task.to_move:
            return True
        return task.moved * 1000 <= (now_ms - task.started_at_ms) * task.max_per_second

    def _move_one(self, task: MoveTask, now_ms: int) -> MoveTask:
        source_key = ids.read_queue_arn(task.source_arn)
        source = self.queues.get(source_key) if source_key else None
        if source is None:
            return self._update(task, status="FAILED", failure_reason=QueueDoesNotExist.code)
        movable = self._heads(source, [], now_ms) if source.fifo else source.visible(now_ms)
        if not movable or task.moved >= task.to_move:
            return self._update(task, status="COMPLETED")
        held = movable[0]
        destination_arn = task.destination_arn or held.message.dead_letter_source_arn
        if destination_arn is None:
            return self._update(task, status="FAILED", failure_reason="CouldNotDetermineMessageSource")
        destination_key = ids.read_queue_arn(destination_arn)
        if destination_key not in self.queues:
            return self._update(task, status="FAILED", failure_reason=QueueDoesNotExist.code)
        source.messages.remove(held)
        self._put(self.queues[destination_key], self._as_new(held, now_ms))
        self._tell(source.queue.key, now_ms)
        return self._update(task, moved=task.moved + 1)

    def _as_new(self, held: Held, now_ms: int) -> Held:
        entropy = next(self._entropy).to_bytes(16, "big")
        message = replace(
            held.message,
            message_id=ids.message_id(entropy),
            sequence=next(self._sequences),
            sent_at_ms=now_ms,
            receives=0,
            first_received_at_ms=None,
            dead_letter_source_arn=None,
        )
        return Held(message, now_ms)

    # Upkeep

    def tidy(self, now_ms: int) -> Future[int]:
        def work() -> int:
            for task in list(self.tasks):
                self._go_on_with(task, now_ms)
            for held_queue in self.queues.values():
                self._drop_expired(held_queue, now_ms)
            return min(self._moments_to_come(now_ms), default=now_ms + 60_000)

        return self._answer(work)

    def _drop_expired(self, held_queue: HeldQueue, now_ms: int) -> None:
        live = held_queue.live(now_ms)
        if len(live) < len(held_queue.messages):
            held_queue.messages = live
            self._tell(held_queue.queue.key, now_ms)

    def _moments_to_come(self, now_ms: int) -> list[int]:
        moments = [now_ms + 1 for task in self.tasks if task.status in ("RUNNING", "CANCELLING")]
        for held_queue in self.queues.values():
            retention_ms = held_queue.queue.settings.message_retention_seconds * 1000
            for held in held_queue.live(now_ms):
                moments.append(held.message.sent_at_ms + retention_ms + 1)
                if held.hidden_until_ms > now_ms:
                    moments.append(held.hidden_until_ms)
        return moments

    async def close(self) -> None:
        self.closed = True


def _encryption(attributes: Mapping[str, str]) -> str:
    """In the order of the words: Disabled, SSE-KMS, SSE-SQS."""
    if "KmsMasterKeyId" in attributes:
        return "SSE-KMS"
    return "Disabled" if attributes.get("SqsManagedSseEnabled") == "false" else "SSE-SQS"
