"""What a workload needs to measure: where to put files, how long to run, and how to start servers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import servers
from client import Client
from fill import Fill
from servers import Server, Variant

Figures = dict[str, Any]
Measured = Iterator[tuple[str, Figures]]
"""The cases of a workload and what was measured of each, in one round."""


@dataclass(frozen=True)
class Bench:
    """``folder`` is a scratch folder on the disk that is measured. ``quick``: smaller backlogs, to try things out.
    ``crowds``: numbers of connections that the cycle is measured with.
    """

    folder: Path
    seconds: int
    quick: bool
    crowds: tuple[int, ...] = (16, 64, 256)
    _copies: dict[Fill, Path] = field(default_factory=dict)

    @property
    def depths(self) -> tuple[int, ...]:
        return (1_000, 10_000, 100_000) if self.quick else (1_000, 100_000, 5_000_000)

    def echo(self) -> AbstractContextManager[Server]:
        return servers.echo(self.folder)

    def stanchion(
        self,
        store: Path | None = None,
        *,
        memory: bool = False,
        signed: bool = True,
        durability: str = "fsync",
        flags: tuple[str, ...] = (),
    ) -> AbstractContextManager[Server]:
        """Stanchion over a store file (a new one if none is given), or over memory."""
        return servers.stanchion(self.variant(store, memory, signed, durability, flags), self.folder)

    def variant(
        self,
        store: Path | None = None,
        memory: bool = False,
        signed: bool = True,
        durability: str = "fsync",
        flags: tuple[str, ...] = (),
    ) -> Variant:
        return Variant(None if memory else store or self._new_store(), durability, signed, flags)

    def _new_store(self) -> Path:
        file = self.folder / "new.db"
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        return file

    def working_copy(self, fill: Fill) -> Path:
        """One copy for all that leaves the backlog as deep as it was."""
        if fill not in self._copies:
            self._copies[fill] = fill.copy_to(self.folder / f"copy{len(self._copies)}.db")
        return self._copies[fill]

    def fresh_copy(self, fill: Fill) -> Path:
        """A copy to be spoilt; there is one at a time."""
        return fill.copy_to(self.folder / "spoilt.db")


def create_queue(server: Server, name: str, **attributes: str) -> str:
    with Client(server.url) as client:
        return str(client.call("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"])


def number(count: int) -> str:
    """1,000 or 5 million."""
    return f"{count // 1_000_000} million" if count >= 1_000_000 else f"{count:,}"
