"""From values to a page: templates, their filters, and the banner that travels over a redirect."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from stanchion import __version__
from stanchion.console import statics, texts
from stanchion.console.desk import desk_of
from stanchion.console.visitors import parts_of, sessions_of, set_cookie, visitor_of
from stanchion.errors import SQSError

BannerKind = Literal["success", "error", "info", "warning"]
BANNER_SECONDS: Final = 60  # by then the page that it was meant for has been shown

_BANNER: Final = "banner"  # what its seal is for


class Banner(NamedTuple):
    """A line at the top of a page. ``code`` is the error's, ``text`` is for people."""

    kind: BannerKind
    text: str
    code: str = ""


def error_banner(error: SQSError) -> Banner:
    """What the API would have answered, in its own words."""
    return Banner("error", error.message, error.code)


# ── Filters ──────────────────────────────────────────────────────────────────────────────────────────────


def _time(moment_ms: float | str | None, short: bool = False) -> str:
    """A moment for people, to the second, or ``short`` to the minute; a machine finds it to the millisecond."""
    moment = texts.read_moment(moment_ms)
    if moment is None:
        return texts.NO_VALUE
    machine, whole = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), texts.moment(moment_ms)
    if not short:
        return Markup('<time datetime="{}">{}</time>').format(machine, whole)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, whole, texts.minute(moment_ms))


def _pretty_json(text: str) -> str:
    """JSON with one member a line; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "time": _time,
        "bytes": texts.size,
        "duration": texts.period,
        "age": texts.age,
        "number": texts.count,
        "pretty_json": _pretty_json,
    }
    environment.globals |= {"static": statics.url, "version": __version__}
    return environment


_ENVIRONMENT: Final = _environment()


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A page. Templates get ``visitor``, ``desk``, ``csrf`` and ``banner`` beside ``context``."""
    travelled = _banner_of(request)
    values: Mapping[str, Any] = {
        "visitor": visitor_of(request),
        "desk": desk_of(request),
        "csrf": visitor_of(request).csrf,
        "path": request.url.path,
        "needs_sign_in": parts_of(request).credentials() is not None,
        "banner": travelled,
        **context,
    }
    response = HTMLResponse(_ENVIRONMENT.get_template(template).render(values), status)
    response.headers["Cache-Control"] = "no-store"
    if travelled is not None:
        set_cookie(request, response, _cookie_name(request), "", 0)
    return response


def redirect(url: str, banner: Banner | None = None) -> Response:
    """Go and see ``url`` (a path of the console), with a banner that is shown there once."""
    response = _Redirect(url, 303)
    response.banner = banner
    return response


class _Redirect(RedirectResponse):
    """Seals its banner when it is sent: only then is the request at hand, and with it the key."""

    banner: Banner | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.banner is not None:
            request = Request(scope)
            sealed = sessions_of(request).seal(_BANNER, [desk_of(request).now_ms(), *self.banner])
            set_cookie(request, self, _cookie_name(request), sealed, BANNER_SECONDS)
        await super().__call__(scope, receive, send)


def _banner_of(request: Request) -> Banner | None:
    sealed = request.cookies.get(_cookie_name(request))
    content = sessions_of(request).unseal(_BANNER, sealed) if sealed else None
    if content is None:
        return None
    sealed_at_ms, *banner = content
    return Banner(*banner) if desk_of(request).now_ms() - sealed_at_ms < BANNER_SECONDS * 1000 else None


def _cookie_name(request: Request) -> str:
    return f"stanchion-banner-{parts_of(request).port}"
