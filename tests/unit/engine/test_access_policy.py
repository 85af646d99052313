"""Access policies: which documents are valid, who may do what, and what AddPermission makes."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.actions import ACTIONS
from stanchion.engine.access_policy import add_permission, authorize, check, parse, remove_permission
from stanchion.engine.policy_conditions import wildcard
from stanchion.errors import (
    AccessDenied,
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    SQSError,
)
from stanchion.model import Caller, RequestContext

OWNER, OTHER = "123456789012", "210987654321"
ARN = f"arn:aws:sqs:us-east-1:{OWNER}:orders"
ADDRESS = f"https://sqs.example/{OWNER}/orders"
NOW_MS = 1_795_224_060_000  # 2026-11-21T01:21:00Z

INVALID = "Invalid value for the parameter Policy."


def caller_of(account: str, arn: str | None = None, **more: Any) -> Caller:
    defaults = {"region": "us-east-1", "sender_id": account, "access_key_id": "AKID"}
    return Caller(account=account, arn=arn or f"arn:aws:iam::{account}:root", **{**defaults, **more})


OWNING = caller_of(OWNER, f"arn:aws:iam::{OWNER}:user/alice", sender_id="AIDAALICE", tags=(("Team", "blue"),))
FOREIGN = caller_of(OTHER, f"arn:aws:iam::{OTHER}:user/team/bob")
ANONYMOUS = Caller(account="", region="us-east-1", arn="", sender_id="anonymous", access_key_id=None)
TRUSTED = caller_of(OTHER, trusted=True)
CONTEXT = RequestContext(
    base_url="https://sqs.example",
    address=ADDRESS,
    source_ip="192.0.2.7",
    secure=True,
    user_agent="Boto3/1.44 md/Botocore",
    referer="https://shop.example/cart",
)


def statement(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    """A statement about everything for everybody, with some members set otherwise; None leaves one out."""
    given = {"Effect": effect, "Principal": "*", "Action": "sqs:*", "Resource": "*", **members}
    return {name: value for name, value in given.items() if value is not None}


def policy(*statements: dict[str, Any], **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


def may(text: str | None, caller: Caller, action: str = "SendMessage", *, context: RequestContext = CONTEXT) -> bool:
    try:
        authorize(parse(text) if text else None, caller, ACTIONS[action], ARN, OWNER, context, NOW_MS)
    except AccessDenied:
        return False
    return True


def denial(text: str | None, caller: Caller, action: str = "SendMessage") -> str:
    with pytest.raises(AccessDenied) as caught:
        authorize(parse(text) if text else None, caller, ACTIONS[action], ARN, OWNER, CONTEXT, NOW_MS)
    assert caught.value.status == 403
    return caught.value.message


# ── Documents ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_is_stored_compact_and_else_as_it_came() -> None:
    text = """{ "Statement" : [ { "Sid": "caf\\u00e9", "Resource":"*",
      "Action": ["SQS:*"], "Principal": {"AWS": "*"}, "Effect": "Allow",
      "Condition": {"NumericLessThan": {"aws:EpochTime": 1.50}} } ], "Id": "x y", "Version": "2008-10-17" }"""
    assert check(text, creating=False) == (
        '{"Statement":[{"Sid":"caf\\u00e9","Resource":"*","Action":["SQS:*"],"Principal":{"AWS":"*"},"Effect":"Allow",'
        '"Condition":{"NumericLessThan":{"aws:EpochTime":1.50}}}],"Id":"x y","Version":"2008-10-17"}'
    )


def test_what_the_console_makes_is_valid() -> None:
    given = statement(Sid="__owner_statement", Principal={"AWS": f"arn:aws:iam::{OWNER}:root"}, Action=["SQS:*"])
    text = policy(given, Id="__default_policy_ID")
    assert json.loads(check(text, creating=True)) == json.loads(text)


def test_a_single_statement_needs_no_list() -> None:
    assert may(json.dumps({"Statement": statement()}), FOREIGN)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", '"x"', "1", "{}", '{"Statement":[]}', '{"Statement":null}', '{"Statement":[null]}',
        '{"Statement":"x"}', "[" * 100_000, '{"Statement":' * 5_000, '{"a":"\ud800"}', "\x00",
        policy(statement(Condition={"NumericEquals": {"aws:EpochTime": 0}})).replace(" 0", "9" * 5_000),
        policy(statement(), Version="2013-10-17"),
        policy(statement(), Version=None),
        policy(statement(), Id=1),
        policy(statement(), Extra=1),
        policy(statement(), statement="x"),
        policy(statement("allow")),
        policy(statement(Effect=None)),
        policy(statement(Sid=1)),
        policy(statement(Extra="x")),
        policy(statement(Principal=None)),
        policy(statement(NotPrincipal="*")),
        policy(statement(Principal="x")),
        policy(statement(Principal="")),
        policy(statement(Principal={})),
        policy(statement(Principal=["*"])),
        policy(statement(Principal={"AWS": []})),
        policy(statement(Principal={"AWS": ""})),
        policy(statement(Principal={"Aws": "*"})),
        policy(statement(Principal={"AWS": [1]})),
        policy(statement(Action=None)),
        policy(statement(Action=[])),
        policy(statement(Action="SendMessage")),
        policy(statement(Action="s3:GetObject")),
        policy(statement(Action=["sqs:SendMessage", "s3:*"])),
        policy(statement(NotAction="sqs:SendMessage")),
        policy(statement(Resource=None)),
        policy(statement(Resource=[])),
        policy(statement(NotResource="*")),
        policy(statement(Condition="x")),
        policy(statement(Condition={"StringEquals": "x"})),
        policy(statement(Condition={"StringEquals": {"aws:UserAgent": None}})),
        policy(statement(Condition={"StringEquals": {"aws:UserAgent": {"a": 1}}})),
    ],
)  # fmt: skip
def test_an_invalid_document_is_refused(text: str) -> None:
    for read in (parse, lambda text: check(text, creating=True), lambda text: check(text, creating=False)):
        with pytest.raises(InvalidAttributeValue) as caught:
            read(text)
        assert caught.value.message == INVALID


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLooksLike": {"aws:UserAgent": "x"}},
        {"stringequals": {"aws:UserAgent": "x"}},
        {"StringEqualsIfExistsIfExists": {"aws:UserAgent": "x"}},
        {"NullIfExists": {"aws:UserAgent": "true"}},
        {"ForSomeValues:StringEquals": {"aws:UserAgent": "x"}},
        {"ForAnyValue:Null": {"aws:UserAgent": "true"}},
        {"": {"aws:UserAgent": "x"}},
        {"Null": {"aws:UserAgent": "perhaps"}},
        {"Bool": {"aws:SecureTransport": "yes"}},
        {"NumericEquals": {"aws:EpochTime": "many"}},
        {"NumericEquals": {"aws:EpochTime": "nan"}},
        {"NumericEquals": {"aws:EpochTime": int("9" * 400)}},
        {"DateLessThan": {"aws:CurrentTime": "tomorrow"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/33"}},
        {"NotIpAddress": {"aws:SourceIp": "example.com"}},
    ],
)
def test_an_unknown_operator_or_an_operand_it_cannot_use_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(InvalidAttributeValue) as caught:
        check(policy(statement(Condition=condition)), creating=False)
    assert caught.value.message == INVALID


def accounts(count: int) -> list[str]:
    return [f"{number:012}" for number in range(count)]


AT_THE_LIMITS = {
    "20 statements": [statement() for _ in range(20)],
    "50 principals": [statement(Principal={"AWS": accounts(30)}), statement(Principal={"AWS": accounts(20)})],
    "10 conditions": [statement(Condition={"StringLike": {f"aws:PrincipalTag/{n}": "x" for n in range(10)}})],
    "7 actions": [statement(Action=["sqs:SendMessage"] * 7)],
}
OVER_THE_LIMITS = {
    "51 principals": [
        statement(Principal={"AWS": accounts(30)}),
        statement(Principal=None, NotPrincipal={"AWS": accounts(21)}),
    ],
    "11 conditions": [statement(Condition={"StringLike": {f"aws:PrincipalTag/{n}": "x" for n in range(11)}})],
    "8 actions": [statement(Action=["sqs:SendMessage"] * 8)],
    "8 not-actions": [statement(Action=None, NotAction=["sqs:SendMessage"] * 8)],
    "8193 bytes": [statement(Sid="x" * 8_192)],
}  # fmt: skip


@pytest.mark.parametrize("statements", AT_THE_LIMITS.values(), ids=AT_THE_LIMITS)
def test_a_document_at_a_limit_is_valid(statements: list[dict[str, Any]]) -> None:
    assert len(parse(check(policy(*statements), creating=True)).statements) == len(statements)


@pytest.mark.parametrize("statements", OVER_THE_LIMITS.values(), ids=OVER_THE_LIMITS)
def test_a_document_over_a_limit_is_refused(statements: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidAttributeValue) as caught:
        check(policy(*statements), creating=False)
    assert caught.value.message == INVALID


def test_8192_bytes_count_without_blanks_between_members() -> None:
    room = 8_192 - len(check(policy(statement(Sid="")), creating=False))
    text = policy(statement(Sid="x" * room)).replace(" ", "   ")
    assert len(check(text, creating=False)) == 8_192


def test_21_statements_are_over_the_limit_of_a_change_and_invalid_in_a_creation() -> None:
    text = policy(*[statement() for _ in range(21)])
    words = "21 statements were found in the submitted policy, max allowed is 20"
    with pytest.raises(OverLimit) as change:
        check(text, creating=False)
    with pytest.raises(InvalidParameterValue) as creation:
        check(text, creating=True)
    assert (change.value.message, creation.value.message) == (words, words)
    with pytest.raises(InvalidAttributeValue):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
MEMBERS = {
    "Sid": st.text(), "Effect": st.sampled_from(["Allow", "Deny"]),
    "Principal": st.just("*") | st.dictionaries(st.sampled_from(["AWS", "Service"]), st.text() | st.lists(st.text())),
    "Action": st.sampled_from(["*", "sqs:*", "sqs:[?", "SQS:send*"]) | st.text(),
    "Resource": st.text() | st.lists(st.text()),
    "Condition": st.dictionaries(
        st.sampled_from(["StringLike", "ArnLike", "NumericEquals", "DateEquals", "IpAddress", "Bool"]) | st.text(),
        st.dictionaries(st.sampled_from(["aws:SourceIp", "AWS:useragent"]), JSON),
    ),
}  # fmt: skip
STATEMENTS = st.fixed_dictionaries({}, optional={name: values | JSON for name, values in MEMBERS.items()})
DOCUMENTS = st.fixed_dictionaries({}, optional={"Statement": STATEMENTS | st.lists(STATEMENTS) | JSON, "Id": JSON})


@given(st.text() | st.builds(json.dumps, JSON | DOCUMENTS))
def test_no_document_raises_anything_but_errors_of_sqs(text: str) -> None:
    try:
        stored = check(text, creating=False)
    except SQSError:
        return
    assert check(stored, creating=False) == stored
    for caller in (OWNING, FOREIGN, ANONYMOUS):
        assert may(stored, caller) in (True, False)
    assert "l1" in add_permission(stored, ARN, "l1", [OTHER], ["SendMessage"])


def test_a_parsed_policy_is_a_value() -> None:
    text = policy(statement(Condition={"StringLike": {"aws:UserAgent": "*"}}))
    assert hash(parse(text)) == hash(parse(text + " "))
    assert parse(text) == parse(text + " ")


# ── Who may what ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_policy_the_owner_may_and_nobody_else() -> None:
    assert may(None, OWNING)
    assert not may(None, FOREIGN)
    assert not may(None, ANONYMOUS)


def test_a_trusted_caller_may_everything_also_what_is_denied() -> None:
    assert may(None, TRUSTED)
    assert may(policy(statement("Deny")), TRUSTED, "DeleteQueue")


def test_the_owner_may_what_no_statement_speaks_of() -> None:
    assert may(policy(statement(Principal={"AWS": OTHER}, Action="sqs:SendMessage")), OWNING, "DeleteQueue")


def test_a_deny_refuses_even_the_owner() -> None:
    text = policy(statement("Deny", Action="sqs:SendMessage"))
    assert not may(text, OWNING)
    assert may(text, OWNING, "ReceiveMessage")


@pytest.mark.parametrize("turn", [1, -1])
def test_a_deny_wins_over_an_allow_in_any_order(turn: int) -> None:
    statements = [statement(), statement("Deny", Action="sqs:SendMessage")][::turn]
    assert not may(policy(*statements), FOREIGN)
    assert may(policy(*statements), FOREIGN, "ReceiveMessage")


def test_an_allow_lets_other_accounts_in() -> None:
    text = policy(statement(Principal={"AWS": OTHER}, Action="sqs:SendMessage"))
    assert may(text, FOREIGN)
    assert not may(text, FOREIGN, "ReceiveMessage")
    assert not may(text, caller_of("999999999999"))


@pytest.mark.parametrize("action", [action.name for action in ACTIONS.values() if action.owner_only])
def test_owner_only_actions_are_never_granted(action: str) -> None:
    assert not may(policy(statement()), FOREIGN, action)
    assert not may(policy(statement()), ANONYMOUS, action)
    assert may(policy(statement()), OWNING, action)


@pytest.mark.parametrize("action", [action.name for action in ACTIONS.values() if not action.owner_only])
def test_all_other_actions_can_be_granted(action: str) -> None:
    assert may(policy(statement(Action=f"sqs:{ACTIONS[action].permission}")), FOREIGN, action)


# ── Principals ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [OWNER, "*"]}])
def test_a_star_is_anyone_also_without_a_signature(principal: Any) -> None:
    assert may(policy(statement(Principal=principal)), FOREIGN)
    assert may(policy(statement(Principal=principal)), ANONYMOUS)


@pytest.mark.parametrize(
    "name",
    [OTHER, f"arn:aws:iam::{OTHER}:root", f"arn:aws-cn:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:user/team/bob"],
)
def test_an_account_is_all_its_identities_and_an_arn_is_one(name: str) -> None:
    text = policy(statement(Principal={"AWS": [OWNER, name]}))
    assert may(text, FOREIGN)
    assert may(text, caller_of(OTHER, f"arn:aws:iam::{OTHER}:user/eve")) is not name.endswith("bob")
    assert not may(text, ANONYMOUS)


@pytest.mark.parametrize("name", [f"arn:aws:iam::{OTHER}:user/*", f"arn:aws:iam::{OTHER}:user/team/BOB", "bob"])
def test_an_identity_is_matched_exactly(name: str) -> None:
    assert not may(policy(statement(Principal={"AWS": name})), FOREIGN)


def test_a_role_is_all_its_sessions() -> None:
    session = caller_of(OTHER, f"arn:aws:sts::{OTHER}:assumed-role/worker/one")
    assert may(policy(statement(Principal={"AWS": f"arn:aws:iam::{OTHER}:role/worker"})), session)
    assert may(policy(statement(Principal={"AWS": session.arn})), session)
    assert not may(policy(statement(Principal={"AWS": f"arn:aws:iam::{OTHER}:role/boss"})), session)


def test_a_service_is_no_caller_of_ours() -> None:
    assert not may(policy(statement(Principal={"Service": "sns.amazonaws.com"})), FOREIGN)
    assert not may(policy(statement(Principal={"Service": "*"})), ANONYMOUS)


def test_not_principal_is_everybody_else() -> None:
    text = policy(statement("Deny", Principal=None, NotPrincipal={"AWS": OWNER}), statement())
    assert may(text, OWNING)
    assert not may(text, FOREIGN)
    assert not may(text, ANONYMOUS)


def test_not_principal_opens_no_queue_to_anonymous_callers() -> None:
    text = policy(statement(Principal=None, NotPrincipal={"AWS": OWNER}))
    assert may(text, FOREIGN)
    assert not may(text, ANONYMOUS)


# ── Actions and resources ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "pattern, matches",
    [
        ("*", True), ("sqs:*", True), ("SQS:SendMessage", True), ("sqs:sendmessage", True), ("Sqs:SEND*", True),
        ("sqs:?end*", True), ("sqs:*age", True), ("sqs:S*d*M*e", True), ("sqs:Send", False),
        ("sqs:SendMessag?e", False), ("sqs:", False), ("sqs:[Ss]end*", False), ("sqs:SendMessageBatch", False),
    ],
)  # fmt: skip
def test_actions_match_by_wildcards_in_any_case(pattern: str, matches: bool) -> None:
    assert may(policy(statement(Action=pattern)), FOREIGN) is matches
    assert may(policy(statement(Action=["sqs:PurgeQueue", pattern])), FOREIGN) is matches
    assert may(policy(statement(Action=None, NotAction=pattern)), FOREIGN) is not matches


@pytest.mark.parametrize("action", ["SendMessage", "DeleteMessage", "ChangeMessageVisibility"])
def test_a_batch_goes_by_its_single_action(action: str) -> None:
    text = policy(statement(Action=f"sqs:{action}"))
    assert may(text, FOREIGN, f"{action}Batch")
    assert f"sqs:{action.lower()} on" in denial(None, FOREIGN, f"{action}Batch")


@pytest.mark.parametrize(
    "pattern, matches",
    [
        (ARN, True), ("*", True), (f"arn:aws:sqs:*:{OWNER}:*", True), (f"{ARN[:-1]}?", True), (f"{ARN}?", False),
        (f"{ARN}-other", False), (ARN.upper(), False), (f"arn:aws:sqs:eu-west-1:{OWNER}:orders", False),
    ],
)  # fmt: skip
def test_resources_match_the_queue_s_arn_by_wildcards(pattern: str, matches: bool) -> None:
    assert may(policy(statement(Resource=pattern)), FOREIGN) is matches
    assert may(policy(statement(Resource=["x", pattern])), FOREIGN) is matches
    assert may(policy(statement(Resource=None, NotResource=pattern)), FOREIGN) is not matches


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────


def holds(operator: str, key: str, value: Any, caller: Caller = FOREIGN, **context: Any) -> bool:
    text = policy(statement(Condition={operator: {key: value}}))
    return may(text, caller, context=msgspec.structs.replace(CONTEXT, **context))


AGENT = CONTEXT.user_agent
TOPIC = "arn:aws:sns:us-east-1:1:topic"


@pytest.mark.parametrize(
    "operator, key, value, expected",
    [
        ("StringEquals", "aws:UserAgent", AGENT, True),
        ("StringEquals", "aws:UserAgent", ["x", AGENT], True),
        ("StringEquals", "aws:UserAgent", AGENT.upper(), False),
        ("StringEquals", "aws:UserAgent", "Boto3*", False),
        ("StringNotEquals", "aws:UserAgent", AGENT, False),
        ("StringNotEquals", "aws:UserAgent", ["x", AGENT], False),
        ("StringNotEquals", "aws:UserAgent", ["x", "y"], True),
        ("StringEqualsIgnoreCase", "aws:UserAgent", AGENT.upper(), True),
        ("StringNotEqualsIgnoreCase", "aws:UserAgent", AGENT.upper(), False),
        ("StringLike", "aws:UserAgent", "Boto3/*", True),
        ("StringLike", "aws:UserAgent", "*Botocor?", True),
        ("StringLike", "aws:UserAgent", "Boto3", False),
        ("StringNotLike", "aws:UserAgent", "Boto3/*", False),
        ("StringEquals", "aws:Referer", CONTEXT.referer, True),
        ("NumericEquals", "aws:EpochTime", NOW_MS // 1000, True),
        ("NumericEquals", "aws:EpochTime", f"{NOW_MS // 1000}.0", True),
        ("NumericNotEquals", "aws:EpochTime", NOW_MS // 1000, False),
        ("NumericLessThan", "aws:EpochTime", NOW_MS // 1000, False),
        ("NumericLessThanEquals", "aws:EpochTime", NOW_MS // 1000, True),
        ("NumericGreaterThan", "aws:EpochTime", 1.5, True),
        ("NumericGreaterThanEquals", "aws:EpochTime", "99999999999", False),
        ("NumericEquals", "aws:UserAgent", "1", False),
        ("NumericNotEquals", "aws:UserAgent", "1", True),
        ("DateEquals", "aws:CurrentTime", "2026-11-21T01:21:00Z", True),
        ("DateNotEquals", "aws:CurrentTime", "2026-11-21T01:21:00Z", False),
        ("DateLessThan", "aws:CurrentTime", "2026-11-22", True),
        ("DateLessThan", "aws:CurrentTime", "2026-11-21", False),
        ("DateLessThanEquals", "aws:CurrentTime", "2026-11-21T02:21:00+01:00", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-21T01:20:59Z", True),
        ("DateGreaterThanEquals", "aws:EpochTime", NOW_MS // 1000, True),
        ("Bool", "aws:SecureTransport", "true", True),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "False", False),
        ("BinaryEquals", "aws:UserAgent", "QQ==", False),
        ("IpAddress", "aws:SourceIp", "192.0.2.0/24", True),
        ("IpAddress", "aws:SourceIp", "192.0.2.7", True),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "198.51.100.0/24"], False),
        ("IpAddress", "aws:SourceIp", "::/0", False),
        ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.0.2.7/32"], False),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", True),
        ("ArnEquals", "aws:PrincipalArn", FOREIGN.arn, True),
        ("ArnEquals", "aws:PrincipalArn", f"arn:*:iam::{OTHER}:user/*", True),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam:*:{OTHER}:*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:*:user/team/bob", False),
        ("ArnLike", "aws:PrincipalArn", "arn:*", True),
        ("ArnLike", "aws:PrincipalArn", "*", True),
        ("ArnNotEquals", "aws:PrincipalArn", FOREIGN.arn, False),
        ("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{OWNER}:*", True),
        ("ArnLike", "aws:UserAgent", "a:b:c:d:e:f", False),
        ("StringEquals", "aws:PrincipalAccount", OTHER, True),
        ("StringEquals", "aws:userid", OTHER, True),
        ("StringEquals", "aws:username", "bob", True),
        ("StringEquals", "AWS:USERAGENT", AGENT, True),
    ],
)
def test_each_operator_on_a_fact_that_is_there(operator: str, key: str, value: Any, expected: bool) -> None:
    assert holds(operator, key, value) is expected
    assert holds(f"{operator}IfExists", key, value) is expected
    assert holds(f"ForAnyValue:{operator}", key, value) is expected
    assert holds(f"ForAllValues:{operator}", key, value) is expected


VALUE_FOR = {
    "String": "x", "Binary": "x", "Numeric": "1", "Date": "2026-11-21", "Bool": "true", "IpAddress": "::/0",
    "NotIpAddress": "::/0", "Arn": TOPIC,
}  # fmt: skip
PLAIN = [
    "StringEquals", "StringEqualsIgnoreCase", "StringLike", "NumericEquals", "NumericLessThan",
    "NumericGreaterThanEquals", "DateEquals", "DateGreaterThan", "Bool", "BinaryEquals", "IpAddress",
    "ArnEquals", "ArnLike",
]  # fmt: skip
NEGATED = [
    "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals",
    "NotIpAddress", "ArnNotEquals", "ArnNotLike",
]  # fmt: skip


@pytest.mark.parametrize("operator", PLAIN + NEGATED)
@pytest.mark.parametrize("key", ["aws:SourceArn", "aws:SourceAccount", "aws:PrincipalTag/none", "sqs:invented"])
def test_a_missing_fact_fails_plain_operators_and_satisfies_negated_ones(operator: str, key: str) -> None:
    value = next(value for kind, value in VALUE_FOR.items() if operator.startswith(kind))
    assert holds(operator, key, value) is (operator in NEGATED)
    assert holds(f"{operator}IfExists", key, value)
    assert holds(f"ForAllValues:{operator}", key, value)
    assert not holds(f"ForAnyValue:{operator}", key, value)
    assert holds(f"ForAnyValue:{operator}IfExists", key, value)


def test_null_asks_whether_a_fact_is_there() -> None:
    assert holds("Null", "aws:SourceArn", "true")
    assert not holds("Null", "aws:SourceArn", "false")
    assert holds("Null", "aws:SourceIp", False)
    assert not holds("Null", "aws:SourceIp", [True])
    assert holds("Null", "aws:UserAgent", "true", user_agent="")


def test_all_conditions_of_a_statement_must_hold() -> None:
    both = {"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"aws:UserAgent": "*", "aws:Referer": "https:*"}}
    assert may(policy(statement(Condition=both)), FOREIGN)
    assert not may(policy(statement(Condition=both)), FOREIGN, context=msgspec.structs.replace(CONTEXT, secure=False))
    assert not may(policy(statement(Condition=both)), FOREIGN, context=msgspec.structs.replace(CONTEXT, referer=""))


def test_an_empty_condition_is_none() -> None:
    assert may(policy(statement(Condition={})), FOREIGN)


def test_addresses_of_version_6_are_matched_and_mapped_ones_are_version_4() -> None:
    assert holds("IpAddress", "aws:SourceIp", "2001:db8::/32", source_ip="2001:db8::7")
    assert not holds("IpAddress", "aws:SourceIp", "2001:db8::/32", source_ip="2001:db9::7")
    assert holds("IpAddress", "aws:SourceIp", "192.0.2.0/24", source_ip="::ffff:192.0.2.7")
    assert holds("IpAddress", "aws:SourceIp", "fe80::/10", source_ip="fe80::1%eth0")
    assert not holds("IpAddress", "aws:SourceIp", "0.0.0.0/0", source_ip="not an address")


def test_tags_of_the_key_are_facts_with_names_in_any_case() -> None:
    text = policy(statement("Deny", Condition={"StringEquals": {"aws:principaltag/TEAM": "blue"}}))
    assert not may(text, OWNING)
    assert may(text, msgspec.structs.replace(OWNING, tags=()))


def test_a_session_s_principal_arn_is_its_role() -> None:
    session = caller_of(OTHER, f"arn:aws:sts::{OTHER}:assumed-role/worker/one")
    assert holds("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/worker", session)


def test_the_time_is_a_text_too() -> None:
    assert holds("StringEquals", "aws:CurrentTime", "2026-11-21T01:21:00Z")
    assert holds("StringEquals", "aws:EpochTime", "1795224060")


def test_an_anonymous_caller_has_no_account_arn_or_name() -> None:
    for key in ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:username"):
        assert holds("Null", key, "true", ANONYMOUS)
    assert holds("StringEquals", "aws:userid", "anonymous", ANONYMOUS)


def test_the_usual_demand_for_tls_refuses_plain_http_even_to_the_owner() -> None:
    text = policy(statement("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    assert may(text, OWNING)
    assert not may(text, OWNING, context=msgspec.structs.replace(CONTEXT, secure=False))


def test_what_a_topic_may_is_not_what_callers_may() -> None:
    text = policy(statement(Condition={"ArnEquals": {"aws:SourceArn": TOPIC}}))
    assert not may(text, FOREIGN)
    assert may(text, OWNING)


@given(st.text("ab*?.", max_size=12), st.text("ab.", max_size=12))
def test_wildcards_match_like_their_plain_definition(pattern: str, text: str) -> None:
    def matches(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return matches(p[1:], t) or (bool(t) and matches(p, t[1:]))
        return bool(t) and p[0] in ("?", t[0]) and matches(p[1:], t[1:])

    assert (wildcard(pattern).fullmatch(text) is not None) is matches(pattern, text)


def test_no_wildcard_takes_long() -> None:
    started = time.perf_counter()
    for pattern in ("*a" * 4_000 + "b", "*?" * 4_000, "?*" * 4_000 + "b", "*" * 8_000 + "b"):
        wildcard(pattern).fullmatch("a" * 8_000)
    assert time.perf_counter() - started < 5  # backtracking would take longer than the sun


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_foreign_caller_is_told_that_no_policy_of_the_queue_allows_it() -> None:
    assert denial(None, FOREIGN, "ReceiveMessage") == (
        f"User: {FOREIGN.arn} is not authorized to perform: sqs:receivemessage on resource: {ARN} "
        "because no resource-based policy allows the sqs:receivemessage action"
    )


def test_an_explicit_deny_is_told() -> None:
    assert denial(policy(statement("Deny")), OWNING) == (
        f"User: {OWNING.arn} is not authorized to perform: sqs:sendmessage on resource: {ARN} "
        "with an explicit deny in a resource-based policy"
    )


def test_an_anonymous_caller_is_told_the_address() -> None:
    for text in (None, policy(statement("Deny"))):
        assert denial(text, ANONYMOUS) == f"Access to the resource {ADDRESS} is denied."


# ── AddPermission ────────────────────────────────────────────────────────────────────────────────────────


def add(
    label: str | None = "l", ids: Any = (OTHER,), actions: Any = ("ReceiveMessage",), text: str | None = None
) -> str:
    return add_permission(text, ARN, label, ids, actions)


def refusal(*arguments: Any, **options: Any) -> tuple[type[SQSError], str]:
    with pytest.raises(SQSError) as caught:
        add(*arguments, **options)
    return type(caught.value), caught.value.message


def test_one_account_and_one_action_are_written_without_lists() -> None:
    assert add() == (
        f'{{"Version":"2008-10-17","Id":"{ARN}/SQSDefaultPolicy","Statement":[{{"Sid":"l","Effect":"Allow",'
        f'"Principal":{{"AWS":"arn:aws:iam::{OTHER}:root"}},"Action":"SQS:ReceiveMessage","Resource":"{ARN}"}}]}}'
    )


def test_several_accounts_and_actions_are_written_as_lists() -> None:
    [made] = json.loads(add("l", [OWNER, OTHER], ["SendMessage", "ReceiveMessage"]))["Statement"]
    assert made["Principal"]["AWS"] == [f"arn:aws:iam::{OWNER}:root", f"arn:aws:iam::{OTHER}:root"]
    assert made["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]


def test_the_same_account_twice_is_once() -> None:
    [made] = json.loads(add("l", [OTHER, OTHER], ["SendMessage", "SendMessage"]))["Statement"]
    assert (made["Principal"]["AWS"], made["Action"]) == (f"arn:aws:iam::{OTHER}:root", "SQS:SendMessage")


def test_a_star_grants_all_that_can_be_granted() -> None:
    text = add("l", [OTHER], ["*"])
    assert json.loads(text)["Statement"][0]["Action"] == "SQS:*"
    assert may(text, FOREIGN, "PurgeQueue")
    assert not may(text, FOREIGN, "DeleteQueue")


def test_what_is_granted_may_be_done() -> None:
    text = add("l", [OTHER], ["SendMessage"])
    assert may(text, FOREIGN)
    assert may(text, FOREIGN, "SendMessageBatch")
    assert not may(text, FOREIGN, "ReceiveMessage")


@pytest.mark.parametrize("alone", [True, False])
def test_a_statement_is_appended_and_the_rest_kept_as_it_is(alone: bool) -> None:
    first = '{"Sid":"caf\\u00e9","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*",' + (
        '"Condition":{"NumericLessThan":{"aws:EpochTime":1.50}}}'
    )
    given = f'{{"Id":"own","Statement":{first if alone else f"[{first}]"},"Version":"2012-10-17"}}'
    made = add(text=given)
    second = json.dumps(json.loads(add())["Statement"][0], separators=(",", ":"))
    assert made == f'{{"Id":"own","Statement":[{first},{second}],"Version":"2012-10-17"}}'


@pytest.mark.parametrize("label", [None, ""])
def test_a_label_is_needed(label: str | None) -> None:
    assert refusal(label) == (MissingParameter, "The request must contain the parameter Label.")


@pytest.mark.parametrize("actions", [None, []])
def test_actions_are_needed(actions: Any) -> None:
    assert refusal("l", [OTHER], actions) == (MissingParameter, "The request must contain the parameter ActionName.")


@pytest.mark.parametrize("action", [action.name for action in ACTIONS.values() if action.owner_only])
def test_owner_only_actions_cannot_be_granted(action: str) -> None:
    assert refusal("l", [OTHER], ["SendMessage", action]) == (
        InvalidParameterValue,
        f"Value SQS:{action} for parameter ActionName is invalid. "
        "Reason: Only the queue owner is allowed to invoke this action.",
    )


@pytest.mark.parametrize("action", ["SendMessageBatch", "Fly", "sendmessage", "SQS:SendMessage", "Send*", ""])
def test_batches_and_unknown_actions_cannot_be_granted(action: str) -> None:
    assert refusal("l", [OTHER], [action]) == (
        InvalidParameterValue,
        f"Value SQS:{action} for parameter ActionName is invalid. "
        "Reason: Please refer to the appropriate WSDL for a list of valid actions.",
    )


def test_seven_actions_are_the_most() -> None:
    names = [action.name for action in ACTIONS.values() if not action.owner_only and action.permission == action.name]
    assert add("l", [OTHER], names[:7])
    assert refusal("l", [OTHER], names[:8]) == (OverLimit, "8 Actions were found, maximum allowed is 7.")


@pytest.mark.parametrize("ids", [None, []])
def test_accounts_are_needed(ids: Any) -> None:
    assert refusal("l", ids) == (MissingParameter, "The request must contain the parameter AWSAccountIds.")


@pytest.mark.parametrize("bad", ["", "12345678901", "1234567890123", "abcdefghijkl", "١٢٣٤٥٦٧٨٩٠١٢", f"{OTHER}\n"])
def test_an_account_has_12_digits(bad: str) -> None:
    assert refusal("l", [OTHER, bad]) == (
        InvalidParameterValue,
        f"Value [{OTHER}, {bad}] for parameter PrincipalId is invalid. Reason: Unable to verify.",
    )


@pytest.mark.parametrize("label", ["a b", "x" * 81, "é", "a\n", "a.b"])
def test_a_label_has_80_letters_digits_hyphens_and_underscores(label: str) -> None:
    assert refusal(label) == (
        InvalidParameterValue,
        f"Value {label} for parameter Label is invalid. "
        "Reason: Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    )
    assert add("x" * 80)


def test_a_label_is_used_once() -> None:
    assert refusal("l", text=add("l")) == (
        InvalidParameterValue,
        "Value l for parameter Label is invalid. Reason: Already exists.",
    )


def test_20_labels_are_the_most() -> None:
    text = None
    for number in range(20):
        text = add(f"l{number}", text=text)
    assert refusal("one-more", text=text) == (OverLimit, "21 Statements were found, maximum allowed is 20.")


def test_a_policy_does_not_grow_over_the_other_limits() -> None:
    text = add("first", accounts(50))
    assert refusal("second", text=text) == (InvalidAttributeValue, INVALID)


def test_the_checks_of_add_permission_come_in_order() -> None:
    full = policy(*[statement(Sid=f"s{number}") for number in range(20)])
    bad: list[tuple[Any, Any, Any]] = [
        (None, [], []),
        ("s0 ", [], []),
        ("s0 ", [], ["Fly", "DeleteQueue"]),
        ("s0 ", [], ["Fly"] + ["SendMessage"] * 7),
        ("s0 ", [], ["SendMessage"] * 8),
        ("s0 ", [], ["SendMessage"]),
        ("s0 ", ["x"], ["SendMessage"]),
        ("s0 ", [OTHER], ["SendMessage"]),
        ("s0", [OTHER], ["SendMessage"]),
        ("new", [OTHER], ["SendMessage"]),
    ]
    told = [refusal(*case, text=full)[1] for case in bad]
    marks = [
        "Label.", "ActionName.", "Only the queue owner", "WSDL", "8 Actions", "AWSAccountIds", "PrincipalId",
        "Can only", "Already", "21 Statements",
    ]  # fmt: skip
    assert [mark in text for mark, text in zip(marks, told, strict=True)] == [True] * len(marks)


# ── RemovePermission ─────────────────────────────────────────────────────────────────────────────────────


def test_the_statements_of_a_label_are_removed_and_the_rest_kept() -> None:
    text = policy(statement(Sid="a"), statement(Sid="b"), statement(), statement(Sid="a", Action="*"), Id="x")
    kept = remove_permission(text, "a")
    assert kept is not None
    assert json.loads(kept) == json.loads(policy(statement(Sid="b"), statement(), Id="x"))


def test_with_the_last_statement_the_policy_goes() -> None:
    assert remove_permission(add("l"), "l") is None
    assert remove_permission(json.dumps({"Statement": statement(Sid="l")}), "l") is None


def test_adding_and_removing_a_label_changes_nothing() -> None:
    text = add("a")
    assert remove_permission(add("b", text=text), "b") == text


@pytest.mark.parametrize(
    "text, reason", [(None, "can't find label."), (add("m"), "can't find label on existing policy.")]
)
def test_an_unknown_label_is_refused(text: str | None, reason: str) -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        remove_permission(text, "l")
    assert caught.value.message == f"Value l for parameter Label is invalid. Reason: {reason}"


def test_a_label_to_remove_is_needed() -> None:
    with pytest.raises(MissingParameter) as caught:
        remove_permission(add(), None)
    assert caught.value.message == "The request must contain the parameter Label."
