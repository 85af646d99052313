"""queues, send, receive, peek, purge and redrive against a server."""

import base64
import json
import sys
from contextlib import closing
from socket import create_server

import pytest

from shell.shell import Shell
from stanchion.cli.shell import show


def test_queues_lists_those_of_a_prefix_with_their_counts(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["a", "b"])
    (row,) = [each for each in shell.json("queues", name) if each["name"] == name]
    expected = {"name": name, "url": shell.url_of(name), "fifo": False, "visible": 2, "in_flight": 0, "delayed": 0}
    assert row == expected
    assert shell.json("queues", "no-such-prefix") == []


def test_queues_as_a_table_is_not_cut_in_a_pipe(shell: Shell) -> None:
    name = shell.queue()
    (line,) = [line for line in shell.done("queues", name).splitlines() if line.split()[0] == name]
    assert line.split() == [name, "0", "0", "0", shell.url_of(name)]


def test_send_prints_the_id_that_receive_shows(shell: Shell) -> None:
    name = shell.queue()
    sent = shell.done("send", name, "hello").strip()
    (message,) = shell.json("receive", name, "--wait", "0")
    assert (message["id"], message["body"], message["receives"]) == (sent, "hello", 1)


def test_a_queue_may_be_given_as_its_url_which_says_where_it_is(shell: Shell) -> None:
    url = shell.url_of(shell.queue())
    assert shell.run("send", url, "hello", AWS_ENDPOINT_URL_SQS="http://127.0.0.1:1").exit_code == 0
    assert [each["body"] for each in shell.json("receive", url, "--wait", "0")] == ["hello"]


@pytest.mark.parametrize("arguments", [(), ("-",), ("--file", "-")])
def test_send_reads_a_body_from_standard_input_as_it_is(shell: Shell, arguments: tuple[str, ...]) -> None:
    name = shell.queue()
    shell.done("send", name, *arguments, input="über\nlines\n")
    assert shell.bodies(name) == ["über\nlines\n"]


def test_send_takes_a_file(shell: Shell) -> None:
    name = shell.queue()
    (shell.folder / "body.txt").write_text("from a file")
    shell.done("send", name, "--file", "body.txt")
    assert shell.bodies(name) == ["from a file"]


def test_send_takes_attributes_of_every_type(shell: Shell) -> None:
    name = shell.queue()
    given = ["kind=a=b", "weight:Number=2.5", f"raw:Binary.png={base64.b64encode(b'12').decode()}"]
    shell.done("send", name, "body", *(part for each in given for part in ("--attribute", each)))
    (message,) = shell.take_all(name)
    assert message["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "a=b"},
        "weight": {"DataType": "Number", "StringValue": "2.5"},
        "raw": {"DataType": "Binary.png", "BinaryValue": b"12"},
    }


def test_send_each_line_leaves_out_empty_lines(shell: Shell) -> None:
    name = shell.queue()
    text = "".join(f"{number}\n\n" for number in range(25))
    assert shell.done("send", name, "--each-line", input=text) == "25 messages sent\n"
    assert sorted(shell.bodies(name), key=int) == [str(number) for number in range(25)]


def test_send_each_line_names_the_lines_that_failed(shell: Shell) -> None:
    name = shell.queue()
    told = shell.refused(1, "send", name, "--each-line", input="good\nbad\x01\nfine\n")
    assert "line 2: InvalidMessageContents" in told
    assert "1 of 3 lines were not sent" in told
    assert sorted(shell.bodies(name)) == ["fine", "good"]


def test_send_to_a_fifo_queue_keeps_group_and_deduplicates(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    sent = [
        shell.json("send", name, body, "--group", "g", "--deduplication-id", "1")[0] for body in ("one", "another")
    ]
    assert sent[0] == sent[1]
    (message,) = shell.take_all(name)
    assert message["Attributes"]["MessageGroupId"] == "g"
    assert message["Attributes"]["SequenceNumber"] == sent[0]["sequence_number"]


def test_send_delays(shell: Shell) -> None:
    name = shell.queue()
    shell.done("send", name, "later", "--delay", "900")
    assert shell.counts(name) == (0, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", "--file", "-"), "give BODY or --file, not both"),
        (("",), "the body is empty"),
        (("x", "--delay", "901"), "901 is not in the range 0<=x<=900"),
        (("x", "--attribute", "oops"), "'oops' is no attribute; write name=value"),
        (("x", "--attribute", "n:Number=five"), "'five' is no number"),
        (("x", "--attribute", "a=1", "--attribute", "a=2"), "the attribute 'a' is given twice"),
        (("--each-line", "--deduplication-id", "1"), "--deduplication-id is for one message"),
    ],
)
def test_send_says_what_is_wrong_with_its_arguments(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    assert told in shell.refused(2, "send", "no-matter", *arguments)


def test_send_refuses_what_is_no_text(shell: Shell) -> None:
    told = shell.refused(2, "send", shell.queue(), input=b"ab\xff")
    assert "the body is not UTF-8 text (invalid start byte at byte 2)" in told


def test_receive_takes_more_than_ten_and_deletes_them(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, [str(number) for number in range(25)])
    taken = shell.json("receive", name, "-n", "23", "--wait", "0", "--delete")
    assert len({each["id"] for each in taken}) == 23
    assert shell.counts(name) == (2, 0, 0)


def test_receive_as_a_table_keeps_a_message_on_one_line(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["two\nlines\x9b31m"])
    heading, line = shell.done("receive", name, "--wait", "0", "--delete").splitlines()
    assert heading.split()[0] == "ID"
    assert line.rstrip().endswith("two\\nlines\\x9b31m")
    assert shell.counts(name) == (0, 0, 0)


def test_receive_without_delete_hides_for_as_long_as_told(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["a"])
    shell.json("receive", name, "--wait", "0", "--visibility-timeout", "600")
    assert shell.counts(name) == (0, 1, 0)
    shell.fill(name, ["b"])
    shell.json("receive", name, "--wait", "0", "--visibility-timeout", "0")
    assert shell.counts(name) == (1, 1, 0)


def test_peek_shows_each_message_once_and_leaves_all_visible(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, [str(number) for number in range(15)])
    result = shell.run("peek", name, "-n", "12", "--json")
    assert len({json.loads(line)["id"] for line in result.stdout.splitlines()}) == 12
    assert "counts this as a receive" in result.stderr
    assert shell.counts(name) == (15, 0, 0)


def test_peek_keeps_the_order_of_a_fifo_queue(shell: Shell) -> None:
    name = shell.queue(fifo=True)
    for body in ("first", "second", "third"):
        shell.done("send", name, body, "--group", "g", "--deduplication-id", body)
    assert [each["body"] for each in shell.json("peek", name)] == ["first", "second", "third"]
    assert shell.bodies(name) == ["first", "second", "third"]


def test_purge_refuses_without_a_terminal_and_without_yes(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["a"])
    assert f"all messages of {name}, about 1. There is no terminal" in shell.refused(2, "purge", name)
    assert shell.counts(name) == (1, 0, 0)
    shell.done("purge", name, "--yes")
    assert shell.counts(name) == (0, 0, 0)


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1)])
def test_purge_asks_at_a_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    name = shell.queue()
    shell.fill(name, ["a"])
    monkeypatch.setattr(show, "at_a_terminal", lambda: True)
    assert shell.run("purge", name, input=answer).exit_code == code
    assert shell.counts(name)[0] == left


def dead_letters(shell: Shell, bodies: list[str]) -> tuple[str, str]:
    """A queue, and its dead-letter queue with messages that came from it."""
    dead = shell.queue()
    policy = json.dumps({"deadLetterTargetArn": shell.arn_of(dead), "maxReceiveCount": 1})
    source = shell.queue(RedrivePolicy=policy)
    shell.fill(source, bodies)
    for _ in range(2):
        shell.sqs.receive_message(QueueUrl=shell.url_of(source), MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert shell.counts(dead)[0] == len(bodies)
    return source, dead


def test_redrive_moves_back_and_watches(shell: Shell) -> None:
    source, dead = dead_letters(shell, ["a", "b"])
    result = shell.run("redrive", dead, "--watch")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == ["the move has started", "2 messages moved"]
    assert (shell.counts(source)[0], shell.counts(dead)[0]) == (2, 0)
    (task,) = shell.json("redrive", dead, "--list")
    assert (task["status"], task["moved"]) == ("COMPLETED", 2)


def test_redrive_takes_the_name_of_another_queue(shell: Shell) -> None:
    _, dead = dead_letters(shell, ["a"])
    other = shell.queue()
    shell.done("redrive", dead, "--to", other, "--rate", "50", "--watch")
    assert shell.bodies(other) == ["a"]


def test_redrive_says_when_there_is_nothing_to_cancel(shell: Shell) -> None:
    _, dead = dead_letters(shell, ["a"])
    assert shell.refused(1, "redrive", dead, "--cancel") == "stanchion: no move is under way\n"
    assert "exclude each other" in shell.refused(2, "redrive", dead, "--cancel", "--list")


def test_redrive_cancels_what_is_under_way(shell: Shell) -> None:
    _, dead = dead_letters(shell, [str(number) for number in range(9)])
    shell.done("redrive", dead, "--rate", "1")
    assert "cancelled after" in shell.run("redrive", dead, "--cancel").stderr


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_one_line_with_code_and_text(shell: Shell) -> None:
    told = shell.refused(1, "send", "no-such-queue", "x")
    assert len(told.splitlines()) == 1
    assert told.startswith("stanchion: AWS.SimpleQueueService.NonExistentQueue: ")


def test_a_server_that_is_away_is_one_line(shell: Shell) -> None:
    with closing(create_server(("127.0.0.1", 0))) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    told = shell.refused(1, "queues", "--endpoint-url", url)
    assert told == f'stanchion: Could not connect to the endpoint URL: "{url}/"\n'


def test_an_unknown_profile_and_a_bad_url_are_wrong_usage(shell: Shell) -> None:
    assert "The config profile (nobody) could not be found" in shell.refused(2, "queues", "--profile", "nobody")
    assert "nonsense" in shell.refused(2, "queues", "--endpoint-url", "nonsense")


def test_without_botocore_a_command_says_how_to_install_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("botocore.config", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    told = shell.refused(1, "queues")
    assert told == "stanchion: this command needs botocore; install it with: pip install 'stanchion[client]'\n"
