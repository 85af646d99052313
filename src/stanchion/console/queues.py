"""The list of queues: search, sort, pages, columns, and what can be done with the one that is chosen."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.console import history, live, queue_editing, queue_pages
from stanchion.console.desk import desk_of
from stanchion.console.queue_addresses import queue_page, queue_path
from stanchion.console.rendering import redirect, render
from stanchion.console.visitors import parts_of, set_cookie
from stanchion.model import Queue
from stanchion.store.base import OVERVIEW_ORDERS, Overview, QueueSummary


class Column(NamedTuple):
    """``order`` is what a list sorts by for this column, "" when it cannot; ``short`` stands above the column."""

    key: str
    title: str
    order: str = ""
    standard: bool = False  # shown unless the visitor chose otherwise
    number: bool = False
    short: str = ""


COLUMNS: Final = (
    Column("type", "Type", "type", standard=True),
    Column("created", "Created", "created", standard=True),
    Column("available", "Messages available", "available", standard=True, number=True, short="Available"),
    Column("in_flight", "Messages in flight", "in_flight", standard=True, number=True, short="In flight"),
    Column("delayed", "Messages delayed", "delayed", standard=True, number=True, short="Delayed"),
    Column("history", "Last hour", standard=True),
    Column("oldest", "Age of the oldest message", "oldest", standard=True, short="Oldest message"),
    Column("encryption", "Encryption", "encryption", standard=True),
    Column(
        "content_based_deduplication",
        "Content-based deduplication",
        "content_based_deduplication",
        standard=True,
        short="Content dedup.",
    ),
    Column("dead_letter_queue", "Dead-letter queue", "dead_letter_queue", standard=True, short="DLQ"),
    Column("modified", "Last updated", "modified"),
    Column("visibility_timeout", "Visibility timeout", "visibility_timeout"),
    Column("retention", "Message retention period", "retention", short="Retention"),
    Column("maximum_size", "Maximum message size", "maximum_size", short="Maximum size"),
    Column("delay", "Delivery delay", "delay"),
    Column("receive_wait", "Receive message wait time", "receive_wait", short="Receive wait"),
)
_STANDARD: Final = frozenset(column.key for column in COLUMNS if column.standard)
PAGE_SIZES: Final = (10, 25, 50, 100)
_YEAR_SECONDS: Final = 365 * 86_400


class Preferences(NamedTuple):
    size: int = 25
    columns: frozenset[str] = _STANDARD

    def written(self) -> str:
        return "-".join([str(self.size), *sorted(self.columns)])

    @classmethod
    def read(cls, text: str) -> "Preferences":
        """What a cookie or form says; nonsense in it counts as nothing."""
        size, *columns = text.split("-")
        chosen = frozenset(columns) & {column.key for column in COLUMNS}
        return cls(_size(size), chosen) if text else cls()


def _size(text: str) -> int:
    return int(text) if text in map(str, PAGE_SIZES) else Preferences().size


class Listing(NamedTuple):
    """What is asked of the list; the address of each variation of it."""

    search: str
    sort: str
    descending: bool
    page: int
    size: int

    def url(self, **changed: Any) -> str:
        asked = self._replace(**changed)
        fields = {
            "search": asked.search,
            "sort": asked.sort if asked.sort != "name" else "",
            "order": "descending" if asked.descending else "",
            "page": asked.page if asked.page > 1 else "",
            "size": asked.size,
        }
        return "/queues?" + urlencode({name: value for name, value in fields.items() if value})

    def sorted_url(self, order: str) -> str:
        """Sort by this, or the other way round when it is so already."""
        return self.url(sort=order, descending=self.sort == order and not self.descending, page=1)

    def page_url(self, number: int) -> str:
        return self.url(page=number)


def _listing(request: Request, preferences: Preferences) -> Listing:
    asked = request.query_params
    sort, page = asked.get("sort", "name"), asked.get("page", "")
    return Listing(
        search=asked.get("search", "").strip()[:80],
        sort=sort if sort in OVERVIEW_ORDERS else "name",
        descending=asked.get("order") == "descending",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 and int(page) else 1,
        size=_size(asked["size"]) if "size" in asked else preferences.size,
    )


async def show(request: Request) -> Response:
    desk = desk_of(request)
    preferences = Preferences.read(request.cookies.get(_cookie_name(request), ""))
    listing = _listing(request, preferences)
    overview = await _page(request, listing)
    last = max(1, -(-overview.total // listing.size))
    if listing.page > last:  # queues have gone since the link was made
        listing = listing._replace(page=last)
        overview = await _page(request, listing)
    names = [summary.queue.key.name for summary in overview.summaries]
    return render(
        request,
        "queues.html",
        listing=listing,
        total=overview.total,
        last=last,
        summaries=overview.summaries,
        columns=[column for column in COLUMNS if column.key in preferences.columns],
        all_columns=COLUMNS,
        preferences=preferences,
        page_sizes=PAGE_SIZES,
        cell=_cell(desk.now_ms()),
        sparklines=await history.last_hour(desk, names) if "history" in preferences.columns else {},
        denied_of=desk.denied_of,
        queue_page=queue_page,
        queue_path=queue_path,
        live_names=",".join(names),
    )


async def _page(request: Request, listing: Listing) -> Overview:
    return await desk_of(request).overview(
        search=listing.search,
        sort=listing.sort,
        descending=listing.descending,
        offset=(listing.page - 1) * listing.size,
        limit=listing.size,
    )


def _cell(now_ms: int) -> Callable[[QueueSummary, str], object]:
    """What stands in a column; the template formats periods, sizes and moments by the column's key."""

    def cell(summary: QueueSummary, key: str) -> object:
        settings, oldest_ms = summary.queue.settings, summary.oldest_sent_at_ms
        return {
            "type": "FIFO" if settings.fifo else "Standard",
            "created": summary.queue.created_at_ms,
            "modified": summary.queue.modified_at_ms,
            "available": summary.counts.visible,
            "in_flight": summary.counts.in_flight,
            "delayed": summary.counts.delayed,
            "oldest": None if oldest_ms is None else max(0, now_ms - oldest_ms) // 1000,
            "encryption": queue_pages.encryption(summary.queue.attributes),
            "content_based_deduplication": _deduplication(summary.queue),
            "dead_letter_queue": "Enabled" if settings.redrive_policy else "-",
            "visibility_timeout": settings.visibility_timeout_seconds,
            "retention": settings.message_retention_seconds,
            "maximum_size": settings.maximum_message_size,
            "delay": settings.delay_seconds,
            "receive_wait": settings.receive_wait_seconds,
        }[key]

    return cell


def _deduplication(queue: Queue) -> str:
    if not queue.settings.fifo:
        return "-"
    return "Enabled" if queue.settings.content_based_deduplication else "Disabled"


async def prefer(request: Request) -> Response:
    """Keep the page size and the columns in a cookie. It changes no queue, so a GET does, in read-only mode too."""
    asked = request.query_params
    chosen = Preferences.read("-".join([asked.get("size", ""), *asked.getlist("column")]))
    response = redirect("/queues")
    set_cookie(request, response, _cookie_name(request), chosen.written(), _YEAR_SECONDS)
    return response


def _cookie_name(request: Request) -> str:
    return f"stanchion-queues-{parts_of(request).port}"


ROUTES: Final = [
    Route("/queues", show),
    Route("/preferences", prefer),
    *live.ROUTES,
    *queue_editing.ROUTES,
    *queue_pages.ROUTES,
]
