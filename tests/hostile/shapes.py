"""Inputs that are nearly right: the members of each action with values that fit, nearly fit, or never could."""

import json
from typing import Any

from hypothesis import strategies as st

from stanchion.wire.schema import INPUTS, Kind, ListOf, MapOf, Member, Scalar, Structure

QUEUES = ["q", "f.fifo", "http://x/000000000000/q", "/000000000000/f.fifo"]
ARN = "arn:aws:sqs:us-east-1:000000000000:q"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "SQS:*", "Resource": ARN, "Condition": {}}],
    }
)

ATTRIBUTES = [
    *("All", "Policy", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod", "DelaySeconds"),
    *("RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId"),
    *("KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit", "SqsManagedSseEnabled"),
    *("AWSTraceHeader", "MessageGroupId", "ApproximateReceiveCount", "QueueArn"),
]
FITTING = [
    *("", "true", "false", "1", "0", "30", "60", "1024", "262144", "String", "Number", "Binary", "Number.int"),
    *("queue", "messageGroup", "perQueue", "perMessageGroupId", "a", "SendMessage", "*", "000000000000"),
    *(ARN, POLICY, "AQEB", "label", "alias/aws/sqs", "Root=1-5759e988-bd862e3fe1be46a994272793", ".*", "foo.*"),
    json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": 3}),
    json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN]}),
]
NEARLY = [
    *("\0", "\ud800", "\udfff\ud800", "\ufffe", "\U0010ffff", "\r\n", "<&\"'>", "]]>", "1e9", "-1", "+1", "１", "٣"),
    *(
        "9" * 30,
        "-" + "9" * 30,
        "9" * 5_000,
        "NaN",
        "null",
        "{}",
        "[]",
        "{",
        '{"a":' * 50,
        "[" * 3_000,
        "a" * 300_000,
    ),
    *('{"maxReceiveCount": 1e400}', '{"deadLetterTargetArn": null}', '{"Statement": 7}', '{"Statement": [[]]}'),
    *('{"Statement": {"Effect": [], "Action": {}, "Principal": 5, "Condition": {"x": {"y": {}}}}}', '"\\ud800"'),
    *(
        "arn:aws:sqs:::",
        "arn:aws:sqs:us-east-1:000000000000:" + "x" * 81,
        "a/b",
        "//",
        "http://[",
        "%",
        "%zz",
        "..",
        ".",
    ),
]
NUMBERS = [0, 1, 2, 10, 30, 900, -1, 11, 43_201, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40, -(10**40)]
# Waiting would stop the test: its clock stands still.
NOT_WAITING = [0, -1, 21, 2**31, 10**30, "0", "x", True, [], {}]

texts = st.sampled_from(FITTING) | st.sampled_from(NEARLY) | st.text(max_size=20)
numbers = st.sampled_from(NUMBERS) | st.integers()
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _fitting(kind: Kind) -> st.SearchStrategy[Any]:
    if isinstance(kind, Structure):
        return _structure(kind)
    if isinstance(kind, ListOf):
        elements = st.sampled_from(ATTRIBUTES) | texts if kind.element is Scalar.TEXT else _value(kind.element)
        return st.lists(elements, max_size=12)
    if isinstance(kind, MapOf):
        return st.dictionaries(st.sampled_from(ATTRIBUTES) | texts, _value(kind.value), max_size=4)
    if kind is Scalar.INTEGER:
        return numbers
    return texts


def _value(kind: Kind) -> st.SearchStrategy[Any]:
    fitting = _fitting(kind)
    return st.one_of(fitting, fitting, fitting, fitting, anything)


def _member(member: Member) -> st.SearchStrategy[Any]:
    match member.json_name:
        case "QueueUrl":
            return st.one_of(st.sampled_from(QUEUES), st.sampled_from(QUEUES), st.sampled_from(QUEUES), anything)
        case "WaitTimeSeconds":
            return st.sampled_from(NOT_WAITING)
        case _:
            return _value(member.kind)


def _structure(structure: Structure) -> st.SearchStrategy[dict[str, Any]]:
    members = {member.json_name: _member(member) for member in structure.members}
    required = {name: strategy for name, strategy in members.items() if name == "QueueUrl"}
    optional = {name: strategy for name, strategy in members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def inputs(action: str) -> st.SearchStrategy[dict[str, Any]]:
    return _structure(INPUTS[action])


def flatten(action: str, given: Any) -> list[tuple[str, str]]:
    """The same input as Query parameters, as far as it can be said in them."""
    return _flat_structure("", given, INPUTS[action])


def _flat_structure(prefix: str, given: Any, structure: Structure) -> list[tuple[str, str]]:
    if not isinstance(given, dict):
        return [(prefix.rstrip("."), _text(given))]
    members = {member.json_name: member for member in structure.members}
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        member = members.get(name)
        pairs += _flat(f"{prefix}{member.query_name}", value, member.kind) if member else [(name, _text(value))]
    return pairs


def _flat(name: str, given: Any, kind: Kind) -> list[tuple[str, str]]:
    if isinstance(kind, Structure):
        return _flat_structure(f"{name}.", given, kind)
    if isinstance(kind, ListOf) and isinstance(given, list):
        return [pair for n, each in enumerate(given, 1) for pair in _flat(f"{name}.{n}", each, kind.element)]
    if isinstance(kind, MapOf) and isinstance(given, dict):
        pairs = []
        for n, (key, value) in enumerate(given.items(), 1):
            pairs.append((f"{name}.{n}.{kind.key_name}", key))
            pairs += _flat(f"{name}.{n}.Value", value, kind.value)
        return pairs
    return [(name, _text(given))]


def _text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given)
