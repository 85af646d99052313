"""Folding the write-ahead log into the file, off the requests' path.

SQLite would do it inside some unlucky commit. Here a thread with a connection of its own copies nearly all of
the log while requests go on. Only the frames of the last moments are left for the writer's connection, between
two commits; after that nobody needs the log, and the next commit starts it from its beginning again.
"""

import concurrent.futures
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

# 4 MiB of log. Copying 32 MiB keeps the disk busy for 30 ms, and every commit waits so long for it: a purge of many
# messages then made the p99 of other calls ten times the usual. With 4 MiB it is twice the usual; smaller ones gain
# little there, and cost a tenth of the throughput where ten thousand queues are in use and every commit is wide.
PAGES: Final = 1_000

_log = logging.getLogger(__name__)


class Checkpoints:
    def __init__(self, path: Path, writer: apsw.Connection) -> None:
        self._path = path
        self._writer = writer
        self._executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="stanchion-checkpoint")
        self._copying: concurrent.futures.Future[None] | None = None
        self._log_pages = 0
        self._wanted_pages = PAGES
        writer.set_wal_hook(self._note_commit)

    def _note_commit(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return 0  # SQLITE_OK

    def chore(self) -> Callable[[], None] | None:
        """Asked between two commits; answers the short last part of a checkpoint when that is due."""
        if self._copying is not None:
            if not self._copying.done():
                return None
            self._copying = None
            return self._finish
        if self._log_pages >= self._wanted_pages:
            self._copying = self._executor.submit(self._copy)
        return None

    def close(self) -> None:
        self._executor.shutdown(wait=True)

    def _copy(self) -> None:
        """Most of the work. A connection for each time: it is opened in a fraction of what the copying takes."""
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            self._checkpoint(connection)
        finally:
            connection.close()

    def _finish(self) -> None:
        before = self._log_pages
        complete = self._checkpoint(self._writer)
        # A disk that is full leaves the log as it is, complete and growing: do not try again at every commit.
        self._wanted_pages = PAGES if complete else before + PAGES
        self._log_pages = 0 if complete else before

    @staticmethod
    def _checkpoint(connection: apsw.Connection) -> bool:
        try:
            pages, copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            _log.warning("the write-ahead log could not be folded into the store: %s", error)
            return False
        return bool(pages == copied)
