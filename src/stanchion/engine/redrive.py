"""Dead-letter queues and the way back: redrive policies, redrive allow policies, move tasks."""

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stanchion.actions import ListMessageMoveTasksEntry, StartMessageMoveTaskInput
from stanchion.errors import (
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    ResourceNotFound,
)
from stanchion.ids import queue_arn, read_queue_arn
from stanchion.limits import (
    MAX_RECEIVE_COUNT,
    MOVE_MESSAGES_PER_SECOND,
    MOVE_TASK_RESULTS,
    MOVE_TASKS_PER_ACCOUNT,
    REDRIVE_ALLOW_SOURCES,
)
from stanchion.model import MoveTask, Queue, QueueKey, RedriveAllowPolicy, RedrivePolicy

if TYPE_CHECKING:  # the stores import these rules; loading theirs from here would go round in a circle
    from stanchion.store.base import Directory


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _read_object(text: str) -> dict[str, Any] | None:
    """The JSON object in a text, or None when there is none."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # numbers of thousands of digits are a ValueError too
        return None
    return value if isinstance(value, dict) else None


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


# ── RedrivePolicy ────────────────────────────────────────────────────────────────────────────────────────

_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def _bad_policy(text: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue.of(text, "RedrivePolicy", reason)


def read_policy(text: str) -> RedrivePolicy:
    """The policy in the value of the attribute RedrivePolicy; errors quote the value as sent.

    Whether the target exists and fits is for ``check_target`` to say.
    """
    given = _read_object(text)
    if given is None:
        raise InvalidAttributeValue.of("RedrivePolicy", "Redrive policy is not a valid JSON map.")
    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if name not in given:
            raise _bad_policy(text, f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(given) > 2:
        raise _bad_policy(text, "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
    count = _read_receive_count(text, given["maxReceiveCount"])
    return RedrivePolicy(_read_target_arn(text, given["deadLetterTargetArn"]), count)


def _read_receive_count(text: str, given: Any) -> int:
    # The console and some SDKs send the number as text; true is an int to Python but no number to SQS.
    if isinstance(given, str) and _WHOLE_NUMBER.fullmatch(given):
        count = int(given)
    elif isinstance(given, int) and not isinstance(given, bool):
        count = given
    else:
        count = 0
    if not 1 <= count <= MAX_RECEIVE_COUNT:
        shown = text if isinstance(given, dict | list) else str(given)
        raise _bad_policy(
            text,
            f"Invalid value for maxReceiveCount: {shown}, valid values are from 1 to "
            f"{MAX_RECEIVE_COUNT} both inclusive.",
        )
    return count


def _read_target_arn(text: str, given: Any) -> str:
    parts = given.split(":") if isinstance(given, str) else []
    if len(parts) < 6 or parts[0] != "arn":
        raise _bad_policy(text, "Dead-letter target ARN should be fully qualified ARN.")
    if parts[2] != "sqs":
        raise _bad_policy(text, "Only SQS queues are valid resources for deadLetterTargetArn.")
    if read_queue_arn(given) is None:
        raise _bad_policy(text, "Dead-letter target ARN should be fully qualified ARN.")
    return str(given)


def policy_text(policy: RedrivePolicy) -> str:
    """The canonical form, which is stored and shown: fixed key order, the count a number."""
    return _compact(
        {"deadLetterTargetArn": policy.dead_letter_target_arn, "maxReceiveCount": policy.max_receive_count}
    )


def target_key(policy: RedrivePolicy) -> QueueKey:
    """The queue that a policy names."""
    key = read_queue_arn(policy.dead_letter_target_arn)
    assert key is not None, "read_policy lets only queue ARNs through"
    return key


def check_target(source: QueueKey, fifo: bool, text: str, policy: RedrivePolicy, target: Queue | None) -> None:
    """Whether ``source`` may use the queue that its policy names.

    ``fifo`` is the type of the source, ``text`` the policy as sent, ``target`` the queue as it stands or
    None when there is none. A queue may name itself, also in the call that creates it.
    """
    key = target_key(policy)
    if key.region != source.region:
        raise _bad_policy(text, "Dead-letter target must be in same region as the source.")
    if key.account != source.account:
        raise _bad_policy(text, "Dead-letter target owner should be same as the source.")
    if policy.dead_letter_target_arn != queue_arn(key):  # another partition
        target = None
    elif target is None and key == source:
        return
    if target is None:
        raise _bad_policy(text, "Dead letter target does not exist.")
    if target.settings.fifo != fifo:
        raise _bad_policy(text, "Dead-letter queue must be same type of queue as the source..")
    if not _allows(target.settings.redrive_allow_policy, queue_arn(source)):
        raise _bad_policy(
            text,
            "Amazon SQS can't configure the dead-letter queue: the redrive allow policy of the target "
            "does not permit this source.",
        )


# ── RedriveAllowPolicy ───────────────────────────────────────────────────────────────────────────────────

_PERMISSIONS: Final = ("allowAll", "denyAll", "byQueue")
_CANNOT_ALLOW: Final = "Amazon SQS can't create the redrive allow policy"


def _bad_allow_policy(text: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue.of(text, "RedriveAllowPolicy", f"{_CANNOT_ALLOW}. {reason}")


def read_allow_policy(text: str) -> RedriveAllowPolicy:
    """The policy in the value of the attribute RedriveAllowPolicy."""
    given = _read_object(text)
    if given is None or not _is_allow_policy(given):
        raise InvalidAttributeValue.of("RedriveAllowPolicy", f"{_CANNOT_ALLOW}, as it’s in an unsupported format.")
    permission, arns = given["redrivePermission"], given.get("sourceQueueArns", [])
    if permission == "byQueue" and not arns:
        raise _bad_allow_policy(
            text,
            "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.",
        )
    if permission != "byQueue" and arns:
        raise _bad_allow_policy(
            text, "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
        )
    if len(arns) > REDRIVE_ALLOW_SOURCES:
        raise _bad_allow_policy(
            text, f"The maximum number of source queue ARNs you can specify is {REDRIVE_ALLOW_SOURCES}."
        )
    return RedriveAllowPolicy(permission, tuple(arns))


def _is_allow_policy(given: dict[str, Any]) -> bool:
    arns = given.get("sourceQueueArns", [])
    return (
        given.keys() <= {"redrivePermission", "sourceQueueArns"}
        and given.get("redrivePermission") in _PERMISSIONS
        and isinstance(arns, list)
        and all(isinstance(arn, str) for arn in arns)
    )


def allow_policy_text(policy: RedriveAllowPolicy) -> str:
    """The canonical form, which is stored and shown."""
    shown: dict[str, Any] = {"redrivePermission": policy.permission}
    if policy.source_queue_arns:
        shown["sourceQueueArns"] = list(policy.source_queue_arns)
    return _compact(shown)


def _allows(policy: RedriveAllowPolicy | None, source_arn: str) -> bool:
    if policy is None or policy.permission == "allowAll":
        return True
    return policy.permission == "byQueue" and source_arn in policy.source_queue_arns


# ── Move tasks ───────────────────────────────────────────────────────────────────────────────────────────


class _TaskHandle(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    task_id: str
    source_arn: str


def task_handle(task_id: str, source_arn: str) -> str:
    """The text that names a move task to clients."""
    return base64.b64encode(msgspec.json.encode(_TaskHandle(task_id, source_arn))).decode("ascii")


def read_task_handle(handle: str | None) -> tuple[str, str]:
    """The task id and the source's ARN in a task handle."""
    if not handle:
        raise MissingParameter("TaskHandle")
    try:
        read = msgspec.json.decode(base64.b64decode(handle, validate=True), type=_TaskHandle)
    except (ValueError, msgspec.DecodeError):
        raise InvalidParameterValue("Value for parameter TaskHandle is invalid.") from None
    if read_queue_arn(read.source_arn) is None:
        raise InvalidParameterValue("Value for parameter TaskHandle is invalid.")
    return read.task_id, read.source_arn


def no_such_queue(parameter: str) -> ResourceNotFound:
    """The error for an ARN in ``parameter`` that names no queue."""
    return ResourceNotFound(f"The resource that you specified for the {parameter} parameter doesn't exist.")


def _read_arn(arn: str, parameter: str) -> QueueKey:
    key = read_queue_arn(arn)
    if key is None:
        raise InvalidParameterValue(
            f"You must use this format to specify the {parameter}: "
            "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        )
    if arn != queue_arn(key):  # another partition
        raise no_such_queue(parameter)
    return key


def check_source_arn(arn: str | None, parameter: str = "SourceArn") -> QueueKey:
    """The queue named by a parameter that must be given; whether it exists is another question."""
    if not arn:
        raise MissingParameter(parameter)
    return _read_arn(arn, parameter)


def check_start(
    asked: StartMessageMoveTaskInput, directory: "Directory"
) -> tuple[QueueKey, QueueKey | None, int | None]:
    """The source, the destination and the rate (messages per second) of a new move task.

    Destination None: every message goes back to the queue it came from. Rate None: as fast as is sensible.
    """
    source_key = check_source_arn(asked.source_arn)
    source = directory.find(source_key)
    if source is None:
        raise no_such_queue("SourceArn")
    if not directory.is_dead_letter_queue(source.arn):
        raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
    destination = None
    if asked.destination_arn is not None:
        destination = _check_destination(asked.destination_arn, source, directory)
    rate = _check_rate(asked.max_number_of_messages_per_second)
    _check_room(source, directory)
    return source_key, destination, rate


def _check_destination(arn: str, source: Queue, directory: "Directory") -> QueueKey:
    key = _read_arn(arn, "DestinationArn")
    if key == source.key:
        raise InvalidParameterValue("Source queue arn and destination queue arn cannot be the same.")
    destination = directory.find(key)
    if destination is None or key.region != source.key.region:
        raise no_such_queue("DestinationArn")
    if destination.settings.fifo != source.settings.fifo:
        raise InvalidParameterValue("The source queue and destination queue must be of the same queue type.")
    return key


def _check_rate(per_second: int | None) -> int | None:
    if per_second is not None and not 1 <= per_second <= MOVE_MESSAGES_PER_SECOND:
        raise InvalidParameterValue(
            "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
            f"Reason: You must enter a number that's between 1 and {MOVE_MESSAGES_PER_SECOND}."
        )
    return per_second


def _check_room(source: Queue, directory: "Directory") -> None:
    active = directory.active_move_tasks(source.key.account)
    if any(task.source_arn == source.arn for task in active):
        raise InvalidParameterValue(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    if len(active) >= MOVE_TASKS_PER_ACCOUNT:
        raise OverLimit(f"Too many active message move tasks: an account may have {MOVE_TASKS_PER_ACCOUNT}.")


def check_cancel(task: MoveTask | None, source_arn: str) -> None:
    """Whether the task that a handle names, with the handle's source, may be cancelled."""
    if task is None or task.source_arn != source_arn:
        raise ResourceNotFound("Task does not exist.")
    if task.status != "RUNNING":
        raise InvalidParameterValue("Only active tasks can be cancelled.")


def check_task_results(maximum: int | None) -> int:
    """How many move tasks ListMessageMoveTasks may show: 1-10, one when not said."""
    if maximum is None:
        return 1
    if not 1 <= maximum <= MOVE_TASK_RESULTS:
        raise InvalidParameterValue(
            "Value for parameter MaxResults is invalid. "
            f"Reason: You must enter a number that's between 1 and {MOVE_TASK_RESULTS}."
        )
    return maximum


def task_entry(task: MoveTask) -> ListMessageMoveTasksEntry:
    """A task as ListMessageMoveTasks shows it: the handle only while it can still be cancelled."""
    return ListMessageMoveTasksEntry(
        task_handle=task_handle(task.id, task.source_arn) if task.status == "RUNNING" else None,
        status=task.status,
        source_arn=task.source_arn,
        destination_arn=task.destination_arn,
        max_number_of_messages_per_second=task.max_per_second,
        approximate_number_of_messages_moved=task.moved,
        approximate_number_of_messages_to_move=task.to_move,
        failure_reason=task.failure_reason if task.status == "FAILED" else None,
        started_timestamp=task.started_at_ms,
    )
