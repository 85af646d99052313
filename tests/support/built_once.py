"""What a test needs built before it runs: packages fetched, sources compiled. Done again only when they change."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def built_once(folder: Path, made: str, sources: Sequence[str], build: Callable[[], object]) -> Path:
    """The folder ``made``, which ``build`` makes from ``sources`` unless it was made from the same ones before.

    ``sources`` are names or patterns inside ``folder``. One process builds at a time, the others wait for it.
    """
    stamp = folder / made / ".built-from"
    digest = _digest(folder, sources)
    with _only_one(folder):
        if not stamp.exists() or stamp.read_text() != digest:
            build()
            stamp.write_text(digest)
    return stamp.parent


def _digest(folder: Path, sources: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in sources for path in folder.glob(pattern)):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
