"""For tests of code that uses SQS: a server in the process, whose clock turns.

The fixtures of the pytest plugin are in `stanchion.testing.plugin`; without pytest, begin with ``SqsServer``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stanchion.testing.journal import Event
    from stanchion.testing.mistakes import Mistake
    from stanchion.testing.server import SqsClock, SqsServer

__all__ = ["Event", "Mistake", "SqsClock", "SqsServer"]


def __getattr__(name: str) -> Any:
    # pytest imports this package in every run: the server is loaded where a test needs one.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stanchion.testing import server

    return getattr(server, name)
