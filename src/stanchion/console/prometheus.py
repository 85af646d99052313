"""``/metrics``: all that is counted, as Prometheus reads it.

Counters go from the start of the process; gauges are as of the scrape, but for those that are worked out once a
minute. The exposition itself is the library's business; it is loaded at the first scrape, for it takes as long as a
fifth of the server's start.
"""

import asyncio
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stanchion import __version__
from stanchion.broker.metering import MINUTE_MS
from stanchion.broker.vitals import Figures
from stanchion.console.parts import Parts
from stanchion.console.visitors import parts_of
from stanchion.errors import SQSError
from stanchion.histogram import Histogram
from stanchion.model import Counts, Queue, QueueKey, Reading, Tally
from stanchion.store.base import MOST_READINGS

if TYPE_CHECKING:
    from prometheus_client.core import Metric

MOST_QUEUES: Final = 1_000  # of one scrape: some two megabytes of text
_AT_ONCE: Final = 50  # queues that are asked of the store together: a millisecond or two
_MINUTES_BACK: Final = 2  # the newest reading of a queue is at most so old
_LABELS: Final = ("account", "region", "queue")

_STARTED_SECONDS: Final = time.time()


class Told(NamedTuple):
    """A metric: its name, its kind as Prometheus has them, what it says, and what CloudWatch calls it, if it does."""

    name: str
    kind: str
    help: str
    cloudwatch: str = ""


QUEUE_METRICS: Final = (
    Told(
        "sqs_approximate_number_of_messages_visible",
        "gauge",
        "Messages that can be received.",
        "ApproximateNumberOfMessagesVisible",
    ),
    Told(
        "sqs_approximate_number_of_messages_not_visible",
        "gauge",
        "Messages in flight: received, not deleted, their visibility timeout not over.",
        "ApproximateNumberOfMessagesNotVisible",
    ),
    Told(
        "sqs_approximate_number_of_messages_delayed",
        "gauge",
        "Messages whose delay still runs.",
        "ApproximateNumberOfMessagesDelayed",
    ),
    Told(
        "sqs_approximate_age_of_oldest_message_seconds",
        "gauge",
        "Age of the oldest message that was received less than three times, at the last full minute.",
        "ApproximateAgeOfOldestMessage",
    ),
    Told(
        "sqs_approximate_number_of_groups_with_inflight_messages",
        "gauge",
        "Message groups of a FIFO queue with a message in flight, at the last full minute.",
        "ApproximateNumberOfGroupsWithInflightMessages",
    ),
    Told(
        "sqs_approximate_number_of_noisy_groups",
        "gauge",
        "Message groups of a standard queue that take more than their share, at the last full minute.",
        "ApproximateNumberOfNoisyGroups",
    ),
    Told(
        "sqs_approximate_number_of_messages_visible_in_quiet_groups",
        "gauge",
        "Messages that can be received and belong to no noisy group, at the last full minute.",
        "ApproximateNumberOfMessagesVisibleInQuietGroups",
    ),
    Told("sqs_number_of_messages_sent", "counter", "Messages that were accepted.", "NumberOfMessagesSent"),
    Told(
        "sqs_sent_message_size_bytes",
        "counter",
        "Bytes of the messages that were accepted: divide its rate by that of the messages sent.",
        "SentMessageSize",
    ),
    Told(
        "sqs_number_of_messages_received",
        "counter",
        "Messages that receives returned.",
        "NumberOfMessagesReceived",
    ),
    Told(
        "sqs_number_of_empty_receives",
        "counter",
        "Receives that returned nothing.",
        "NumberOfEmptyReceives",
    ),
    Told("sqs_number_of_messages_deleted", "counter", "Deletions, repeated ones too.", "NumberOfMessagesDeleted"),
    Told(
        "sqs_number_of_deduplicated_sent_messages",
        "counter",
        "Sends to a FIFO queue that were duplicates.",
        "NumberOfDeduplicatedSentMessages",
    ),
)
SERVER_METRICS: Final = (
    Told(
        "stanchion_requests",
        "counter",
        "Requests by action and error code. Without a code: answered well. Without an action: refused before.",
    ),
    Told(
        "stanchion_request_seconds",
        "histogram",
        "From call to answer, by action, without receives that waited for messages.",
    ),
    Told("stanchion_waited_receives", "counter", "Receives that found nothing at first and waited for messages."),
    Told("stanchion_commit_seconds", "histogram", "Commits, from beginning to end, that waited for the disk."),
    Told("stanchion_commit_operations", "histogram", "Operations of the store that one commit made durable."),
    Told("stanchion_connections", "gauge", "Connections to the SQS endpoint that are open."),
    Told("stanchion_waiting_receives", "gauge", "Receives that are waiting for messages."),
    Told("stanchion_throttled", "counter", "Requests that were refused because too many waited."),
    Told("stanchion_store_bytes", "gauge", "Size of the store."),
    Told("stanchion_store_free_bytes", "gauge", "What is free on the store's disk."),
    Told("stanchion_queues", "gauge", "Queues in all."),
    Told(
        "stanchion_queues_left_out",
        "gauge",
        "Queues that are not here: empty and not used since the start, or beyond the thousand fullest.",
    ),
    Told("stanchion_start_time_seconds", "gauge", "When the process began, in seconds since the epoch."),
    Told("stanchion_build_info", "gauge", "Always 1; the version is a label."),
)


# ── What is scraped ──────────────────────────────────────────────────────────────────────────────────────


class _Scraped(NamedTuple):
    """A queue at the moment of a scrape."""

    counts: Counts
    reading: Reading | None
    total: Tally

    def values(self) -> tuple[float | None, ...]:
        """In the order of QUEUE_METRICS; None for what is not known, or not there."""
        reading, total = self.reading, self.total
        return (
            *self.counts,
            reading.oldest_age_seconds if reading else None,
            reading.groups_in_flight if reading else None,
            reading.noisy_groups if reading else None,
            reading.visible_in_quiet_groups if reading else None,
            total.sent,
            total.sent_bytes,
            total.received,
            total.empty_receives,
            total.deleted,
            total.deduplicated,
        )


async def _scrape(parts: Parts) -> tuple[int, dict[QueueKey, _Scraped]]:
    """How many queues there are, and those in use, the fullest first, read a few at a time."""
    number, fullest = await parts.store.fullest(MOST_QUEUES)
    keys = list(dict.fromkeys([*fullest, *parts.broker.meters]))[:MOST_QUEUES]
    found: dict[QueueKey, _Scraped] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found |= await _scrape_some(parts, keys[start : start + _AT_ONCE])
    return number, found


async def _scrape_some(parts: Parts, keys: Sequence[QueueKey]) -> dict[QueueKey, _Scraped]:
    now_ms = parts.clock.now_ms()
    minute = now_ms // MINUTE_MS
    assert len(keys) * _MINUTES_BACK <= MOST_READINGS
    asked = [(key, parts.store.queue_status(key, _anybody, now_ms)) for key in keys]
    readings = await parts.store.readings(keys, minute - _MINUTES_BACK, minute - 1)
    found = {}
    for key, answer in asked:
        try:
            status = await answer
        except SQSError:
            continue  # deleted this moment
        total = parts.broker.meters.total(key)
        if not any(status.counts) and total == _UNUSED:
            continue
        newest = max(readings.get(key, ()), key=lambda reading: reading.minute, default=None)
        found[key] = _Scraped(status.counts, newest, total)
    return found


_UNUSED: Final = Tally()


def _anybody(_queue: Queue) -> None:
    """Whoever may scrape sees all queues."""


# ── The exposition ───────────────────────────────────────────────────────────────────────────────────────


class _Exposition:
    """What the library's writers ask for their metrics. Nothing in it changes any more, so a thread may write it."""

    def __init__(self, queues: Mapping[QueueKey, _Scraped], server: "Sequence[Metric]") -> None:
        self._queues = queues
        self._server = server

    def collect(self) -> "Iterator[Metric]":
        yield from self._server
        rows = [(tuple(key), scraped.values()) for key, scraped in self._queues.items()]
        for place, told in enumerate(QUEUE_METRICS):
            family = _family(told, _LABELS)
            for labels, values in rows:
                value = values[place]
                if value is not None:
                    family.add_metric(labels, value)
            yield family


class _ServerFamilies:
    """The metrics of the server at one moment."""

    def __init__(self, parts: Parts, number: int, shown: int) -> None:
        self._parts = parts
        self._number = number
        self._shown = shown

    def __iter__(self) -> "Iterator[Metric]":
        figures = self._parts.meters.figures()
        values = self._plain_values(figures)
        for told in SERVER_METRICS:
            if told.name in values:
                value = values[told.name]
                if value is not None:
                    yield _single(told, value)
            else:
                yield self._labelled(told, figures)

    def _plain_values(self, figures: Figures) -> dict[str, float | None]:
        return {
            "stanchion_waited_receives": self._parts.broker.calls["ReceiveMessage"].waited,
            "stanchion_connections": figures.connections,
            "stanchion_waiting_receives": figures.waiting_receives,
            "stanchion_throttled": figures.throttled,
            "stanchion_store_bytes": figures.store_bytes,
            "stanchion_store_free_bytes": figures.free_bytes,
            "stanchion_queues": self._number,
            "stanchion_queues_left_out": max(0, self._number - self._shown),
            "stanchion_start_time_seconds": _STARTED_SECONDS,
        }

    def _labelled(self, told: Told, figures: Figures) -> "Metric":
        calls = [(action, meter) for action, meter in self._parts.broker.calls.items() if meter.count]
        if told.name == "stanchion_build_info":
            family = _family(told, ("version",))
            family.add_metric((__version__,), 1)
        elif told.name == "stanchion_requests":
            family = _family(told, ("action", "code"))
            for action, meter in calls:
                family.add_metric((action, ""), meter.count - sum(meter.errors.values()))
                for code, count in sorted(meter.errors.items()):
                    family.add_metric((action, code), count)
            for code, count in sorted(self._parts.meters.refused().items()):
                family.add_metric(("", code), count)
        elif told.name == "stanchion_request_seconds":
            family = _family(told, ("action",))
            for action, meter in calls:
                _add_histogram(family, (action,), meter.seconds)
        else:
            family = _family(told, ())
            seconds = told.name == "stanchion_commit_seconds"
            _add_histogram(family, (), figures.commit_seconds if seconds else figures.batch_operations)
        made: Metric = family
        return made


def _family(told: Told, labels: Sequence[str]) -> Any:
    from prometheus_client import core

    kinds = {
        "gauge": core.GaugeMetricFamily,
        "counter": core.CounterMetricFamily,
        "histogram": core.HistogramMetricFamily,
    }
    return kinds[told.kind](told.name, told.help, labels=labels)


def _single(told: Told, value: float) -> "Metric":
    family = _family(told, ())
    family.add_metric((), value)
    made: Metric = family
    return made


def _add_histogram(family: Any, labels: Sequence[str], histogram: Histogram) -> None:
    passed = 0
    buckets = []
    for bound, count in zip((*(f"{bound:g}" for bound in histogram.bounds), "+Inf"), histogram.counts, strict=True):
        passed += count
        buckets.append((bound, passed))
    family.add_metric(labels, buckets, sum_value=histogram.total)


# ── The address ──────────────────────────────────────────────────────────────────────────────────────────


async def metrics(request: Request) -> Response:
    parts = parts_of(request)
    refusal = _refused(request, parts)
    if refusal:
        return PlainTextResponse(f"{refusal}\n", 403, headers={"Cache-Control": "no-store"})
    try:
        number, queues = await _scrape(parts)
    except SQSError as error:
        return PlainTextResponse(f"the store fails: {error.message}\n", 503, headers={"Cache-Control": "no-store"})
    from prometheus_client.exposition import choose_encoder

    write, media_type = choose_encoder(request.headers.get("accept", ""))
    exposition = _Exposition(queues, list(_ServerFamilies(parts, number, len(queues))))
    text = await asyncio.to_thread(write, exposition)  # a tenth of a second for a thousand queues
    return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def _refused(request: Request, parts: Parts) -> str:
    """Why somebody may not see the metrics: they name every account's queues, so a session is not enough, for it
    is one account's."""
    if parts.credentials() is None:
        return ""  # with auth off, the console is for this machine only
    if parts.metrics_token is None:
        return "There is no token for /metrics: give the server one with --metrics-token, and send it as a bearer."
    sent = request.headers.get("authorization", "").encode("utf-8", "replace")
    if not hmac.compare_digest(sent, f"Bearer {parts.metrics_token}".encode()):
        return "Send Authorization: Bearer with the token that the server was given with --metrics-token."
    return ""


ROUTES: Final = [Route("/metrics", metrics)]
