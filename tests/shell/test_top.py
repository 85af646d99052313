"""top: what changes comes first."""

from shell.shell import Shell
from stanchion.cli.shell.counts import Counts
from stanchion.cli.top import changes


def test_queues_that_change_most_come_first() -> None:
    before = {"grows": Counts(0, 0, 0), "shrinks": Counts(100, 0, 0), "long": Counts(500, 0, 0)}
    now = {"new": Counts(9, 0, 0), "long": Counts(500, 0, 0), "shrinks": Counts(0, 0, 0), "grows": Counts(5, 4, 1)}
    found = changes(before, now, 2.0)
    assert [(each.name, each.change) for each in found] == [
        ("shrinks", -50.0),
        ("grows", 5.0),
        ("long", 0.0),
        ("new", None),
    ]


def test_top_prints_a_table_for_each_look(shell: Shell) -> None:
    name = shell.queue()
    shell.fill(name, ["a", "b"])
    lines = [line.split() for line in shell.done("top", name, "--every", "0.1", "-n", "2").splitlines()]
    rows = [line for line in lines if line[0] == name]
    assert rows == [[name, "2", "0", "0", "-"], [name, "2", "0", "0", "+0.0"]]
