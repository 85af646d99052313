"""The figures of a run: medians over its rounds, and how far these lie apart."""

import statistics
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """One case of a workload, measured once."""

    workload: str
    case: str
    round: int
    figures: dict[str, Any]


class Results:
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def cases(self, workload: str) -> list[str]:
        """In the order in which they were measured."""
        return list(dict.fromkeys(each.case for each in self._samples if each.workload == workload))

    def values(self, workload: str, case: str, figure: str) -> list[float]:
        return [
            float(each.figures[figure])
            for each in self._samples
            if (each.workload, each.case) == (workload, case) and figure in each.figures
        ]

    def median(self, workload: str, case: str, figure: str) -> float | None:
        """None: not measured."""
        values = self.values(workload, case, figure)
        return statistics.median(values) if values else None

    def spread(self, workload: str, case: str, figure: str) -> float:
        """Half the distance between the lowest and the highest value, as a fraction of the median."""
        values = self.values(workload, case, figure)
        middle = statistics.median(values)
        return (max(values) - min(values)) / 2 / middle if middle else 0.0
