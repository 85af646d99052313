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
from model.reference import Reference
from stanchion.errors import SQSError, UnsupportedOperation
from stanchion.limits import IN_FLIGHT
from stanchion.model import Message, MessageAttribute, MoveTask, NewMessage, Queue, SentMessage
from stanchion.store.base import Directory, MoveTaskDraft, QueueDraft, Received

EXAMPLES = os.environ.get("STANCHION_WALK_EXAMPLES")
WALKS = settings(
    max_examples=int(EXAMPLES or 80),
    derandomize=EXAMPLES is None,
    stateful_step_count=60,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000

NAMES = st.sampled_from([*["q"] * 6, *["dead"] * 3, "other"])  # "other" seldom is there
GROUPS = st.sampled_from(["g", "g", "h", "i"])
MAXIMA = st.sampled_from([1, 2, 3, 10])
PICKS = st.lists(st.integers(0, 20), min_size=1, max_size=3)
MESSAGE_ATTRIBUTES = {"n": MessageAttribute("Number", "1"), "b": MessageAttribute("Binary", b"\x00")}
SHORT_MS = st.sampled_from(
    [1, 400, 999, SECOND, SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND, 10 * SECOND, 31 * SECOND]
)
LONG_MS = st.sampled_from([61 * SECOND, 200 * SECOND, 300 * SECOND, HOUR, 12 * HOUR, 37 * HOUR, 4 * DAY])


def operation(weight: int, method: str, /, **arguments: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Any]]:
    """A method of the walk with drawn arguments, as often in the list of steps as it weighs."""
    return [st.tuples(st.just(method), st.fixed_dictionaries(arguments))] * weight


# Hypothesis would take every rule equally often, and most walks would be spent on making and emptying queues.
STEPS = st.sampled_from(
    [
        *operation(
            6,
            "send",
            name=NAMES,
            count=st.integers(1, 3),
            group=st.none() | GROUPS,
            dedup=st.sampled_from([None, None, "d", "e"]),
            delay=st.sampled_from([None, None, 0, 1, 5]),
            attributes=st.sampled_from([None, MESSAGE_ATTRIBUTES]),
            padding=st.sampled_from([0, 0, 0, 3_000]),
        ),
        *operation(7, "send", name=NAMES, count=st.integers(1, 4), group=GROUPS),
        *operation(
            4,
            "receive",
            name=NAMES,
            maximum=MAXIMA,
            visibility=st.sampled_from([0, 1, 3, 30, 400, 43_200]),
            limit=st.sampled_from([IN_FLIGHT, 2, 5]),
            refuse=st.booleans(),
        ),
        *operation(10, "receive_briefly", name=NAMES, maximum=MAXIMA, seconds=st.integers(1, 3), wait_ms=SHORT_MS),
        *operation(5, "wear_out", name=NAMES, times=st.integers(1, 3), maximum=MAXIMA),
        *operation(
            4,
            "attempt",
            name=NAMES,
            attempt=st.sampled_from("xy"),
            seconds=st.sampled_from([3, 400]),
            again=st.booleans(),
        ),
        *operation(5, "delete", name=NAMES, picks=PICKS),
        *operation(4, "hide", name=NAMES, picks=PICKS, seconds=st.sampled_from([0, 0, 1, 3, 30, 43_000])),
        *operation(1, "flood", name=NAMES, group=GROUPS, seconds=st.sampled_from([5, 100])),
        *operation(5, "wait", wait_ms=SHORT_MS),
        *operation(1, "wait", wait_ms=LONG_MS),
        *operation(3, "tidy"),
        *operation(2, "count", name=NAMES),
        *operation(1, "look_around"),
        *operation(1, "reopen"),
        *operation(
            2,
            "create",
            name=NAMES,
            delay=st.sampled_from([0, 0, 3]),
            retention=st.sampled_from([345_600, 60]),
            dead_letters=st.none() | NAMES,
            count=st.integers(1, 3),
            per_group=st.booleans(),
        ),
        *operation(
            1, "change", name=NAMES, attribute=st.just("DelaySeconds"), value=st.sampled_from(["2", "10", None])
        ),
        *operation(
            1,
            "change",
            name=NAMES,
            attribute=st.just("MessageRetentionPeriod"),
            value=st.sampled_from(["60", "120", None]),
        ),
        *operation(
            1,
            "change_twice",
            name=NAMES,
            attribute=st.sampled_from(["DelaySeconds", "MessageRetentionPeriod"]),
            first=st.sampled_from(["60", "120"]),
            second=st.sampled_from(["60", "120", "900"]),
            wait_ms=st.sampled_from([1, 59_999, 60_000, 60_001, 119_000, 130_000]),
            group=GROUPS,
        ),
        *operation(2, "point", name=NAMES, dead_letters=st.none() | NAMES, count=st.integers(1, 3)),
        *operation(1, "purge_or_drop", name=NAMES, drop=st.booleans()),
        *operation(
            2,
            "start_task",
            source=st.sampled_from(["dead", "dead", "dead", "q", "other"]),
            destination=st.none() | NAMES,
            rate=st.sampled_from([None, 1, 3]),
        ),
        *operation(1, "cancel_task", number=st.integers(0, 2)),
    ]
).flatmap(lambda step: step)


class Walk(RuleBasedStateMachine):
    """One walk over queues of one type: ``kind`` of store, ``suffix`` of the queues' names."""

    def __init__(self, kind: str, suffix: str) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Bench(kind, Path(self.folder.name))
        self.model = Bench("reference", Path(self.folder.name))
        assert isinstance(self.model.store, Reference)
        self.reference = self.model.store
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

    @rule(step=STEPS)
    def do(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)

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

    @initialize(count=st.integers(1, 3), retention=st.sampled_from([345_600, 60]))
    def begin(self, count: int, retention: int) -> None:
        self.create("dead", 0, 345_600, None, 1, False)
        self.create("q", 0, retention, "dead", count, False)

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

    def change(self, name: str, attribute: str, value: str | None) -> None:
        change = {attribute: value}
        self.same(lambda bench: bench.change(self.full(name), change, now_ms=self.now_ms), shown_queue)

    def change_twice(self, name: str, attribute: str, first: str, second: str, wait_ms: int, group: str) -> None:
        """With messages in between that the second change finds."""
        self.change(name, attribute, first)
        self.send(name, 2, group)
        self.wait(wait_ms)
        self.change(name, attribute, second)

    def point(self, name: str, dead_letters: str | None, count: int) -> None:
        """Change where dead letters go: to any queue, itself among them, there or not."""
        policy = redrive(self.full(dead_letters), count)["RedrivePolicy"] if dead_letters else None
        self.change(name, "RedrivePolicy", policy)

    def purge_or_drop(self, name: str, drop: bool) -> None:
        q = self.full(name)
        if not drop:
            self.same(lambda bench: bench.purge(q, now_ms=self.now_ms))
        elif not self.active(q):  # when a task notices that its source is gone is left open
            self.same(lambda bench: bench.drop(q, now_ms=self.now_ms))

    # Messages

    def send(
        self,
        name: str,
        count: int,
        group: str | None,
        dedup: str | None = None,
        delay: int | None = None,
        attributes: dict[str, MessageAttribute] | None = None,
        padding: int = 0,
    ) -> None:
        first, self.bodies = self.bodies + 1, self.bodies + count

        def act(bench: Bench) -> list[SentMessage]:
            def decide(queue: Queue) -> list[NewMessage]:
                queue_delay = queue.settings.delay_seconds
                return [
                    bench.new(
                        f"{number}{'x' * padding}",
                        group=group or ("none" if self.fifo else None),
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

    def flood(self, name: str, group: str, seconds: int) -> None:
        """Many messages of one tenant at work: what makes it noisy."""
        for _ in range(3):
            self.send(name, 11, group)
            self.receive(name, 11, seconds)

    def receive_briefly(self, name: str, maximum: int, seconds: int, wait_ms: int) -> None:
        self.receive(name, maximum, seconds)
        self.wait(wait_ms)

    def wear_out(self, name: str, times: int, maximum: int) -> None:
        """Receive and give back, until the dead-letter queue gets it."""
        for _ in range(times):
            self.receive(name, maximum, 0)

    def attempt(self, name: str, attempt: str, seconds: int, again: bool) -> None:
        for _ in range(1 + again):
            self.receive(name, 2, seconds, attempt=attempt)

    def receive(
        self,
        name: str,
        maximum: int,
        visibility: int,
        limit: int = IN_FLIGHT,
        refuse: bool = False,
        attempt: str | None = None,
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

    def delete(self, name: str, picks: list[int]) -> None:
        self.use_handles(name, picks, lambda bench, q, handles: bench.delete(q, *handles, now_ms=self.now_ms))

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

    def cancel_task(self, number: int) -> None:
        def decide(task: MoveTask | None) -> None:
            if task is None or task.status != "RUNNING":
                raise UnsupportedOperation("not running")

        task_id = f"task {self.tasks - number}"
        self.same(lambda bench: bench.run(lambda: bench.store.cancel_move_task(task_id, decide)), astuple)

    # Time and upkeep

    def wait(self, wait_ms: int) -> None:
        self.now_ms += wait_ms

    def tidy(self) -> None:
        for bench in (self.store, self.model):
            assert bench.tidy(now_ms=self.now_ms) > self.now_ms

    def reopen(self) -> None:
        if self.kind == "sqlite":
            self.store.reopen()

    # Looking

    def count(self, name: str) -> None:
        self.same(lambda bench: bench.counts(self.full(name), now_ms=self.now_ms))

    def look_around(self) -> None:
        self.same(lambda bench: bench.list_names())
        for name in ("q", "dead", "other"):
            q = self.full(name)
            self.same(lambda bench, q=q: bench.sources(q))
            self.same(lambda bench, q=q: bench.find(q), shown_queue)
            self.same(lambda bench, q=q: [astuple(task) for task in bench.tasks(q)])

    @invariant()
    def both_hold_the_same_messages(self) -> None:
        for stored, expected in zip(self.held(self.store), self.held(self.model), strict=True):
            got = [self.shown_message(message) for message in stored]
            wanted = [self.shown_message(message) for message in expected]
            assert got == wanted
            for message, wanted_message in zip(stored, expected, strict=True):
                self.identify(message.message_id, wanted_message.message_id)

    def held(self, bench: Bench) -> list[list[Message]]:
        """Each queue's messages that are not past their retention; nobody has to have cleared those away."""
        queues = [held.queue for held in self.reference.queues.values()]
        peeks = [lambda key=queue.key: bench.store.peek(key, admit, 0, 100_000) for queue in queues]
        pages = bench.together(*peeks)
        return [
            [one for one in page if self.now_ms - one.sent_at_ms <= queue.settings.message_retention_seconds * SECOND]
            for page, queue in zip(pages, queues, strict=True)
        ]

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
