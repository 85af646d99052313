"""Between form fields and attributes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.console import forms
from stanchion.console.forms import QueueForm
from stanchion.engine import attributes
from stanchion.errors import InvalidParameterValue

ACCOUNT = "123456789012"
ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"


def _attributes(**fields: str) -> dict[str, str]:
    return forms.attributes_of(QueueForm(**fields), ARN, ACCOUNT)  # type: ignore[arg-type]


def test_an_empty_form_says_the_services_defaults() -> None:
    stored = attributes.check_create("q", _attributes())
    assert stored == {
        "VisibilityTimeout": "30",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }


@pytest.mark.parametrize(
    ("amount", "unit", "product"),
    [
        ("1.5", 60, "90"),
        (" 2 ", 3600, "7200"),
        ("0.0009765625", 1024, "1"),
        ("1.001", 60, "1.001"),
        ("abc", 60, "abc"),
        ("-1", 60, "-1"),
        ("1e99", 60, "1e99"),
        ("", 60, ""),
    ],
)
def test_amounts_are_multiplied_and_nonsense_is_passed_on(amount: str, unit: int, product: str) -> None:
    assert forms.multiplied(amount, unit) == product


@given(st.integers(0, 1_209_600))
def test_a_period_survives_the_form(seconds: int) -> None:
    for period in forms.PERIODS:
        amount, unit = forms.divided(str(seconds), period.units)
        assert forms.multiplied(amount, forms.UNITS[unit]) == str(seconds)


@given(st.integers(1024, 1_048_576))
def test_a_size_survives_the_form(size: int) -> None:
    assert forms.multiplied(forms.in_kib(str(size)), 1024) == str(size)


@given(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["standard", "fifo"]),
            "visibility_timeout": st.integers(0, 43_200).map(str),
            "content_based_deduplication": st.sampled_from(["", "on"]),
            "high_throughput": st.sampled_from(["", "on"]),
            "encryption": st.sampled_from(["enabled", "disabled"]),
            "key_type": st.sampled_from(["sqs", "kms"]),
            "kms_key": st.just("alias/k"),
            "who_sends": st.sampled_from(["owner", "listed"]),
            "senders": st.just(f"{ACCOUNT}\narn:aws:iam::210987654321:user/a"),
            "redrive_allow": st.sampled_from(["disabled", "enabled"]),
            "redrive_permission": st.sampled_from(["allowAll", "byQueue", "denyAll"]),
            "redrive_sources": st.just(ARN),
            "dead_letter": st.sampled_from(["disabled", "enabled"]),
            "dead_letter_arn": st.just(ARN),
        }
    )
)
def test_a_stored_queue_comes_back_from_its_form_unchanged(fields: dict[str, str]) -> None:
    wanted = _attributes(**fields)
    name = "q.fifo" if fields["type"] == "fifo" else "q"
    shown = attributes.check_create(name, wanted)
    form = forms.fill(name, shown | {"QueueArn": ARN}, {})
    assert forms.changes(shown, forms.attributes_of(form, ARN, ACCOUNT)) == {}


def test_listed_principals_are_in_the_basic_policy() -> None:
    policy = json.loads(_attributes(who_sends="listed", senders=f"{ACCOUNT}, arn:aws:iam::1:user/a")["Policy"])
    assert policy["Statement"][1]["Principal"]["AWS"] == [f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::1:user/a"]


@given(
    st.lists(
        st.sampled_from([ACCOUNT, "111111111111", "arn:aws:iam::1:user/a", "arn:aws:iam::1:root", "*"]), max_size=3
    ),
    st.lists(st.sampled_from([ACCOUNT, "222222222222", "arn:aws:iam::222222222222:role/b"]), max_size=3),
)
def test_a_policy_of_the_basic_method_opens_as_basic(senders: list[str], receivers: list[str]) -> None:
    form = QueueForm(
        who_sends="listed" if senders else "owner",
        senders="\n".join(senders),
        who_receives="listed" if receivers else "owner",
        receivers="\n".join(receivers),
    )
    policy = forms.basic_policy(form, ARN, ACCOUNT)
    found = forms.basic_of(policy, ARN, ACCOUNT)
    assert found == {
        "policy_method": "basic",
        **({"who_sends": "listed", "senders": form.senders} if senders else {}),
        **({"who_receives": "listed", "receivers": form.receivers} if receivers else {}),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"Id": "mine"},
        {"Version": "2008-10-17"},
        {"Statement": {"Effect": "Allow"}},
        {"Statement": []},
        {"Statement": [{"Sid": "__sender_statement", "Principal": "*"}]},
        {"Statement": [{"Sid": "__sender_statement", "Principal": {"AWS": {}}}]},
    ],
)
def test_a_policy_that_the_basic_method_does_not_write_opens_as_advanced(change: dict[str, object]) -> None:
    policy = forms.owner_policy(ARN, ACCOUNT) | change
    assert forms.basic_of(policy, ARN, ACCOUNT) is None


def test_an_edited_queue_shows_its_policy_by_the_method_that_wrote_it() -> None:
    shown = attributes.check_create("q", _attributes(who_receives="listed", receivers="111111111111"))
    form = forms.fill("q", shown | {"QueueArn": ARN}, {})
    assert (form.policy_method, form.who_sends, form.receivers) == ("basic", "owner", "111111111111")
    by_hand = shown | {"Policy": '{"Statement":[]}', "QueueArn": ARN}
    assert forms.fill("q", by_hand, {}).policy_method == "advanced"


def test_kms_without_a_key_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="KMS key"):
        _attributes(key_type="kms")


def test_a_tag_key_that_is_there_twice_is_refused() -> None:
    form = forms.read([("tag_key", "a"), ("tag_value", "1"), ("tag_key", "a"), ("tag_value", "2")])
    with pytest.raises(InvalidParameterValue, match="unique"):
        forms.tags_of(form)


def test_rows_without_key_and_value_are_no_tags() -> None:
    assert forms.read([("tag_key", ""), ("tag_value", "")]).tags == ()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "a", "type": "fifo"}, "name"),
        ({"visibility_timeout": "x"}, "visibility_timeout"),
        ({"maximum_size": "2000"}, "maximum_size"),
        ({"receive_wait": "21"}, "receive_wait"),
        ({"policy_method": "advanced", "policy": "{"}, "policy"),
        ({"redrive_allow": "enabled", "redrive_permission": "byQueue"}, "redrive_sources"),
        ({"dead_letter": "enabled", "dead_letter_arn": "x"}, "dead_letter_arn"),
        ({"key_type": "kms"}, "kms_key"),
        ({"type": "fifo", "throughput_limit": "perMessageGroupId"}, "throughput_limit"),
    ],
)
def test_what_the_service_would_refuse_is_found_by_field(fields: dict[str, str], field: str) -> None:
    assert set(forms.problems(QueueForm(**fields), ARN, ACCOUNT)) == {field}  # type: ignore[arg-type]
