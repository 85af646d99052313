"""What a store file says, read from a copy: the log of a killed server stays as it was for the next one."""

import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

COMPANIONS = ("", "-wal")


@dataclass(frozen=True)
class Contents:
    bodies: list[str]  # of every live message, in the order of their queues and sequences
    hidden_until_ms: dict[str, int]
    by_queue: dict[str, list[str]]
    miscounted: list[str]  # queues whose counts are not those of their messages
    tags: dict[str, dict[str, str]]
    attributes: dict[str, dict[str, str]]


def copy_store(store: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for ending in COMPANIONS:
        source, target = Path(f"{store}{ending}"), folder / f"copy{ending}"
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)
    (folder / "copy-shm").unlink(missing_ok=True)
    return folder / "copy"


def read_contents(store: Path, folder: Path) -> Contents:
    with closing(apsw.Connection(str(copy_store(store, folder)))) as connection:
        problems = connection.execute("PRAGMA integrity_check").fetchall()
        assert problems == [("ok",)], problems
        return _contents(connection)


_MESSAGES = """
    SELECT queue.name, coalesce(message.body, large_body.body), message.due_at_ms
    FROM queue JOIN message USING (generation) LEFT JOIN large_body USING (generation, sequence)
    ORDER BY queue.id, message.sequence
"""

_COUNTS = """
    SELECT name, visible, in_flight, delayed,
        (SELECT count(*) FROM message AS m WHERE m.generation = queue.generation AND due_at_ms IS NULL),
        (SELECT count(*) FROM message AS m WHERE m.generation = queue.generation AND due_at_ms IS NOT NULL
            AND receives > 0),
        (SELECT count(*) FROM message AS m WHERE m.generation = queue.generation AND due_at_ms IS NOT NULL
            AND receives = 0)
    FROM queue
"""


def _contents(connection: apsw.Connection) -> Contents:
    messages: list[Any] = connection.execute(_MESSAGES).fetchall()
    by_queue: dict[str, list[str]] = {}
    for queue, body, _ in messages:
        by_queue.setdefault(queue, []).append(body)
    counts: list[Any] = connection.execute(_COUNTS).fetchall()
    queues: list[Any] = connection.execute("SELECT name, tags, attributes FROM queue").fetchall()
    return Contents(
        bodies=[body for _, body, _ in messages],
        hidden_until_ms={body: due for _, body, due in messages if due is not None},
        by_queue=by_queue,
        miscounted=[f"{row}" for row in counts if row[1:4] != row[4:7]],
        tags={name: json.loads(tags) for name, tags, _ in queues},
        attributes={name: json.loads(attributes) for name, _, attributes in queues},
    )
