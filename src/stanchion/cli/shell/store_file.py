"""Looking into a store file without writing to it, also while a server has it open."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import apsw

from stanchion.store.base import StoreUnusable
from stanchion.store.sqlite.connection import inspect_header, migrations, recognise

_FAULTS_SHOWN: Final = 10
_BUSY_MS: Final = 5_000

# Hidden messages are in flight or delayed; those of a purged or deleted queue have no row in queue, and do not count.
_COUNTS: Final = """
SELECT queue.account, queue.region, queue.name, queue.visible, queue.in_flight + queue.delayed,
       count(message.generation) - count(message.due_at_ms), count(message.due_at_ms)
FROM queue LEFT JOIN message USING (generation)
GROUP BY queue.id ORDER BY queue.account, queue.region, queue.name
"""


class Found(NamedTuple):
    """``facts`` are worth a line each; ``problems`` are what is wrong."""

    facts: list[str]
    problems: list[str]


def look_into(path: Path) -> Found:
    """Every page is read, so it takes as long as the file is large."""
    if not path.is_file():
        return Found([], ["there is no such file"])
    try:
        inspect_header(path)
        with closing(_open(path)) as connection, connection:  # one read transaction: everything of one moment
            recognise(connection, path)
            return _look(connection)
    except StoreUnusable as problem:
        return Found([], [str(problem).removeprefix(f"{path} ")])
    except OSError as problem:
        return Found([], [f"it cannot be read: {problem.strerror}"])
    except apsw.Error as problem:
        return Found([], [f"it is damaged, or cannot be read: {problem}"])


def _open(path: Path) -> apsw.Connection:
    name = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    # Nobody who only looks may fold the write-ahead log of a server, dead or alive, into the file.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.set_busy_timeout(_BUSY_MS)
    return connection


def _look(connection: apsw.Connection) -> Found:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    known = len(migrations())
    facts = [f"schema {version} of {known}{'' if version == known else ', brought up when a server opens it'}"]
    faults = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_FAULTS_SHOWN})")]
    if faults != ["ok"]:
        return Found(facts, faults)
    facts.append("integrity: ok")
    queues = list(connection.execute(_COUNTS)) if version else []
    facts.append(f"{len(queues)} queues, {sum(row[5] + row[6] for row in queues)} messages")
    return Found(facts, list(_wrong_counts(queues)))


def _wrong_counts(queues: list[Any]) -> Iterator[str]:
    for account, region, name, visible, hidden, visible_there, hidden_there in queues:
        if (visible, hidden) != (visible_there, hidden_there):
            yield (
                f"queue {name} of {account} in {region} says {visible} visible and {hidden} hidden messages, "
                f"and holds {visible_there} and {hidden_there}"
            )
