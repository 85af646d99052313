"""The 23 actions of SQS as data: input, output, permission. Everything that must know an action walks this.

A member has up to three names. Its field here is snake_case; its JSON name follows from the field
(``wire_name``); its Query name from the JSON name (``QUERY_NAMES``). Members are optional in the types, because
"required" has an error text of its own, which the engine raises.
"""

from typing import Final, Literal

import msgspec

# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────

# Fields whose JSON name is not simply PascalCase.
_IRREGULAR: Final = {
    "aws_account_ids": "AWSAccountIds",
    "queue_owner_aws_account_id": "QueueOwnerAWSAccountId",
    "md5_of_body": "MD5OfBody",
    "md5_of_message_body": "MD5OfMessageBody",
    "md5_of_message_attributes": "MD5OfMessageAttributes",
    "md5_of_message_system_attributes": "MD5OfMessageSystemAttributes",
    "create_tags": "tags",  # CreateQueue's input member is lower case
    "source_queue_urls": "queueUrls",  # ListDeadLetterSourceQueues' output member too
}


def wire_name(field: str) -> str:
    """The JSON name of a field."""
    return _IRREGULAR.get(field) or "".join(word.capitalize() for word in field.split("_"))


# JSON name → Query name, for lists and maps; scalars have one name. {action} stands for the action's name.
QUERY_NAMES: Final = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "BinaryListValues": "BinaryListValue",
    "Entries": "{action}RequestEntry",
    "Failed": "BatchResultErrorEntry",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "Results": "ListMessageMoveTasksResultEntry",
    "StringListValues": "StringListValue",
    "Successful": "{action}ResultEntry",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
}

# Maps flatten to Name and Value, except tags.
TAG_MEMBERS: Final = frozenset({"Tags", "tags"})


class Shape(msgspec.Struct, kw_only=True, omit_defaults=True, rename=wire_name, gc=False):
    """Base of all structures on the wire. Absent members are None and are not encoded."""


# ── Structures used by several actions ───────────────────────────────────────────────────────────────────


class MessageAttributeValue(Shape, gc=True):
    """A user or system attribute. ``binary_value`` is base64 text on the wire and raw bytes here."""

    string_value: str | None = None
    binary_value: bytes | None = None
    string_list_values: list[str] | None = None
    binary_list_values: list[bytes] | None = None
    data_type: str | None = None


class BatchResultErrorEntry(Shape):
    id: str
    code: str
    message: str
    sender_fault: bool


class BatchResultEntry(Shape):
    """A success that has nothing to say but its id."""

    id: str


class PlainBatchOutput(Shape, gc=True):
    """The output of a batch whose successes have nothing to say."""

    successful: list[BatchResultEntry] | None = None
    failed: list[BatchResultErrorEntry] | None = None


# ── Inputs and outputs, action by action ─────────────────────────────────────────────────────────────────


class AddPermissionInput(Shape, gc=True):
    queue_url: str | None = None
    label: str | None = None
    aws_account_ids: list[str] | None = None
    actions: list[str] | None = None


class CancelMessageMoveTaskInput(Shape):
    task_handle: str | None = None


class CancelMessageMoveTaskOutput(Shape):
    approximate_number_of_messages_moved: int


class ChangeMessageVisibilityInput(Shape):
    queue_url: str | None = None
    receipt_handle: str | None = None
    visibility_timeout: int | None = None


class ChangeMessageVisibilityEntry(Shape):
    id: str | None = None
    receipt_handle: str | None = None
    visibility_timeout: int | None = None


class ChangeMessageVisibilityBatchInput(Shape, gc=True):
    queue_url: str | None = None
    entries: list[ChangeMessageVisibilityEntry] | None = None


class ChangeMessageVisibilityBatchOutput(PlainBatchOutput, gc=True):
    pass


class CreateQueueInput(Shape, gc=True):
    queue_name: str | None = None
    attributes: dict[str, str] | None = None
    create_tags: dict[str, str] | None = None


class CreateQueueOutput(Shape):
    queue_url: str


class DeleteMessageInput(Shape):
    queue_url: str | None = None
    receipt_handle: str | None = None


class DeleteMessageEntry(Shape):
    id: str | None = None
    receipt_handle: str | None = None


class DeleteMessageBatchInput(Shape, gc=True):
    queue_url: str | None = None
    entries: list[DeleteMessageEntry] | None = None


class DeleteMessageBatchOutput(PlainBatchOutput, gc=True):
    pass


class QueueUrlInput(Shape):
    """Input of the actions that take a queue and nothing else."""

    queue_url: str | None = None


class GetQueueAttributesInput(Shape, gc=True):
    queue_url: str | None = None
    attribute_names: list[str] | None = None


class GetQueueAttributesOutput(Shape, gc=True):
    attributes: dict[str, str] | None = None


class GetQueueUrlInput(Shape):
    queue_name: str | None = None
    queue_owner_aws_account_id: str | None = None


class GetQueueUrlOutput(Shape):
    queue_url: str


class ListDeadLetterSourceQueuesInput(Shape):
    queue_url: str | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListDeadLetterSourceQueuesOutput(Shape, gc=True):
    source_queue_urls: list[str] | None = None
    next_token: str | None = None


class ListMessageMoveTasksInput(Shape):
    source_arn: str | None = None
    max_results: int | None = None


class ListMessageMoveTasksEntry(Shape):
    """``started_timestamp`` is in milliseconds since the epoch."""

    task_handle: str | None = None
    status: str | None = None
    source_arn: str | None = None
    destination_arn: str | None = None
    max_number_of_messages_per_second: int | None = None
    approximate_number_of_messages_moved: int | None = None
    approximate_number_of_messages_to_move: int | None = None
    failure_reason: str | None = None
    started_timestamp: int | None = None


class ListMessageMoveTasksOutput(Shape, gc=True):
    results: list[ListMessageMoveTasksEntry] | None = None


class ListQueuesInput(Shape):
    queue_name_prefix: str | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListQueuesOutput(Shape, gc=True):
    queue_urls: list[str] | None = None
    next_token: str | None = None


class ListQueueTagsOutput(Shape, gc=True):
    tags: dict[str, str] | None = None


class ReceiveMessageInput(Shape, gc=True):
    queue_url: str | None = None
    attribute_names: list[str] | None = None
    message_system_attribute_names: list[str] | None = None
    message_attribute_names: list[str] | None = None
    max_number_of_messages: int | None = None
    visibility_timeout: int | None = None
    wait_time_seconds: int | None = None
    receive_request_attempt_id: str | None = None


class ReceivedMessage(Shape, gc=True):
    """The ``Message`` structure; members in the order in which the service writes them."""

    message_id: str
    receipt_handle: str
    md5_of_body: str
    body: str
    attributes: dict[str, str] | None = None
    md5_of_message_attributes: str | None = None
    message_attributes: dict[str, MessageAttributeValue] | None = None


class ReceiveMessageOutput(Shape, gc=True):
    messages: list[ReceivedMessage] | None = None


class RemovePermissionInput(Shape):
    queue_url: str | None = None
    label: str | None = None


class MessageToSend(Shape, gc=True):
    """What a message is made of, alone or in a batch."""

    message_body: str | None = None
    delay_seconds: int | None = None
    message_attributes: dict[str, MessageAttributeValue] | None = None
    message_system_attributes: dict[str, MessageAttributeValue] | None = None
    message_deduplication_id: str | None = None
    message_group_id: str | None = None


class SendMessageInput(MessageToSend, gc=True):
    queue_url: str | None = None


class SendMessageOutput(Shape):
    message_id: str
    md5_of_message_body: str
    md5_of_message_attributes: str | None = None
    md5_of_message_system_attributes: str | None = None
    sequence_number: str | None = None


class SendMessageEntry(MessageToSend, gc=True):
    id: str | None = None


class SendMessageBatchInput(Shape, gc=True):
    queue_url: str | None = None
    entries: list[SendMessageEntry] | None = None


class SendMessageBatchResultEntry(Shape):
    id: str
    message_id: str
    md5_of_message_body: str
    md5_of_message_attributes: str | None = None
    md5_of_message_system_attributes: str | None = None
    sequence_number: str | None = None


class SendMessageBatchOutput(Shape, gc=True):
    successful: list[SendMessageBatchResultEntry] | None = None
    failed: list[BatchResultErrorEntry] | None = None


class SetQueueAttributesInput(Shape, gc=True):
    queue_url: str | None = None
    attributes: dict[str, str] | None = None


class StartMessageMoveTaskInput(Shape):
    source_arn: str | None = None
    destination_arn: str | None = None
    max_number_of_messages_per_second: int | None = None


class StartMessageMoveTaskOutput(Shape):
    task_handle: str


class TagQueueInput(Shape, gc=True):
    queue_url: str | None = None
    tags: dict[str, str] | None = None


class UntagQueueInput(Shape, gc=True):
    queue_url: str | None = None
    tag_keys: list[str] | None = None


# ── The table ────────────────────────────────────────────────────────────────────────────────────────────

Scope = Literal["account", "queue", "source"]
"""What an action works on: the account, the queue in ``QueueUrl``, or the queue in ``SourceArn``."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action.

    ``permission`` is the name that policies know it by (a batch goes by its single form). ``owner_only``
    actions cannot be granted to another account. ``errors`` are the shapes that it may raise beyond those that
    every action may.
    """

    name: str
    input: type[Shape]
    output: type[Shape] | None
    permission: str
    owner_only: bool
    scope: Scope
    errors: tuple[str, ...]
    summary: str


_BATCH_ERRORS = (
    "EmptyBatchRequest",
    "TooManyEntriesInBatchRequest",
    "InvalidBatchEntryId",
    "BatchEntryIdsNotDistinct",
)


def _action(
    name: str,
    input: type[Shape],  # noqa: A002  the word of the domain
    output: type[Shape] | None,
    summary: str,
    *,
    errors: tuple[str, ...] = (),
    owner_only: bool = False,
    scope: Scope = "queue",
    permission: str | None = None,
) -> tuple[str, Action]:
    action = Action(
        name=name,
        input=input,
        output=output,
        permission=permission or name,
        owner_only=owner_only,
        scope=scope,
        errors=errors,
        summary=summary,
    )
    return name, action


ACTIONS: Final[dict[str, Action]] = dict(
    [
        _action(
            "AddPermission",
            AddPermissionInput,
            None,
            "Adds a statement to a queue's policy that lets other accounts use the queue.",
            owner_only=True,
            errors=("OverLimit",),
        ),
        _action(
            "CancelMessageMoveTask",
            CancelMessageMoveTaskInput,
            CancelMessageMoveTaskOutput,
            "Stops a running move task; messages already moved stay moved.",
            owner_only=True,
            scope="source",
            errors=("ResourceNotFoundException", "UnsupportedOperation"),
        ),
        _action(
            "ChangeMessageVisibility",
            ChangeMessageVisibilityInput,
            None,
            "Hides a received message for a new time, counted from now; 0 makes it visible at once.",
            errors=("ReceiptHandleIsInvalid", "MessageNotInflight"),
        ),
        _action(
            "ChangeMessageVisibilityBatch",
            ChangeMessageVisibilityBatchInput,
            ChangeMessageVisibilityBatchOutput,
            "ChangeMessageVisibility for up to ten messages.",
            permission="ChangeMessageVisibility",
            errors=_BATCH_ERRORS,
        ),
        _action(
            "CreateQueue",
            CreateQueueInput,
            CreateQueueOutput,
            "Creates a queue, or answers the URL of an existing one whose attributes agree.",
            owner_only=True,
            scope="account",
            errors=("QueueNameExists", "QueueDeletedRecently", "InvalidAttributeName", "InvalidAttributeValue"),
        ),
        _action(
            "DeleteMessage",
            DeleteMessageInput,
            None,
            "Deletes a received message; deleting it again succeeds.",
            errors=("ReceiptHandleIsInvalid",),
        ),
        _action(
            "DeleteMessageBatch",
            DeleteMessageBatchInput,
            DeleteMessageBatchOutput,
            "DeleteMessage for up to ten messages.",
            permission="DeleteMessage",
            errors=_BATCH_ERRORS,
        ),
        _action(
            "DeleteQueue",
            QueueUrlInput,
            None,
            "Deletes a queue with all its messages; its name is free again after 60 seconds.",
            owner_only=True,
        ),
        _action(
            "GetQueueAttributes",
            GetQueueAttributesInput,
            GetQueueAttributesOutput,
            "Reads a queue's attributes and message counts.",
            errors=("InvalidAttributeName",),
        ),
        _action(
            "GetQueueUrl",
            GetQueueUrlInput,
            GetQueueUrlOutput,
            "Answers the URL of the queue with a name.",
            scope="account",
        ),
        _action(
            "ListDeadLetterSourceQueues",
            ListDeadLetterSourceQueuesInput,
            ListDeadLetterSourceQueuesOutput,
            "Lists the queues that use a queue as their dead-letter queue.",
        ),
        _action(
            "ListMessageMoveTasks",
            ListMessageMoveTasksInput,
            ListMessageMoveTasksOutput,
            "Lists the latest move tasks of a queue, newest first.",
            owner_only=True,
            scope="source",
            errors=("ResourceNotFoundException", "UnsupportedOperation"),
        ),
        _action(
            "ListQueues",
            ListQueuesInput,
            ListQueuesOutput,
            "Lists the caller's queues, by prefix if given.",
            owner_only=True,
            scope="account",
        ),
        _action(
            "ListQueueTags",
            QueueUrlInput,
            ListQueueTagsOutput,
            "Lists a queue's tags.",
            owner_only=True,
        ),
        _action(
            "PurgeQueue",
            QueueUrlInput,
            None,
            "Deletes all messages of a queue; once in 60 seconds.",
            errors=("PurgeQueueInProgress",),
        ),
        _action(
            "ReceiveMessage",
            ReceiveMessageInput,
            ReceiveMessageOutput,
            "Hands out up to ten messages and hides them for the visibility timeout.",
            errors=("OverLimit", "InvalidAttributeName"),
        ),
        _action(
            "RemovePermission",
            RemovePermissionInput,
            None,
            "Removes the statement with a label from a queue's policy.",
            owner_only=True,
        ),
        _action(
            "SendMessage",
            SendMessageInput,
            SendMessageOutput,
            "Puts a message into a queue.",
            errors=("InvalidMessageContents", "UnsupportedOperation"),
        ),
        _action(
            "SendMessageBatch",
            SendMessageBatchInput,
            SendMessageBatchOutput,
            "SendMessage for up to ten messages.",
            permission="SendMessage",
            errors=(*_BATCH_ERRORS, "BatchRequestTooLong", "UnsupportedOperation"),
        ),
        _action(
            "SetQueueAttributes",
            SetQueueAttributesInput,
            None,
            "Changes a queue's attributes, all or none.",
            owner_only=True,
            errors=("InvalidAttributeName", "InvalidAttributeValue", "OverLimit"),
        ),
        _action(
            "StartMessageMoveTask",
            StartMessageMoveTaskInput,
            StartMessageMoveTaskOutput,
            "Starts to move the messages of a dead-letter queue, back to their sources or elsewhere.",
            owner_only=True,
            scope="source",
            errors=("ResourceNotFoundException", "UnsupportedOperation", "OverLimit"),
        ),
        _action(
            "TagQueue",
            TagQueueInput,
            None,
            "Adds tags to a queue or overwrites them.",
            owner_only=True,
        ),
        _action(
            "UntagQueue",
            UntagQueueInput,
            None,
            "Removes tags from a queue.",
            owner_only=True,
        ),
    ]
)
