"""Measures Stanchion on this machine, beside what HTTP alone costs, and says whether the goals are met.

    make bench                                      everything; some twenty minutes
    make bench ARGS=--write                         and write benchmarks/RESULTS.md with its plots
    make bench ARGS="--only cycle --connections 64" one workload
    make bench ARGS="--quick"                       everything, small and short, to see that it works

The server has one core, the load (wrk, or a client in this process) another. Raw figures go to benchmarks/raw/DATE.
Stores with a backlog are made once and kept for a week in benchmarks/raw/stores, about five gigabytes.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import report
import wrk
from bench import Bench
from client import BadAnswer
from goals import GOALS
from results import Results, Sample
from servers import HERE, NotStarted, allow_many_connections, stay_off_the_servers_core
from workloads import WORKLOADS, Workload

RAW = HERE / "raw"
_EXPECTED_FAILURES = (NotStarted, wrk.RunFailed, BadAnswer, subprocess.SubprocessError, TimeoutError, ConnectionError)


def main() -> None:
    options = _options()
    wrk.check_installed()
    folder: Path = options.into or RAW / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    run: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "machine": machine.facts(folder),
        "failures": [],
    }
    for name, value in run["machine"].items():
        print(f"{name:16} {value}")
    stay_off_the_servers_core()
    allow_many_connections()
    began = time.monotonic()
    samples = _measure_all(options, folder, run["failures"])
    run["took_minutes"] = round((time.monotonic() - began) / 60)
    (folder / "run.json").write_text(json.dumps(run, indent=1))
    _print_goals(Results(samples))
    if options.write:
        report.write(folder)
        print(f"written: {report.RESULTS}")
    if run["failures"]:
        raise SystemExit("\n".join(run["failures"]))


def _options() -> argparse.Namespace:
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, help="length of one measurement (5; quick: 1)")
    parser.add_argument("--rounds", type=int, help="how often each is repeated (3; quick: 1)")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--connections", default="16,64,256", help="for the workload cycle (16,64,256)")
    parser.add_argument("--quick", action="store_true", help="smaller backlogs, short runs")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and the plots")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="measure part of an earlier run anew: its raw folder"
    )
    options = parser.parse_args()
    if options.write and not options.into and (options.only or options.quick):
        parser.error("--write wants all workloads in full, or --into a run that has them")
    options.seconds = options.seconds or (1 if options.quick else 5)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def _measure_all(options: argparse.Namespace, folder: Path, failures: list[str]) -> list[Sample]:
    everything = []
    with tempfile.TemporaryDirectory(dir=RAW) as scratch:
        crowds = tuple(map(int, options.connections.split(",")))
        bench = Bench(Path(scratch), options.seconds, options.quick, crowds)
        for workload in WORKLOADS:
            if options.only and workload.name not in options.only:
                continue
            print(f"\n{workload.title} ({workload.name})", flush=True)
            samples = _measure(workload, bench, options.rounds, failures)
            raw = [sample._asdict() for sample in samples]
            (folder / f"{workload.name}.samples.json").write_text(json.dumps(raw, indent=1))
            everything += samples
    return everything


def _measure(workload: Workload, bench: Bench, rounds: int, failures: list[str]) -> list[Sample]:
    """A workload that fails is told of, and does not keep the others from being measured."""
    samples = []
    for round_ in range(1, rounds + 1):
        try:
            for case, figures in workload.measure(bench):
                samples.append(Sample(workload.name, case, round_, figures))
                _print_sample(workload, samples[-1], rounds)
        except _EXPECTED_FAILURES as failure:
            failures.append(f"{workload.name}, round {round_}: {failure}")
            print(f"  {failures[-1]}", flush=True)
    return samples


def _print_sample(workload: Workload, sample: Sample, rounds: int) -> None:
    shown = [
        f"{column.heading} {column.text(sample.figures[column.figure])}"
        for column in workload.columns
        if column.figure in sample.figures
    ]
    print(f"  {sample.round}/{rounds} {sample.case:34} {'  '.join(shown)}", flush=True)


def _print_goals(results: Results) -> None:
    print()
    for goal in GOALS:
        value = goal.figure(results)
        if value is not None:
            verdict = "met" if goal.met(value) else "MISSED"
            measured, bound = goal.text.format(value), goal.text.format(goal.bound)
            print(f"{verdict:7} {goal.what}: {measured} ({goal.sign} {bound})")


if __name__ == "__main__":
    main()
