"""The AWS SDK for Go, version 2, by the tests in the folder go."""

import json
from pathlib import Path

import pytest

from support.client_program import output_of
from support.signed_server import SignedServer
from support.tools import need

FOLDER = Path(__file__).parent / "go"


@pytest.fixture
def go() -> str:
    return need("go", "to run the SQS client of Go")


def test_the_sdk_works(go, tmp_path) -> None:
    with SignedServer(tmp_path) as server:
        # The Go that is there, not one that it would fetch.
        environment = server.environment() | {"GOTOOLCHAIN": "local"}
        output = output_of([go, "test", "-count=1", "-vet=off", "-json", "."], FOLDER, environment)
    events = [json.loads(line) for line in output.splitlines()]
    assert {event["Test"] for event in events if event["Action"] == "pass" and "Test" in event} == {
        "TestQueueIsMadeFoundListedDescribedTaggedAndDeleted",
        "TestMessageKeepsItsTextAndAttributesOfEveryType",
        "TestTenMessagesGoAndComeInBatches",
        "TestMessageThatIsGivenBackComesAgainAndCountsItsReceives",
        "TestFifoQueueKeepsTheOrderOfAGroupAndDropsWhatIsSentTwice",
        "TestFifoReceiveIsRepeatedByItsAttemptId",
        "TestLongPollIsAnsweredWhenAMessageComes",
        "TestHundredLongPollsWaitAtOnceAndEachGetsOneMessage",
        "TestErrorsAreOfTheirType",
        "TestWrongSecretIsRefused",
    }
