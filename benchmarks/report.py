"""Writes benchmarks/RESULTS.md and its plots from the raw figures of a run.

python benchmarks/report.py benchmarks/raw/DATE
"""

import argparse
import json
from pathlib import Path

import plots
from goals import GOALS
from results import Results, Sample
from servers import HERE
from workloads import WORKLOADS, Column, Plot, Workload

RESULTS = HERE / "RESULTS.md"
PLOTS = HERE / "plots"
PEERS = HERE / "raw" / "peers.md"

_INTRODUCTION = """# Benchmark results

Written by `make bench ARGS=--write`; do not edit. `make bench` repeats the run on your machine: one server process
on one core, the load on another. Rounds follow each other A B A B; figures are medians over them, ± half the
distance between the lowest and the highest. **The ceiling** is the shortest protocol over httptools that decodes a
JSON request and answers it ([echo.py](echo.py)), measured in the same round: what HTTP and JSON alone cost, with no
promises. Requests without a message (empty receives) do not count as work done.
"""

_ABOUT_GOALS = """The goal beside other servers stands in the section on them.
[Speed](../docs/design/speed.md) tells what was tried for goals that are missed.
"""


def write(folder: Path) -> None:
    """Write the report of the run whose raw figures are in ``folder``."""
    run = json.loads((folder / "run.json").read_text())
    results = Results([Sample(**sample) for file in sorted(folder.glob("*.samples.json")) for sample in _read(file)])
    measured = [workload for workload in WORKLOADS if results.cases(workload.name)]
    parts = [_INTRODUCTION, _run(run), _goals(results), *(_section(each, results) for each in measured)]
    if PEERS.exists():
        parts.append(PEERS.read_text())
    RESULTS.write_text("\n".join(part.rstrip() + "\n" for part in parts))


def _read(file: Path) -> list[dict[str, object]]:
    samples: list[dict[str, object]] = json.loads(file.read_text())
    return samples


def _run(run: dict[str, object]) -> str:
    machine = run["machine"]
    assert isinstance(machine, dict)
    rows = [[name, str(value)] for name, value in machine.items()]
    rows.append(
        ["Run", f"{run['date']}, {run['rounds']} rounds of {run['seconds']} seconds, {run['took_minutes']} min"]
    )
    failures = run["failures"]
    assert isinstance(failures, list)
    text = "## The machine and the run\n\n" + table(["", ""], rows)
    return text + "".join(f"\n**Failed:** {failure}\n" for failure in failures)


def _goals(results: Results) -> str:
    rows = []
    for goal in GOALS:
        value = goal.figure(results)
        verdict = "not measured" if value is None else "yes" if goal.met(value) else "**no**"
        measured = "" if value is None else goal.text.format(value)
        rows.append([goal.what, f"{goal.sign} {goal.text.format(goal.bound)}", measured, verdict])
    table_of_goals = table(["what", "goal", "measured", "met"], rows)
    return f"## Goals\n\n{table_of_goals}\n{_ABOUT_GOALS}"


def _section(workload: Workload, results: Results) -> str:
    figures = _pivot(workload, results) if workload.pivot else _by_case(workload, results)
    pictures = "".join(f"\n![{plot.title}]({_draw(plot, workload, results)})\n" for plot in workload.plots)
    return f"## {workload.title}\n\n{workload.what}\n\n{figures}{pictures}"


def _by_case(workload: Workload, results: Results) -> str:
    rows = [
        [case, *(_cell(results, workload.name, case, column) for column in workload.columns)]
        for case in results.cases(workload.name)
    ]
    return table(["", *(column.heading for column in workload.columns)], rows)


def _pivot(workload: Workload, results: Results) -> str:
    """Cases are called "row, column"; the last column compares the last with the first."""
    column = workload.columns[0]
    names = [case.partition(", ") for case in results.cases(workload.name)]
    headings = list(dict.fromkeys(heading for _, _, heading in names))
    rows = []
    for row in dict.fromkeys(row for row, _, _ in names):
        medians = [results.median(workload.name, f"{row}, {heading}", column.figure) for heading in headings]
        shown = ["" if value is None else column.text(value) for value in medians]
        first, last = medians[0], medians[-1]
        rows.append([row, *shown, f"{last / first:.2f}" if first and last else ""])
    return table(["", *headings, "last of first"], rows)


def _cell(results: Results, workload: str, case: str, column: Column) -> str:
    value = results.median(workload, case, column.figure)
    if value is None:
        return ""
    if not column.spread or len(results.values(workload, case, column.figure)) == 1:
        return column.text(value)
    return f"{column.text(value)} ± {results.spread(workload, case, column.figure):.0%}"


def table(headings: list[str], rows: list[list[str]]) -> str:
    alignment = ["---", *("---:" for _ in headings[1:])]
    lines = [headings, alignment, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _draw(plot: Plot, workload: Workload, results: Results) -> str:
    """Draw a plot; answers where it is, seen from the report."""
    lines: list[tuple[str, list[float]]] = []
    labels: list[str] = []
    for name, start, figure in plot.lines:
        cases = [case for case in results.cases(workload.name) if case.startswith(start)]
        points = {case.removeprefix(start): results.median(workload.name, case, figure) for case in cases}
        points.pop("echo", None)  # it has no backlog
        labels = list(points)
        lines.append((name, [value or 0.0 for value in points.values()]))
    PLOTS.mkdir(exist_ok=True)
    file = PLOTS / f"{plot.name}.svg"
    file.write_text(plots.line_chart(plot.title, labels, lines))
    return str(file.relative_to(HERE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
