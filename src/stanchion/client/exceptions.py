"""What can go wrong, under the names that boto gave it.

BotoClientError            a mistake of this program: a file that cannot be read, a server that is not there
├── SQSDecodeError         the body of a message is not what its class expects
└── QueueNotEmpty          the safeguard of ``delete_queue``
BotoServerError            the service refused
└── SQSError               … with a code of SQS
"""

from typing import Any

Answer = dict[str, Any]


class BotoClientError(Exception):
    """``reason`` says in one line what is wrong, and the cure if there is one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SQSDecodeError(BotoClientError):
    """The body of ``message`` cannot be decoded; ``message.get_body_encoded`` has it as it came."""

    def __init__(self, reason: str, message: object = None) -> None:
        super().__init__(reason)
        self.message = message


class QueueNotEmpty(BotoClientError):
    """The queue holds messages, and nobody said that they may go."""


class BotoServerError(Exception):
    """The service answered with an error.

    ``status`` is of HTTP, ``reason`` its phrase or "", ``error_code`` and ``error_message`` are the service's own.
    """

    def __init__(
        self, status: int, reason: str, error_code: str = "", error_message: str = "", request_id: str = ""
    ) -> None:
        super().__init__(f"{error_code}: {error_message}" if error_code else f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.error_code = error_code
        self.error_message = error_message
        self.message = error_message
        self.code = error_code
        self.request_id = request_id


class SQSError(BotoServerError):
    """An error of SQS, such as ``AWS.SimpleQueueService.NonExistentQueue``."""

    @classmethod
    def of(cls, answer: Answer) -> "SQSError":
        """From what botocore has read of the answer."""
        error, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
        code = str(error.get("Code", "")).removesuffix("Exception")  # shapes have it, the codes that boto knew not
        return cls(
            int(metadata.get("HTTPStatusCode", 0)),
            "",
            code,
            str(error.get("Message", "")),
            str(metadata.get("RequestId", "")),
        )

    @property
    def no_such_queue(self) -> bool:
        return self.error_code in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
