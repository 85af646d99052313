"""How many messages a second, from wrk on the other core. Each case stands beside the ceiling of the same round."""

import json
from collections.abc import Callable

import wrk
from bench import Bench, Figures, Measured, create_queue, number
from fill import Fill, QueueFill, handles_of
from servers import queue_arn, queue_url

CONNECTIONS = 64
GROUPS = 1_000
QUEUES = 10_000
IN_FLIGHT = 119_000  # the limit of 120,000 leaves the cycle itself a thousand
MESSAGES_PER_SECOND_AT_MOST = 120_000  # how large a backlog a run of receives alone may need


def _beside(figures: Figures, ceiling: Figures, baseline: Figures | None = None, batch: int = 1) -> Figures:
    """The figures, with their fractions. Only calls that moved messages count: an empty receive is no work done."""
    moved = figures["sent"] + figures["received"] + figures["deleted"]
    useful = moved / batch / figures["seconds"]
    messages = max(figures[f"{each}_per_second"] for each in ("sent", "received", "deleted"))
    fractions = {
        "useful_per_second": useful,
        "of_ceiling": useful / ceiling["requests_per_second"],
        "messages_of_ceiling": messages / ceiling["requests_per_second"],
    }
    if baseline is not None:
        fractions["of_baseline"] = figures["deleted_per_second"] / baseline["deleted_per_second"]
    return figures | fractions


def _ceiling(bench: Bench, connections: int = CONNECTIONS) -> Figures:
    with bench.echo() as server:
        return wrk.echo(server, connections, bench.seconds)


def _new_queue_cycle(
    bench: Bench, connections: int = CONNECTIONS, *options: str, fifo: bool = False, **how: object
) -> Figures:
    with bench.stanchion(**how) as server:  # type: ignore[arg-type]
        url = create_queue(server, "bench.fifo", FifoQueue="true") if fifo else create_queue(server, "bench")
        return wrk.cycle(server, url, connections, bench.seconds, *options)


def cycles(bench: Bench) -> Measured:
    for connections in bench.crowds:
        ceiling = _ceiling(bench, connections)
        yield f"echo, {connections} connections", ceiling
        yield f"cycle, {connections} connections", _beside(_new_queue_cycle(bench, connections), ceiling)


def batches(bench: Bench) -> Measured:
    ceiling = _ceiling(bench)
    yield "echo", ceiling
    yield "cycle of batches", _beside(_new_queue_cycle(bench, CONNECTIONS, "batch=10"), ceiling, batch=10)
    for verb, measure in (("send", _sends), ("receive", _receives), ("delete", _deletes)):
        yield f"{verb} alone", _beside(measure(bench), ceiling, batch=10)


def _sends(bench: Bench) -> Figures:
    with bench.stanchion() as server:
        return wrk.verb(server, create_queue(server, "bench"), CONNECTIONS, bench.seconds, "send", "batch=10")


def _receives(bench: Bench) -> Figures:
    fill = Fill((QueueFill("bench", visible=bench.seconds * MESSAGES_PER_SECOND_AT_MOST),))
    with bench.stanchion(bench.fresh_copy(fill), flags=("--in-flight-limit", "100000000")) as server:
        return wrk.verb(server, queue_url(server, "bench"), CONNECTIONS, bench.seconds, "receive", "batch=10")


def _deletes(bench: Bench) -> Figures:
    fill = Fill((QueueFill("bench", in_flight=bench.seconds * MESSAGES_PER_SECOND_AT_MOST),))
    options = ("batch=10", f"handles={handles_of(fill.file())}")
    with bench.stanchion(bench.fresh_copy(fill)) as server:
        return wrk.verb(server, queue_url(server, "bench"), CONNECTIONS, bench.seconds, "delete", *options)


def fifo(bench: Bench) -> Measured:
    ceiling = _ceiling(bench)
    yield "echo", ceiling
    standard = _new_queue_cycle(bench)
    yield "standard queue", _beside(standard, ceiling)
    for name, batch, groups in (
        (f"FIFO, {GROUPS:,} groups", 1, GROUPS),
        ("FIFO, one group", 1, 1),
        ("FIFO, one group, batches of 10", 10, 1),
    ):
        figures = _new_queue_cycle(bench, CONNECTIONS, f"batch={batch}", f"groups={groups}", fifo=True)
        yield name, _beside(figures, ceiling, standard, batch)


def backlog(depth: int) -> Fill:
    """A queue with a backlog, and one that has it as its dead-letter queue, as move tasks want it."""
    policy = json.dumps({"deadLetterTargetArn": queue_arn("bench"), "maxReceiveCount": 1000})
    source = QueueFill("bench-source", attributes=(("RedrivePolicy", policy),))
    return Fill((QueueFill("bench", visible=depth), source))


def depth(bench: Bench) -> Measured:
    yield from _against_first(
        bench, [(f"{number(each)} messages", _filled_cycle(backlog(each))) for each in bench.depths]
    )


def crowded_stores(bench: Bench) -> Measured:
    in_flight = IN_FLIGHT // 10 if bench.quick else IN_FLIGHT
    queues = QUEUES // 10 if bench.quick else QUEUES
    many = Fill((QueueFill("bench", copies=queues),))
    yield from _against_first(
        bench,
        [
            ("one queue", lambda bench: _new_queue_cycle(bench)),
            (f"{in_flight:,} in flight", _filled_cycle(Fill((QueueFill("bench", in_flight=in_flight),)))),
            (f"{queues:,} queues", _filled_cycle(many, f"queues={queues}")),
        ],
    )


def _filled_cycle(fill: Fill, *options: str) -> Callable[[Bench], Figures]:
    def measure(bench: Bench) -> Figures:
        with bench.stanchion(bench.working_copy(fill)) as server:
            url = queue_url(server, "bench")
            return wrk.cycle(server, url, CONNECTIONS, bench.seconds, *options) | {
                "resident_mb": server.resident_mb()
            }

    return measure


def _against_first(bench: Bench, cases: list[tuple[str, Callable[[Bench], Figures]]]) -> Measured:
    ceiling = _ceiling(bench)
    yield "echo", ceiling
    first: Figures | None = None
    for name, measure in cases:
        figures = measure(bench)
        first = first or figures
        yield name, _beside(figures, ceiling, first)


def costs(bench: Bench) -> Measured:
    """What signatures, fsync and the older protocol cost."""
    yield from _against_first(
        bench,
        [
            ("signed, JSON, fsync", lambda bench: _new_queue_cycle(bench)),
            ("no signatures", lambda bench: _new_queue_cycle(bench, CONNECTIONS, "signed=no", signed=False)),
            ("--durability os", lambda bench: _new_queue_cycle(bench, durability="os")),
            ("--store memory", lambda bench: _new_queue_cycle(bench, memory=True)),
            ("Query protocol", lambda bench: _new_queue_cycle(bench, CONNECTIONS, "protocol=query")),
        ],
    )
