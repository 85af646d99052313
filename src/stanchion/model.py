"""The nouns. Plain values without behaviour beyond what follows from their own fields.

Times are milliseconds since the epoch and end in ``_ms``; durations name their unit.
"""

from typing import Any, NamedTuple

import msgspec


class QueueKey(NamedTuple):
    """What names a queue: unique in a store."""

    account: str
    region: str
    name: str


class RedrivePolicy(msgspec.Struct, frozen=True):
    """Where a queue's messages go after ``max_receive_count`` receives (1-1000)."""

    dead_letter_target_arn: str
    max_receive_count: int


class RedriveAllowPolicy(msgspec.Struct, frozen=True):
    """Which queues may name this one as their dead-letter queue: ``allowAll``, ``denyAll`` or ``byQueue``."""

    permission: str
    source_queue_arns: tuple[str, ...] = ()


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's attributes as numbers and flags, ready for the rules. Derived, never stored."""

    delay_seconds: int
    maximum_message_size: int
    message_retention_seconds: int
    receive_wait_seconds: int
    visibility_timeout_seconds: int
    fifo: bool = False
    content_based_deduplication: bool = False
    deduplication_per_group: bool = False  # DeduplicationScope=messageGroup
    redrive_policy: RedrivePolicy | None = None
    redrive_allow_policy: RedriveAllowPolicy | None = None
    access_policy: Any = None  # engine.access_policy.AccessPolicy, or None when the queue has no policy


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as stored, with its settings worked out.

    ``attributes`` holds only what was set (canonical text); defaults are the engine's business.
    ``generation`` names the messages between two purges: a purge gives the queue a fresh one, so that
    emptying a queue costs the same at any depth.
    """

    id: int
    key: QueueKey
    generation: int
    created_at_ms: int
    modified_at_ms: int
    purged_at_ms: int | None
    attributes: dict[str, str]
    tags: dict[str, str]
    settings: QueueSettings
    arn: str


class MessageAttribute(msgspec.Struct, frozen=True, array_like=True):
    """One user attribute. ``value`` is text for String and Number, raw bytes for Binary."""

    data_type: str
    value: str | bytes


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has passed every rule and waits to be stored.

    ``delay_seconds`` is the effective delay. ``deduplication_id`` is the effective one (explicit or the
    body's SHA-256) and None on standard queues. ``size_bytes`` is what counts for the size limit.
    """

    message_id: str
    body: str
    body_md5: str
    sender_id: str
    delay_seconds: int
    size_bytes: int = 0
    attributes: dict[str, MessageAttribute] | None = None
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None


class SentMessage(msgspec.Struct, frozen=True):
    """What the store made of a NewMessage. For a duplicate, id and sequence are the original's."""

    message_id: str
    sequence: int
    duplicate: bool = False


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message.

    ``due_at_ms`` is the moment a hidden message (delayed or in flight) becomes visible, None when it is
    visible now. ``receives`` counts deliveries. ``sequence`` grows in send order over the whole store.
    """

    message_id: str
    sequence: int
    sent_at_ms: int
    body: str
    body_md5: str
    sender_id: str
    due_at_ms: int | None = None
    receives: int = 0
    first_received_at_ms: int | None = None
    attributes: dict[str, MessageAttribute] | None = None
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    dead_letter_source_arn: str | None = None


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What a receipt handle says: one delivery of one message of one queue."""

    queue_id: int
    sequence: int
    receives: int
    received_at_ms: int


class Delivery(msgspec.Struct, frozen=True):
    """A message as handed to a consumer, with the handle of this delivery."""

    message: Message
    receipt_handle: str


class Counts(NamedTuple):
    """How many messages are in each state; a message is in exactly one."""

    visible: int
    in_flight: int
    delayed: int


class Tally(msgspec.Struct, gc=False):
    """What happened to one queue since the last reading.

    ``sent`` are messages that were stored, ``deduplicated`` those that were not, being duplicates; sizes are of the
    former, as the size limit counts them. ``received`` are messages handed out, ``empty_receives`` requests that got
    none. ``deleted`` counts a message that is deleted again once more.
    """

    sent: int = 0
    sent_bytes: int = 0
    smallest_bytes: int | None = None
    largest_bytes: int | None = None
    received: int = 0
    empty_receives: int = 0
    deleted: int = 0
    deduplicated: int = 0


class Reading(NamedTuple):
    """One queue's minute: how it was at its end, and what happened in it (see `Tally`).

    ``minute`` counts since the epoch. ``oldest_age_seconds`` is of the oldest message received less than three
    times, None when there is none. ``groups_in_flight`` is for FIFO queues, ``noisy_groups`` and
    ``visible_in_quiet_groups`` are for standard queues with message groups.
    """

    minute: int
    visible: int
    in_flight: int
    delayed: int
    oldest_age_seconds: int | None
    groups_in_flight: int
    noisy_groups: int
    visible_in_quiet_groups: int
    sent: int
    sent_bytes: int
    smallest_bytes: int | None
    largest_bytes: int | None
    received: int
    empty_receives: int
    deleted: int
    deduplicated: int


class ServerReading(NamedTuple):
    """The server's minute. ``minute`` counts since the epoch; times are milliseconds, None when nothing took any.

    ``requests``, ``errors`` (requests answered with one), ``commits`` and ``operations`` (verbs of the store that
    those commits made durable) happened in the minute; the rest is how it was at its end. ``free_bytes`` is None
    where the store is in memory.
    """

    minute: int
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    commits: int
    commit_p50_ms: float | None
    commit_p99_ms: float | None
    operations: int
    connections: int
    store_bytes: int
    free_bytes: int | None


class MoveTask(msgspec.Struct, frozen=True, kw_only=True):
    """A redrive of a dead-letter queue. ``status`` is RUNNING, CANCELLING, CANCELLED, COMPLETED or FAILED."""

    id: str
    account: str
    source_arn: str
    destination_arn: str | None
    max_per_second: int | None
    status: str
    moved: int
    to_move: int
    started_at_ms: int
    failure_reason: str | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. ``access_key_id`` is None for an unsigned request.

    ``account`` owns the queues that the caller names without an account; ``region`` is the one the
    request was signed for or the server's own.
    """

    account: str
    region: str
    arn: str
    sender_id: str
    access_key_id: str | None
    trusted: bool = False  # auth is off: every caller owns every account
    tags: tuple[tuple[str, str], ...] = ()  # of the access key; policies know them as aws:PrincipalTag/…


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a request that answers and policies need."""

    base_url: str  # scheme://host[:port], what queue URLs start with
    address: str  # scheme://host/path, for texts that name the address
    source_ip: str
    secure: bool
    user_agent: str = ""
    referer: str = ""
    trace_header: str | None = None  # X-Amzn-Trace-Id
