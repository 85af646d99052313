"""The journal forgets what is old, and says what is new."""

import asyncio

import pytest

from stanchion.model import QueueKey
from stanchion.testing import journal
from stanchion.testing.journal import Event, Journal

ORDERS = QueueKey("000000000000", "us-east-1", "orders")


def event(number, body=None):
    return Event(1_700_000_000_000 + number, ORDERS, str(number), "sent", body=body)


def ids(events):
    return [int(each.message_id) for each in events]


def test_the_oldest_events_go_first(monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 3)
    kept = Journal()
    kept.add([event(number) for number in range(5)])
    assert ids(kept.of()) == [2, 3, 4]


def test_large_bodies_leave_room_for_fewer_events(monkeypatch):
    monkeypatch.setattr(journal, "KEPT_CHARACTERS", 10)
    kept = Journal()
    for number in range(5):
        kept.add([event(number, "12345")])
    assert ids(kept.of()) == [3, 4]
    kept.clear()
    kept.add([event(5, "1234567890")])
    assert ids(kept.of()) == [5]


@pytest.mark.parametrize(("place", "new"), [(0, [0, 1, 2]), (2, [2]), (3, [])])
def test_what_has_happened_since_a_place_is_told_once(place, new):
    kept = Journal()
    kept.add([event(number) for number in range(3)])
    events, come_to = kept.since(place)
    assert (ids(events), come_to) == (new, 3)


def test_a_place_that_is_forgotten_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 2)
    kept = Journal()
    kept.add([event(number) for number in range(5)])
    assert ids(kept.since(1)[0]) == [3, 4]


def test_whoever_waits_hears_of_what_happens_next():
    async def scenario():
        kept = Journal()
        kept.add([event(1)])
        news = kept.news
        assert not news.is_set()
        kept.add([event(2)])
        assert news.is_set()
        assert not kept.news.is_set()

    asyncio.run(scenario())
