"""Queue attributes: what there is, which values are good, what they mean.

A queue stores only what was set, as canonical text: numbers without leading zeros, flags in lower case, JSON
compact. Everything here walks the one table ``ATTRIBUTES``.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

import msgspec

from stanchion.engine import access_policy, redrive
from stanchion.engine.characters import SIMPLE_NAME, has_illegal
from stanchion.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
)
from stanchion.limits import (
    DELAY_SECONDS,
    KMS_REUSE_DEFAULT_SECONDS,
    KMS_REUSE_MAX_SECONDS,
    KMS_REUSE_MIN_SECONDS,
    MESSAGE_BYTES,
    MESSAGE_BYTES_SMALLEST_MAXIMUM,
    QUEUE_NAME_LENGTH,
    RETENTION_DEFAULT_SECONDS,
    RETENTION_MAX_SECONDS,
    RETENTION_MIN_SECONDS,
    VISIBILITY_DEFAULT_SECONDS,
    VISIBILITY_SECONDS,
    WAIT_SECONDS,
)
from stanchion.model import Counts, Queue, QueueSettings

# ── The table ────────────────────────────────────────────────────────────────────────────────────────────

Kind = Literal["integer", "flag", "choice", "text", "policy", "redrive policy", "redrive allow policy", "computed"]


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One queue attribute.

    ``default`` None: the attribute is shown only when it is set, and an empty value unsets it.
    ``fifo_only``: standard queues neither take nor show it. ``compute``: the server's own fact, read-only.
    """

    name: str
    kind: Kind
    lowest: int = 0
    highest: int = 0
    choices: tuple[str, ...] = ()
    default: str | None = None
    fifo_only: bool = False
    compute: Callable[[Queue, Counts], str] | None = None


def _integer(name: str, lowest: int, highest: int, default: int) -> Attribute:
    return Attribute(name=name, kind="integer", lowest=lowest, highest=highest, default=str(default))


def _choice(name: str, *choices: str) -> Attribute:
    """An attribute of FIFO queues with named values; the first is the default."""
    return Attribute(name=name, kind="choice", choices=choices, default=choices[0], fifo_only=True)


def _computed(name: str, compute: Callable[[Queue, Counts], str]) -> Attribute:
    return Attribute(name=name, kind="computed", compute=compute)


ATTRIBUTES: Final = (
    _computed("ApproximateNumberOfMessages", lambda _, counts: str(counts.visible)),
    _computed("ApproximateNumberOfMessagesDelayed", lambda _, counts: str(counts.delayed)),
    _computed("ApproximateNumberOfMessagesNotVisible", lambda _, counts: str(counts.in_flight)),
    Attribute(name="ContentBasedDeduplication", kind="flag", default="false", fifo_only=True),
    _computed("CreatedTimestamp", lambda queue, _: str(queue.created_at_ms // 1000)),
    _choice("DeduplicationScope", "queue", "messageGroup"),
    _integer("DelaySeconds", 0, DELAY_SECONDS, 0),
    Attribute(name="FifoQueue", kind="flag", default="false", fifo_only=True),
    _choice("FifoThroughputLimit", "perQueue", "perMessageGroupId"),
    _integer("KmsDataKeyReusePeriodSeconds", KMS_REUSE_MIN_SECONDS, KMS_REUSE_MAX_SECONDS, KMS_REUSE_DEFAULT_SECONDS),
    Attribute(name="KmsMasterKeyId", kind="text"),
    _computed("LastModifiedTimestamp", lambda queue, _: str(queue.modified_at_ms // 1000)),
    _integer("MaximumMessageSize", MESSAGE_BYTES_SMALLEST_MAXIMUM, MESSAGE_BYTES, MESSAGE_BYTES),
    _integer("MessageRetentionPeriod", RETENTION_MIN_SECONDS, RETENTION_MAX_SECONDS, RETENTION_DEFAULT_SECONDS),
    Attribute(name="Policy", kind="policy"),
    _computed("QueueArn", lambda queue, _: queue.arn),
    _integer("ReceiveMessageWaitTimeSeconds", 0, WAIT_SECONDS, 0),
    Attribute(name="RedriveAllowPolicy", kind="redrive allow policy"),
    Attribute(name="RedrivePolicy", kind="redrive policy"),
    Attribute(name="SqsManagedSseEnabled", kind="flag", default="true"),
    _integer("VisibilityTimeout", 0, VISIBILITY_SECONDS, VISIBILITY_DEFAULT_SECONDS),
)

_BY_NAME: Final = {attribute.name: attribute for attribute in ATTRIBUTES}
DEFAULTS: Final = {attribute.name: attribute.default for attribute in ATTRIBUTES if attribute.default is not None}
"""What holds for an attribute that was not set."""
_FIFO_SUFFIX: Final = ".fifo"


# ── Creating a queue ─────────────────────────────────────────────────────────────────────────────────────


def check_create(name: str | None, attributes: Mapping[str, str] | None) -> dict[str, str]:
    """The attributes that CreateQueue stores: canonical, and only what was set.

    Whether the dead-letter queue exists and fits is for ``redrive.check_target`` to say; tags are for
    ``tags.check_created``.
    """
    _check_name_given(name)
    given = attributes or {}
    # false is refused by name, like any attribute a standard queue does not have; nonsense by value.
    fifo = given.get("FifoQueue", "false").lower() != "false"
    _check_settable(given, fifo)
    values = _read_values(given, creating=True)
    _couple_encryption(values)
    _check_throughput(values)
    _check_name_syntax(name or "", fifo)
    return _without_empty(values)


def _check_name_given(name: str | None) -> None:
    if name is None:
        raise InvalidParameterValue("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
    if not name:
        raise InvalidParameterValue("Queue name cannot be empty")


def _check_name_syntax(name: str, fifo: bool) -> None:
    stem = name.removesuffix(_FIFO_SUFFIX) if fifo else name
    good = SIMPLE_NAME.fullmatch(stem) is not None and len(name) <= QUEUE_NAME_LENGTH
    if fifo and (not good or stem == name):
        raise InvalidParameterValue(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            f"must end with .fifo suffix and be 1 to {QUEUE_NAME_LENGTH} in length."
        )
    if not good:
        raise InvalidParameterValue(
            f"Can only include alphanumeric characters, hyphens, or underscores. 1 to {QUEUE_NAME_LENGTH} in length"
        )


def first_difference(current: Queue, given: Mapping[str, str]) -> str | None:
    """The first given attribute whose value is not the queue's, when CreateQueue names an existing queue.

    ``given`` is as sent and has passed ``check_create``. What is not given is not compared.
    """
    for name, value in _read_values(given, creating=True).items():
        attribute = _BY_NAME[name]
        if not _same(attribute, value, current.attributes.get(name, attribute.default or "")):
            return name
    return None


def _same(attribute: Attribute, one: str, other: str) -> bool:
    if attribute.kind == "policy" and one and other:  # its key order is kept, but means nothing
        return bool(json.loads(one) == json.loads(other))
    return one == other


# ── Changing a queue ─────────────────────────────────────────────────────────────────────────────────────


def check_change(current: Mapping[str, str], changes: Mapping[str, str] | None) -> dict[str, str]:
    """The attributes of a queue after SetQueueAttributes: all changes, or an error. Empty values unset."""
    if not changes:
        raise MissingParameter("Attribute.Name")
    fifo = is_fifo(current)
    _check_settable(changes, fifo)
    values = _read_values(changes, creating=False)
    if values.get("FifoQueue") == "false":
        raise InvalidAttributeValue.of("FifoQueue", "Modifying queue type is not supported.")
    _couple_encryption(values)
    merged = _without_empty({**current, **values})
    _check_throughput(merged)
    return merged


# ── What both have in common ─────────────────────────────────────────────────────────────────────────────


def is_fifo(attributes: Mapping[str, str]) -> bool:
    """Whether these are the stored attributes of a FIFO queue."""
    return attributes.get("FifoQueue") == "true"


def _check_settable(names: Collection[str], fifo: bool) -> None:
    for name in names:
        attribute = _BY_NAME.get(name)
        if attribute is None or attribute.kind == "computed":
            raise InvalidAttributeName.unknown(name)
        if attribute.fifo_only and not fifo:
            raise _not_for_standard(attribute)


def _not_for_standard(attribute: Attribute) -> InvalidAttributeName:
    # The service tells of the younger two what they need; the older two it claims not to know.
    if attribute.kind == "choice":
        return InvalidAttributeName(f"You can specify the {attribute.name} only when FifoQueue is set to true.")
    return InvalidAttributeName.unknown(attribute.name)


def _read_values(given: Mapping[str, str], *, creating: bool) -> dict[str, str]:
    return {name: _read_value(_BY_NAME[name], value, creating) for name, value in given.items()}


def _read_value(attribute: Attribute, value: str, creating: bool) -> str:
    """The canonical text of a value; "" when it unsets the attribute."""
    if not value and attribute.default is None:
        return ""
    if attribute.kind == "policy":
        return access_policy.check(value, creating=creating)
    return _READERS[attribute.kind](attribute, value)


_DIGITS: Final = re.compile(r"[0-9]{1,20}")


def _read_integer(attribute: Attribute, value: str) -> str:
    if not _DIGITS.fullmatch(value) or not attribute.lowest <= int(value) <= attribute.highest:
        raise InvalidAttributeValue.of(attribute.name)
    return str(int(value))


def _read_flag(attribute: Attribute, value: str) -> str:
    flag = value.lower()
    if flag not in ("true", "false"):
        raise InvalidAttributeValue.of(attribute.name)
    return flag


def _read_choice(attribute: Attribute, value: str) -> str:
    if value not in attribute.choices:
        raise InvalidAttributeValue.of(attribute.name)
    return value


def _read_text(attribute: Attribute, value: str) -> str:
    if has_illegal(value):
        raise InvalidAttributeValue.of(attribute.name)
    return value


_READERS: Final[dict[Kind, Callable[[Attribute, str], str]]] = {
    "integer": _read_integer,
    "flag": _read_flag,
    "choice": _read_choice,
    "text": _read_text,
    "redrive policy": lambda _, value: redrive.policy_text(redrive.read_policy(value)),
    "redrive allow policy": lambda _, value: redrive.allow_policy_text(redrive.read_allow_policy(value)),
}


def _couple_encryption(values: dict[str, str]) -> None:
    """A queue is encrypted in one way at a time: turning one on turns the other off, both at once is an error."""
    managed = values.get("SqsManagedSseEnabled") == "true"
    if values.get("KmsMasterKeyId"):
        if managed:
            raise InvalidAttributeName(
                "You can use one type of server-side encryption (SSE) at one time. "
                "You can either enable KMS SSE or SQS SSE."
            )
        values["SqsManagedSseEnabled"] = "false"
    elif managed:
        values["KmsMasterKeyId"] = ""


def _check_throughput(attributes: Mapping[str, str]) -> None:
    per_group = attributes.get("FifoThroughputLimit") == "perMessageGroupId"
    if per_group and attributes.get("DeduplicationScope") != "messageGroup":
        raise InvalidAttributeValue(
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup"
        )


def _without_empty(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


# ── Reading a queue ──────────────────────────────────────────────────────────────────────────────────────


def settings_of(attributes: Mapping[str, str]) -> QueueSettings:
    """Stored attributes as numbers and flags, defaults filled in."""

    def number(name: str) -> int:
        return int(attributes.get(name) or _BY_NAME[name].default or 0)

    policy = attributes.get("Policy")
    redrive_policy = attributes.get("RedrivePolicy")
    allow_policy = attributes.get("RedriveAllowPolicy")
    return QueueSettings(
        delay_seconds=number("DelaySeconds"),
        maximum_message_size=number("MaximumMessageSize"),
        message_retention_seconds=number("MessageRetentionPeriod"),
        receive_wait_seconds=number("ReceiveMessageWaitTimeSeconds"),
        visibility_timeout_seconds=number("VisibilityTimeout"),
        fifo=is_fifo(attributes),
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplication_per_group=attributes.get("DeduplicationScope") == "messageGroup",
        redrive_policy=redrive.read_policy(redrive_policy) if redrive_policy else None,
        redrive_allow_policy=redrive.read_allow_policy(allow_policy) if allow_policy else None,
        access_policy=access_policy.parse(policy) if policy else None,
    )


def describe(queue: Queue, counts: Counts, names: Collection[str] | None) -> dict[str, str]:
    """What GetQueueAttributes answers: the named attributes that the queue has; nothing for no names."""
    for name in names or ():
        if name != "All" and name not in _BY_NAME:
            raise InvalidAttributeName.unknown(name)
    wanted = _BY_NAME if "All" in (names or ()) else frozenset(names or ())
    shown = ((a.name, _shown_value(a, queue, counts)) for a in ATTRIBUTES if a.name in wanted)
    return {name: value for name, value in shown if value is not None}


def _shown_value(attribute: Attribute, queue: Queue, counts: Counts) -> str | None:
    if attribute.compute is not None:
        return attribute.compute(queue, counts)
    if attribute.fifo_only and not queue.settings.fifo:
        return None
    value = queue.attributes.get(attribute.name, attribute.default)
    if attribute.name == "KmsDataKeyReusePeriodSeconds":
        # Nobody wants to see the default of a period that nothing uses.
        unused = value == attribute.default and "KmsMasterKeyId" not in queue.attributes
        return None if unused else value
    return value
