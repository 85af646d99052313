"""The console as one application: its pages, what stands before them, and what is said where there is no page."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.console import (
    browsing,
    health,
    messages,
    monitoring,
    prometheus,
    queues,
    server_page,
    signing_in,
    statics,
)
from stanchion.console.attempts import Attempts
from stanchion.console.parts import Parts
from stanchion.console.rendering import redirect
from stanchion.console.security import Failsafe, Gate, refuse
from stanchion.console.visitors import Sessions


def build(console: Parts) -> Starlette:
    """Make it once for each server."""
    routes = [
        Route("/", _home),
        *statics.ROUTES,
        *health.ROUTES,
        *prometheus.ROUTES,
        *server_page.ROUTES,
        *signing_in.ROUTES,
        *queues.ROUTES,
        *messages.ROUTES,
        *browsing.ROUTES,
        *monitoring.ROUTES,
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Failsafe), Middleware(Gate, console)],
        exception_handlers={HTTPException: _no_page},
    )
    app.router.redirect_slashes = False  # a page has one address
    app.state.parts = console
    app.state.sessions = Sessions(console)
    app.state.attempts = Attempts()
    app.state.streams = 0
    return app


async def _home(_request: Request) -> Response:
    return redirect("/queues")


_TEXTS: Final = {
    404: ("NotFound", "There is no such page."),
    405: ("MethodNotAllowed", "This address cannot be asked for in this way."),
}


async def _no_page(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code, text = _TEXTS.get(problem.status_code, ("BadRequest", problem.detail))
    return refuse(request, problem.status_code, code, text)
