"""How often somebody may try to sign in."""

from typing import Final

_WINDOW_MS: Final = 60_000
_MOST_WRONG: Final = 5
_MOST_NAMES: Final = 10_000


class Attempts:
    """Wrong attempts of the last minute, by name (an access key id, an address). Bounded in memory."""

    def __init__(self) -> None:
        self._wrong: dict[str, list[int]] = {}

    def wait_ms(self, name: str, now_ms: int) -> int:
        """How long until this name may try again; 0: now."""
        recent = self._recent(name, now_ms)
        return recent[-_MOST_WRONG] + _WINDOW_MS - now_ms if len(recent) >= _MOST_WRONG else 0

    def wrong(self, name: str, now_ms: int) -> None:
        recent = self._recent(name, now_ms)
        self._wrong.pop(name, None)  # to the end: the names that are longest in here go first
        while len(self._wrong) >= _MOST_NAMES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[name] = [*recent, now_ms][-_MOST_WRONG:]

    def _recent(self, name: str, now_ms: int) -> list[int]:
        return [when_ms for when_ms in self._wrong.get(name, ()) if when_ms + _WINDOW_MS > now_ms]
