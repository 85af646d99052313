"""Makes store files with a backlog, through the store's own verbs and without a server in between.

    python benchmarks/fill.py FILE --messages 100000 [--in-flight 1000]

Through the API, batches of ten would take minutes for what takes seconds here: about a hundred thousand messages a
second. What comes out is what a server would have written: the same code stores the messages. The benchmark keeps
the files it made under benchmarks/raw/stores and runs each server on a copy.
"""

import argparse
import asyncio
import os
import shutil
import time
from hashlib import md5, sha256
from pathlib import Path
from typing import NamedTuple

import apsw
from servers import ACCOUNT, HERE, REGION

import stanchion.store.sqlite.connection
from stanchion import ids
from stanchion.clock import SystemClock
from stanchion.model import NewMessage, QueueKey
from stanchion.store.base import QueueDraft, ReceiveOrder
from stanchion.store.sqlite.store import SqliteStore

FOLDER = HERE / "raw" / "stores"
BODY = "m" * 256
_SENDER = "AIDAFILL"  # tells these messages from those that a server stored
AT_ONCE = 5_000  # messages in one verb, and so in one commit
DAYS_10 = 864_000  # no message of a file that is used for a week becomes visible by itself, or expires
AGE_MS = 120_000  # so that a retention of a minute, the least there is, ends them all at once
_FRESH_SECONDS = 7 * 86_400
_ATTRIBUTES = {"MessageRetentionPeriod": "1209600"}


class QueueFill(NamedTuple):
    """``copies`` queues (name0, name1, … when there are several), each with messages visible and in flight."""

    name: str
    visible: int = 0
    in_flight: int = 0
    copies: int = 1
    attributes: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        queues = f"{self.copies:,} queues, each" if self.copies > 1 else self.name
        return f"{queues} with {self.visible:,} messages and {self.in_flight:,} in flight"

    def names(self) -> list[str]:
        return [self.name] if self.copies == 1 else [f"{self.name}{number}" for number in range(self.copies)]


class Fill(NamedTuple):
    """What a store file is to hold. Receipt handles of what is in flight are written beside it."""

    queues: tuple[QueueFill, ...]

    def file(self) -> Path:
        """The file, made if it is not there yet; to be copied, not used."""
        path = FOLDER / f"{sha256(repr((self, _schema())).encode()).hexdigest()[:16]}.db"
        if not path.exists() or time.time() - path.stat().st_mtime > _FRESH_SECONDS:
            FOLDER.mkdir(parents=True, exist_ok=True)
            print(f"    filling a store: {', '.join(map(str, self.queues))}", flush=True)
            unfinished = path.with_suffix(".part")
            _remove(unfinished)
            asyncio.run(_write(unfinished, self))
            unfinished.with_name(unfinished.name + ".lock").unlink()
            handles_of(unfinished).rename(handles_of(path))
            unfinished.rename(path)
        return path

    def copy_to(self, target: Path) -> Path:
        """A working copy, on disk: its pages must not be written back while something is measured."""
        source = self.file()
        _remove(target)
        shutil.copyfile(source, target)
        descriptor = os.open(target, os.O_RDWR)
        os.fsync(descriptor)
        os.close(descriptor)
        return target


def filled_messages_left(store: Path) -> int:
    """How many of the messages that a file was filled with are still in it; no server may be running on it."""
    connection = apsw.Connection(str(store))
    ((left,),) = connection.execute("SELECT count(*) FROM message WHERE sender_id = ?", (_SENDER,)).fetchall()
    connection.close()
    return int(left)


def _schema() -> str:
    """Files of another schema are not used again."""
    return "".join(stanchion.store.sqlite.connection.migrations())


def handles_of(store: Path) -> Path:
    return store.with_suffix(".handles")


def _remove(store: Path) -> None:
    for suffix in ("", "-wal", "-shm", ".lock"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)


async def _write(path: Path, fill: Fill) -> None:
    store = SqliteStore.open_file(path, "os")
    try:
        with handles_of(path).open("w") as handles:
            for queue in fill.queues:
                for name in queue.names():
                    key = QueueKey(ACCOUNT, REGION, name)
                    await _fill_queue(store, key, queue)
                    for handle in await _receive(store, key, queue.in_flight):
                        handles.write(handle + "\n")
    finally:
        await store.close()


async def _fill_queue(store: SqliteStore, key: QueueKey, queue: QueueFill) -> None:
    now_ms = SystemClock().now_ms() - AGE_MS
    draft = QueueDraft(_ATTRIBUTES | dict(queue.attributes), {})
    await store.create_queue(key, lambda _directory: draft, now_ms)
    left = queue.visible + queue.in_flight
    while left:
        new = [_message() for _ in range(min(left, AT_ONCE))]
        await store.send(key, lambda _queue, new=new: new, now_ms)
        left -= len(new)


def _message() -> NewMessage:
    return NewMessage(
        message_id=ids.message_id(os.urandom(16)),
        body=BODY,
        body_md5=_BODY_MD5,
        sender_id=_SENDER,
        delay_seconds=0,
    )


_BODY_MD5 = md5(BODY.encode(), usedforsecurity=False).hexdigest()


async def _receive(store: SqliteStore, key: QueueKey, wanted: int) -> list[str]:
    handles: list[str] = []
    while len(handles) < wanted:
        order = ReceiveOrder(
            maximum=min(wanted - len(handles), AT_ONCE),
            visibility_seconds=DAYS_10,
            in_flight_limit=wanted,
            refuse_over_limit=True,
        )
        received = await store.receive(key, lambda _queue, order=order: order, SystemClock().now_ms())
        handles += [delivery.receipt_handle for delivery in received.deliveries]
    return handles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--in-flight", type=int, default=0)
    given = parser.parse_args()
    if given.file.exists():
        raise SystemExit(f"{given.file} is there already")
    queue = QueueFill("bench", visible=given.messages, in_flight=given.in_flight)
    asyncio.run(_write(given.file, Fill((queue,))))


if __name__ == "__main__":
    main()
