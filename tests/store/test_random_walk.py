"""Random walks: whatever is done, no walk can tell a store from the reference model.

A walk does the same to both, turns their clock, and compares every answer. After each step it looks at all
messages of all queues; looking changes nothing. ``STANCHION_WALK_EXAMPLES`` sets how many walks are taken; with
it set, each run takes other walks.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import astuple

from model.bench import ACCOUNT, START_MS, Bench, admit, arn_of, key_of, redrive
from stanchion.errors import SQSError, UnsupportedOperation
from stanchion.limits import IN_FLIGHT
from stanchion.model import Message, MessageAttribute, MoveTask, NewMessage, Queue, SentMessage
from stanchion.store.base import Directory, MoveTaskDraft, QueueDraft, Received

EXAMPLES = os.environ.get("STANCHION_WALK_EXAMPLES")
WALKS = settings(
    max_examples=int(EXAMPLES or 120),
    derandomize=EXAMPLES is None,
    stateful_step_count=60,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

NAMES = st.sampled_from(["q", "q", "q", "dead", "dead", "other"])  # "other" seldom is there
SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
SHORT_MS = st.sampled_from([1, 400, SECOND, SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND, 10 * SECOND, 31 * SECOND])
LONG_MS = st.sampled_from([61 * SECOND, 200 * SECOND, 300 * SECOND, HOUR, 12 * HOUR, 37 * HOUR, 4 * DAY])
PICKS = st.lists(st.integers(0, 30), min_size=1, max_size=3)
ATTRIBUTES = st.sampled_from([None, {"n": MessageAttribute("Number", "1"), "b": MessageAttribute("Binary", b"\x00")}])


class Walk(RuleBasedStateMachine):
    """One walk over queues of one type: ``kind`` of store, ``suffix`` of the queues' names."""

    def __init__(self, kind: str, suffix: str) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Bench(kind, Path(self.folder.name))
        self.model = Bench("reference", Path(self.folder.name))
        self.kind, self.suffix, self.fifo = kind, suffix, suffix == ".fifo"
        self.now_ms = START_MS
        self.bodies = 0
        self.tasks = 0
        self.handles: list[tuple[str, str, str]] = []  # queue, the store's, the model's
        self.same_id: dict[str, str] = {}  # message ids: the model's to the store's; a move task makes new ones
        self.sequences: dict[str, int] = {}  # the store's message ids and their sequences

    def teardown(self) -> None:
        self.store.close()
        self.model.close()
        self.folder.cleanup()

    # Doing the same to both

    def both(self, act: Callable[[Bench], Any]) -> tuple[Any, Any]:
        """What the store and the model answer."""
        return self._answer(self.store, act), self._answer(self.model, act)

    def _answer(self, bench: Bench, act: Callable[[Bench], Any]) -> Any:
        try:
            return act(bench)
        except SQSError as error:
            return error

    def same(self, act: Callable[[Bench], Any], shown: Callable[[Any], Any] = lambda answer: answer) -> Any:
        """Do it and compare; the store's answer."""
        stored, expected = self.both(act)
        assert self._shown(stored, shown) == self._shown(expected, shown)
        return stored

    def _shown(self, answer: Any, shown: Callable[[Any], Any]) -> Any:
        return (type(answer), answer.message) if isinstance(answer, SQSError) else shown(answer)

    def full(self, name: str) -> str:
        return name + self.suffix

    # Queues

    def drawn_attributes(self, delay: int, retention: int, dead_letters: str | None, count: int) -> dict[str, str]:
        given = {"DelaySeconds": str(delay), "MessageRetentionPeriod": str(retention)}
        return given | (redrive(self.full(dead_letters), count) if dead_letters else {})

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        self.create("dead", 0, 345_600, None, 1, False)
        self.create("q", 0, 345_600, "dead", count, False)

    @rule(
        name=NAMES,
        delay=st.sampled_from([0, 0, 3]),
        retention=st.sampled_from([345_600, 345_600, 60]),
        dead_letters=st.none() | NAMES,
        count=st.integers(1, 3),
        per_group=st.booleans(),
    )
    def create(
        self, name: str, delay: int, retention: int, dead_letters: str | None, count: int, per_group: bool
    ) -> None:
        key = key_of(self.full(name))
        attributes = self.drawn_attributes(delay, retention, dead_letters, count)
        if self.fifo:
            attributes |= {"FifoQueue": "true"}
            attributes |= {"DeduplicationScope": "messageGroup"} if per_group else {}

        def decide(directory: Directory) -> Queue | QueueDraft:
            return directory.find(key) or QueueDraft(attributes, {"name": name})

        self.same(lambda bench: bench.run(lambda: bench.store.create_queue(key, decide, self.now_ms)), shown_queue)

    @rule(
        name=NAMES,
        change=st.one_of(
            st.sampled_from(["0", "2", "10", None]).map(lambda value: {"DelaySeconds": value}),
            st.sampled_from(["60", "120", "86400", None]).map(lambda value: {"MessageRetentionPeriod": value}),
            st.sampled_from(["0", "5", None]).map(lambda value: {"VisibilityTimeout": value}),
        ),
    )
    def change(self, name: str, change: dict[str, str | None]) -> None:
        self.same(lambda bench: bench.change(self.full(name), change, now_ms=self.now_ms), shown_queue)

    @rule(
        name=NAMES,
        attribute=st.sampled_from(["DelaySeconds", "MessageRetentionPeriod"]),
        values=st.tuples(st.sampled_from(["60", "120"]), st.sampled_from(["60", "120", "900"])),
        wait_ms=st.sampled_from([1, 59_999, 60_000, 60_001, 119_000, 130_000]),
        group=st.sampled_from(["g", "h"]),
    )
    def change_twice(self, name: str, attribute: str, values: tuple[str, str], wait_ms: int, group: str) -> None:
        """With messages in between that the second change finds."""
        first, second = values
        self.change(name, {attribute: first})
        self.send(name, 2, group, True, None, None, None, 0)
        self.now_ms += wait_ms
        self.change(name, {attribute: second})

    @rule(name=NAMES, dead_letters=st.none() | NAMES, count=st.integers(1, 3))
    def point(self, name: str, dead_letters: str | None, count: int) -> None:
        """Change where dead letters go: to any queue, itself among them, there or not."""
        change = redrive(self.full(dead_letters), count) if dead_letters else {"RedrivePolicy": None}
        self.same(lambda bench: bench.change(self.full(name), change, now_ms=self.now_ms), shown_queue)

    @rule(name=NAMES, what=st.sampled_from(["purge", "drop", *["nothing"] * 6]))
    def clear(self, name: str, what: str) -> None:
        q = self.full(name)
        if what == "purge":
            self.same(lambda bench: bench.purge(q, now_ms=self.now_ms))
        elif what == "drop" and not self.active(q):  # when a task notices that its source is gone is left open
            self.same(lambda bench: bench.drop(q, now_ms=self.now_ms))

    # Messages

    @rule(
        name=NAMES,
        count=st.integers(1, 3),
        group=st.sampled_from(["g", "h", "i"]),
        grouped=st.booleans(),
        dedup=st.sampled_from([None, None, "d", "e"]),
        delay=st.sampled_from([None, None, 0, 1, 5]),
        attributes=ATTRIBUTES,
        large=st.integers(0, 9),
    )
    def send(
        self,
        name: str,
        count: int,
        group: str,
        grouped: bool,
        dedup: str | None,
        delay: int | None,
        attributes: dict[str, MessageAttribute] | None,
        large: int,
    ) -> None:
        first, self.bodies = self.bodies + 1, self.bodies + count
        padding = "x" * 3_000 if large == 9 else ""

        def act(bench: Bench) -> list[SentMessage]:
            def decide(queue: Queue) -> list[NewMessage]:
                queue_delay = queue.settings.delay_seconds
                return [
                    bench.new(
                        f"{number}{padding}",
                        group=group if self.fifo or grouped else None,
                        dedup=(dedup or f"own {number}") if self.fifo else None,
                        delay=queue_delay if self.fifo or delay is None else delay,
                        attributes=attributes,
                    )
                    for number in range(first, first + count)
                ]

            return bench.run(lambda: bench.store.send(key_of(self.full(name)), decide, self.now_ms))

        stored, expected = self.both(act)
        if isinstance(expected, SQSError):
            assert type(stored) is type(expected)
            return
        for sent, wanted in zip(stored, expected, strict=True):
            assert sent.duplicate == wanted.duplicate
            self.identify(sent.message_id, wanted.message_id)
            assert self.sequences.setdefault(sent.message_id, sent.sequence) == sent.sequence

    @rule(name=NAMES, group=st.sampled_from(["g", "h"]), visibility=st.sampled_from([5, 100]), sure=st.integers(0, 3))
    def flood(self, name: str, group: str, visibility: int, sure: int) -> None:
        """Many of one tenant at work: what makes it noisy."""
        for _ in range(3 if not sure else 0):
            self.send(name, 11, group, True, None, 0, None, 0)
            self.receive(name, 11, visibility, IN_FLIGHT, False, None)

    @rule(
        name=NAMES,
        maximum=st.sampled_from([1, 2, 10]),
        visibility=st.sampled_from([1, 3, 10]),
        wait_ms=st.sampled_from([0, 999, 1_000, 3_000]),
    )
    def receive_briefly(self, name: str, maximum: int, visibility: int, wait_ms: int) -> None:
        self.receive(name, maximum, visibility, IN_FLIGHT, False, None)
        self.now_ms += wait_ms

    @rule(name=NAMES, count=st.integers(1, 4), group=st.sampled_from(["g", "h"]), dedup=st.sampled_from([None, "d"]))
    def send_plainly(self, name: str, count: int, group: str, dedup: str | None) -> None:
        self.send(name, count, group, True, dedup, None, None, 0)

    @rule(name=NAMES, times=st.integers(1, 3), maximum=st.sampled_from([1, 2, 10]))
    def wear_out(self, name: str, times: int, maximum: int) -> None:
        """Receive and give back, until the dead-letter queue gets it."""
        for _ in range(times):
            self.receive(name, maximum, 0, IN_FLIGHT, False, None)

    @rule(name=NAMES, attempt=st.sampled_from(["x", "y"]), visibility=st.sampled_from([3, 400]), again=st.booleans())
    def attempt(self, name: str, attempt: str, visibility: int, again: bool) -> None:
        for _ in range(1 + again):
            self.receive(name, 2, visibility, IN_FLIGHT, False, attempt)

    @rule(
        name=NAMES,
        maximum=st.sampled_from([1, 2, 3, 10]),
        visibility=st.sampled_from([0, 1, 1, 3, 3, 30, 400, 43_200]),
        limit=st.sampled_from([IN_FLIGHT, IN_FLIGHT, IN_FLIGHT, 2, 5]),
        refuse=st.booleans(),
        attempt=st.sampled_from([None, None, None, "x"]),
    )
    def receive(
        self, name: str, maximum: int, visibility: int, limit: int, refuse: bool, attempt: str | None
    ) -> None:
        q = self.full(name)
        stored, expected = self.both(
            lambda bench: bench.receive(
                q,
                now_ms=self.now_ms,
                maximum=maximum,
                visibility=visibility,
                limit=limit,
                refuse=refuse and not self.fifo,
                attempt=attempt if self.fifo else None,
            )
        )
        if isinstance(expected, SQSError):
            assert type(stored) is type(expected), stored
            return
        assert isinstance(stored, Received), stored
        assert shown_queue(stored.queue) == shown_queue(expected.queue)
        self.compare_deliveries(q, stored, expected)
        assert not stored.more
        if expected.next_due_ms is not None:
            # Earlier is harmless: whoever waits looks again. Later would leave a consumer waiting.
            assert stored.next_due_ms is not None
            assert stored.next_due_ms <= expected.next_due_ms

    def compare_deliveries(self, q: str, stored: Received, expected: Received) -> None:
        got = [self.shown_message(delivery.message) for delivery in stored.deliveries]
        wanted = [self.shown_message(delivery.message) for delivery in expected.deliveries]
        assert [message[:-1] for message in got] == [message[:-1] for message in wanted]
        for delivery, wanted_delivery in zip(stored.deliveries, expected.deliveries, strict=True):
            self.identify(delivery.message.message_id, wanted_delivery.message.message_id)
            pair = (q, delivery.receipt_handle, wanted_delivery.receipt_handle)
            if pair not in self.handles:
                assert all(pair[1] != known[1] for known in self.handles), "a handle was given out twice"
                self.handles.append(pair)

    @rule(name=NAMES, picks=PICKS)
    def delete(self, name: str, picks: list[int]) -> None:
        self.use_handles(name, picks, lambda bench, q, handles: bench.delete(q, *handles, now_ms=self.now_ms))

    @rule(name=NAMES, picks=PICKS, seconds=st.sampled_from([0, 0, 1, 10, 30, 43_000]))
    def hide(self, name: str, picks: list[int], seconds: int) -> None:
        self.use_handles(
            name,
            picks,
            lambda bench, q, handles: bench.hide(q, *[(handle, seconds) for handle in handles], now_ms=self.now_ms),
        )

    def use_handles(self, name: str, picks: list[int], act: Callable[[Bench, str, list[str]], Any]) -> None:
        """With handles of this queue, the latest before older ones; now and then with another queue's."""
        own = [pair for pair in self.handles if pair[0] == self.full(name)] or self.handles
        if not own:
            return
        pairs = [own[-1 - pick % len(own)] for pick in picks]
        stored = self._answer(self.store, lambda bench: act(bench, self.full(name), [pair[1] for pair in pairs]))
        expected = self._answer(self.model, lambda bench: act(bench, self.full(name), [pair[2] for pair in pairs]))
        names = {handle: str(number) for number, pair in enumerate(pairs) for handle in pair[1:]}
        assert shown_errors(stored, names) == shown_errors(expected, names)

    # Move tasks

    def active(self, q: str) -> bool:
        return any(task.status in ("RUNNING", "CANCELLING") for task in self.model.tasks(q))

    @rule(source=NAMES, destination=st.none() | NAMES, rate=st.sampled_from([None, 1, 3]))
    def start_task(self, source: str, destination: str | None, rate: int | None) -> None:
        if source == destination:
            return
        self.tasks += 1
        task_id, source_key = f"task {self.tasks}", key_of(self.full(source))
        destination_key = key_of(self.full(destination)) if destination else None

        def decide(directory: Directory) -> MoveTaskDraft:
            active = [task.source_arn for task in directory.active_move_tasks(ACCOUNT)]
            if arn_of(self.full(source)) in active:
                raise UnsupportedOperation("one at a time")
            return MoveTaskDraft(task_id, source_key, destination_key, rate)

        self.same(
            lambda bench: bench.run(lambda: bench.store.start_move_task(source_key, decide, self.now_ms)), astuple
        )

    @rule(number=st.integers(0, 3))
    def cancel_task(self, number: int) -> None:
        def decide(task: MoveTask | None) -> None:
            if task is None or task.status != "RUNNING":
                raise UnsupportedOperation("not running")

        task_id = f"task {self.tasks - number}"
        self.same(lambda bench: bench.run(lambda: bench.store.cancel_move_task(task_id, decide)), astuple)

    # Time and upkeep

    @rule(step_ms=SHORT_MS)
    def wait(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule(step_ms=LONG_MS, sure=st.integers(0, 2))
    def wait_long(self, step_ms: int, sure: int) -> None:
        self.now_ms += 0 if sure else step_ms

    @rule()
    def tidy(self) -> None:
        for bench in (self.store, self.model):
            assert bench.tidy(now_ms=self.now_ms) > self.now_ms

    @rule(sure=st.integers(0, 2))
    def reopen(self, sure: int) -> None:
        if self.kind == "sqlite" and not sure:
            self.store.reopen()

    # Looking

    @rule(name=NAMES)
    def count(self, name: str) -> None:
        self.same(lambda bench: bench.counts(self.full(name), now_ms=self.now_ms))

    @rule()
    def look_around(self) -> None:
        self.same(lambda bench: bench.list_names())
        for name in ("q", "dead", "other"):
            q = self.full(name)
            self.same(lambda bench, q=q: bench.sources(q))
            self.same(lambda bench, q=q: bench.find(q), shown_queue)
            self.same(lambda bench, q=q: [astuple(task) for task in bench.tasks(q)])

    @invariant()
    def both_hold_the_same_messages(self) -> None:
        for name in self.model.list_names():
            stored, expected = self.both(lambda bench, name=name: self.held(bench, name))
            got = [self.shown_message(message) for message in stored]
            wanted = [self.shown_message(message) for message in expected]
            assert got == wanted, name
            for message, wanted_message in zip(stored, expected, strict=True):
                self.identify(message.message_id, wanted_message.message_id)

    def held(self, bench: Bench, name: str) -> list[Message]:
        """All messages that are not past their retention; nobody has to have cleared those away."""
        messages, queue = bench.together(
            lambda: bench.store.peek(key_of(name), admit, 0, 100_000),
            lambda: bench.store.find_queue(key_of(name), admit),
        )
        retention_ms = queue.settings.message_retention_seconds * SECOND
        return [message for message in messages if self.now_ms - message.sent_at_ms <= retention_ms]

    def shown_message(self, message: Message) -> tuple[object, ...]:
        """What two stores have to agree on; last the moment until which the message is hidden."""
        hidden = message.due_at_ms is not None and message.due_at_ms > self.now_ms
        return (
            message.body,
            message.sent_at_ms,
            message.receives,
            message.first_received_at_ms,
            message.group_id,
            message.deduplication_id,
            message.dead_letter_source_arn,
            message.attributes,
            message.due_at_ms if hidden else None,
        )

    def identify(self, stored_id: str, model_id: str) -> None:
        """The same message keeps the same id in either store, and no two share one."""
        if model_id not in self.same_id:
            assert stored_id not in self.same_id.values()
            self.same_id[model_id] = stored_id
        assert self.same_id[model_id] == stored_id


def shown_queue(queue: Queue) -> tuple[object, ...]:
    """All but the numbers that a store makes up."""
    return (
        queue.key,
        queue.created_at_ms,
        queue.modified_at_ms,
        queue.purged_at_ms,
        queue.attributes,
        queue.tags,
        queue.settings,
        queue.arn,
    )


def shown_errors(answer: Any, names: dict[str, str]) -> object:
    """Results of a batch, or its error, with handles replaced by what they have in common."""
    if isinstance(answer, list):
        return [shown_errors(error, names) for error in answer]
    if answer is None:
        return None
    text = answer.message
    for handle, name in names.items():
        text = text.replace(handle, name)
    return type(answer), text


@pytest.mark.parametrize("suffix", ["", ".fifo"], ids=["standard", "fifo"])
@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_no_walk_can_tell_the_store_from_the_model(kind: str, suffix: str):
    run_state_machine_as_test(lambda: Walk(kind, suffix), settings=WALKS)
