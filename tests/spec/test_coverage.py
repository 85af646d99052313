"""Every row of the table of edge cases has a test, in both protocols unless it is about one."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROWS = range(1, 141)

# Rows that say something about one protocol's own documents, verbs or headers.
OF_ONE_PROTOCOL = {1, 2, 3, *range(6, 23 + 1), 30, 31, 85, 86}

# Fixtures that run a test once for each protocol: "protocol" itself and those made from it.
IN_BOTH = {"protocol", "call", "make", "q", "fifo", "content", "source", "target"}
IN_BOTH |= {"call_as", "alice", "bob", "anonymous", "hers"}


def marked_tests() -> Iterator[tuple[int, ast.FunctionDef]]:
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for row in rows_of(node):
                    yield row, node


def rows_of(test: ast.FunctionDef) -> list[int]:
    return [
        ast.literal_eval(row)
        for mark in test.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.k"
        for row in mark.args
    ]


def test_every_row_of_the_table_has_a_test():
    assert sorted({row for row, _ in marked_tests()}) == list(ROWS)


def test_every_row_that_is_not_about_one_protocol_is_tested_in_both():
    in_both = {row for row, test in marked_tests() if IN_BOTH & {argument.arg for argument in test.args.args}}
    assert set(ROWS) - in_both - OF_ONE_PROTOCOL == set()
