"""Between the fields of the console's queue form and the attributes of the API. Pure: nothing here asks a queue.

Values that make no sense are passed on as they were typed, so that it is the service that refuses them, in its words.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from stanchion.engine import attributes, tags
from stanchion.errors import InvalidParameterValue, SQSError
from stanchion.ids import ACCOUNT

# ── The form ─────────────────────────────────────────────────────────────────────────────────────────────


class QueueForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields hold, as text; the defaults are those of an empty form. Lists have one entry a line."""

    type: str = "standard"
    name: str = ""
    visibility_timeout: str = "30"
    visibility_timeout_unit: str = "seconds"
    retention: str = "4"
    retention_unit: str = "days"
    delay: str = "0"
    delay_unit: str = "seconds"
    maximum_size: str = "1024"
    receive_wait: str = "0"
    content_based_deduplication: str = ""
    high_throughput: str = ""
    deduplication_scope: str = "queue"
    throughput_limit: str = "perQueue"
    encryption: str = "enabled"
    key_type: str = "sqs"
    kms_key: str = ""
    kms_reuse: str = "5"
    kms_reuse_unit: str = "minutes"
    policy_method: str = "basic"
    who_sends: str = "owner"
    senders: str = ""
    who_receives: str = "owner"
    receivers: str = ""
    policy: str = ""
    redrive_allow: str = "disabled"
    redrive_permission: str = "allowAll"
    redrive_sources: str = ""
    dead_letter: str = "disabled"
    dead_letter_arn: str = ""
    maximum_receives: str = "10"
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def fifo(self) -> bool:
        return self.type == "fifo"


_CHECKBOXES: Final = ("content_based_deduplication", "high_throughput")
_TEXTS: Final = tuple(name for name in QueueForm.__struct_fields__ if name != "tags")


def read(fields: Sequence[tuple[str, str]]) -> QueueForm:
    """The form as posted. A box that is not ticked is not sent; other fields that are missing have their default."""
    given = {name: value for name, value in fields if name in _TEXTS}
    keys = [value for name, value in fields if name == "tag_key"]
    values = [value for name, value in fields if name == "tag_value"]
    rows = tuple((key, value) for key, value in zip(keys, values, strict=False) if key or value)
    return QueueForm(**(dict.fromkeys(_CHECKBOXES, "") | given), tags=rows)


# ── Amounts with units ───────────────────────────────────────────────────────────────────────────────────

UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


class Period(NamedTuple):
    """A field for a period: its attribute and the units it is offered in."""

    attribute: str
    field: str
    units: tuple[str, ...]


PERIODS: Final = (
    Period("VisibilityTimeout", "visibility_timeout", ("seconds", "minutes", "hours")),
    Period("MessageRetentionPeriod", "retention", ("seconds", "minutes", "hours", "days")),
    Period("DelaySeconds", "delay", ("seconds", "minutes")),
    Period("KmsDataKeyReusePeriodSeconds", "kms_reuse", ("seconds", "minutes", "hours")),
)
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,10})?")  # 1 byte is 0.0009765625 KiB


def multiplied(amount: str, unit: int) -> str:
    """The text "1.5" of 60 is "90". What is no number, or comes to no whole one, stays as it is."""
    text = amount.strip()
    if not _AMOUNT.fullmatch(text):
        return text
    product = Decimal(text) * unit
    return str(int(product)) if product == int(product) else text


def divided(seconds: str, units: Sequence[str]) -> tuple[str, str]:
    """A period in the largest of the units that gives a whole number: "5400" is 90 minutes."""
    whole = int(seconds)
    for unit in reversed(units):
        if whole and whole % UNITS[unit] == 0:
            return str(whole // UNITS[unit]), unit
    return seconds, units[0]


def in_kib(size: str) -> str:
    """Bytes as KiB, exactly: "1536" is "1.5"."""
    return f"{Decimal(size) / 1024:f}"


# ── Form to attributes ───────────────────────────────────────────────────────────────────────────────────


def attributes_of(form: QueueForm, queue_arn: str, account: str) -> dict[str, str]:
    """All attributes that the form decides about; "" unsets. FifoQueue is among them for a FIFO queue.

    Raises InvalidParameterValue when KMS is chosen without a key, which the service would not notice.
    """
    return {
        **_periods(form),
        "MaximumMessageSize": multiplied(form.maximum_size, 1024),
        "ReceiveMessageWaitTimeSeconds": form.receive_wait.strip(),
        **(_fifo_attributes(form) if form.fifo else {}),
        **_encryption(form),
        "Policy": policy_of(form, queue_arn, account),
        "RedriveAllowPolicy": _redrive_allow_policy(form),
        "RedrivePolicy": _redrive_policy(form),
    }


def _periods(form: QueueForm) -> dict[str, str]:
    return {each.attribute: _seconds(form, each) for each in PERIODS if each.field != "kms_reuse"}


def _seconds(form: QueueForm, period: Period) -> str:
    unit = UNITS.get(getattr(form, f"{period.field}_unit"), 1)
    return multiplied(getattr(form, period.field), unit)


def _fifo_attributes(form: QueueForm) -> dict[str, str]:
    scope, limit = form.deduplication_scope, form.throughput_limit
    if form.high_throughput:
        scope, limit = "messageGroup", "perMessageGroupId"
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true" if form.content_based_deduplication else "false",
        "DeduplicationScope": scope,
        "FifoThroughputLimit": limit,
    }


def _encryption(form: QueueForm) -> dict[str, str]:
    if form.encryption == "disabled":
        return {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": ""}
    if form.key_type != "kms":
        return {"SqsManagedSseEnabled": "true"}
    if not form.kms_key.strip():
        raise InvalidParameterValue.of("", "KmsMasterKeyId", "You must specify a KMS key.")
    return {
        "KmsMasterKeyId": form.kms_key.strip(),
        "KmsDataKeyReusePeriodSeconds": _seconds(form, PERIODS[-1]),
    }


def _redrive_policy(form: QueueForm) -> str:
    if form.dead_letter != "enabled":
        return ""
    count = form.maximum_receives.strip()
    receives: int | str = int(count) if re.fullmatch(r"[0-9]{1,9}", count) else count
    return compact({"deadLetterTargetArn": form.dead_letter_arn.strip(), "maxReceiveCount": receives})


def _redrive_allow_policy(form: QueueForm) -> str:
    if form.redrive_allow != "enabled":
        return ""
    policy: dict[str, Any] = {"redrivePermission": form.redrive_permission}
    if form.redrive_permission == "byQueue":
        policy["sourceQueueArns"] = lines(form.redrive_sources)
    return compact(policy)


# They change by themselves, or follow from a change of something else.
_NOT_SET_BY_ANYBODY: Final = ("ApproximateNumber", "LastModified")


def fingerprint(attributes: Mapping[str, str], queue_tags: Mapping[str, str]) -> str:
    """Another one once anybody has changed the queue."""
    stable = {name: value for name, value in attributes.items() if not name.startswith(_NOT_SET_BY_ANYBODY)}
    return sha256(json.dumps([stable, dict(queue_tags)], sort_keys=True).encode()).hexdigest()[:32]


def tags_of(form: QueueForm) -> dict[str, str]:
    """The tags; a key that is there twice is refused, for the later one would silently win."""
    found: dict[str, str] = {}
    for key, value in form.tags:
        if key in found:
            raise InvalidParameterValue(f"Tag keys must be unique: {key} is there twice.")
        found[key] = value
    return found


def lines(text: str) -> list[str]:
    """The entries of a list that has one a line, or separated by commas or blanks."""
    return [entry for entry in re.split(r"[\s,]+", text) if entry]


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


# ── Access policies ──────────────────────────────────────────────────────────────────────────────────────

_SENDING: Final = ["SQS:SendMessage"]
_SENDERS: Final = ("who_sends", "senders")
_RECEIVERS: Final = ("who_receives", "receivers")
_RECEIVING: Final = ["SQS:ChangeMessageVisibility", "SQS:DeleteMessage", "SQS:ReceiveMessage"]


def owner_policy(queue_arn: str, account: str) -> dict[str, Any]:
    """The policy that says what holds without one: the owner's account may do everything."""
    return {
        "Version": "2012-10-17",
        "Id": "__default_policy_ID",
        "Statement": [_statement("__owner_statement", [_root(account)], ["SQS:*"], queue_arn)],
    }


def policy_of(form: QueueForm, queue_arn: str, account: str) -> str:
    """The policy that the form asks for; "" when only the owner may do anything."""
    if form.policy_method == "advanced":
        return form.policy.strip()
    document = basic_policy(form, queue_arn, account)
    return compact(document) if len(document["Statement"]) > 1 else ""


def basic_policy(form: QueueForm, queue_arn: str, account: str) -> dict[str, Any]:
    """The policy of the basic method: the owner's statement, and one each for listed senders and receivers."""
    document = owner_policy(queue_arn, account)
    for sid, who, listed, actions in (
        ("__sender_statement", form.who_sends, form.senders, _SENDING),
        ("__receiver_statement", form.who_receives, form.receivers, _RECEIVING),
    ):
        principals = [_principal(entry) for entry in lines(listed)]
        if who == "listed" and principals:
            document["Statement"].append(_statement(sid, principals, actions, queue_arn))
    return document


def _statement(sid: str, principals: list[str], actions: list[str], queue_arn: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals if len(principals) > 1 else principals[0]},
        "Action": actions if len(actions) > 1 else actions[0],
        "Resource": queue_arn,
    }


def _principal(entry: str) -> str:
    return _root(entry) if ACCOUNT.match(entry) else entry


def basic_of(policy: Mapping[str, Any], queue_arn: str, account: str) -> dict[str, Any] | None:
    """The fields of the basic method that make this very policy; None when it can only have been written by hand."""
    statements = policy.get("Statement")
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        return None
    found: dict[str, Any] = {"policy_method": "basic"}
    for sid, who, listed in (("__sender_statement", *_SENDERS), ("__receiver_statement", *_RECEIVERS)):
        principals = next((_aws_principals(each) for each in statements if each.get("Sid") == sid), [])
        if principals:
            found |= {who: "listed", listed: "\n".join(map(_entry, principals))}
    return found if basic_policy(QueueForm(**found), queue_arn, account) == policy else None


def _aws_principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    given = principal.get("AWS") if isinstance(principal, dict) else None
    listed = given if isinstance(given, list) else [given]
    return [each for each in listed if isinstance(each, str)]


def _entry(principal: str) -> str:
    """How a principal is listed in the form: a whole account by its number."""
    account = principal.removeprefix("arn:aws:iam::").removesuffix(":root")
    return account if _root(account) == principal and ACCOUNT.match(account) else principal


def _root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


# ── Attributes to form ───────────────────────────────────────────────────────────────────────────────────


def fill(name: str, shown: Mapping[str, str], queue_tags: Mapping[str, str]) -> QueueForm:
    """The form of a queue, from what GetQueueAttributes and ListQueueTags say of it."""
    fields: dict[str, Any] = {"name": name, "type": "fifo" if shown.get("FifoQueue") == "true" else "standard"}
    for period in PERIODS:
        if period.attribute in shown:
            fields[period.field], fields[f"{period.field}_unit"] = divided(shown[period.attribute], period.units)
    fields["maximum_size"] = in_kib(shown["MaximumMessageSize"])
    fields["receive_wait"] = shown["ReceiveMessageWaitTimeSeconds"]
    return QueueForm(
        **fields,
        **_filled_fifo(shown),
        **_filled_encryption(shown),
        **_filled_redrive(shown),
        **_filled_policy(shown),
        tags=tuple(sorted(queue_tags.items())),
    )


def _filled_fifo(shown: Mapping[str, str]) -> dict[str, str]:
    scope = shown.get("DeduplicationScope", "queue")
    limit = shown.get("FifoThroughputLimit", "perQueue")
    return {
        "content_based_deduplication": "on" if shown.get("ContentBasedDeduplication") == "true" else "",
        "deduplication_scope": scope,
        "throughput_limit": limit,
        "high_throughput": "on" if (scope, limit) == ("messageGroup", "perMessageGroupId") else "",
    }


def _filled_encryption(shown: Mapping[str, str]) -> dict[str, str]:
    if key := shown.get("KmsMasterKeyId"):
        return {"encryption": "enabled", "key_type": "kms", "kms_key": key}
    return {"encryption": "enabled" if shown.get("SqsManagedSseEnabled") == "true" else "disabled"}


def _filled_redrive(shown: Mapping[str, str]) -> dict[str, str]:
    filled: dict[str, str] = {}
    if text := shown.get("RedrivePolicy"):
        policy = json.loads(text)
        filled |= {
            "dead_letter": "enabled",
            "dead_letter_arn": policy["deadLetterTargetArn"],
            "maximum_receives": str(policy["maxReceiveCount"]),
        }
    if text := shown.get("RedriveAllowPolicy"):
        policy = json.loads(text)
        filled |= {
            "redrive_allow": "enabled",
            "redrive_permission": policy["redrivePermission"],
            "redrive_sources": "\n".join(policy.get("sourceQueueArns", ())),
        }
    return filled


def _filled_policy(shown: Mapping[str, str]) -> dict[str, str]:
    text = shown.get("Policy")
    if not text:
        return {}
    policy, arn = json.loads(text), shown["QueueArn"]
    basic = basic_of(policy, arn, arn.split(":")[4])
    return {"policy": pretty(policy), **(basic or {"policy_method": "advanced"})}


def changes(shown: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What SetQueueAttributes has to be told. What stays as it is is left out: another tab may just have changed it,
    and a dead-letter queue that is gone by now must not stop other changes."""
    return {name: value for name, value in wanted.items() if not _same(shown.get(name, ""), value)}


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


# ── Checking while somebody types ────────────────────────────────────────────────────────────────────────

_FIELD_OF: Final = {
    **{period.attribute: period.field for period in PERIODS},
    "MaximumMessageSize": "maximum_size",
    "ReceiveMessageWaitTimeSeconds": "receive_wait",
    "DeduplicationScope": "deduplication_scope",
    "KmsMasterKeyId": "kms_key",
    "Policy": "policy",
    "RedriveAllowPolicy": "redrive_sources",
    "RedrivePolicy": "dead_letter_arn",
}


def problems(form: QueueForm, queue_arn: str, account: str) -> dict[str, str]:
    """Field by field what the service would refuse, by its own rules; empty when all is well so far.

    What depends on other queues, such as whether a dead-letter queue exists, shows when the form is sent.
    """
    found: dict[str, str] = {}
    fifo = {"FifoQueue": "true"} if form.fifo else {}
    if form.name:
        _note(found, "name", lambda: attributes.check_create(form.name, fifo))
    try:
        wanted = attributes_of(form, queue_arn, account)
    except SQSError as error:
        return found | {"kms_key": error.message}
    name = "queue.fifo" if form.fifo else "queue"
    for attribute, value in wanted.items():
        field = _FIELD_OF.get(attribute)
        if field is not None:
            _note(found, field, partial(attributes.check_create, name, fifo | {attribute: value}))
    if form.fifo and "deduplication_scope" not in found:
        pair = {each: wanted[each] for each in ("DeduplicationScope", "FifoThroughputLimit")}
        _note(found, "throughput_limit", lambda: attributes.check_create(name, fifo | pair))
    if form.tags:
        _note(found, "tags", lambda: tags.check_created(tags_of(form), form.name))
    return found


def _note(found: dict[str, str], field: str, check: Callable[[], object]) -> None:
    try:
        check()
    except SQSError as error:
        found[field] = error.message


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)
