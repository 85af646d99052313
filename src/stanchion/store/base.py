"""The store seam: the verbs that every backend offers, and what they promise.

The store *finds* and *saves*; the engine *decides*. A verb takes the key of a queue and a decision, a pure
function that the store calls inside the transaction with the queue as it is at that moment. A decision returns
what to do or raises the SQSError that the client gets; then nothing of the verb is stored.

Every verb returns a promise. When it has a result, what the result says is on disk (as far as the configured
durability goes). When it has an exception, the verb left no trace: an SQSError from the decision, QueueDoesNotExist
when the key names no queue, ServiceUnavailable when the store could not commit.

Verbs that arrive close together may share one commit; each is atomic by itself. All take ``now_ms``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from stanchion.errors import SQSError
from stanchion.histogram import Histogram
from stanchion.model import (
    Counts,
    Delivery,
    Message,
    MoveTask,
    NewMessage,
    Queue,
    QueueKey,
    Reading,
    Receipt,
    SentMessage,
    ServerReading,
    Tally,
)
from stanchion.promise import Promise


class StoreUnusable(Exception):
    """The store cannot be opened: damaged, from a newer version, in use, or not permitted. Text for the operator."""


class Directory(Protocol):
    """What a decision may ask about other queues, within the same transaction."""

    def find(self, key: QueueKey) -> Queue | None: ...

    def deleted_at_ms(self, key: QueueKey) -> int | None:
        """When a queue of this name was last deleted, if that may still matter."""
        ...

    def is_dead_letter_queue(self, arn: str) -> bool:
        """Whether some queue's RedrivePolicy names this ARN."""
        ...

    def active_move_tasks(self, account: str) -> Sequence[MoveTask]:
        """The account's tasks that are RUNNING or CANCELLING."""
        ...


class QueueDraft(NamedTuple):
    """A queue to be created: canonical attributes and tags."""

    attributes: dict[str, str]
    tags: dict[str, str]


class QueueChange(NamedTuple):
    """What becomes of a queue. ``modified`` says whether LastModifiedTimestamp moves (tags do not move it)."""

    attributes: dict[str, str]
    tags: dict[str, str]
    modified: bool


class ReceiveOrder(msgspec.Struct, frozen=True, gc=False):
    """What one ReceiveMessage wants. ``refuse_over_limit``: a short poll on a standard queue gets OverLimit
    when ``in_flight_limit`` messages are in flight; otherwise it gets nothing."""

    maximum: int
    visibility_seconds: int
    in_flight_limit: int
    refuse_over_limit: bool
    attempt_id: str | None = None


class Received(msgspec.Struct, frozen=True):
    """``next_due_ms`` is when the next hidden message of the queue becomes visible (None: there is none).
    ``more`` says that the store stopped early to keep its step small: ask again at once.
    ``waited``: set by whoever let a receive wait for messages, never by a store."""

    queue: Queue
    deliveries: list[Delivery]
    next_due_ms: int | None = None
    more: bool = False
    waited: bool = False


class VisibilityChange(msgspec.Struct, frozen=True):
    """A receipt, its text (errors quote it), and the new timeout."""

    receipt: Receipt
    handle: str
    seconds: int


class Deletion(msgspec.Struct, frozen=True):
    receipt: Receipt
    handle: str


class MoveTaskDraft(NamedTuple):
    """A move task to be started. ``to_move`` is the store's to count."""

    id: str
    source: QueueKey
    destination: QueueKey | None
    max_per_second: int | None


class QueueStatus(NamedTuple):
    queue: Queue
    counts: Counts


class Vitals(NamedTuple):
    """How a store is doing. Histograms are the store's own and go on growing: copy them to keep them.

    ``commit_seconds`` has every commit that the disk had to be waited for, ``batch_operations`` how many operations
    each made durable. ``store_bytes`` is all that the store takes; ``free_bytes`` what its disk still has, None for
    a store without one.
    """

    commit_seconds: Histogram
    batch_operations: Histogram
    store_bytes: int
    free_bytes: int | None


class QueueSummary(NamedTuple):
    """A queue in a list. ``oldest_sent_at_ms``: when its oldest message was sent, None when it is empty."""

    queue: Queue
    counts: Counts
    oldest_sent_at_ms: int | None


class Overview(NamedTuple):
    """A page of queues; ``total`` counts all that match the search."""

    total: int
    summaries: Sequence[QueueSummary]


OVERVIEW_ORDERS = (
    *("name", "type", "created", "modified", "available", "in_flight", "delayed", "oldest"),
    *("encryption", "content_based_deduplication", "dead_letter_queue"),
    *("visibility_timeout", "retention", "maximum_size", "delay", "receive_wait"),
)
"""What an overview can be sorted by. Equals are in the order of their names."""


class BrowseFilter(msgspec.Struct, frozen=True):
    """Which messages to show. Empty members let everything through.

    ``text`` is looked for in the body, whatever its case; ``state`` is visible, in_flight or delayed; ``group`` is a
    whole MessageGroupId; ``attribute`` is the name of a message attribute, or ``name=value``.
    """

    text: str = ""
    state: str = ""
    group: str = ""
    attribute: str = ""


class BrowsePage(NamedTuple):
    """``next_sequence``: what to go on after, None at the end of the queue. ``looked_at``: messages passed."""

    messages: Sequence[Message]
    next_sequence: int | None
    looked_at: int


METRICS_DAYS = 14
"""How long readings are kept."""

MOST_READINGS = 2_000
"""Pairs of minute and queue that one call may ask for: some three milliseconds of work."""

Admission = Callable[[Queue], None]
"""A decision that only refuses: raises, or lets the verb go on."""

Availability = Callable[[QueueKey, int], None]
"""Told after a commit: messages of a queue may be deliverable from a moment (ms) on."""


class Store(Protocol):
    """Durable queues."""

    receipt_key: bytes
    """The secret that receipt handles are sealed with; as old as the store."""

    def on_available(self, listener: Availability) -> None:
        """Whom to tell of messages that can be delivered: sends, ended delays to come, returns, freed groups."""
        ...

    @property
    def waiting(self) -> int:
        """Verbs that were called and are not yet part of a commit."""
        ...

    def vitals(self) -> Vitals:
        """Looks at the disk, but not at the store's content: some microseconds."""
        ...

    # Queues

    def create_queue(
        self, key: QueueKey, decide: Callable[[Directory], Queue | QueueDraft], now_ms: int
    ) -> Promise[Queue]: ...

    def change_queue(
        self, key: QueueKey, decide: Callable[[Queue, Directory], QueueChange], now_ms: int
    ) -> Promise[Queue]: ...

    def delete_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]: ...

    def purge_queue(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[None]: ...

    def find_queue(self, key: QueueKey, admit: Admission) -> Promise[Queue]: ...

    def queue_status(self, key: QueueKey, admit: Admission, now_ms: int) -> Promise[QueueStatus]:
        """The queue and its exact counts at ``now_ms``."""
        ...

    def list_queues(self, account: str, region: str, prefix: str, after: str, limit: int) -> Promise[Sequence[Queue]]:
        """Queues whose name starts with ``prefix`` and is greater than ``after``, by name."""
        ...

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
    ) -> Promise[Overview]:
        """Queues whose name contains ``search`` (whatever its case), sorted by one of OVERVIEW_ORDERS. When many
        delays, timeouts or retentions ended in the last second, upkeep may not have come to all of them: then counts
        lag, and so may a queue's place."""
        ...

    def list_dead_letter_sources(
        self, key: QueueKey, admit: Admission, after: str, limit: int
    ) -> Promise[Sequence[Queue]]: ...

    # Messages

    def send(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[NewMessage]], now_ms: int
    ) -> Promise[list[SentMessage]]:
        """Store the messages in order; one result each. Duplicates (FIFO) are not stored again."""
        ...

    def receive(self, key: QueueKey, decide: Callable[[Queue], ReceiveOrder], now_ms: int) -> Promise[Received]: ...

    def delete(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[Deletion]], now_ms: int
    ) -> Promise[list[SQSError | None]]:
        """One result each: None for done (or already gone), else why not."""
        ...

    def change_visibility(
        self, key: QueueKey, decide: Callable[[Queue], Sequence[VisibilityChange]], now_ms: int
    ) -> Promise[list[SQSError | None]]: ...

    def peek(self, key: QueueKey, admit: Admission, after_sequence: int, limit: int) -> Promise[list[Message]]:
        """Messages in send order, whatever their state, with nothing changed by looking."""
        ...

    def fullest(self, limit: int) -> Promise[tuple[int, Sequence[QueueKey]]]:
        """How many queues there are in all, and those of any account and region that hold the most messages."""
        ...

    def browse(
        self,
        key: QueueKey,
        admit: Admission,
        wanted: Callable[[Message], bool],
        after_sequence: int,
        limit: int,
        now_ms: int,
    ) -> Promise[BrowsePage]:
        """``peek`` for messages that are ``wanted``. It looks at a bounded number of them, so a page may be short,
        or empty, though there is more. Messages past their retention are left out."""
        ...

    # Move tasks

    def start_move_task(
        self, source: QueueKey, decide: Callable[[Directory], MoveTaskDraft], now_ms: int
    ) -> Promise[MoveTask]: ...

    def list_move_tasks(self, source_arn: str, limit: int) -> Promise[Sequence[MoveTask]]:
        """Newest first."""
        ...

    def cancel_move_task(self, task_id: str, decide: Callable[[MoveTask | None], None]) -> Promise[MoveTask]:
        """RUNNING becomes CANCELLING; ``decide`` raises when that must not be."""
        ...

    # Metrics

    def record(
        self, minute: int, tallies: Mapping[QueueKey, Tally], after_id: int, now_ms: int
    ) -> Promise[int | None]:
        """Store the minute of the next few queues: of those that hold messages or have a tally.

        Begin with 0 and come back with the answer until it is None. ``minute`` is the one that has ended, counted
        since the epoch. What is recorded twice for the same queue and minute adds up. ``tallies`` must not change
        until the promise is settled; those of queues that are gone are passed over.
        """
        ...

    def readings(
        self, keys: Sequence[QueueKey], first_minute: int, last_minute: int
    ) -> Promise[Mapping[QueueKey, Sequence[Reading]]]:
        """The recorded minutes of those queues that there are, in order, both ends included. A minute in which a
        queue had no messages and no traffic has no reading. Raises ValueError for more than MOST_READINGS."""
        ...

    def record_server(self, reading: ServerReading) -> Promise[None]:
        """Store the server's minute. Twice the same minute: what happened adds up, the rest is the later one's."""
        ...

    def server_readings(self, first_minute: int, last_minute: int) -> Promise[Sequence[ServerReading]]:
        """As ``readings``, of the server."""
        ...

    def send_back(
        self, key: QueueKey, admit: Admission, sequences: Sequence[int], admit_target: Admission, now_ms: int
    ) -> Promise[int]:
        """Move chosen dead letters to the queues that they came from, as a task would, all at once; answers how many.

        Messages that are in flight or gone, or whose queue is gone, stay as they are. ``admit_target`` is asked of
        each queue that gets one; when it raises, nothing is moved. A few messages a call: it is one operation.
        """
        ...

    # Upkeep

    def tidy(self, now_ms: int) -> Promise[int]:
        """One small step of all that is due: expired messages, ended delays and timeouts, purged and deleted
        backlogs, old deduplication ids, running move tasks. Answers when (ms) there will be more to do."""
        ...

    async def close(self) -> None:
        """Finish the commit under way, refuse what comes after, release the files."""
        ...
