"""Numbers that are never given out twice, not even after a crash or after everything was deleted."""

import apsw

BLOCK = 1_000_000  # numbers reserved in the file at a time: one more write in a million sends


class Sequences:
    """Counts up over the whole store. Receipt handles and generations rely on numbers not coming again."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()
        self._next = self._reserved = self._stored()

    def take(self) -> int:
        """The next number; to be called within a transaction."""
        if self._next >= self._reserved:
            self._reserved = max(self._stored(), self._next) + BLOCK
            self._cursor.execute("INSERT OR REPLACE INTO meta VALUES ('sequences_reserved', ?)", (self._reserved,))
        self._next += 1
        return self._next - 1

    def rolled_back(self) -> None:
        """A reservation may have been undone: make a new one. Numbers taken stay taken."""
        self._reserved = self._next  # without asking the file, which may be why there was a rollback

    def _stored(self) -> int:
        rows = self._cursor.execute("SELECT value FROM meta WHERE name = 'sequences_reserved'").fetchall()
        return rows[0][0] if rows else 1
