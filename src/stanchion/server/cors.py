"""Browser clients: which origins may call, and what a browser must be told.

SQS has no such setting. The SDK for browsers reads the error code from a response header, so the headers of a real
answer have to be exposed, and it signs with headers that need a preflight.
"""

from collections.abc import Iterable
from typing import Final

from stanchion.wire.http import HttpResponse

ALLOWED_METHODS: Final = "GET, POST, OPTIONS"
_ALLOWED_HEADERS: Final = (
    "authorization, content-type, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent, "
    "x-amz-content-sha256, x-amzn-query-mode, amz-sdk-invocation-id, amz-sdk-request, x-amzn-trace-id"
)
_EXPOSED_HEADERS: Final = "x-amzn-RequestId, x-amzn-query-error, date"
_PREFLIGHT_SECONDS: Final = 7_200  # the most that Chromium keeps an answer for

Headers = tuple[tuple[str, str], ...]


class Cors:
    """The configured origins, as browsers send them (``https://app.example``); ``*`` stands for all."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origins)
        self._any = "*" in self._origins

    def preflight(self, origin: str | None) -> HttpResponse:
        """Answer OPTIONS; ``answer_headers`` come on top, as with any answer.

        An origin that is not allowed gets the same status without the permission.
        """
        headers: Headers = (("Allow", ALLOWED_METHODS),)
        if self._allows(origin):
            headers += (
                ("Access-Control-Allow-Methods", ALLOWED_METHODS),
                ("Access-Control-Allow-Headers", _ALLOWED_HEADERS),
                ("Access-Control-Max-Age", str(_PREFLIGHT_SECONDS)),
            )
        return HttpResponse(status=204, body=b"", headers=headers)

    def answer_headers(self, origin: str | None) -> Headers:
        """What an answer to ``origin`` carries besides its own headers."""
        # The answer depends on who asks, which a cache between us has to know even when the answer is no.
        vary: Headers = () if self._any else (("Vary", "Origin"),)
        if origin is None or not self._allows(origin):
            return vary
        allowed = "*" if self._any else origin
        return (
            ("Access-Control-Allow-Origin", allowed),
            ("Access-Control-Expose-Headers", _EXPOSED_HEADERS),
            *vary,
        )

    def _allows(self, origin: str | None) -> bool:
        return origin is not None and (self._any or origin in self._origins)
