"""What calls leave in a queue's metrics, when the minute has ended."""

from collections.abc import Sequence

import pytest

from stanchion.model import QueueKey, Reading, Tally
from support.both_protocols import Caller
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls


def readings_of(server: InProcessServer, q: QueueCalls) -> Sequence[Reading]:
    key = QueueKey(q.account, "us-east-1", q.name)
    minute = server.clock.now_ms() // 60_000

    async def read() -> Sequence[Reading]:
        return (await server.application.store.readings([key], minute - 10, minute))[key]

    return server.run(read())


def what_happened(server: InProcessServer, q: QueueCalls) -> Tally:
    """All that was counted of a queue, once the minute has ended."""
    server.advance(60)
    (reading,) = readings_of(server, q)
    return Tally(*reading[-len(Tally.__struct_fields__) :])


@pytest.fixture
def q(make) -> QueueCalls:
    return make()


@pytest.fixture
def fifo(make) -> QueueCalls:
    return make(fifo=True)


def test_sends_are_counted_with_their_sizes(q, server):
    q.send("12345")
    q.send("ä", MessageAttributes={"Name": {"DataType": "String", "StringValue": "value"}})
    assert what_happened(server, q) == Tally(sent=2, sent_bytes=5 + 17, smallest_bytes=5, largest_bytes=17)


def test_of_a_batch_what_was_stored_is_counted(q, server):
    answer = q.send_batch({"MessageBody": "a"}, {"MessageBody": "\x00"}, {"MessageBody": "ccc"})
    assert [each["Id"] for each in answer["Failed"]] == ["2"]
    assert what_happened(server, q) == Tally(sent=2, sent_bytes=4, smallest_bytes=1, largest_bytes=3)


def test_refused_calls_are_not_counted(q, server):
    q.refuses("SendMessage", "MissingParameter", MessageBody="")
    q.refuses("DeleteMessage", "ReceiptHandleIsInvalid", status=404, ReceiptHandle="none")
    server.advance(60)
    assert readings_of(server, q) == []


def test_received_messages_and_empty_receives_are_counted(q, server):
    for body in "abc":
        q.send(body)
    q.receive(MaxNumberOfMessages=10)
    q.receive()
    happened = what_happened(server, q)
    assert (happened.received, happened.empty_receives) == (3, 1)


def test_a_long_poll_that_gets_nothing_is_one_empty_receive(q, server):
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=20)
    server.waiting(1)
    q.send("delayed", DelaySeconds=900)
    server.advance(20)
    assert poll.result(timeout=10).get("Messages", []) == []
    server.advance(60)
    readings = readings_of(server, q)
    assert sum(reading.empty_receives for reading in readings) == 1
    assert sum(reading.received for reading in readings) == 0


def test_deletions_are_counted_repeated_ones_too(q, server):
    for body in "ab":
        q.send(body)
    one, other = q.receive(MaxNumberOfMessages=10)
    q.delete(one)
    q.delete(one)
    entries = [
        {"Id": "1", "ReceiptHandle": other["ReceiptHandle"]},
        {"Id": "2", "ReceiptHandle": other["ReceiptHandle"]},
        {"Id": "3", "ReceiptHandle": "none"},
    ]
    q("DeleteMessageBatch", Entries=entries)
    assert what_happened(server, q).deleted == 4


def test_duplicates_are_counted_as_such(fifo, server):
    for _ in range(3):
        fifo.send("a", MessageGroupId="g", MessageDeduplicationId="1")
    entry = {"MessageBody": "bb", "MessageGroupId": "g", "MessageDeduplicationId": "2"}
    fifo.send_batch(entry, entry)
    expected = Tally(sent=2, sent_bytes=3, smallest_bytes=1, largest_bytes=2, deduplicated=3)
    assert what_happened(server, fifo) == expected


def test_dead_letters_are_not_sent(make, server):
    dead = make()
    q = make(RedrivePolicy=f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 1}}')
    q.send()
    q.receive(VisibilityTimeout=0)
    assert q.receive() == []
    server.advance(60)
    (reading,) = readings_of(server, dead)
    assert (reading.visible, reading.sent) == (1, 0)


def test_a_queue_has_a_reading_as_long_as_it_holds_messages(q, server):
    q.send()
    for _ in range(3):
        server.advance(60)
    message = q.receive_one()
    q.delete(message)
    for _ in range(3):
        server.advance(60)
    readings = readings_of(server, q)
    assert [(each.visible, each.sent, each.deleted) for each in readings] == [
        (1, 1, 0),
        (1, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]
    assert [each.minute - readings[0].minute for each in readings] == [0, 1, 2, 3]


def test_totals_since_the_start_go_on_until_the_queue_is_deleted(q, server):
    meters = server.application.broker.meters
    key = QueueKey(q.account, "us-east-1", q.name)
    q.send("a")
    server.advance(60)
    q.send("bb")
    assert server.call(lambda: meters.total(key)) == Tally(2, 3, 1, 2)
    q("DeleteQueue")
    assert server.call(lambda: meters.total(key)) == Tally()


def test_a_stop_loses_nothing_and_the_minute_goes_on_after_a_start(tmp_path):
    found = []
    for body in ("a", "bb", "ccc"):
        server = InProcessServer(tmp_path, store=f"sqlite:{tmp_path / 'store.db'}")
        call = Caller(server.url, "json")
        q = QueueCalls.create(call, "q")
        found += [(each.sent, each.sent_bytes, each.visible) for each in readings_of(server, q)]
        q.send(body)
        call.close()
        server.stop()
    assert found == [(1, 1, 1), (2, 3, 2)]
