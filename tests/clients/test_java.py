"""The AWS SDK for Java, versions 1 and 2: the clients that verify the most digests."""

from pathlib import Path

import pytest

from support.built_once import built_once
from support.client_program import cases_passed, output_of
from support.signed_server import SignedServer
from support.tools import need

FOLDER = Path(__file__).parent / "java"
CLASS_PATH = "target/classes:target/lib/*"

BOTH_SDKS = {
    "a queue is made, found, described and deleted",
    "a message keeps its attributes of every type",
    "ten messages with attributes go and come in batches",
    "a FIFO queue keeps the order of a group",
    "a FIFO receive is repeated by its attempt id",
    "errors are of their class",
    "a wrong secret is refused",
}


@pytest.fixture(scope="session")
def java() -> str:
    """A Java with the SDKs fetched and the programs compiled."""
    purpose = "to run the SQS clients of Java"
    java, javac, mvn = need("java", purpose), need("javac", purpose), need("mvn", purpose)
    fetch = [mvn, "--batch-mode", "--quiet", "--strict-checksums", "dependency:copy-dependencies"]
    built_once(FOLDER, "target/lib", ["pom.xml"], lambda: output_of(fetch, FOLDER))

    options = f"--release 11 -encoding UTF-8 -d target/classes -cp {CLASS_PATH}".split()
    compile_all = [javac, *options, *(path.name for path in FOLDER.glob("*.java"))]
    built_once(FOLDER, "target/classes", ["pom.xml", "*.java"], lambda: output_of(compile_all, FOLDER))
    return java


def passed(java: str, program: str, folder: Path) -> set[str]:
    # A program of seconds is quicker without the second compiler.
    command = [java, "-XX:TieredStopAtLevel=1", "-cp", CLASS_PATH, program]
    with SignedServer(folder) as server:
        return cases_passed(command, FOLDER, server.environment())


def test_version_1_of_the_sdk_works_by_the_query_protocol(java, tmp_path) -> None:
    assert passed(java, "SdkV1", tmp_path) == BOTH_SDKS | {"the buffered client sends, receives and deletes"}


def test_version_2_of_the_sdk_works(java, tmp_path) -> None:
    assert passed(java, "SdkV2", tmp_path) == BOTH_SDKS | {"a long poll is answered when a message comes"}
