"""The classic tutorial with the real boto 2.49.0, in the order in which a reader types it.

The server must let a queue's name be used again at once (``--recreate-wait-seconds 0``): the tutorial creates the
same queue twice, with two visibility timeouts, and says that a queue with another timeout is another queue.
"""

import os
import sys
from pathlib import Path
from typing import TextIO

import boto
import boto.sqs.queue
import walk
from boto.exception import SQSError
from boto.sqs.connection import SQSConnection
from boto.sqs.message import Message
from boto.sqs.queue import Queue
from boto_connection import connect, where
from walk import Site, expect


def test_there_are_three_ways_to_connect(site: Site) -> None:
    connect(site).create_queue("connected")
    os.environ["AWS_ACCESS_KEY_ID"] = site.owner.id
    os.environ["AWS_SECRET_ACCESS_KEY"] = site.owner.secret
    for conn in (SQSConnection(**where(site)), boto.connect_sqs(**where(site))):
        assert [queue.name for queue in conn.get_all_queues()] == ["connected"]
        assert conn.region.name == "us-east-1"


def test_a_queue_has_a_visibility_timeout_of_thirty_seconds_or_another_one(site: Site) -> None:
    conn = connect(site)
    q = conn.create_queue("myqueue")
    assert q.get_timeout() == 30
    assert conn.create_queue("myqueue").url == q.url
    error = expect(SQSError, conn.create_queue, "myqueue", 120)
    assert error.error_code == "QueueAlreadyExists"
    assert conn.delete_queue(q)
    q = conn.create_queue("myqueue", 120)
    assert q.get_timeout() == 120
    assert conn.create_queue("myqueue", 120).url == q.url


def test_queues_are_listed_and_found_by_name(site: Site) -> None:
    conn = connect(site)
    for name in ("another_queue", "another_queue2"):
        conn.create_queue(name)
    base = f"{site.url}/{site.owner.account}"
    assert {f"{base}/another_queue", f"{base}/another_queue2"} < {queue.url for queue in conn.get_all_queues()}
    others = conn.get_all_queues(prefix="another")
    assert [repr(each) for each in others] == [f"Queue({base}/another_queue)", f"Queue({base}/another_queue2)"]
    my_queue = conn.get_queue("another_queue")
    assert isinstance(my_queue, Queue)
    assert (my_queue.name, my_queue.url) == ("another_queue", f"{base}/another_queue")
    assert conn.lookup("another_queue").url == my_queue.url
    assert conn.get_queue("no_such_queue") is None


def test_a_message_is_written_read_and_deleted(site: Site) -> None:
    q = connect(site).create_queue("first_message")
    m = Message()
    m.set_body("This is my first message.")
    status = q.write(m)
    assert status
    assert status.id
    rs = q.get_messages()
    assert len(rs) == 1
    m = rs[0]
    assert m.get_body() == "This is my first message."
    assert m.id == status.id
    assert q.delete_message(m)
    assert q.count() == 0


class MyMessage(Message):
    """Text that goes over the wire backwards."""

    def encode(self, value: str) -> str:
        return super().encode(value[::-1])

    def decode(self, value: str) -> str:
        return super().decode(value)[::-1]


def test_a_message_class_of_ones_own_writes_and_reads_its_own_format(site: Site) -> None:
    q = connect(site).create_queue("own_format")
    q.set_message_class(MyMessage)
    m = MyMessage()
    m.set_body("This is my first message.")
    assert q.write(m)
    m = q.get_messages(visibility_timeout=0)[0]
    assert isinstance(m, MyMessage)
    assert m.get_body() == "This is my first message."
    q.set_message_class(Message)
    assert q.read().get_body() == ".egassem tsrif ym si sihT"


def test_a_message_that_is_not_deleted_reappears_after_its_visibility_timeout(site: Site) -> None:
    q = connect(site).create_queue("reappearance", 1)
    q.write(q.new_message("This is my first message."))
    first = q.read()
    assert q.read() is None
    second = q.read(wait_time_seconds=5)
    assert second.id == first.id
    assert second.receipt_handle != first.receipt_handle
    assert [each.id for each in q.get_messages(visibility_timeout=60, wait_time_seconds=5)] == [first.id]
    assert q.get_attributes()["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_ten_messages_are_read_in_one_call_and_one_of_them_again(site: Site) -> None:
    q = connect(site).create_queue("ten_messages")
    for i in range(1, 11):
        m = Message()
        m.set_body(f"This is message {i}")
        q.write(m)
    assert q.count() == 10
    rs = q.get_messages(10)
    assert len(rs) == 10
    assert {each.get_body() for each in rs} == {f"This is message {i}" for i in range(1, 11)}
    assert q.count() == 0
    rs[3].change_visibility(0)
    m = q.read(60)
    assert m.get_body() == rs[3].get_body()
    assert q.delete_message(m)


def _open_for_text(name: str, _mode: str) -> TextIO:
    """boto 2.49 opens the file of a dump for bytes and writes text to it, which Python 2 let pass."""
    return Path(name).open("w", encoding="utf-8")


def test_a_queue_is_counted_dumped_cleared_and_deleted(site: Site) -> None:
    conn = connect(site)
    q = conn.create_queue("messages_for_a_file")
    bodies = [f"This is message {i}" for i in range(10)]
    for body in bodies:
        q.write(q.new_message(body))
    assert q.count() == 10
    boto.sqs.queue.open = _open_for_text
    assert q.dump("messages.txt", sep="\n------------------\n") == 10
    pieces = Path("messages.txt").read_text(encoding="utf-8").split("\n------------------\n")
    assert sorted(pieces) == ["", *bodies]
    assert q.clear()
    assert q.count() == 0
    assert conn.delete_queue(q)
    assert conn.get_queue("messages_for_a_file") is None


if __name__ == "__main__":
    walk.run(sys.modules[__name__], facts=lambda: {"version": boto.Version})
