"""Which messages pass a filter."""

import pytest

from stanchion.engine.browsing import DELAYED, IN_FLIGHT, VISIBLE, filtering, state_of
from stanchion.model import Message, MessageAttribute
from stanchion.store.base import BrowseFilter

NOW_MS = 1_000_000
COLOUR = {"colour": MessageAttribute("String", "blue"), "raw": MessageAttribute("Binary", b"\xff\x00")}


def message(**changes: object) -> Message:
    usual = {
        "message_id": "id",
        "sequence": 1,
        "sent_at_ms": NOW_MS - 5_000,
        "body": "Testing out SQS",
        "body_md5": "",
        "sender_id": "000000000000",
    }
    return Message(**(usual | changes))


@pytest.mark.parametrize(
    ("due_at_ms", "receives", "state"),
    [
        (None, 0, VISIBLE),
        (None, 3, VISIBLE),
        (NOW_MS, 1, VISIBLE),
        (NOW_MS + 1, 1, IN_FLIGHT),
        (NOW_MS + 1, 0, DELAYED),
    ],
)
def test_a_message_stands_where_its_due_moment_and_its_receives_say(due_at_ms: int | None, receives: int, state: str):
    given = message(due_at_ms=due_at_ms, receives=receives)
    assert state_of(given, NOW_MS) == state
    assert [each for each in (VISIBLE, IN_FLIGHT, DELAYED) if filtering(BrowseFilter(state=each), NOW_MS)(given)] == [
        state
    ]


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (BrowseFilter(), True),
        (BrowseFilter(text="OUT sqs"), True),
        (BrowseFilter(text="out_sqs"), False),
        (BrowseFilter(text="%"), False),
        (BrowseFilter(text="\x00"), False),
        (BrowseFilter(text="\ud800"), False),
        (BrowseFilter(group="g"), True),
        (BrowseFilter(group="G"), False),
        (BrowseFilter(attribute="colour"), True),
        (BrowseFilter(attribute="Colour"), False),
        (BrowseFilter(attribute="colour=blue"), True),
        (BrowseFilter(attribute="colour=Blue"), False),
        (BrowseFilter(attribute="colour="), False),
        (BrowseFilter(attribute="raw=\ud800"), False),
        (BrowseFilter(text="testing", group="g", attribute="colour=blue", state=VISIBLE), True),
        (BrowseFilter(text="testing", group="g", attribute="colour=red", state=VISIBLE), False),
    ],
)
def test_a_filter_lets_through_what_has_all_that_it_names(wanted: BrowseFilter, passes: bool):
    assert filtering(wanted, NOW_MS)(message(group_id="g", attributes=COLOUR)) is passes


def test_a_message_without_attributes_or_group_passes_no_filter_for_them():
    assert not filtering(BrowseFilter(attribute="colour"), NOW_MS)(message())
    assert not filtering(BrowseFilter(group="g"), NOW_MS)(message())
