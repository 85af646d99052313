"""What consumers write to the log ``stanchion.client``."""

import logging

from stanchion.client.messages import RawMessage
from stanchion.client.resultset import BatchResults

_log = logging.getLogger("stanchion.client")


def pause(seconds: float, problem: Exception) -> None:
    _log.warning("cannot receive, trying again in %.0f s: %s", seconds, problem)


def undecoded(message: RawMessage) -> None:
    _log.error("message %s cannot be read: %s", message.id, message.decode_error)


def failed(message: RawMessage) -> None:
    """To be called while the exception is handled."""
    _log.exception("the handler failed with message %s", message.id)


def refused(what: str, results: BatchResults) -> None:
    for error in results.errors:
        _log.warning("could not %s message %s: %s", what, error["id"], error["error_message"] or error["error_code"])


def lost(messages: int, problem: Exception) -> None:
    _log.warning("%d messages come again, for they could not be deleted or hidden: %s", messages, problem)
