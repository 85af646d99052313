"""A store on an event loop of its own, driven from plain code: one call, one result or one error."""

import asyncio
import itertools
import json
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from model.reference import Reference
from stanchion import ids
from stanchion.errors import SQSError
from stanchion.limits import IN_FLIGHT
from stanchion.model import (
    Counts,
    Delivery,
    Message,
    MessageAttribute,
    MoveTask,
    NewMessage,
    Queue,
    QueueKey,
    Reading,
    SentMessage,
    Tally,
)
from stanchion.store import open_store
from stanchion.store.base import (
    Deletion,
    MoveTaskDraft,
    QueueChange,
    QueueDraft,
    Received,
    ReceiveOrder,
    Store,
    VisibilityChange,
)

T = TypeVar("T")

ACCOUNT, REGION = "000000000000", "us-east-1"
START_MS = 1_700_000_000_000


def at(seconds: float) -> int:
    """The moment so many seconds after the start of a test."""
    return START_MS + round(seconds * 1000)


def key_of(name: str) -> QueueKey:
    return QueueKey(ACCOUNT, REGION, name)


def arn_of(name: str) -> str:
    return ids.queue_arn(key_of(name))


def admit(_queue: Queue) -> None:
    """The decision that lets everything pass."""


def redrive(target: str, max_receive_count: int) -> dict[str, str]:
    """The attribute that sends messages to a dead-letter queue."""
    policy = {"deadLetterTargetArn": arn_of(target), "maxReceiveCount": max_receive_count}
    return {"RedrivePolicy": json.dumps(policy, separators=(",", ":"))}


def bodies(received: Received | Sequence[Delivery]) -> list[str]:
    deliveries = received.deliveries if isinstance(received, Received) else received
    return [delivery.message.body for delivery in deliveries]


class Bench:
    """One store. ``kind`` is sqlite, memory or reference; the sqlite file lives in ``folder``."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.url = f"sqlite:{folder / 'stanchion.db'}" if kind == "sqlite" else kind
        self.told: list[tuple[QueueKey, int]] = []
        self._loop = asyncio.new_event_loop()  # not asyncio.Runner: it takes ten times as long for each call
        self._numbers = itertools.count(1)
        self.store = self._open()

    def _open(self) -> Store:
        async def opened() -> Store:
            if self.kind == "reference":
                return Reference()
            return open_store(self.url, durability="os")

        store = self._loop.run_until_complete(opened())
        store.on_available(lambda key, when_ms: self.told.append((key, when_ms)))
        return store

    def reopen(self) -> None:
        """Close the file and open it again; everything has to come from the disk."""
        self._loop.run_until_complete(self.store.close())
        self.store = self._open()

    def close(self) -> None:
        self._loop.run_until_complete(self.store.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def run(self, verb: Callable[[], Future[T]]) -> T:
        async def called() -> T:
            return await verb()

        return self._loop.run_until_complete(called())

    def together(self, *verbs: Callable[[], Future[object]]) -> list[object]:
        """Call several verbs in one turn of the loop; results and errors in their order."""

        async def called() -> list[object]:
            return await asyncio.gather(*[verb() for verb in verbs], return_exceptions=True)

        return self._loop.run_until_complete(called())

    def told_of(self, name: str) -> list[int]:
        """The moments a listener was told about this queue since the last look."""
        moments = [when_ms for key, when_ms in self.told if key == key_of(name)]
        self.told.clear()
        return moments

    # Queues

    def create(
        self, name: str, attributes: dict[str, str] | None = None, *, tags: dict[str, str] | None = None, now_ms: int
    ) -> Queue:
        given = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        draft = QueueDraft(given | (attributes or {}), tags or {})
        return self.run(lambda: self.store.create_queue(key_of(name), lambda _directory: draft, now_ms))

    def change(self, name: str, changes: dict[str, str | None], *, now_ms: int) -> Queue:
        """Set attributes; None unsets one."""

        def decide(queue: Queue, _directory: object) -> QueueChange:
            merged = queue.attributes | changes
            kept = {name: value for name, value in merged.items() if value is not None}
            return QueueChange(kept, queue.tags, modified=True)

        return self.run(lambda: self.store.change_queue(key_of(name), decide, now_ms))

    def find(self, name: str) -> Queue:
        return self.run(lambda: self.store.find_queue(key_of(name), admit))

    def drop(self, name: str, *, now_ms: int) -> None:
        self.run(lambda: self.store.delete_queue(key_of(name), admit, now_ms))

    def purge(self, name: str, *, now_ms: int) -> None:
        self.run(lambda: self.store.purge_queue(key_of(name), admit, now_ms))

    def counts(self, name: str, *, now_ms: int) -> Counts:
        return self.run(lambda: self.store.queue_status(key_of(name), admit, now_ms)).counts

    def list_names(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        queues = self.run(lambda: self.store.list_queues(ACCOUNT, REGION, prefix, after, limit))
        return [queue.key.name for queue in queues]

    def sources(self, name: str, after: str = "", limit: int = 1000) -> list[str]:
        queues = self.run(lambda: self.store.list_dead_letter_sources(key_of(name), admit, after, limit))
        return [queue.key.name for queue in queues]

    # Messages

    def new(
        self,
        body: str,
        *,
        group: str | None = None,
        dedup: str | None = None,
        delay: int = 0,
        attributes: dict[str, MessageAttribute] | None = None,
        trace_header: str | None = None,
    ) -> NewMessage:
        return NewMessage(
            message_id=ids.message_id(next(self._numbers).to_bytes(16, "big")),
            body=body,
            body_md5=f"md5 of {body[:20]}",
            sender_id="AIDASENDER",
            delay_seconds=delay,
            attributes=attributes,
            trace_header=trace_header,
            group_id=group,
            deduplication_id=dedup,
        )

    def send_all(self, name: str, messages: Sequence[NewMessage], *, now_ms: int) -> list[SentMessage]:
        return self.run(lambda: self.store.send(key_of(name), lambda _queue: messages, now_ms))

    def send(
        self,
        name: str,
        *texts: str,
        now_ms: int,
        group: str | None = None,
        dedup: str | None = None,
        delay: int | None = None,
    ) -> list[SentMessage]:
        """Messages with these bodies. On a FIFO queue: group "g" and an id of its own, unless given; its delay."""
        fifo = name.endswith(".fifo")

        def decide(queue: Queue) -> list[NewMessage]:
            own_delay = None if fifo else delay
            effective = queue.settings.delay_seconds if own_delay is None else own_delay
            return [
                self.new(
                    text,
                    group=(group or "g") if fifo else group,
                    dedup=(dedup or f"id of {next(self._numbers)}") if fifo else None,
                    delay=effective,
                )
                for text in texts
            ]

        return self.run(lambda: self.store.send(key_of(name), decide, now_ms))

    def receive(
        self,
        name: str,
        *,
        now_ms: int,
        maximum: int = 10,
        visibility: int = 30,
        limit: int = IN_FLIGHT,
        refuse: bool = False,
        attempt: str | None = None,
    ) -> Received:
        order = ReceiveOrder(maximum, visibility, limit, refuse, attempt)
        return self.run(lambda: self.store.receive(key_of(name), lambda _queue: order, now_ms))

    def receive_bodies(self, name: str, *, now_ms: int, maximum: int = 10, visibility: int = 30) -> list[str]:
        return bodies(self.receive(name, now_ms=now_ms, maximum=maximum, visibility=visibility))

    def receive_one(self, name: str, *, now_ms: int, visibility: int = 30) -> Delivery:
        (delivery,) = self.receive(name, now_ms=now_ms, maximum=1, visibility=visibility).deliveries
        return delivery

    def delete(self, name: str, *handles: str, now_ms: int) -> list[SQSError | None]:
        def decide(queue: Queue) -> list[Deletion]:
            return [
                Deletion(ids.read_receipt_handle(self.store.receipt_key, handle, queue.id), handle)
                for handle in handles
            ]

        return self.run(lambda: self.store.delete(key_of(name), decide, now_ms))

    def hide(self, name: str, *changes: tuple[str, int], now_ms: int) -> list[SQSError | None]:
        """Change the visibility: handle and seconds."""

        def decide(queue: Queue) -> list[VisibilityChange]:
            return [
                VisibilityChange(ids.read_receipt_handle(self.store.receipt_key, handle, queue.id), handle, seconds)
                for handle, seconds in changes
            ]

        return self.run(lambda: self.store.change_visibility(key_of(name), decide, now_ms))

    def peek(self, name: str, *, after: int = 0, limit: int = 10_000) -> list[Message]:
        return self.run(lambda: self.store.peek(key_of(name), admit, after, limit))

    # Metrics

    def record(self, minute: int, tallies: Mapping[str, Tally] | None = None, *, now_ms: int) -> int:
        """Record a minute of all queues. Answers how many steps that took."""
        by_key = {key_of(name): tally for name, tally in (tallies or {}).items()}
        after_id: int | None = 0
        steps = 0
        while after_id is not None:
            after_id = self.record_step(minute, by_key, after_id, now_ms=now_ms)
            steps += 1
        return steps

    def record_step(
        self, minute: int, tallies: Mapping[QueueKey, Tally], after_id: int, *, now_ms: int
    ) -> int | None:
        return self.run(lambda: self.store.record(minute, tallies, after_id, now_ms))

    def readings(self, name: str, first_minute: int, last_minute: int) -> Sequence[Reading]:
        found = self.run(lambda: self.store.readings([key_of(name)], first_minute, last_minute))
        return found[key_of(name)]

    # Move tasks and upkeep

    def start_task(
        self, task_id: str, source: str, destination: str | None = None, *, rate: int | None = None, now_ms: int
    ) -> MoveTask:
        draft = MoveTaskDraft(task_id, key_of(source), key_of(destination) if destination else None, rate)
        return self.run(lambda: self.store.start_move_task(key_of(source), lambda _directory: draft, now_ms))

    def tasks(self, source: str, limit: int = 10) -> Sequence[MoveTask]:
        return self.run(lambda: self.store.list_move_tasks(arn_of(source), limit))

    def cancel_task(self, task_id: str) -> MoveTask:
        return self.run(lambda: self.store.cancel_move_task(task_id, lambda _task: None))

    def tidy(self, *, now_ms: int) -> int:
        """Tidy until there is nothing more to do at this moment."""
        for _ in range(10_000):
            next_ms = self.run(lambda: self.store.tidy(now_ms))
            if next_ms > now_ms:
                return next_ms
        raise AssertionError("the store never finishes tidying")
