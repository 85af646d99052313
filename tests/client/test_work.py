"""What a consumer has in hand: pure rules, without a clock."""

import pytest

from stanchion.client import BotoClientError, RawMessage, SQSError
from stanchion.client.resultset import Attributes
from stanchion.client.work import Consuming, Work, exponential, longer, passes, settled


def message(name: str, group: str | None = None, receives: int = 1) -> RawMessage:
    attributes = Attributes({"ApproximateReceiveCount": str(receives)} | ({"MessageGroupId": group} if group else {}))
    return RawMessage(body=name, id=name, receipt_handle=name, attributes=attributes)


def names(messages: list[RawMessage]) -> str:
    return "".join(str(each.id) for each in messages)


def test_some_wait_while_as_many_run_as_may() -> None:
    work = Work(Consuming(concurrency=2), fifo=False)
    assert work.room() == 4
    work.take([message(name) for name in "abcd"], now=0)
    assert work.room() == 0
    begun = work.start()
    assert names(begun) == "ab"
    assert work.start() == []
    assert names(work.finish(begun[0], failed=False).delete) == "a"
    assert (names(work.start()), work.room()) == ("c", 1)


def test_a_great_many_handlers_ask_for_ten_at_a_time() -> None:
    assert Work(Consuming(concurrency=64), fifo=False).room() == 10


def test_a_failure_hides_the_message_longer_each_time() -> None:
    work = Work(Consuming(), fifo=False)
    for receives, seconds in ((1, 2), (2, 4), (5, 32), (20, 900)):
        failed = message("a", receives=receives)
        work.take([failed], now=0)
        work.start()
        assert work.finish(failed, failed=True).release == [(failed, seconds)]
    assert exponential(0) == 2


def test_a_backoff_of_ones_own_stays_within_what_the_service_takes() -> None:
    for chosen, used in ((10**9, 43_200), (-5, 0)):
        work = Work(Consuming(backoff=lambda _receives, chosen=chosen: chosen), fifo=False)
        failed = message("a")
        work.take([failed], now=0)
        work.start()
        assert work.finish(failed, failed=True).release == [(failed, used)]


def test_groups_of_a_fifo_queue_run_beside_each_other_and_each_in_its_order() -> None:
    work = Work(Consuming(concurrency=3), fifo=True)
    first, second, other = message("1", "g"), message("2", "g"), message("x", "h")
    work.take([first, second, other], now=0)
    assert names(work.start()) == "1x"
    work.finish(first, failed=False)
    assert names(work.start()) == "2"


def test_when_one_of_a_group_fails_those_behind_it_go_back_too() -> None:
    work = Work(Consuming(concurrency=2), fifo=True)
    first, second, third, other = message("1", "g"), message("2", "g"), message("3", "g"), message("x", "h")
    work.take([first, second, third, other], now=0)
    work.start()
    outcome = work.finish(first, failed=True)
    assert outcome.release == [(third, 0), (second, 0), (first, 2)]
    assert work.start() == []
    assert names(work.finish(other, failed=False).delete) == "x"


def test_timeouts_are_extended_when_they_are_half_over() -> None:
    work = Work(Consuming(concurrency=1, visibility_timeout=30), fifo=False)
    work.take([message("a"), message("b")], now=0)
    work.start()
    assert work.due(14.9) == []
    assert names([each for each, seconds in work.due(15) if seconds == 30]) == "ab"  # those that wait too
    assert work.due(29) == []
    assert len(work.due(30)) == 2


def test_stopping_gives_back_what_has_not_begun_and_begins_nothing_more() -> None:
    work = Work(Consuming(concurrency=1), fifo=False)
    running, waiting = message("a"), message("b")
    work.take([running, waiting], now=0)
    work.start()
    assert work.stop().release == [(waiting, 0)]
    late = message("c")
    assert work.take([late], now=1).release == [(late, 0)]
    assert (work.start(), work.room(), work.running) == ([], 0, 1)
    assert names(work.finish(running, failed=False).delete) == "a"


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (Consuming(concurrency=0), "concurrency must be 1 or more"),
        (Consuming(visibility_timeout=1), "visibility_timeout must be 2 to 43200"),
        (Consuming(wait_time_seconds=21), "wait_time_seconds must be 0 to 20"),
    ],
)
def test_what_cannot_be_is_told_with_the_cure(how: Consuming, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        how.checked()


def test_of_two_changes_of_a_message_the_later_one_counts() -> None:
    one, two = message("a"), message("a")  # the same message, received twice
    assert settled([(one, 30), (two, 30), (one, None), (two, 2)]) == ([one], [(two, 2)])


def test_what_goes_away_by_itself_is_tried_again_after_longer_and_longer_pauses() -> None:
    assert passes(BotoClientError("no connection"))
    assert passes(SQSError(503, "", "ServiceUnavailable"))
    assert passes(SQSError(403, "", "RequestThrottled"))
    assert not passes(SQSError(403, "", "AccessDenied"))
    assert not passes(ValueError("an argument"))
    pauses = [1.0]
    for _ in range(6):
        pauses.append(longer(pauses[-1]))
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
