"""The rules of the shell that need no server: attributes, lines, batches, what fits a queue, endpoints."""

import json

import pytest
from click.shell_completion import BashComplete
from hypothesis import given
from hypothesis import strategies as st

from stanchion.cli.main import main
from stanchion.cli.shell import endpoint
from stanchion.cli.shell.attributes import parse_attribute
from stanchion.cli.shell.batches import batches
from stanchion.cli.shell.lines import Outgoing, entry, fitted, from_line, outgoing, record, to_line
from stanchion.cli.shell.show import one_line


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("a=b", "a", {"DataType": "String", "StringValue": "b"}),
        ("a=b:c=d", "a", {"DataType": "String", "StringValue": "b:c=d"}),
        ("a:Number=-1.5e3", "a", {"DataType": "Number", "StringValue": "-1.5e3"}),
        ("a:Number.int=5", "a", {"DataType": "Number.int", "StringValue": "5"}),
        ("a:Binary=AAE=", "a", {"DataType": "Binary", "BinaryValue": b"\x00\x01"}),
        ("a=two\nlines", "a", {"DataType": "String", "StringValue": "two\nlines"}),
    ],
)
def test_an_attribute_is_read(text: str, name: str, value: object) -> None:
    assert parse_attribute(text) == (name, value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a", "is no attribute"),
        ("=b", "is no attribute"),
        ("a=", "needs a value"),
        ("a:Text=b", "'Text' is no type"),
        ("a:=b", "'' is no type"),
        ("a:Number=x", "is no number"),
        ("a:Binary=*", "is no base64"),
        ("a=\x01", "holds a character"),
        ("AWS.a=b", "no attribute name"),
        ("a..b=c", "no attribute name"),
        ("x" * 257 + "=c", "no attribute name"),
    ],
)
def test_a_bad_attribute_is_explained(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + told):
        parse_attribute(text)


@given(st.lists(st.integers(1, 120), max_size=60))
def test_batches_keep_the_order_and_both_limits(sizes: list[int]) -> None:
    found = list(batches(((number, size) for number, size in enumerate(sizes)), entries=10, size=100))
    assert [number for batch in found for number in batch] == list(range(len(sizes)))
    for batch in found:
        assert 1 <= len(batch) <= 10
        assert len(batch) == 1 or sum(sizes[number] for number in batch) <= 100


def test_batches_are_as_full_as_they_may_be() -> None:
    assert list(batches([("a", 60), ("b", 40), ("c", 1)], size=100)) == [["a", "b"], ["c"]]


LEGAL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1)


@given(LEGAL, LEGAL, st.binary(min_size=1))
def test_a_line_gives_back_the_message_it_was_made_of(body: str, text: str, data: bytes) -> None:
    message = {
        "MessageId": "id",
        "Body": body,
        "MessageAttributes": {
            "text": {"DataType": "String", "StringValue": text},
            "data": {"DataType": "Binary.x", "BinaryValue": data},
        },
        "Attributes": {
            "MessageGroupId": "g",
            "MessageDeduplicationId": "d",
            "SentTimestamp": "5",
            "ApproximateReceiveCount": "2",
        },
    }
    line = to_line(message)
    assert line.count("\n") == 1
    assert from_line(line) == outgoing(message)
    assert json.loads(line) == record(message)
    assert entry(from_line(line))["MessageAttributes"] == message["MessageAttributes"]


def test_a_last_line_may_lack_its_end_but_not_its_rest() -> None:
    assert from_line('{"body": "b"}').body == "b"
    with pytest.raises(ValueError, match="cut short"):
        from_line('{"body": "b"')


def test_a_standard_queue_gets_no_deduplication_id() -> None:
    message = Outgoing("b", group="g", deduplication_id="d")
    assert fitted(message, fifo=False, content_based=False, group="other") == Outgoing("b", group="g")


def test_a_fifo_queue_gets_a_group_and_an_id_that_stays_the_same() -> None:
    message = Outgoing("b", id="i")
    assert fitted(message, fifo=True, content_based=True, group="g") == Outgoing(
        "b", group="g", deduplication_id="i", id="i"
    )
    assert fitted(Outgoing("b"), fifo=True, content_based=True, group="g").deduplication_id is None


@pytest.mark.parametrize(
    ("url", "home", "region"),
    [
        ("http://127.0.0.1:9324/000000000000/q", "http://127.0.0.1:9324", None),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "aws", "eu-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", "aws", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "aws", "cn-north-1"),
        ("https://queue.amazonaws.com/123456789012/q", "aws", None),
    ],
)
def test_a_queue_url_says_where_it_is(url: str, home: str, region: str | None) -> None:
    assert (endpoint.home_of(url), endpoint.region_of(url)) == (home, region)


@pytest.mark.parametrize(
    ("place", "environment", "url", "region"),
    [
        (endpoint.Place(), {}, endpoint.LOCAL, "us-east-1"),
        (endpoint.Place(), {"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1", "us-east-1"),
        (
            endpoint.Place(),
            {
                "AWS_ENDPOINT_URL": "http://a:1",
                "AWS_ENDPOINT_URL_SQS": "http://b:2",
                "AWS_DEFAULT_REGION": "eu-west-1",
            },
            "http://b:2",
            "eu-west-1",
        ),
        (
            endpoint.Place(),
            {"AWS_ENDPOINT_URL_SQS": "https://sqs.us-east-1.amazonaws.com"},
            "https://sqs.us-east-1.amazonaws.com",
            "us-east-1",
        ),
        (endpoint.Place("http://c:3", "eu-west-2"), {"AWS_ENDPOINT_URL": "http://a:1"}, "http://c:3", "eu-west-2"),
        (
            endpoint.Place("aws", "eu-west-2"),
            {"AWS_ENDPOINT_URL": "http://a:1"},
            "https://sqs.eu-west-2.amazonaws.com",
            "eu-west-2",
        ),
    ],
)
def test_the_endpoint_is_the_one_said_else_configured_else_local(
    monkeypatch: pytest.MonkeyPatch,
    place: endpoint.Place,
    environment: dict[str, str],
    url: str,
    region: str,
    no_aws: None,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = endpoint.connect(place)
    assert (found.endpoint_url, found.region) == (url, region)


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert one_line("ü\t\x9b2J\u202e") == "ü\\t\\x9b2J\\u202e"


@pytest.mark.parametrize(
    ("typed", "offered"), [("pu", ["purge"]), ("red", ["redrive"]), ("re", ["receive", "redrive"])]
)
def test_the_shell_completes_commands(typed: str, offered: list[str]) -> None:
    complete = BashComplete(main, {}, "stanchion", "_STANCHION_COMPLETE")
    assert [each.value for each in complete.get_completions([], typed)] == offered


def test_the_shell_completes_options() -> None:
    complete = BashComplete(main, {}, "stanchion", "_STANCHION_COMPLETE")
    assert [each.value for each in complete.get_completions(["copy"], "--from-")] == [
        "--from-endpoint-url",
        "--from-region",
        "--from-profile",
    ]
