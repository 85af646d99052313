"""dump, load and copy against a server."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shell.shell import Shell
from stanchion.cli.shell.draining import Source

QUICK = ("--wait", "0")  # this server's answers are never empty while it has something


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ── dump ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dump_has_a_line_for_each_message_and_leaves_them_visible(shell: Shell) -> None:
    name = shell.queue()
    bodies = [f"body {number}\nü" for number in range(25)]
    shell.fill(name, bodies)
    result = shell.run("dump", name, "-o", "out.jsonl", *QUICK)
    assert (result.exit_code, result.stderr) == (0, "25 messages are in out.jsonl\n")
    found = lines_of(shell.folder / "out.jsonl")
    assert sorted(each["body"] for each in found) == sorted(bodies)
    assert all(each["receives"] == 1 and each["sent_ms"] > 0 for each in found)
    assert len({each["id"] for each in found}) == 25
    assert shell.counts(name) == (25, 0, 0)
    assert files(shell.folder) == {"out.jsonl"}


def test_a_dump_with_delete_empties_a_fifo_queue_in_order(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    for number in range(13):
        shell.sqs.send_message(
            QueueUrl=shell.url_of(name),
            MessageBody=str(number),
            MessageGroupId="g",
            MessageDeduplicationId=f"d{number}",
        )
    shell.done("dump", name, "-o", "out.jsonl", "--delete", *QUICK)
    found = lines_of(shell.folder / "out.jsonl")
    assert [(each["body"], each["group"], each["deduplication_id"]) for each in found] == [
        (str(number), "g", f"d{number}") for number in range(13)
    ]
    assert shell.counts(name) == (0, 0, 0)


def test_a_dump_of_a_long_fifo_queue_says_what_it_could_not_see(shell: Shell) -> None:
    name = shell.queue(fifo=True, ContentBasedDeduplication="true")
    shell.fill(name, [str(number) for number in range(13)], MessageGroupId="g")
    told = shell.refused(1, "dump", name, "-o", "out.jsonl", *QUICK)
    assert "10 messages are in out.jsonl" in told
    assert "about 3 messages" in told
    assert "use --delete" in told
    assert shell.counts(name) == (13, 0, 0)
    shell.done("dump", name, "-o", "out.jsonl", "--delete", *QUICK)
    assert [each["body"] for each in lines_of(shell.folder / "out.jsonl")] == [str(number) for number in range(13)]


def test_a_dump_says_what_it_did_not_see(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["a"])
    shell.sqs.receive_message(QueueUrl=shell.url_of(name))
    shell.fill(name, ["b"], DelaySeconds=900)
    told = shell.run("dump", name, "-o", "out.jsonl", *QUICK).stderr
    assert "1 messages in flight with other consumers, 1 delayed" in told


def test_a_dump_does_not_write_over_a_file_unasked(shell: Shell) -> None:
    name = shell.queue()
    (shell.folder / "out.jsonl").write_text("precious")
    assert "out.jsonl exists" in shell.refused(2, "dump", name, "-o", "out.jsonl")
    assert (shell.folder / "out.jsonl").read_text() == "precious"
    shell.done("dump", name, "-o", "out.jsonl", "--yes", *QUICK)
    assert (shell.folder / "out.jsonl").read_text() == ""


@pytest.fixture
def ending_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the run receive so many batches, and then let something happen."""

    def end(number: int, happens: BaseException) -> None:
        whole = Source.batches

        def some(self: Source) -> Any:
            for count, batch in enumerate(whole(self), 1):
                yield batch
                if count == number:
                    monkeypatch.undo()
                    raise happens

        monkeypatch.setattr(Source, "batches", some)

    return end


@pytest.mark.parametrize("flags", [(), ("--delete",)])
def test_an_interrupted_dump_lets_go_of_the_queue_and_goes_on(
    shell: Shell, ending_after: Any, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    name = shell.queue()
    shell.fill(name, [str(number) for number in range(40)])
    command = ("dump", name, "-o", str(shell.folder / "out.jsonl"), *flags, *QUICK)
    ending_after(2, KeyboardInterrupt())
    told = shell.refused(130, *command)
    assert "20 messages are in " in told
    assert "the same command goes on from there" in told
    assert shell.counts(name) == (20 if flags else 40, 0, 0)
    shell.done(*command)
    assert sorted(int(each["body"]) for each in lines_of(shell.folder / "out.jsonl")) == list(range(40))
    assert shell.counts(name) == (0 if flags else 40, 0, 0)


def test_a_dump_takes_back_a_line_that_was_written_and_not_noted(shell: Shell, ending_after: Any) -> None:
    name = shell.queue()
    shell.fill(name, [str(number) for number in range(20)])
    out = shell.folder / "out.jsonl"
    ending_after(1, KeyboardInterrupt())
    shell.refused(130, "dump", name, "-o", str(out), *QUICK)
    with out.open("a") as file:
        file.write('{"id": "half a li')
    shell.done("dump", name, "-o", str(out), *QUICK)
    assert sorted(int(each["body"]) for each in lines_of(out)) == list(range(20))


def test_a_state_of_another_transfer_is_refused(shell: Shell, ending_after: Any) -> None:
    one, other = shell.queue(), shell.queue()
    shell.fill(one, ["a"])
    out = str(shell.folder / "out.jsonl")
    ending_after(1, KeyboardInterrupt())
    shell.refused(130, "dump", one, "-o", out, *QUICK)
    assert "belongs to another transfer" in shell.refused(1, "dump", other, "-o", out, *QUICK)
    shell.done("dump", other, "-o", out, "--restart", "--yes", *QUICK)
    assert Path(out).read_text() == ""


def test_a_file_beside_that_is_no_state_is_refused(shell: Shell) -> None:
    (shell.folder / "out.jsonl.state").write_text("something else entirely, and long enough to be read" * 9)
    assert "is no state file; move it away" in shell.refused(1, "dump", shell.queue(), "-o", "out.jsonl")


# ── load ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_dump_wrote_a_load_brings_back(shell: Shell) -> None:
    name, other = shell.queue(), shell.queue()
    attributes = {
        "kind": {"DataType": "String", "StringValue": "ü"},
        "raw": {"DataType": "Binary.x", "BinaryValue": b"\x00\xff"},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    shell.fill(name, ["a\tb"], MessageAttributes=attributes, MessageGroupId="fair", MessageSystemAttributes=trace)
    shell.done("dump", name, "-o", "out.jsonl", *QUICK)
    (line,) = lines_of(shell.folder / "out.jsonl")
    assert line["attributes"]["raw"] == {"type": "Binary.x", "value": base64.b64encode(b"\x00\xff").decode()}
    result = shell.run("load", "out.jsonl", other)
    assert (result.exit_code, result.stderr) == (0, f"1 lines are in {other}\n")
    (message,) = shell.take_all(other)
    assert (message["Body"], message["MessageAttributes"]) == ("a\tb", attributes)
    assert message["Attributes"]["MessageGroupId"] == "fair"
    assert message["Attributes"]["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"]
    assert files(shell.folder) == {"out.jsonl"}


def test_a_load_keeps_the_order_of_a_fifo_queue(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    lines = [{"body": str(number), "group": "g", "deduplication_id": f"d{number}"} for number in range(25)]
    write_lines(shell.folder / "in.jsonl", lines)
    shell.done("load", "in.jsonl", name)
    assert shell.bodies(name) == [str(number) for number in range(25)]


def test_a_load_cuts_batches_at_a_mebibyte(shell: Shell) -> None:
    name = shell.queue()
    write_lines(shell.folder / "in.jsonl", [{"body": "x" * 400_000} for _ in range(5)])
    shell.done("load", "in.jsonl", name)
    assert shell.counts(name) == (5, 0, 0)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"body": "b", "attri', "the file ends within this line; it was cut short"),
        ('{"body": "b",}\n', "this is no JSON"),
        ('["b"]\n', "a line is one JSON object"),
        ("[" * 100_000 + "\n", "this is no JSON"),
        ('{"bdoy": "b"}\n', "'bdoy' is unknown; a line has id, body"),
        ('{"body": 5}\n', "'body' must be a text"),
        ('{"body": ""}\n', "it has no body"),
        ('{"body": "\\ud800"}\n', "the body holds U+D800 at character 1"),
        ('{"body": "b", "sent_ms": true}\n', "'sent_ms' must be a whole number"),
        ('{"body": "b", "attributes": {"a": "b"}}\n', "the attribute 'a' must be an object"),
        ('{"body": "b", "attributes": {"a": {"type": "Binary", "value": "?"}}}\n', "'?' is no base64"),
        ('{"body": "b", "attributes": {"a b": {"type": "String", "value": "x"}}}\n', "'a b' is no attribute name"),
        ('{"body": "b", "group": "a b"}\n', "'group' must be 1 to 128"),
        (json.dumps({"body": "x" * 1_048_577}) + "\n", "the message has 1048577 bytes; SQS takes 1048576"),
    ],
    ids=lambda value: value[:30],
)
def test_a_bad_line_is_named_before_anything_is_sent(shell: Shell, line: str, told: str) -> None:
    name = shell.queue()
    (shell.folder / "in.jsonl").write_text('{"body": "good"}\n' + line)
    said = shell.refused(2, "load", "in.jsonl", name)
    assert said.startswith("stanchion: in.jsonl:2: ")
    assert told in said
    assert said.endswith("stanchion: nothing was sent\n")
    assert shell.counts(name) == (0, 0, 0)


def test_a_line_that_is_no_text_is_named(shell: Shell) -> None:
    (shell.folder / "in.jsonl").write_bytes(b'{"body": "a\xff"}\n')
    assert "in.jsonl:1: this is not UTF-8 text" in shell.refused(2, "load", "in.jsonl", shell.queue())


def test_a_load_into_a_fifo_queue_says_what_lines_lack(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    write_lines(shell.folder / "in.jsonl", [{"body": "a"}, {"body": "b", "group": "g"}])
    said = shell.refused(2, "load", "in.jsonl", name)
    assert "in.jsonl:1: it has no group, which a FIFO queue needs; give --group" in said
    assert "in.jsonl:2: it has no deduplication_id" in said
    shell.done("load", "in.jsonl", name, "--group", "other", "--new-deduplication-ids")
    assert sorted(each["Attributes"]["MessageGroupId"] for each in shell.take_all(name)) == ["g", "other"]


def test_lines_with_the_same_body_are_not_taken_for_one(shell: Shell) -> None:
    name = shell.queue(fifo=True, ContentBasedDeduplication="true")
    write_lines(shell.folder / "in.jsonl", [{"id": str(n), "body": "same", "group": "g"} for n in range(3)])
    shell.done("load", "in.jsonl", name)
    assert shell.bodies(name) == ["same"] * 3


def test_a_message_that_a_fifo_queue_drops_is_reported_and_sent_on_request(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    shell.fill(name, ["a"], MessageGroupId="g", MessageDeduplicationId="d")
    shell.done("dump", name, "-o", "out.jsonl", "--delete", *QUICK)
    said = shell.refused(1, "load", "out.jsonl", name)
    assert "out.jsonl:1: taken for a duplicate of the message itself" in said
    assert shell.counts(name) == (0, 0, 0)
    shell.done("load", "out.jsonl", name, "--new-deduplication-ids")
    assert shell.bodies(name) == ["a"]


def test_two_lines_with_one_deduplication_id_are_reported(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    write_lines(shell.folder / "in.jsonl", [{"body": b, "group": "g", "deduplication_id": "d"} for b in "ab"])
    said = shell.refused(1, "load", "in.jsonl", name)
    assert "in.jsonl:2: taken for a duplicate of line 1" in said
    shell.done("load", "in.jsonl", name, "--new-deduplication-ids")
    assert shell.bodies(name) == ["a", "b"]


def test_a_changed_file_is_not_gone_on_with(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    lines = [{"body": b, "group": "g", "deduplication_id": "d"} for b in "ab"]
    write_lines(shell.folder / "in.jsonl", lines)
    shell.refused(1, "load", "in.jsonl", name)
    write_lines(shell.folder / "in.jsonl", [{"body": "c", "group": "g", "deduplication_id": "e"}])
    assert "the file has changed since" in shell.refused(1, "load", "in.jsonl", name)
    shell.done("load", "in.jsonl", name, "--restart")
    assert shell.bodies(name) == ["a", "c"]


# ── copy ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_copy_leaves_the_source_as_it_was(shell: Shell) -> None:
    source, target = shell.queue(), shell.queue()
    bodies = [str(number) for number in range(25)]
    shell.fill(source, bodies)
    result = shell.run("copy", source, target, *QUICK)
    assert result.exit_code == 0, result.output
    remembered, done = result.stderr.splitlines()
    assert remembered.startswith(f"stanchion: what is copied is remembered in copy-{source}-{target}-")
    assert done == f"25 messages are in {target}"
    assert sorted(shell.bodies(target)) == sorted(bodies)
    assert shell.counts(source) == (25, 0, 0)
    assert files(shell.folder) == set()


def test_copy_with_move_keeps_the_order_of_a_fifo_queue(shell: Shell) -> None:
    source = shell.queue(fifo=True, ContentBasedDeduplication="true")
    target = shell.queue(fifo=True)
    bodies = [str(number) for number in range(25)]
    shell.fill(source, bodies, MessageGroupId="g")
    shell.done("copy", source, target, "--move", *QUICK)
    assert shell.bodies(target) == bodies
    assert shell.counts(source) == (0, 0, 0)


def test_copy_between_two_endpoints(shell: Shell) -> None:
    source, target = shell.queue(), shell.queue()
    shell.fill(source, ["a"])
    shell.done("copy", source, target, "--from-endpoint-url", shell.url, "--to-endpoint-url", shell.url + "/", *QUICK)
    assert shell.bodies(target) == ["a"]
    said = shell.refused(1, "copy", source, target, "--to-endpoint-url", "http://127.0.0.1:1", *QUICK)
    assert said == 'stanchion: Could not connect to the endpoint URL: "http://127.0.0.1:1/"\n'


def test_copy_onto_itself_is_refused(shell: Shell) -> None:
    name = shell.queue()
    assert "SOURCE and TARGET are the same queue" in shell.refused(2, "copy", name, shell.url_of(name))


def test_copy_to_a_fifo_queue_without_groups_says_so_and_loses_nothing(shell: Shell) -> None:
    source, target = shell.queue(), shell.queue(fifo=True)
    shell.fill(source, ["a", "b"])
    said = shell.refused(1, "copy", source, target, "--move", *QUICK)
    assert "it has no group, which a FIFO queue needs; give --group" in said
    assert shell.counts(source) == (2, 0, 0)
    shell.done("copy", source, target, "--move", "--group", "g", *QUICK)
    assert sorted(shell.bodies(target)) == ["a", "b"]


def test_a_second_run_with_the_same_state_is_refused(shell: Shell, ending_after: Any) -> None:
    source, target = shell.queue(), shell.queue()
    shell.fill(source, ["a"])
    state = shell.folder / "mine.state"
    code = (
        "import sqlite3, sys; sql = sqlite3.connect(sys.argv[1]); sql.execute('PRAGMA locking_mode=EXCLUSIVE');"
        "sql.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        said = shell.refused(1, "copy", source, target, "--state", str(state), *QUICK)
        holder.communicate()
    assert "another run is using it" in said
    assert shell.counts(source) == (1, 0, 0)
