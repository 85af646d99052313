"""The AWS CLI: the current one, which speaks JSON, and Debian's, which (in Debian 12) is of the Query era."""

import json
import subprocess
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.signed_server import ACCOUNT, KEY_ID, PROFILE, REGION, SignedServer
from support.tools import need, need_client

NO_QUEUE = "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the {} operation: {}"


def current_cli() -> str:
    return str(Path(need_client("awscli")).parent / "aws")


def debian_cli() -> str:
    # By its whole path: another `aws` may come first on the PATH.
    return need("/usr/bin/aws", "to run Debian's AWS CLI")


class Cli:
    """Runs ``aws sqs`` with the keys of a profile in the credentials file."""

    def __init__(self, program: str, server: SignedServer) -> None:
        self.server = server
        self._command = [program, "--endpoint-url", server.url, "--output", "json", "sqs"]
        keys_from_the_file = {
            name: value for name, value in server.environment().items() if not name.endswith(("KEY_ID", "ACCESS_KEY"))
        }
        self._environment = keys_from_the_file | {"AWS_PROFILE": PROFILE, "AWS_PAGER": ""}

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *words],
            env=self._environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def __call__(self, *words: str) -> Any:
        """What a command answers; None when it prints nothing."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def error(self, *words: str, **environment: str) -> str:
        """The one line that a refused command prints."""
        done = self.run(*words, **environment)
        assert done.returncode in (254, 255)
        assert done.stdout == ""
        return done.stderr.strip()

    def new_queue(self, name: str, *words: str) -> str:
        return self("create-queue", "--queue-name", name, *words)["QueueUrl"]


@pytest.fixture(scope="module", params=[current_cli, debian_cli], ids=["current", "debian"])
def aws(request, tmp_path_factory) -> Generator[Cli]:
    program = request.param()
    with SignedServer(tmp_path_factory.mktemp("awscli")) as server:
        yield Cli(program, server)


def test_a_queue_is_made_described_tagged_and_deleted(aws) -> None:
    attributes = "VisibilityTimeout=45,MessageRetentionPeriod=3600"
    url = aws.new_queue("cli-life", "--attributes", attributes, "--tags", "team=blue,stage=test")
    assert url.endswith(f"/{ACCOUNT}/cli-life")
    assert aws("list-queues", "--queue-name-prefix", "cli-li") == {"QueueUrls": [url]}

    assert aws("set-queue-attributes", "--queue-url", url, "--attributes", "DelaySeconds=5") is None
    found = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert found["QueueArn"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:cli-life"
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"], found["DelaySeconds"]) == ("45", "3600", "5")

    assert aws("tag-queue", "--queue-url", url, "--tags", "owner=me") is None
    assert aws("untag-queue", "--queue-url", url, "--tag-keys", "team") is None
    assert aws("list-queue-tags", "--queue-url", url) == {"Tags": {"stage": "test", "owner": "me"}}

    assert aws("delete-queue", "--queue-url", url) is None
    assert aws("list-queues", "--queue-name-prefix", "cli-li") is None


def test_a_message_is_sent_received_given_back_and_deleted(aws) -> None:
    queue = ("--queue-url", aws.new_queue("cli-message"))
    attributes = {
        "colour": {"DataType": "String", "StringValue": "grün"},
        "count": {"DataType": "Number", "StringValue": "3"},
    }
    sent = aws("send-message", *queue, "--message-body", "Hallo <&>", "--message-attributes", json.dumps(attributes))
    everything = ("--attribute-names", "All", "--message-attribute-names", "All")
    (message,) = aws("receive-message", *queue, *everything)["Messages"]
    assert message["Body"] == "Hallo <&>"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"]["SenderId"] == ACCOUNT

    handle = ("--receipt-handle", message["ReceiptHandle"])
    assert aws("change-message-visibility", *queue, *handle, "--visibility-timeout", "0") is None
    (again,) = aws("receive-message", *queue, *everything)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert aws("delete-message", *queue, "--receipt-handle", again["ReceiptHandle"]) is None
    assert aws("receive-message", *queue) is None


def test_messages_go_come_change_and_end_in_batches(aws) -> None:
    queue = ("--queue-url", aws.new_queue("cli-batch"))
    entries = [{"Id": f"e{n}", "MessageBody": f"message {n}"} for n in range(4)]
    sent = aws("send-message-batch", *queue, "--entries", json.dumps(entries))
    assert [entry["Id"] for entry in sent["Successful"]] == ["e0", "e1", "e2", "e3"]

    messages = aws("receive-message", *queue, "--max-number-of-messages", "10")["Messages"]
    assert sorted(message["Body"] for message in messages) == [entry["MessageBody"] for entry in entries]
    handles = [{"Id": f"e{n}", "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
    longer = [handle | {"VisibilityTimeout": 300} for handle in handles]
    changed = aws("change-message-visibility-batch", *queue, "--entries", json.dumps(longer))
    assert len(changed["Successful"]) == 4

    handles[3]["ReceiptHandle"] = "nonsense"
    deleted = aws("delete-message-batch", *queue, "--entries", json.dumps(handles))
    assert [entry["Id"] for entry in deleted["Successful"]] == ["e0", "e1", "e2"]
    assert [(entry["Id"], entry["Code"]) for entry in deleted["Failed"]] == [("e3", "ReceiptHandleIsInvalid")]

    assert aws("purge-queue", *queue) is None
    count = ("--attribute-names", "ApproximateNumberOfMessagesNotVisible")
    attributes = aws("get-queue-attributes", *queue, *count)["Attributes"]
    assert attributes == {"ApproximateNumberOfMessagesNotVisible": "0"}


def test_permissions_are_given_and_taken(aws) -> None:
    queue = ("--queue-url", aws.new_queue("cli-permissions"))
    to_whom = ("--aws-account-ids", "111122223333", "--actions", "SendMessage", "ReceiveMessage")
    assert aws("add-permission", *queue, "--label", "friends", *to_whom) is None
    policy = json.loads(aws("get-queue-attributes", *queue, "--attribute-names", "Policy")["Attributes"]["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Sid"] == "friends"
    assert statement["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]
    assert aws("remove-permission", *queue, "--label", "friends") is None
    assert aws("get-queue-attributes", *queue, "--attribute-names", "Policy") is None


def dead_letters(aws: Cli, messages: int) -> tuple[str, str]:
    """A queue whose messages have all gone to its dead-letter queue: the URLs of both."""
    dead = aws.new_queue("cli-dead")
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:cli-dead", "maxReceiveCount": "1"}
    source = aws.new_queue("cli-source", "--attributes", json.dumps({"RedrivePolicy": json.dumps(policy)}))
    with closing(aws.server.boto3()) as sqs:
        for n in range(0, messages, 10):
            entries = [{"Id": f"e{m}", "MessageBody": f"message {m}"} for m in range(n, n + 10)]
            sqs.send_message_batch(QueueUrl=source, Entries=entries)
        while "Messages" in sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, VisibilityTimeout=0):
            continue
    return source, dead


@pytest.mark.parametrize("aws", [current_cli], ids=["current"], indirect=True)  # Debian 12's knows no move tasks
def test_dead_letters_are_moved_back(aws) -> None:
    source, dead = dead_letters(aws, 100)
    assert aws("list-dead-letter-source-queues", "--queue-url", dead) == {"queueUrls": [source]}

    of_dead = ("--source-arn", f"arn:aws:sqs:{REGION}:{ACCOUNT}:cli-dead")
    slowly = ("--max-number-of-messages-per-second", "1")
    handle = aws("start-message-move-task", *of_dead, *slowly)["TaskHandle"]
    (task,) = aws("list-message-move-tasks", *of_dead)["Results"]
    assert (task["Status"], task["TaskHandle"]) == ("RUNNING", handle)
    assert task["ApproximateNumberOfMessagesToMove"] == 100
    moved = aws("cancel-message-move-task", "--task-handle", handle)["ApproximateNumberOfMessagesMoved"]
    assert moved < 100
    refused = aws.error("cancel-message-move-task", "--task-handle", handle)
    assert refused.endswith("Only active tasks can be cancelled.")


def test_a_queue_that_is_not_there_is_told_in_one_line(aws) -> None:
    told = aws.error("get-queue-url", "--queue-name", "cli-none")
    assert told.startswith(NO_QUEUE.format("GetQueueUrl", "The specified queue does not exist"))


def test_a_wrong_secret_is_refused(aws, tmp_path) -> None:
    file = tmp_path / "wrong"
    file.write_text(f"[{PROFILE}]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = wrong\n")
    told = aws.error("list-queues", AWS_SHARED_CREDENTIALS_FILE=str(file))
    assert told.startswith(
        "An error occurred (SignatureDoesNotMatch) when calling the ListQueues operation: The requ"
    )
