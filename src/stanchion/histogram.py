"""Distributions of what happens often: how long requests take, how large batches are. Cheap to add to."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

_STEPS: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
SECONDS: Final = tuple(round(step * 10.0**power, 6) for power in range(-4, 2) for step in _STEPS)[:-2]
"""Bounds from 0.1 ms to 30 s, each at most two thirds above the one before."""

COUNTS: Final = tuple(step * 10.0**power for power in range(4) for step in _STEPS if step != 1.5 or power)[:-5]
"""Bounds for numbers of things that are done at once."""


class Histogram:
    """Counts values by bucket. ``counts[i]`` is how many were above ``bounds[i - 1]`` and at most ``bounds[i]``; the
    last counts what was above all bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, part: float) -> float | None:
        """The value that this part (0 to 1) of all values does not exceed; None when there are none.

        Values are taken to lie evenly within their bucket, so the answer is off by less than the bucket is wide. Of
        what is above all bounds only that is known, and the last bound is the answer.
        """
        rank = part * self.count
        if not self.count:
            return None
        passed = 0
        for place, count in enumerate(self.counts[:-1]):
            if count and passed + count >= rank:
                low = self.bounds[place - 1] if place else 0.0
                return low + (self.bounds[place] - low) * (rank - passed) / count
            passed += count
        return self.bounds[-1]

    def copy(self) -> "Histogram":
        return self.since(Histogram(self.bounds))

    def since(self, earlier: "Histogram") -> "Histogram":
        """What has come to it since it looked like ``earlier``."""
        return self._combined(earlier, -1)

    def __add__(self, other: "Histogram") -> "Histogram":
        return self._combined(other, 1)

    def _combined(self, other: "Histogram", sign: int) -> "Histogram":
        made = Histogram(self.bounds)
        made.counts = [one + sign * two for one, two in zip(self.counts, other.counts, strict=True)]
        made.total = self.total + sign * other.total
        return made
