"""The memory of a transfer: a small SQLite file that says what is done, so that a killed run can be gone on with.

It holds message ids and receipt handles on disk, so that the process needs no more memory for a million messages
than for ten.
"""

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from stanchion.cli.errors import CannotGoOn

_VERSION: Final = "1"
_PAGE: Final = 10  # handles that one call can release
_TABLES: Final = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- handle: of a message that is hidden, until it is released. done: 0 while it is on its way to the target
CREATE TABLE message (id TEXT PRIMARY KEY, handle TEXT, done INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX held ON message (id) WHERE handle IS NOT NULL;
CREATE INDEX under_way ON message (id) WHERE NOT done;
-- what a FIFO queue answered, since the id of an earlier message says that this one was dropped as its duplicate
CREATE TABLE accepted (id TEXT PRIMARY KEY, sent_as TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE failed (line INTEGER PRIMARY KEY, start INTEGER NOT NULL);
"""


class State:
    """One transfer's state file, held open by one process. Every change is on disk when its method returns."""

    def __init__(self, path: Path, facts: Mapping[str, str]) -> None:
        """``facts`` name the transfer; a file that belongs to another one is refused."""
        self.path = path
        self.resumed = path.exists()
        self._sql = sqlite3.connect(path, isolation_level=None)
        try:
            self._open(facts)
        except sqlite3.OperationalError as problem:
            self._sql.close()
            raise CannotGoOn(f"{path} cannot be used: {problem}{_cure(problem)}") from None
        except sqlite3.DatabaseError:
            self._sql.close()
            raise CannotGoOn(f"{path} is no state file; move it away") from None
        except BaseException:
            self._sql.close()
            raise

    def _open(self, facts: Mapping[str, str]) -> None:
        # Exclusive: a second run with the same file would send everything twice.
        self._sql.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = FULL")
        with self:
            if not self._sql.execute("SELECT 1 FROM sqlite_master").fetchone():
                self.resumed = False  # killed before its first commit
                self._create(facts)
        for name, value in ({"version": _VERSION} | dict(facts)).items():
            if self.fact(name) != value:
                other = "" if name == "sha256" else f" ({name}: {self.fact(name)}, not {value})"
                raise CannotGoOn(
                    f"{self.path} belongs to another transfer, or the file has changed since{other}; "
                    "go on with that one, or give --restart to begin anew"
                )

    def _create(self, facts: Mapping[str, str]) -> None:
        for statement in _TABLES.split(";"):
            self._sql.execute(statement)
        for name, value in ({"version": _VERSION, "run": uuid.uuid4().hex} | dict(facts)).items():
            self.set_fact(name, value)

    def __enter__(self) -> Self:
        self._sql.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._sql.execute("COMMIT" if kind is None else "ROLLBACK")

    def close(self) -> None:
        self._sql.close()

    def remove(self) -> None:
        """At the end of a transfer nothing is left to remember."""
        self._sql.close()
        discard(self.path)

    # ── Facts ────────────────────────────────────────────────────────────────────────────────────────────

    def fact(self, name: str) -> str | None:
        found = self._sql.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def number(self, name: str) -> int:
        return int(self.fact(name) or 0)

    def set_fact(self, name: str, value: object) -> None:
        self._sql.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))

    # ── Messages ─────────────────────────────────────────────────────────────────────────────────────────

    def is_done(self, message_id: str) -> bool:
        return self._sql.execute("SELECT 1 FROM message WHERE id = ? AND done", (message_id,)).fetchone() is not None

    def note_messages(self, messages: Iterable[tuple[str, str | None]], *, done: bool) -> None:
        """Ids with their handles; no handle for one that is not hidden any more."""
        rows = [(message_id, handle, done) for message_id, handle in messages]
        self._sql.executemany("INSERT OR REPLACE INTO message VALUES (?, ?, ?)", rows)

    def forget(self, message_ids: Iterable[str]) -> None:
        self._sql.executemany("DELETE FROM message WHERE id = ?", [(each,) for each in message_ids])

    def done_count(self) -> int:
        found: int = self._sql.execute("SELECT count(*) FROM message WHERE done").fetchone()[0]
        return found

    def held_count(self) -> int:
        found: int = self._sql.execute("SELECT count(*) FROM message WHERE handle IS NOT NULL").fetchone()[0]
        return found

    def under_way(self) -> list[tuple[str, str | None]]:
        """What was being sent when the last run was killed: at most one batch."""
        return list(self._sql.execute("SELECT id, handle FROM message WHERE NOT done"))

    def held_pages(self) -> Iterator[list[tuple[str, str]]]:
        """Ids and handles of hidden messages, ten at a time. Each page must be let go of before the next."""
        query = "SELECT id, handle FROM message WHERE handle IS NOT NULL LIMIT ?"
        while page := self._sql.execute(query, (_PAGE,)).fetchall():
            yield page

    def let_go(self, message_ids: Sequence[str]) -> None:
        rows = [(each,) for each in message_ids]
        self._sql.executemany("UPDATE message SET handle = NULL WHERE id = ?", rows)

    # ── What a FIFO queue answered ───────────────────────────────────────────────────────────────────────

    def accepted_as(self, message_id: str) -> str | None:
        """What was sent and got this id, if anything."""
        found = self._sql.execute("SELECT sent_as FROM accepted WHERE id = ?", (message_id,)).fetchone()
        return None if found is None else str(found[0])

    def note_accepted(self, message_id: str, sent_as: str) -> None:
        self._sql.execute("INSERT OR IGNORE INTO accepted VALUES (?, ?)", (message_id, sent_as))

    # ── Lines of a file ──────────────────────────────────────────────────────────────────────────────────

    def note_failed(self, line: int, start: int) -> None:
        self._sql.execute("INSERT OR REPLACE INTO failed VALUES (?, ?)", (line, start))

    def forget_failed(self, lines: Iterable[int]) -> None:
        self._sql.executemany("DELETE FROM failed WHERE line = ?", [(each,) for each in lines])

    def failed_count(self) -> int:
        found: int = self._sql.execute("SELECT count(*) FROM failed").fetchone()[0]
        return found

    def failed_after(self, line: int) -> tuple[int, int] | None:
        """The next line that was not taken, and the byte it starts at."""
        query = "SELECT line, start FROM failed WHERE line > ? ORDER BY line LIMIT 1"
        found = self._sql.execute(query, (line,)).fetchone()
        return None if found is None else (found[0], found[1])


def discard(path: Path) -> None:
    """Remove a state file with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _cure(problem: sqlite3.OperationalError) -> str:
    return "; another run is using it" if "locked" in str(problem) else ""
