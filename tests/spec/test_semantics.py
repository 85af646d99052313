"""Delivery beyond the table of edge cases: in-flight limits, fair queues, lost clients, restarts, browsers."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.both_protocols import Caller
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls

# ── In-flight limits ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    """A server where three messages of a queue may be in flight."""
    server = InProcessServer(tmp_path_factory.mktemp("narrow"), in_flight_limit="3")
    yield server
    server.stop()


@pytest.fixture
def narrow_call(narrow: InProcessServer, protocol: str) -> Iterator[Caller]:
    caller = Caller(narrow.url, protocol)
    yield caller
    caller.close()


def test_a_short_poll_over_the_in_flight_limit_is_refused(narrow_call):
    q = QueueCalls.create(narrow_call)
    for _ in range(5):
        q.send()
    taken = q.receive(MaxNumberOfMessages=10)
    assert len(taken) == 3
    q.refuses("ReceiveMessage", "OverLimit", status=403)
    q.delete(taken[0])
    assert len(q.receive(MaxNumberOfMessages=10)) == 1


def test_a_long_poll_over_the_in_flight_limit_waits_for_room(narrow_call, narrow):
    q = QueueCalls.create(narrow_call)
    for n in range(4):
        q.send(f"{n}")
    taken = q.receive(MaxNumberOfMessages=10)
    empty = q.begin("ReceiveMessage", WaitTimeSeconds=5)
    narrow.waiting(1)
    narrow.advance(5)
    assert empty.result(timeout=10) == {}
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=5)
    narrow.waiting(1)
    q.delete(taken[0])
    assert [message["Body"] for message in poll.result(timeout=10)["Messages"]] == ["3"]


def test_a_fifo_queue_over_the_in_flight_limit_returns_nothing(narrow_call):
    q = QueueCalls.create(narrow_call, fifo=True)
    for n in range(4):
        q.send_each(f"g{n}", f"{n}")
    taken = q.receive(MaxNumberOfMessages=10)
    assert len(taken) == 3
    assert q.receive() == []
    q.delete(taken[0])
    assert q.bodies() == ["3"]


def test_a_fifo_poll_over_the_in_flight_limit_waits_for_room(narrow_call, narrow):
    q = QueueCalls.create(narrow_call, fifo=True)
    for n in range(4):
        q.send_each(f"g{n}", f"{n}")
    taken = q.receive(MaxNumberOfMessages=10)
    poll = q.begin("ReceiveMessage", WaitTimeSeconds=5)
    narrow.waiting(1)
    q.delete(taken[0])
    assert [message["Body"] for message in poll.result(timeout=10)["Messages"]] == ["3"]


# ── Fair queues ──────────────────────────────────────────────────────────────────────────────────────────


def test_quiet_groups_go_before_a_group_with_many_messages_in_flight(q):
    for n in range(4):
        entries = [{"MessageBody": f"noisy {10 * n + k}", "MessageGroupId": "noisy"} for k in range(10)]
        q.send_batch(*entries)
    for _ in range(3):
        assert len(q.receive(MaxNumberOfMessages=10)) == 10
    q.send("quiet", MessageGroupId="quiet")
    q.send("alone")
    assert sorted(q.bodies(MaxNumberOfMessages=2)) == ["alone", "quiet"]
    assert len(q.receive(MaxNumberOfMessages=10)) == 10


def test_groups_of_a_standard_queue_lock_nothing(q):
    q.send("one", MessageGroupId="g")
    q.send("two", MessageGroupId="g")
    assert q.bodies() == ["one"]
    assert q.bodies() == ["two"]


def test_groups_keep_their_order_while_they_are_quiet(q):
    for n in range(10):
        q.send(f"{n}", MessageGroupId=f"g{n % 3}")
    assert q.bodies(MaxNumberOfMessages=10) == [str(n) for n in range(10)]


# ── Lost clients ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_not_handed_to_a_client_that_has_gone(json_q, server):
    body = json.dumps({"QueueUrl": json_q.url, "WaitTimeSeconds": 20})
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", body, headers)
    server.waiting(1)
    connection.close()
    server.waiting(0)
    json_q.send("for somebody who listens")
    assert json_q.bodies() == ["for somebody who listens"]
    assert json_q.counts() == (0, 1, 0)


# ── Visibility of several messages ───────────────────────────────────────────────────────────────────────


def test_a_message_whose_timeout_ended_goes_before_later_ones(q, server):
    q.send("first")
    q.receive_one(VisibilityTimeout=1)
    q.send("second")
    server.advance(1)
    assert q.bodies(MaxNumberOfMessages=10) == ["first", "second"]


def test_one_message_of_a_batch_can_be_released_alone(q):
    for n in range(3):
        q.send(f"{n}")
    taken = q.receive(MaxNumberOfMessages=3)
    entries = [{"Id": "a", "ReceiptHandle": taken[1]["ReceiptHandle"], "VisibilityTimeout": 0}]
    assert q("ChangeMessageVisibilityBatch", Entries=entries) == {"Successful": [{"Id": "a"}]}
    assert q.bodies(MaxNumberOfMessages=10) == ["1"]


def test_a_fifo_group_that_waits_for_its_head_wakes_a_poll_when_the_timeout_ends(fifo, server):
    fifo.send_each("g", "1", "2")
    fifo.receive_one(VisibilityTimeout=2)
    poll = fifo.begin("ReceiveMessage", WaitTimeSeconds=10, MaxNumberOfMessages=10)
    server.waiting(1)
    server.advance(2)
    assert [message["Body"] for message in poll.result(timeout=10)["Messages"]] == ["1", "2"]


def test_blocked_messages_count_as_visible_and_delayed_ones_do_not(make, server):
    q = make(fifo=True, DelaySeconds="5")
    q.send_each("g", "1", "2", "3")
    assert q.counts() == (0, 0, 3)
    server.advance(5)
    q.receive_one()
    assert q.counts() == (2, 1, 0)


# ── Restarts ─────────────────────────────────────────────────────────────────────────────────────────────


class Restartable:
    """A server whose store is a file, and its one caller."""

    def __init__(self, folder: Path, protocol: str) -> None:
        self._folder = folder
        self._protocol = protocol
        self._start()

    def _start(self) -> None:
        self.server = InProcessServer(self._folder, store=f"sqlite:{self._folder / 'queues.db'}", durability="os")
        self.call = Caller(self.server.url, self._protocol)

    def stop(self) -> None:
        self.call.close()
        self.server.stop()

    def restart(self) -> Caller:
        """Stop and start again, at the same moment; answers a caller of the new server."""
        passed_ms = self.server.clock.now_ms()
        self.stop()
        self._start()
        self.server.advance((passed_ms - self.server.clock.now_ms()) / 1000)
        return self.call


@pytest.fixture
def restartable(tmp_path: Path, protocol: str) -> Iterator[Restartable]:
    running = Restartable(tmp_path, protocol)
    yield running
    running.stop()


def test_messages_timeouts_and_handles_survive_a_restart(restartable):
    q = QueueCalls.create(restartable.call)
    q.send("deleted later")
    q.send("stays")
    q.send("delayed", DelaySeconds=60)
    message = q.receive_one()
    q = q.as_seen_by(restartable.restart())
    assert q.counts() == (1, 1, 1)
    q.delete(message)
    restartable.server.advance(60)
    assert q.bodies(MaxNumberOfMessages=10) == ["stays", "delayed"]


def test_deduplication_order_and_sequence_survive_a_restart(restartable):
    q = QueueCalls.create(restartable.call, fifo=True)
    first = q.send("1", MessageGroupId="g", MessageDeduplicationId="d")
    q.send_each("g", "2")
    q.receive_one()
    q = q.as_seen_by(restartable.restart())
    again = q.send("again", MessageGroupId="g", MessageDeduplicationId="d")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert q.receive() == []
    later = q.send("3", MessageGroupId="g", MessageDeduplicationId="3")
    assert int(later["SequenceNumber"]) > int(first["SequenceNumber"])
    restartable.server.advance(30)
    assert q.bodies(MaxNumberOfMessages=10) == ["1", "2", "3"]


def test_queues_with_attributes_tags_and_policies_survive_a_restart(restartable):
    q = QueueCalls.create(restartable.call, DelaySeconds="3")
    q("TagQueue", Tags={"a": "b"})
    q("AddPermission", Label="l", AWSAccountIds=["123456789012"], Actions=["*"])
    q("PurgeQueue")
    before = q.get()
    q = q.as_seen_by(restartable.restart())
    assert q.get() == before
    assert q("ListQueueTags") == {"Tags": {"a": "b"}}
    q.refuses("PurgeQueue", "AWS.SimpleQueueService.PurgeQueueInProgress", status=403)


def test_a_move_task_goes_on_after_a_restart(restartable):
    call = restartable.call
    target, destination = QueueCalls.create(call), QueueCalls.create(call)
    policy = json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": 1})
    QueueCalls.create(call, RedrivePolicy=policy)
    target.send_batch(*({"MessageBody": f"{n}"} for n in range(4)))
    arns = {"SourceArn": target.arn, "DestinationArn": destination.arn}
    call("StartMessageMoveTask", MaxNumberOfMessagesPerSecond=1, **arns)
    restartable.server.advance(1)
    call = restartable.restart()
    restartable.server.advance(2)
    (entry,) = call("ListMessageMoveTasks", SourceArn=arns["SourceArn"])["Results"]
    assert (entry["Status"], entry["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 4)
    assert destination.as_seen_by(call).counts() == (4, 0, 0)


# ── Browsers ─────────────────────────────────────────────────────────────────────────────────────────────

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def browsable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    """A server that pages of one origin may call."""
    server = InProcessServer(tmp_path_factory.mktemp("browsable"), cors_origins=ORIGIN)
    yield server
    server.stop()


@pytest.mark.parametrize("path", ["/", "/000000000000/q"])
def test_a_preflight_tells_an_allowed_origin_what_it_may_send(browsable, path):
    answer = Caller(browsable.url, "json").wire.request("OPTIONS", path, headers={"Origin": ORIGIN})
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert int(answer.headers["access-control-max-age"]) > 0
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {
        "authorization",
        "content-type",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-target",
        "x-amz-user-agent",
        "x-amz-content-sha256",
        "x-amzn-query-mode",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "x-amzn-trace-id",
    }


def test_a_real_answer_lets_an_allowed_origin_read_ids_and_error_codes(browsable, protocol):
    call = Caller(browsable.url, protocol)
    for given in ({"QueueNamePrefix": "none"}, {"MaxResults": 0}):
        answer = call.raw("ListQueues", headers={"Origin": ORIGIN}, **given)
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert exposed == {"x-amzn-requestid", "x-amzn-query-error", "date"}


def test_other_origins_get_no_permission(browsable, protocol):
    call = Caller(browsable.url, protocol)
    headers = {"Origin": "https://evil.example"}
    assert "access-control-allow-origin" not in call.raw("ListQueues", headers=headers).headers
    preflight = call.wire.request("OPTIONS", "/", headers=headers)
    assert not [name for name in preflight.headers if name.startswith("access-control-")]


def test_no_origin_is_allowed_unless_it_was_configured(call):
    answer = call.raw("ListQueues", headers={"Origin": ORIGIN}, QueueNamePrefix="none")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_connection_is_kept_for_the_next_request(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request("GET", "/?Action=ListQueues&QueueNamePrefix=none")
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        assert connection.sock is not None
        assert connection.sock.getsockname()[1] == port
    connection.close()


def test_a_body_may_come_in_chunks(json_q, server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    body = json.dumps({"QueueUrl": json_q.url, "MessageBody": "in pieces"}).encode()
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/", iter([body[:10], body[10:]]), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert json_q.bodies() == ["in pieces"]


def test_a_mebibyte_of_the_widest_json_escapes_is_accepted(json_call):
    q = QueueCalls.create(json_call)
    body = "é" * 524_288  # as JSON, six bytes for two
    q.send(body)
    assert q.receive_one()["Body"] == body


def test_a_body_over_eight_mebibytes_is_refused(json_call):
    answer = json_call.request("POST", "/", b" " * (8 * 1_048_576 + 1), {"X-Amz-Target": "AmazonSQS.ListQueues"})
    assert answer.status == 413


def test_every_answer_has_a_request_id_of_its_own(call):
    ids = {call.raw("ListQueues", QueueNamePrefix="none").headers["x-amzn-requestid"] for _ in range(3)}
    ids |= {call.raw("CreateQueue").headers["x-amzn-requestid"] for _ in range(3)}
    assert len(ids) == 6
