"""Everything a client can be told, one class per error.

    SQSError
    ├── QueueDoesNotExist, QueueNameExists, QueueDeletedRecently, PurgeQueueInProgress
    ├── InvalidAttributeName, InvalidAttributeValue, InvalidMessageContents
    ├── ReceiptHandleIsInvalid, OverLimit, ResourceNotFound, InvalidAddress, InvalidSecurity
    ├── EmptyBatchRequest, TooManyEntriesInBatchRequest, BatchEntryIdsNotDistinct,
    │   InvalidBatchEntryId, BatchRequestTooLong, UnsupportedOperation, RequestThrottled
    ├── CoralError                     framework errors: parsing, authentication, validation
    │   ├── InvalidParameterValue, MissingParameter, MalformedInput
    │   ├── InvalidAction, MissingAction
    │   ├── AccessDenied, InvalidClientTokenId, SignatureDoesNotMatch, IncompleteSignature, ExpiredToken
    │   └── InternalFailure, ServiceUnavailable

Raise where the rule lives; the wire codecs translate at the edge. An error has two names: the *shape*, which
JSON clients see in ``__type``, and the *code*, which Query clients see in ``<Code>`` and JSON clients in the
``x-amzn-query-error`` header.
"""

from typing import ClassVar, Literal

Fault = Literal["Sender", "Receiver"]


class SQSError(Exception):
    """Base of all errors that go to a client. ``message`` is the text in the JSON protocol."""

    namespace: ClassVar[str] = "com.amazonaws.sqs"
    shape: ClassVar[str] = ""
    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    text_key: ClassVar[str] = "message"  # the JSON member that carries the text

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __init_subclass__(cls) -> None:
        # Most shapes are called like the class, and most codes like the shape.
        if "shape" not in cls.__dict__:
            cls.shape = cls.__name__
        if "code" not in cls.__dict__:
            cls.code = cls.shape

    @property
    def fault(self) -> Fault:
        return "Receiver" if self.status >= 500 else "Sender"

    @property
    def query_message(self) -> str:
        """The text in the Query protocol; one error differs."""
        return self.message


# ── The errors of the SQS model ──────────────────────────────────────────────────────────────────────────


class QueueDoesNotExist(SQSError):
    code = "AWS.SimpleQueueService.NonExistentQueue"

    def __init__(self) -> None:
        super().__init__("The specified queue does not exist.")

    @property
    def query_message(self) -> str:
        return "The specified queue does not exist for this wsdl version."


class QueueNameExists(SQSError):
    code = "QueueAlreadyExists"

    def __init__(self, attribute: str) -> None:
        super().__init__(f"A queue already exists with the same name and a different value for attribute {attribute}")


class QueueDeletedRecently(SQSError):
    code = "AWS.SimpleQueueService.QueueDeletedRecently"

    def __init__(self, wait_seconds: int = 60) -> None:
        super().__init__(
            f"You must wait {wait_seconds} seconds after deleting a queue before you can create another "
            "with the same name."
        )


class PurgeQueueInProgress(SQSError):
    code = "AWS.SimpleQueueService.PurgeQueueInProgress"
    status = 403

    def __init__(self, queue_name: str, interval_seconds: int = 60) -> None:
        super().__init__(
            f"Only one PurgeQueue operation on {queue_name} is allowed every {interval_seconds} seconds."
        )


class InvalidAttributeName(SQSError):
    @classmethod
    def unknown(cls, name: str) -> "InvalidAttributeName":
        return cls(f"Unknown Attribute {name}.")


class InvalidAttributeValue(SQSError):
    @classmethod
    def of(cls, name: str, reason: str | None = None) -> "InvalidAttributeValue":
        tail = f" Reason: {reason}" if reason else ""
        return cls(f"Invalid value for the parameter {name}.{tail}")


INVALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF"
)


class InvalidMessageContents(SQSError):
    def __init__(self) -> None:
        super().__init__(INVALID_CHARACTERS)


class ReceiptHandleIsInvalid(SQSError):
    status = 404

    def __init__(self, handle: str) -> None:
        super().__init__(f'The input receipt handle "{handle}" is not a valid receipt handle.')


class OverLimit(SQSError):
    status = 403


class ResourceNotFound(SQSError):
    shape = "ResourceNotFoundException"
    status = 404


class InvalidAddress(SQSError):
    status = 404

    def __init__(self, address: str) -> None:
        super().__init__(f"The address {address} is not valid for this endpoint.")


class InvalidSecurity(SQSError):
    status = 403

    def __init__(self) -> None:
        super().__init__("All requests to this queue must use HTTPS and SigV4.")


class EmptyBatchRequest(SQSError):
    code = "AWS.SimpleQueueService.EmptyBatchRequest"

    def __init__(self, action: str) -> None:
        super().__init__(f"There should be at least one {action}RequestEntry in the request.")


class TooManyEntriesInBatchRequest(SQSError):
    code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"

    def __init__(self, sent: int, maximum: int) -> None:
        super().__init__(f"Maximum number of entries per request are {maximum}. You have sent {sent}.")


class BatchEntryIdsNotDistinct(SQSError):
    code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"

    def __init__(self, repeated: str) -> None:
        super().__init__(f"Id {repeated} repeated.")


class InvalidBatchEntryId(SQSError):
    code = "AWS.SimpleQueueService.InvalidBatchEntryId"

    def __init__(self) -> None:
        super().__init__(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )


class BatchRequestTooLong(SQSError):
    code = "AWS.SimpleQueueService.BatchRequestTooLong"

    def __init__(self, sent: int, maximum: int) -> None:
        super().__init__(f"Batch requests cannot be longer than {maximum} bytes. You have sent {sent} bytes.")


class UnsupportedOperation(SQSError):
    code = "AWS.SimpleQueueService.UnsupportedOperation"


class RequestThrottled(SQSError):
    status = 403

    def __init__(self) -> None:
        super().__init__("Request is throttled.")


# ── Framework errors ─────────────────────────────────────────────────────────────────────────────────────


class CoralError(SQSError):
    """Parsing, authentication and generic validation: the layer below the SQS model."""

    namespace = "com.amazon.coral.service"


class InvalidParameterValue(CoralError):
    shape = "InvalidParameterValueException"
    code = "InvalidParameterValue"

    @classmethod
    def of(cls, value: object, parameter: str, reason: str) -> "InvalidParameterValue":
        return cls(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


class MissingParameter(CoralError):
    shape = "MissingRequiredParameterException"
    code = "MissingParameter"

    def __init__(self, parameter: str) -> None:
        super().__init__(f"The request must contain the parameter {parameter}.")


class MalformedInput(CoralError):
    shape = "SerializationException"
    code = "MalformedInput"

    def __init__(self, message: str = "Could not parse the request body.") -> None:
        super().__init__(message)


class InvalidAction(CoralError):
    shape = "UnknownOperationException"
    code = "InvalidAction"

    def __init__(self, action: str) -> None:
        super().__init__(f"The action {action} is not valid for this endpoint.")


class MissingAction(CoralError):
    code = "MissingAction"

    def __init__(self) -> None:
        super().__init__("The request is missing an action parameter.")


class NoSuchVersion(CoralError):
    code = "NoSuchVersion"

    def __init__(self, version: str) -> None:
        super().__init__(f"The requested version ( {version} ) is not valid.")


class AccessDenied(CoralError):
    shape = "AccessDeniedException"
    code = "AccessDenied"
    status = 403
    text_key = "Message"

    @classmethod
    def to_resource(cls, address: str) -> "AccessDenied":
        """For callers without an identity: ``address`` is scheme, host and path."""
        return cls(f"Access to the resource {address} is denied.")


class InvalidClientTokenId(CoralError):
    shape = "UnrecognizedClientException"
    code = "InvalidClientTokenId"
    status = 403

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class SignatureDoesNotMatch(CoralError):
    shape = "InvalidSignatureException"
    code = "SignatureDoesNotMatch"
    status = 403


class IncompleteSignature(CoralError):
    shape = "IncompleteSignatureException"
    code = "IncompleteSignature"


class ExpiredToken(CoralError):
    shape = "ExpiredTokenException"
    code = "ExpiredToken"
    status = 403

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class InternalFailure(CoralError):
    status = 500

    def __init__(self) -> None:
        super().__init__("We encountered an internal error. Please try again.")


class ServiceUnavailable(CoralError):
    """The store could not commit (disk full, I/O error) or the server is stopping: safe to try again."""

    status = 503

    def __init__(self, message: str = "The service is unavailable. Please try again shortly.") -> None:
        super().__init__(message)
