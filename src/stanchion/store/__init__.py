"""Stores: where queues and messages live. Nothing above knows which one it is."""

from pathlib import Path

from stanchion.store.base import Store, StoreUnusable


def open_store(url: str, *, durability: str = "fsync") -> Store:
    """Open ``sqlite:PATH`` or ``memory``, on a running event loop. Raises StoreUnusable."""
    # Only the backend that is asked for is loaded; another one's driver may not be installed.
    from stanchion.store.sqlite.store import SqliteStore

    if url == "memory":
        return SqliteStore.open_memory()
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return SqliteStore.open_file(Path(rest), durability)
    raise StoreUnusable(f"unknown store {url!r}; use sqlite:PATH or memory")
