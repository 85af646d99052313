"""Short forms for what tests do with a queue all the time."""

import itertools
from typing import Any

from support.both_protocols import Caller

_numbers = itertools.count(1)


def fresh_name(fifo: bool = False) -> str:
    """A queue name that no other test uses."""
    return f"queue-{next(_numbers)}" + (".fifo" if fifo else "")


class QueueCalls:
    """A queue and who uses it. Calling it calls an action on it."""

    def __init__(self, call: Caller, name: str, url: str) -> None:
        self.caller = call
        self.name = name
        self.url = url

    @classmethod
    def create(cls, call: Caller, name: str | None = None, *, fifo: bool = False, **attributes: str) -> "QueueCalls":
        name = name or fresh_name(fifo)
        given = {"FifoQueue": "true"} | attributes if fifo else attributes
        members = {"Attributes": given} if given else {}
        return cls(call, name, call("CreateQueue", QueueName=name, **members)["QueueUrl"])

    def as_seen_by(self, other: Caller) -> "QueueCalls":
        return QueueCalls(other, self.name, self.url)

    def __call__(self, action: str, /, **members: Any) -> Any:
        return self.caller(action, QueueUrl=self.url, **members)

    def begin(self, action: str, /, **members: Any) -> Any:
        return self.caller.begin(action, QueueUrl=self.url, **members)

    def refuses(
        self, action: str, code: str, message: str | None = None, /, *, status: int = 400, **given: Any
    ) -> None:
        self.caller.refuses(action, code, message, status=status, QueueUrl=self.url, **given)

    def refuses_attribute(self, name: str, value: str, code: str, message: str) -> None:
        """Both when the attribute is set later and when a queue is created with it."""
        self.refuses("SetQueueAttributes", code, message, Attributes={name: value})
        fifo = self.name.endswith(".fifo")
        given = {"FifoQueue": "true", name: value} if fifo else {name: value}
        self.caller.refuses("CreateQueue", code, message, QueueName=fresh_name(fifo), Attributes=given)

    @property
    def arn(self) -> str:
        return self.get("QueueArn")["QueueArn"]

    @property
    def account(self) -> str:
        return self.url.split("/")[-2]

    def send(self, body: str = "a body", /, **members: Any) -> Any:
        return self("SendMessage", MessageBody=body, **members)

    def send_each(self, group: str, *bodies: str) -> None:
        """Messages of one group of a FIFO queue, each with itself as deduplication id."""
        for body in bodies:
            self.send(body, MessageGroupId=group, MessageDeduplicationId=body)

    def send_batch(self, *entries: dict[str, Any]) -> Any:
        return self("SendMessageBatch", Entries=[{"Id": str(n)} | entry for n, entry in enumerate(entries, 1)])

    def receive(self, **members: Any) -> list[dict[str, Any]]:
        """The messages of one receive, with all their system attributes."""
        answer = self("ReceiveMessage", **{"MessageSystemAttributeNames": ["All"]} | members)
        return answer.get("Messages", [])

    def receive_one(self, **members: Any) -> dict[str, Any]:
        (message,) = self.receive(**members)
        return message

    def bodies(self, **members: Any) -> list[str]:
        return [message["Body"] for message in self.receive(**members)]

    def delete(self, message: dict[str, Any]) -> None:
        self("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message: dict[str, Any], seconds: int) -> None:
        self("ChangeMessageVisibility", ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds)

    def get(self, *names: str) -> dict[str, str]:
        return self("GetQueueAttributes", AttributeNames=list(names) or ["All"]).get("Attributes", {})

    def set(self, **attributes: str) -> None:
        self("SetQueueAttributes", Attributes=attributes)

    def counts(self) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        prefix = "ApproximateNumberOfMessages"
        found = self.get(prefix, prefix + "NotVisible", prefix + "Delayed")
        return int(found[prefix]), int(found[prefix + "NotVisible"]), int(found[prefix + "Delayed"])
