"""The stanchion command as a user of a queue runs it, inside the test's process."""

import json
from pathlib import Path
from typing import Any

import boto3
from click.testing import CliRunner, Result

from stanchion.cli.main import main
from support.queue_calls import fresh_name

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def no_settings(folder: Path) -> dict[str, str | None]:
    """Variables that keep a client from what is configured on this machine."""
    missing = str(folder / "missing")
    return {
        "AWS_CONFIG_FILE": missing,
        "AWS_SHARED_CREDENTIALS_FILE": missing,
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
        "AWS_PROFILE": None,
        "AWS_REGION": None,
        "AWS_DEFAULT_REGION": None,
        "AWS_ENDPOINT_URL": None,
        "AWS_ENDPOINT_URL_SQS": None,
    }


class Shell:
    """Runs commands against one server; ``sqs`` is boto3's client of it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=url, **KEYS)

    def run(self, *arguments: str, input: str | bytes | None = None, **variables: str) -> Result:  # noqa: A002
        env = no_settings(self.folder) | {"AWS_ENDPOINT_URL_SQS": self.url} | variables
        return CliRunner().invoke(main, arguments, input=input, env=env)

    def done(self, *arguments: str, input: str | bytes | None = None) -> str:  # noqa: A002
        """What a command prints that succeeds."""
        result = self.run(*arguments, input=input)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def json(self, *arguments: str, input: str | bytes | None = None) -> list[dict[str, Any]]:  # noqa: A002
        return [json.loads(line) for line in self.done(*arguments, "--json", input=input).splitlines()]

    def refused(self, code: int, *arguments: str, input: str | bytes | None = None, **variables: str) -> str:  # noqa: A002
        """What a command says on standard error that ends with this exit code. Never a traceback."""
        result = self.run(*arguments, input=input, **variables)
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.stderr

    # ── Queues ───────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, *, fifo: bool = False, **attributes: str) -> str:
        """The name of a new queue."""
        name = fresh_name(fifo)
        given = {"FifoQueue": "true"} | attributes if fifo else attributes
        self.sqs.create_queue(QueueName=name, Attributes=given)
        return name

    def url_of(self, name: str) -> str:
        url: str = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return url

    def arn_of(self, name: str) -> str:
        arn: str = self.attributes(name)["QueueArn"]
        return arn

    def attributes(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.sqs.get_queue_attributes(QueueUrl=self.url_of(name), AttributeNames=["All"])[
            "Attributes"
        ]
        return found

    def counts(self, name: str) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        found = self.attributes(name)
        prefix = "ApproximateNumberOfMessages"
        return int(found[prefix]), int(found[f"{prefix}NotVisible"]), int(found[f"{prefix}Delayed"])

    def fill(self, name: str, bodies: list[str], **members: Any) -> None:
        url = self.url_of(name)
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body} | members
                for number, body in enumerate(bodies[start : start + 10])
            ]
            self.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def take_all(self, name: str) -> list[dict[str, Any]]:
        """Every visible message, deleted."""
        url, taken = self.url_of(name), []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            batch = answer.get("Messages", [])
            if not batch:
                return taken
            taken += batch
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(batch)]
            self.sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def bodies(self, name: str) -> list[str]:
        return [each["Body"] for each in self.take_all(name)]
