import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.engine.tags import check_created, check_new, without
from stanchion.errors import InvalidParameterValue, MissingParameter, SQSError
from unit.engine.texts import ANY_TEXT

KEY_LENGTH = "Tag keys must be between 1 and 128 characters in length."
KEY_CHARACTERS = (
    "Tag keys may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @"
)
VALUE_CHARACTERS = (
    "Tag values may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + - @'"
)


def refused(text: str, tags: dict[str, str]) -> None:
    for check in (lambda: check_new({}, tags, "q"), lambda: check_created(tags, "q")):
        with pytest.raises(InvalidParameterValue) as raised:
            check()
        assert raised.value.message == text


def test_tags_are_added_and_overwritten_and_keys_are_case_sensitive():
    tags = {}
    for more in ({"a": ""}, {"A": "1"}, {"a": "2"}):
        tags = check_new(tags, more, "q")
    assert tags == {"a": "2", "A": "1"}


def test_the_queues_own_tags_are_left_alone():
    current = {"a": "1"}
    check_new(current, {"a": "2"}, "q")
    assert current == {"a": "1"}


@pytest.mark.parametrize("tags", [None, {}])
def test_no_tags_at_all_are_refused(tags):
    with pytest.raises(MissingParameter) as raised:
        check_new({}, tags, "q")
    assert raised.value.message == "The request must contain the parameter Tags."


@pytest.mark.parametrize("tags", [None, {}])
def test_a_queue_may_be_created_without_tags(tags):
    assert check_created(tags, "q") == {}


def test_a_queue_may_be_created_with_tags():
    assert check_created({"a": "1"}, "q") == {"a": "1"}


def test_fifty_tags_are_enough():
    fifty = {str(n): "" for n in range(50)}
    assert check_new(fifty, {"0": "new"}, "q") == fifty | {"0": "new"}
    assert len(check_created(fifty, "q")) == 50
    with pytest.raises(InvalidParameterValue) as raised:
        check_new(fifty, {"more": ""}, "my-queue")
    assert raised.value.message == "Too many tags added for queue my-queue."


@pytest.mark.parametrize("key", ["k", "k" * 128, "Ünïcode ключ 鍵", "a b", "_.:/=+-@", "x" + "aws:", "1"])
def test_good_keys(key):
    assert check_new({}, {key: ""}, "q") == {key: ""}


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_keys_have_1_to_128_characters(key):
    refused(KEY_LENGTH, {key: ""})


BAD_CHARACTERS = ["!", "a,b", "a\x00", "a\x1c", "a\x0b", "\ud800", "€", "'", "a\x7f"]


@pytest.mark.parametrize("key", BAD_CHARACTERS)
def test_bad_characters_in_keys(key):
    refused(KEY_CHARACTERS, {key: ""})


@pytest.mark.parametrize("key", ["aws:", "aws:x", "AWS:x"])
def test_the_prefix_of_the_service_is_reserved(key):
    refused("Tag keys must not start with aws:, which is reserved.", {key: ""})


@pytest.mark.parametrize("value", ["", "v" * 256, "Ünï + 鍵", "aws:x"])
def test_good_values(value):
    assert check_new({}, {"k": value}, "q") == {"k": value}


def test_values_have_at_most_256_characters():
    refused("Tag values must be between 0 and 256 characters in length.", {"k": "v" * 257})


@pytest.mark.parametrize("value", BAD_CHARACTERS)
def test_bad_characters_in_values(value):
    refused(VALUE_CHARACTERS, {"k": value})


def test_untagging_removes_the_keys_and_ignores_unknown_ones():
    assert without({"a": "1", "b": "2"}, ["a", "A", "zzz"]) == {"b": "2"}


@pytest.mark.parametrize("keys", [None, [], [""], ["a", "k" * 129]])
def test_untagging_needs_keys_of_good_length(keys):
    with pytest.raises(InvalidParameterValue) as raised:
        without({"a": "1"}, keys)
    assert raised.value.message == KEY_LENGTH


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=5))
def test_whatever_is_sent_is_a_tag_that_xml_can_carry_or_an_error(tags):
    try:
        accepted = check_created(tags, "q")
    except SQSError:
        return
    assert accepted == tags
    for text in (*accepted, *accepted.values()):
        text.encode()
        assert not any(character < " " and character not in "\t\n\r" for character in text)
