"""The SDKs of JavaScript, versions 2 and 3, and sqs-consumer."""

from pathlib import Path

import pytest

from support.built_once import built_once
from support.client_program import cases_passed, output_of
from support.signed_server import SignedServer
from support.tools import need

FOLDER = Path(__file__).parent / "js"

SCENARIO = {
    "a queue is made, found, listed, described, tagged and deleted",
    "a message keeps its text and attributes of every type",
    "ten messages go and come in batches",
    "a message that is given back comes again and counts its receives",
    "a FIFO queue keeps the order of a group and drops what is sent twice",
    "a FIFO receive is repeated by its attempt id",
    "a long poll is answered when a message comes",
    "a long poll without a message ends empty after its wait",
    "errors can be told apart by name",
}
BOTH_SDKS = {"digests are verified", "a wrong secret is refused"}


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, with the packages of the lock installed."""
    node = need("node", "to run the SQS clients of JavaScript")
    npm = need("npm", "to fetch the SQS clients of JavaScript")
    command = [npm, "ci", "--no-progress"]
    built_once(FOLDER, "node_modules", ["package*.json", ".npmrc"], lambda: output_of(command, FOLDER))
    return node


def passed(node: str, program: str, folder: Path) -> set[str]:
    with SignedServer(folder) as server:
        return cases_passed([node, program], FOLDER, server.environment())


def test_version_2_of_the_sdk_works(node, tmp_path) -> None:
    assert passed(node, "sdk_v2.mjs", tmp_path) == SCENARIO | BOTH_SDKS


def test_version_3_of_the_sdk_works(node, tmp_path) -> None:
    both_endpoints = {
        f"{title}: {name}" for title in ("as it comes", "useQueueUrlAsEndpoint false") for name in SCENARIO
    }
    assert passed(node, "sdk_v3.mjs", tmp_path) == BOTH_SDKS | both_endpoints | {
        "a client that knows no endpoint goes to the host of the queue's URL",
        "errors are of their class and carry the code of the Query protocol",
        "lists are read page by page",
    }


def test_sqs_consumer_works(node, tmp_path) -> None:
    assert passed(node, "consumer.mjs", tmp_path) == {
        "messages are handled one by one and deleted",
        "a message whose handler fails comes again",
        "a batch handler keeps what it does not answer for",
        "a heartbeat holds a message as long as its handler works",
        "a queue that is not there is an error with its name",
        "a consumer stops in the middle of a long poll",
    }
