"""Opening a store file: the lock, the checks, the settings, the migrations."""

import contextlib
import fcntl
import os
import struct
from importlib import resources
from pathlib import Path
from typing import Final

import apsw

from stanchion.store.base import StoreUnusable

APPLICATION_ID: Final = 0x53544E43  # "STNC" in the file's header: this is a Stanchion store
CACHE_KIB: Final = 65_536
_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100


class FileLock:
    """One server per store file. The lock goes with the process, however it ends."""

    def __init__(self, store: Path) -> None:
        # A file of its own: closing any descriptor of the database file would drop SQLite's locks on it.
        self._path = store.with_name(store.name + ".lock")
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise StoreUnusable(f"{store} is in use by another server") from None

    def release(self) -> None:
        os.close(self._descriptor)


def migrations() -> list[str]:
    """The SQL of each schema version, oldest first."""
    folder = resources.files("stanchion.store.sqlite") / "migrations"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda f: f.name)
    return [entry.read_text(encoding="utf-8") for entry in files]


def open_file(path: Path, *, synchronous: str) -> tuple[apsw.Connection, FileLock]:
    """A connection to the store file, created when absent, brought up to the current schema.

    Raises StoreUnusable, and then the file is as it was.
    """
    path = Path(os.path.realpath(path))  # one file has one lock and one log, whatever links lead to it
    try:
        lock = FileLock(path)
    except OSError as error:
        raise StoreUnusable(f"cannot open {path}: {error.strerror}") from None
    try:
        inspect_header(path)
        connection = _connect(path)
        try:
            recognise(connection, path)
            if connection.readonly("main"):
                raise StoreUnusable(f"{path} may be read but not written")
            _configure(connection, synchronous)
            _migrate(connection)
            _probe(connection)
        except BaseException:
            connection.close(force=True)
            raise
    except OSError as error:
        lock.release()
        raise StoreUnusable(f"cannot open {path}: {error.strerror}") from None
    except apsw.Error as error:
        lock.release()
        raise StoreUnusable(f"{path} is damaged, or may not be read and written: {error}") from None
    except BaseException:
        lock.release()
        raise
    # From here on the write-ahead log may be folded into the file when we close.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    return connection, lock


def open_memory() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    _migrate(connection)
    return connection


def inspect_header(path: Path) -> None:
    """Look at the file's header without SQLite, which might already write to it."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size == 0:
        return
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise StoreUnusable(f"{path} is not a Stanchion store (or its beginning is damaged)")
    (pages,) = struct.unpack_from(">I", header, 28)
    (version,) = struct.unpack_from(">I", header, 60)
    (application_id,) = struct.unpack_from(">I", header, 68)
    log = path.with_name(path.name + "-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    # A file whose first transactions are still in the write-ahead log, or were never committed, has no id yet.
    if application_id != APPLICATION_ID and (application_id != 0 or (pages > 1 and not log_bytes)):
        raise _foreign(path)
    _refuse_newer(path, version)
    page_bytes = struct.unpack_from(">H", header, 16)[0]
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    if pages * page_bytes > size and not log_bytes:
        raise StoreUnusable(f"{path} is damaged: it is cut short ({size} of {pages * page_bytes} bytes)")


def recognise(connection: apsw.Connection, path: Path) -> None:
    """The same once more with what the write-ahead log adds. A file without any table is as good as none."""
    ((application_id,),) = connection.execute("PRAGMA application_id").fetchall()
    if application_id != APPLICATION_ID and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
        raise _foreign(path)
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    _refuse_newer(path, version)


def _foreign(path: Path) -> StoreUnusable:
    return StoreUnusable(f"{path} is a database of something else, not a Stanchion store")


def _refuse_newer(path: Path, version: int) -> None:
    known = len(migrations())
    if version > known:
        raise StoreUnusable(
            f"{path} was written by a newer Stanchion (schema {version}, this one knows {known}); upgrade to open it"
        )


def _connect(path: Path) -> apsw.Connection:
    # Messages and the secret of the receipt handles are nobody else's business. SQLite gives its log the same mode.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # until we know that the file is sound
    # Plans must not depend on bound values: SQLite would otherwise prepare hot statements again for each call
    # (measured: 31 µs instead of 10 µs for a receive).
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def _configure(connection: apsw.Connection, synchronous: str) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchall()[0]
    if mode != "wal":
        raise StoreUnusable("the store's file system does not support a write-ahead log; use a local disk")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # upkeep does it, off the requests' path
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    connection.execute("PRAGMA temp_store = MEMORY")


def _migrate(connection: apsw.Connection) -> None:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    for number, script in enumerate(migrations()[version:], start=version + 1):
        with connection:  # schema and version move together
            connection.execute(script)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def _probe(connection: apsw.Connection) -> None:
    """Read both ends of every table: finds gross damage in a time that does not depend on the size."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (name,) in tables:
        key = ", ".join(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")') if row[5]) or "rowid"
        backwards = ", ".join(f"{column} DESC" for column in key.split(", "))
        connection.execute(f'SELECT * FROM "{name}" ORDER BY {key} LIMIT 1').fetchall()  # noqa: S608
        connection.execute(f'SELECT * FROM "{name}" ORDER BY {backwards} LIMIT 1').fetchall()  # noqa: S608
