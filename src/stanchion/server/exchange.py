"""One request and its answer."""

import logging
from typing import Protocol

import msgspec

from stanchion.server.hub import Cancel
from stanchion.wire.http import HttpResponse

logger = logging.getLogger(__name__)


class Answering(Protocol):
    """What an exchange needs of its connection."""

    def answer(self, exchange: "Exchange", response: HttpResponse) -> None: ...


class Exchange(msgspec.Struct, eq=False):
    """One request and its answer. Called with the response, it is the ``reply`` that the service was given."""

    connection: Answering | None  # None once answered, or when the client is gone
    connection_line: str
    charge: int  # bytes that this exchange holds in Hub.buffered_bytes
    head_only: bool = False
    gone: bool = False
    origin: str | None = None
    cancel: Cancel | None = None
    response: HttpResponse | None = None  # an answer that waits for those before it

    def __call__(self, response: HttpResponse) -> None:
        connection = self.connection
        if connection is not None:
            self.connection = self.cancel = None
            connection.answer(self, response)
        elif not self.gone:
            logger.error("A request was answered twice; the second answer (status %d) is dropped.", response.status)

    def abandon(self) -> None:
        """The client is gone: whoever works on the answer may stop, and may still answer into the void."""
        self.connection = None
        self.gone = True
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            try:
                cancel()
            except Exception:
                logger.exception("Cancelling a request failed.")
