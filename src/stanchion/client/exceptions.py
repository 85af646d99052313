"""What can go wrong, under the names that boto gave it.

BotoClientError            no service was reached, a file cannot be opened, a library is missing
├── SQSDecodeError         the body of a message is not what its class expects
└── QueueNotEmpty          the safeguard of ``delete_queue``
BotoServerError            the service refused
└── SQSError               … which is SQS

A wrong argument is a ValueError or a TypeError, whose text begins with the argument's name.
"""

from http import HTTPStatus
from typing import Any

Answer = dict[str, Any]


class BotoClientError(Exception):
    """``reason`` says in one line what is wrong, and the cure if there is one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SQSDecodeError(BotoClientError):
    """The body of ``message`` cannot be decoded; with its receipt handle it can be deleted all the same."""

    def __init__(self, reason: str, message: object = None) -> None:
        super().__init__(reason)
        self.message = message


class QueueNotEmpty(BotoClientError):
    """The queue holds messages, and nobody said that they may go."""


class BotoServerError(Exception):
    """The service answered with an error.

    ``status`` and ``reason`` are HTTP's, ``error_code``, ``error_message`` and ``type`` ("Sender" or "Receiver":
    whose fault it is) the service's own.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        error_code: str = "",
        error_message: str = "",
        request_id: str = "",
        type: str = "",  # noqa: A002 - boto's name
    ) -> None:
        super().__init__(f"{error_code}: {error_message}" if error_code else f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.error_code = error_code
        self.error_message = error_message
        self.message = error_message
        self.code = error_code
        self.request_id = request_id
        self.type = type


class SQSError(BotoServerError):
    """An error of SQS, such as ``AWS.SimpleQueueService.NonExistentQueue``."""

    @classmethod
    def of(cls, answer: Answer) -> "SQSError":
        """From what botocore has read of the answer."""
        error, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
        status = int(metadata.get("HTTPStatusCode", 0))
        return cls(
            status,
            HTTPStatus(status).phrase if status in list(HTTPStatus) else "",
            str(error.get("Code", "")),
            str(error.get("Message", "")),
            str(metadata.get("RequestId", "")),
            str(error.get("Type") or ("Sender" if 400 <= status < 500 else "Receiver")),
        )

    @property
    def no_such_queue(self) -> bool:
        # The second is what services answer that do not know the names of the Query protocol.
        return self.error_code in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
