import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.actions import MessageAttributeValue, ReceivedMessage, ReceiveMessageInput
from stanchion.engine.receiving import (
    check_handle,
    check_system_attribute_names,
    check_visibility_timeout,
    receive_order,
    received_message,
)
from stanchion.errors import InvalidAttributeName, InvalidParameterValue, MissingParameter, SQSError
from stanchion.model import Delivery, Message, MessageAttribute
from stanchion.store.base import ReceiveOrder
from unit.engine.queues import arn, queue
from unit.engine.texts import ANY_TEXT

STANDARD = queue(VisibilityTimeout="7")
FIFO = queue("q.fifo")
MESSAGE = Message(
    message_id="m1",
    sequence=5,
    sent_at_ms=1_700_000_000_000,
    body="hello",
    body_md5="5d41402abc4b2a76b9719d911017c592",
    sender_id="AIDA",
    receives=2,
    first_received_at_ms=1_700_000_000_500,
)
FOUR = {
    "SenderId": "AIDA",
    "SentTimestamp": "1700000000000",
    "ApproximateReceiveCount": "2",
    "ApproximateFirstReceiveTimestamp": "1700000000500",
}


def order(of=STANDARD, **asked) -> tuple[ReceiveOrder, int]:
    return receive_order(of, ReceiveMessageInput(**asked), 120_000)


def refused(error: type[SQSError], message: str, of=STANDARD, **asked) -> None:
    with pytest.raises(error) as raised:
        order(of, **asked)
    assert raised.value.message == message


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────


def test_defaults_come_from_the_queue():
    assert order() == (ReceiveOrder(1, 7, 120_000, True), 0)
    assert order(queue(ReceiveMessageWaitTimeSeconds="3"))[1] == 3


def test_what_is_asked_wins():
    asked = {"max_number_of_messages": 10, "visibility_timeout": 0, "wait_time_seconds": 20}
    assert order(**asked) == (ReceiveOrder(10, 0, 120_000, False), 20)


def test_a_wait_of_zero_overrides_the_queues():
    assert order(queue(ReceiveMessageWaitTimeSeconds="3"), wait_time_seconds=0)[1] == 0


def test_only_short_polls_of_standard_queues_are_refused_over_the_limit():
    assert order()[0].refuse_over_limit
    assert not order(wait_time_seconds=1)[0].refuse_over_limit
    assert not order(FIFO)[0].refuse_over_limit
    assert not order(FIFO, wait_time_seconds=1)[0].refuse_over_limit


@pytest.mark.parametrize("value", [0, 11, -1, 10**30])
def test_the_number_of_messages_has_limits(value):
    message = (
        f"Value {value} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
    )
    refused(InvalidParameterValue, message, max_number_of_messages=value)


@pytest.mark.parametrize("value", [-1, 43_201, 10**30])
def test_the_visibility_timeout_of_a_receive_has_limits(value):
    message = (
        f"Value {value} for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."
    )
    refused(InvalidParameterValue, message, visibility_timeout=value)


@pytest.mark.parametrize("value", [-1, 21])
def test_the_wait_has_limits(value):
    message = f"Value {value} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
    refused(InvalidParameterValue, message, wait_time_seconds=value)


@pytest.mark.parametrize("parameter", ["attribute_names", "message_system_attribute_names"])
@pytest.mark.parametrize("name", ["Foo", "", "all", "Policy", "\ud800"])
def test_unknown_system_attributes_are_refused(parameter, name):
    refused(InvalidAttributeName, f"Unknown Attribute {name}.", **{parameter: ["SenderId", name]})


@pytest.mark.parametrize("names", [None, [], ["All"], [*FOUR, "MessageGroupId", "AWSTraceHeader", "SequenceNumber"]])
def test_known_system_attributes_may_be_asked_for(names):
    check_system_attribute_names(names)


@pytest.mark.parametrize("names", [["AWS."], ["..foo"], [""], ["\ud800"], ["*"]])
def test_names_of_message_attributes_are_never_an_error(names):
    assert order(message_attribute_names=names)


@pytest.mark.parametrize("attempt_id", ["a", "x" * 128])
def test_a_fifo_queue_takes_an_attempt_id(attempt_id):
    assert order(FIFO, receive_request_attempt_id=attempt_id)[0].attempt_id == attempt_id


@pytest.mark.parametrize("attempt_id", ["", "x" * 129, "a b", "é", "\ud800"])
def test_bad_attempt_ids(attempt_id):
    message = (
        f"Value {attempt_id} for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can "
        "only include alphanumeric and punctuation characters. 1 to 128 in length."
    )
    refused(InvalidParameterValue, message, FIFO, receive_request_attempt_id=attempt_id)


def test_a_standard_queue_takes_no_attempt_id():
    message = (
        "Value a for parameter ReceiveRequestAttemptId is invalid. "
        "Reason: The request include parameter that is not valid for this queue type."
    )
    refused(InvalidParameterValue, message, receive_request_attempt_id="a")


# ── Answering ────────────────────────────────────────────────────────────────────────────────────────────


def digest(attributes: dict[str, MessageAttribute]) -> str:
    return "md5 of " + ",".join(attributes)


def received(*, fifo=False, query=False, changes=None, **asked) -> ReceivedMessage:
    fields = {name: getattr(MESSAGE, name) for name in MESSAGE.__struct_fields__} | (changes or {})
    delivery = Delivery(Message(**fields), "handle")
    return received_message(fifo, delivery, ReceiveMessageInput(**asked), query, digest)


FIFO_MESSAGE = {"group_id": "g", "deduplication_id": "d"}


def test_nothing_asked_shows_the_bare_message():
    changes = {"attributes": {"k": MessageAttribute("String", "v")}}
    assert received(changes=changes) == ReceivedMessage(
        message_id="m1", receipt_handle="handle", md5_of_body="5d41402abc4b2a76b9719d911017c592", body="hello"
    )


def test_all_of_an_ordinary_message_are_four():
    assert received(message_system_attribute_names=["All"]).attributes == FOUR


def test_the_older_parameter_does_the_same():
    assert received(attribute_names=["All"]).attributes == FOUR
    assert received(attribute_names=["SenderId"], query=True).attributes == {"SenderId": "AIDA"}


def test_all_of_a_fifo_message():
    assert received(fifo=True, changes=FIFO_MESSAGE, attribute_names=["All"]).attributes == FOUR | {
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
        "SequenceNumber": "18000000000000001280",
    }


def test_a_standard_message_shows_its_group_but_no_sequence_number():
    assert received(changes={"group_id": "g"}, attribute_names=["All"]).attributes == FOUR | {"MessageGroupId": "g"}


def test_trace_header_and_dead_letter_source_are_shown_when_there():
    changes = {"trace_header": "Root=1", "dead_letter_source_arn": arn("source")}
    assert received(changes=changes, attribute_names=["All"]).attributes == FOUR | {
        "AWSTraceHeader": "Root=1",
        "DeadLetterQueueSourceArn": arn("source"),
    }


def test_what_does_not_apply_is_left_out():
    asked = ["SequenceNumber", "MessageDeduplicationId", "AWSTraceHeader", "DeadLetterQueueSourceArn"]
    assert received(attribute_names=asked).attributes is None
    assert received(attribute_names=[*asked, "SenderId"]).attributes == {"SenderId": "AIDA"}


def test_in_json_both_parameters_add_up():
    assert received(message_system_attribute_names=["All"], attribute_names=["SenderId"]).attributes == FOUR
    both = received(message_system_attribute_names=["SentTimestamp"], attribute_names=["SenderId"])
    assert both.attributes.keys() == {"SenderId", "SentTimestamp"}


def test_in_query_the_older_parameter_decides():
    asked = {"message_system_attribute_names": ["All"], "attribute_names": ["SenderId"]}
    assert received(query=True, **asked).attributes == {"SenderId": "AIDA"}
    assert received(query=True, message_system_attribute_names=["All"]).attributes == FOUR


NAMED = {name: MessageAttribute("String", name) for name in ("Hello", "Help.Me", "General")}


@pytest.mark.parametrize(
    ("names", "returned"),
    [
        (["All"], ["Hello", "Help.Me", "General"]),
        ([".*"], ["Hello", "Help.Me", "General"]),
        (["*"], ["Hello", "Help.Me", "General"]),
        (["Hel.*"], ["Hello", "Help.Me"]),
        (["Help.*"], ["Help.Me"]),
        (["Hello"], ["Hello"]),
        (["General", "Hello", "nothing"], ["Hello", "General"]),
        (["Gen.*", "Help.Me"], ["Help.Me", "General"]),
    ],
)
def test_message_attributes_are_selected_by_name_and_prefix(names, returned):
    answer = received(changes={"attributes": NAMED}, message_attribute_names=names)
    assert list(answer.message_attributes) == returned
    assert answer.md5_of_message_attributes == digest(dict.fromkeys(returned))


@pytest.mark.parametrize("names", [["hello"], ["AWS."], ["..foo"], ["Hel*"], [""], ["all"], []])
def test_names_that_match_nothing_return_nothing(names):
    answer = received(changes={"attributes": NAMED}, message_attribute_names=names)
    assert answer.message_attributes is None
    assert answer.md5_of_message_attributes is None


def test_a_message_without_attributes_returns_none():
    assert received(message_attribute_names=["All"]).message_attributes is None


def test_values_come_back_in_the_field_of_their_type():
    stored = {
        "s": MessageAttribute("String.x", "v"),
        "n": MessageAttribute("Number", "1"),
        "b": MessageAttribute("Binary", b"\xff"),
    }
    assert received(changes={"attributes": stored}, message_attribute_names=["All"]).message_attributes == {
        "s": MessageAttributeValue(string_value="v", data_type="String.x"),
        "n": MessageAttributeValue(string_value="1", data_type="Number"),
        "b": MessageAttributeValue(binary_value=b"\xff", data_type="Binary"),
    }


# ── Receipt handles and timeouts ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("handle", [None, ""])
def test_a_receipt_handle_must_be_given(handle):
    with pytest.raises(MissingParameter) as raised:
        check_handle(handle)
    assert raised.value.message == "The request must contain the parameter ReceiptHandle."


def test_a_missing_handle_of_a_batch_entry_is_told_by_its_place():
    with pytest.raises(MissingParameter) as raised:
        check_handle(None, "DeleteMessageBatchRequestEntry.3.ReceiptHandle")
    assert (
        raised.value.message
        == "The request must contain the parameter DeleteMessageBatchRequestEntry.3.ReceiptHandle."
    )


def test_any_handle_passes_as_it_is():
    assert check_handle("garbage") == "garbage"


@pytest.mark.parametrize("seconds", [0, 43_200])
def test_good_timeouts(seconds):
    assert check_visibility_timeout(seconds) == check_visibility_timeout(seconds, 1) == seconds


@pytest.mark.parametrize(
    ("value", "entry", "error", "message"),
    [
        (None, None, MissingParameter, "The request must contain the parameter VisibilityTimeout."),
        (
            None,
            2,
            MissingParameter,
            "The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout.",
        ),
        (
            43_201,
            None,
            InvalidParameterValue,
            "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.",
        ),
        (
            -1,
            1,
            InvalidParameterValue,
            "Value -1 for parameter VisibilityTimeout is invalid. "
            "Reason: VisibilityTimeout must be an integer between 0 and 43200.",
        ),
    ],
)
def test_bad_timeouts(value, entry, error, message):
    with pytest.raises(error) as raised:
        check_visibility_timeout(value, entry)
    assert raised.value.message == message


name_lists = st.none() | st.lists(st.sampled_from(["All", "SenderId", "Hel.*"]) | ANY_TEXT, max_size=4)
numbers = st.none() | st.integers()


@given(
    st.sampled_from([STANDARD, FIFO]),
    st.builds(
        ReceiveMessageInput,
        attribute_names=name_lists,
        message_system_attribute_names=name_lists,
        message_attribute_names=name_lists,
        max_number_of_messages=numbers,
        visibility_timeout=numbers,
        wait_time_seconds=numbers,
        receive_request_attempt_id=st.none() | ANY_TEXT,
    ),
    st.booleans(),
)
def test_whatever_is_asked_is_answered_or_is_an_error(of, asked, query):
    try:
        wanted, wait_seconds = receive_order(of, asked, 120_000)
    except SQSError as error:
        assert error.message
    else:
        assert 1 <= wanted.maximum <= 10
        assert 0 <= wanted.visibility_seconds <= 43_200
        assert 0 <= wait_seconds <= 20
    answer = received_message(of.settings.fifo, Delivery(MESSAGE, "h"), asked, query, digest)
    assert answer.body == "hello"
