"""Every call of the classic boto tutorial, section by section, with only the import lines changed."""

from pathlib import Path

import pytest

from stanchion import client
from stanchion.client import Message, QueueNotEmpty, RawMessage, SQSConnection
from support.in_process import InProcessServer


def test_creating_a_connection(server: InProcessServer, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = SQSConnection("<aws access key>", "<aws secret key>", endpoint_url=server.url)
    assert conn.get_all_queues() == []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server.url)
    conn = SQSConnection()
    assert (conn.region.name, repr(conn)) == ("us-east-1", f"SQSConnection:{server.url}")
    conn = client.connect_sqs()
    assert conn.get_all_queues() == []


def test_creating_a_queue(conn: SQSConnection, server: InProcessServer) -> None:
    q = conn.create_queue("myqueue")
    assert q.get_timeout() == 30
    q = conn.create_queue("another_queue", 120)
    assert q.get_timeout() == 120
    assert repr(q) == f"Queue({server.url}/000000000000/another_queue)"


def test_listing_all_queues(conn: SQSConnection) -> None:
    for name in ("myqueue", "another_queue", "another_queue2"):
        conn.create_queue(name)
    assert [q.name for q in conn.get_all_queues()] == ["another_queue", "another_queue2", "myqueue"]
    assert [q.name for q in conn.get_all_queues(prefix="another")] == ["another_queue", "another_queue2"]


def test_getting_a_queue_by_name(conn: SQSConnection) -> None:
    made = conn.create_queue("myqueue")
    my_queue = conn.get_queue("myqueue")
    assert my_queue == made
    assert conn.lookup("myqueue") == made
    assert conn.get_queue("absent") is None


def test_writing_messages(conn: SQSConnection) -> None:
    q = conn.create_queue("myqueue")
    m = Message()
    m.set_body("This is my first message.")
    status = q.write(m)
    assert status
    assert status is m
    assert m.id


def test_writing_messages_in_a_format_of_ones_own(conn: SQSConnection) -> None:
    class MyMessage(Message):
        def encode(self, value: object) -> str:
            return f"mine:{value}"

        def decode(self, value: str) -> str:
            return value.removeprefix("mine:")

    q = conn.create_queue("myqueue")
    q.set_message_class(MyMessage)
    m = MyMessage()
    m.set_body("This is my first message.")
    assert q.write(m)
    read = q.read()
    assert isinstance(read, MyMessage)
    assert read.get_body() == "This is my first message."
    q.set_message_class(RawMessage)


def test_reading_messages(conn: SQSConnection, server: InProcessServer) -> None:
    q = conn.create_queue("myqueue")
    q.write(q.new_message("This is my first message"))
    rs = q.get_messages()
    assert len(rs) == 1
    assert rs[0].get_body() == "This is my first message"
    server.advance(31)
    assert len(q.get_messages(visibility_timeout=60)) == 1
    server.advance(59)
    assert q.get_messages() == []
    q.clear()
    for i in range(1, 11):
        m = Message()
        m.set_body(f"This is message {i}")
        q.write(m)
    rs = q.get_messages(10)
    assert sorted(m.get_body() for m in rs) == sorted(f"This is message {i}" for i in range(1, 11))
    assert q.read(60) is None


def test_reading_one_message(conn: SQSConnection) -> None:
    q = conn.create_queue("myqueue")
    q.write(Message(body="This is my first message"))
    m = q.read(60)
    assert m.get_body() == "This is my first message"


def test_deleting_messages_and_queues(conn: SQSConnection) -> None:
    q = conn.create_queue("myqueue")
    q.write(Message(body="x"))
    q.write(Message(body="y"))
    m = q.read()
    assert q.delete_message(m)
    with pytest.raises(QueueNotEmpty, match="Queue myqueue holds 1 message, so it was not deleted"):
        conn.delete_queue(q)
    assert q.read().delete()
    assert conn.delete_queue(q)
    assert conn.get_queue("myqueue") is None


def test_a_queue_with_messages_is_deleted_by_force(conn: SQSConnection) -> None:
    q = conn.create_queue("myqueue")
    q.write("x")
    assert conn.delete_queue(q, force_deletion=True)


def test_counting_clearing_and_dumping(conn: SQSConnection, tmp_path: Path) -> None:
    q = conn.create_queue("myqueue")
    for i in range(12):
        q.write(Message(body=f"message {i}"))
    assert q.count() == 12
    file = tmp_path / "messages.txt"
    assert q.dump(str(file), sep="\n------------------\n") == 12
    bodies = file.read_text().split("\n------------------\n")
    assert sorted(bodies) == sorted(["", *(f"message {i}" for i in range(12))])
    other = conn.create_queue("other")
    assert other.load(file, sep="\n------------------\n") == 12
    assert other.clear()
    assert other.count() == 0
