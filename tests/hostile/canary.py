"""A well-behaved client beside the hostile ones: it must notice nothing of them."""

import itertools

from support.wire_client import WireClient


class Canary:
    def __init__(self, url: str) -> None:
        self._client = WireClient(url)
        self._numbers = itertools.count()
        assert self._client.json("CreateQueue", QueueName="canary").status == 200
        self._old = self._send()

    def _send(self) -> str:
        body = f"canary {next(self._numbers)}"
        assert self._client.json("SendMessage", QueueUrl="canary", MessageBody=body).status == 200
        return body

    def sings(self) -> None:
        """What was stored before is there, and a message passes through."""
        new = self._send()
        received = self._client.json("ReceiveMessage", QueueUrl="canary", MaxNumberOfMessages=10).json["Messages"]
        assert sorted(message["Body"] for message in received) == sorted([self._old, new])
        for message in received:
            deleted = self._client.query(
                "DeleteMessage", {"QueueUrl": "canary", "ReceiptHandle": message["ReceiptHandle"]}
            )
            assert deleted.status == 200
        self._old = self._send()
