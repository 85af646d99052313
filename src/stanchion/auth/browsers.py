"""Web pages that nobody asked in.

While authentication is off, being able to reach the server is all it takes. A browser lends that ability to every
page that its user opens: a form on a page of the web posts to 127.0.0.1, an image address is fetched from there, and
neither asks for permission first. But a browser says where a request comes from, and no page can make it lie.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from stanchion.errors import AccessDenied
from stanchion.wire.http import HttpRequest


class KnownPages:
    """The origins whose pages may call while authentication is off: ``origins`` (``*``: any) and our own."""

    def __init__(self, origins: Iterable[str], public_url: str | None) -> None:
        self._origins = frozenset(origins)
        self._any = "*" in self._origins
        if public_url is not None:
            url = urlsplit(public_url)
            self._origins |= {f"{url.scheme}://{url.netloc}"}

    def admit(self, request: HttpRequest) -> None:
        """Raise AccessDenied for what a browser sends on behalf of a page of somewhere else."""
        headers = request.headers
        # Programs send neither header, so this is all that they pay.
        if ("origin" in headers or "sec-fetch-site" in headers) and not self._knows(headers):
            raise AccessDenied(
                "A web page of another origin may not call this endpoint while authentication is off. "
                "List the page's origin in cors-origins to allow it."
            )

    def _knows(self, headers: Mapping[str, str]) -> bool:
        if self._any:
            return True
        origin = headers.get("origin")
        if origin is None:  # images, scripts, links: a GET of theirs names no origin
            return headers["sec-fetch-site"] != "cross-site"
        return origin in self._origins or _is_own(origin, headers.get("host", ""))


# Host or address in the form that a Host header has it, and maybe a port.
_HOST: Final = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::[0-9]*)?")


def _is_own(origin: str, host: str) -> bool:
    """Whether a page comes from this very server.

    By address only: a page can let its own name point to 127.0.0.1 once it is loaded, and then origin and host agree.
    """
    read = _HOST.fullmatch(host)
    return read is not None and origin.partition("://")[2] == host and _is_address(read[1] or read[2] or "")


def _is_address(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
