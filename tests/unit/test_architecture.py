"""Who may import whom, which modules are pure, and what no file of the repository may contain."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"

NOUNS = (
    *("stanchion.model", "stanchion.limits", "stanchion.errors", "stanchion.ids", "stanchion.actions"),
    *("stanchion.timestamps", "stanchion.histogram"),
)
BOTTOM = (*NOUNS, "stanchion.clock", "stanchion.promise", "stanchion.store.base")

# A layer's modules, and what they may import beside themselves. The first row that fits a module counts.
LAYERS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("stanchion",): (),
    BOTTOM: BOTTOM,
    ("stanchion.settings", "stanchion.logs"): BOTTOM,
    ("stanchion.engine",): BOTTOM,
    ("stanchion.wire",): BOTTOM,
    ("stanchion.auth",): (*BOTTOM, "stanchion.wire.http"),
    ("stanchion.store",): (*BOTTOM, "stanchion.engine"),
    ("stanchion.broker",): (*BOTTOM, "stanchion.engine", "stanchion.wire.checksums"),
    ("stanchion.server",): (*BOTTOM, "stanchion.wire", "stanchion.auth", "stanchion.broker"),
    ("stanchion.console",): (*BOTTOM, "stanchion.engine", "stanchion.broker", "stanchion.auth", "stanchion.wire"),
    ("stanchion.app",): (*BOTTOM, "stanchion"),
    ("stanchion.client",): (),
    ("stanchion.testing",): (*BOTTOM, "stanchion"),
    ("stanchion.cli", "stanchion.__main__"): (*BOTTOM, "stanchion"),
}

PURE = (*NOUNS, "stanchion.engine", "stanchion.wire", "stanchion.auth")

# Clocks, disks, sockets, randomness, processes and logs. hashlib, hmac and the like compute; they may stay.
IMPURE_MODULES = (
    *("time", "random", "secrets", "uuid", "os", "io", "shutil", "tempfile", "pathlib", "sqlite3", "apsw"),
    *("socket", "ssl", "select", "selectors", "http.client", "urllib.request", "asyncio", "uvloop", "httptools"),
    *("threading", "multiprocessing", "subprocess", "signal", "logging", "warnings", "sys"),
)
IMPURE_FUNCTIONS = {"open", "print", "input"}
IMPURE_METHODS = {"now", "utcnow", "today"}  # of datetime and date


class Import(NamedTuple):
    """One module that another names. ``deferred``: not when the module is loaded."""

    target: str
    line: int
    deferred: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def imports_of(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text())
    deferred_nodes = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node in deferred_nodes)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively; write the whole name"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in MODULES else node.module, node.lineno, node in deferred_nodes)


def within(module: str, layer: tuple[str, ...]) -> bool:
    return any(module == member or module.startswith(f"{member}.") for member in layer)


def layer_of(module: str) -> tuple[str, ...]:
    if module == "stanchion":
        return ("stanchion",)
    return next((layer for layer in LAYERS if layer != ("stanchion",) and within(module, layer)), ())


def arrows_against_the_plan(module: str) -> list[str]:
    layer = layer_of(module)
    allowed = LAYERS[layer]
    return [
        f"{module}:{each.line} imports {each.target}"
        for each in imports_of(module)
        if within(each.target, ("stanchion",))
        # The package itself holds nothing but the version.
        and each.target != "stanchion"
        and not within(each.target, (*layer, *allowed))
    ]


def test_every_module_belongs_to_a_layer() -> None:
    assert [module for module in MODULES if not layer_of(module)] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    assert arrows_against_the_plan(module) == []


@pytest.mark.parametrize("module", [module for module in MODULES if within(module, PURE)])
def test_the_rules_have_no_clock_disk_socket_randomness_or_log(module: str) -> None:
    impure = [each for each in imports_of(module) if within(each.target, IMPURE_MODULES)]
    assert [f"{module}:{each.line} imports {each.target}" for each in impure] == []
    calls = [node for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Call)]
    assert [f"{module}:{call.lineno} {ast.unparse(call)}" for call in calls if is_impure(call.func)] == []


def is_impure(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr in IMPURE_METHODS
    return isinstance(function, ast.Name) and function.id in IMPURE_FUNCTIONS


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: loaded_by(module) for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module not in done:
            for target in graph[module]:
                visit(target, [*path, module])
            done.add(module)

    for module in MODULES:
        visit(module, [])


def loaded_by(module: str) -> set[str]:
    """What Python has to load first. ``import a.b`` loads ``a`` too, unless the module is inside ``a`` itself."""
    targets: set[str] = set()
    for each in imports_of(module):
        if not each.deferred and each.target in MODULES:
            parts = each.target.split(".")
            targets |= {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    return {target for target in targets if target != module and not module.startswith(f"{target}.")}


# ── Every file ───────────────────────────────────────────────────────────────────────────────────────────

# Spelled in pieces, so that this file does not contain what it looks for.
REGISTRY_HOSTS = [
    re.escape(".".join(parts))
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("jfrog", "io"),
    ]
]
MACHINE_FOLDERS = [rf"(?<![\w.:/<>-])/{name}(?:/|\b)(?!\w)" for name in ("work", "root", "home", "opt/wheels")]
UNWANTED = re.compile("|".join([*REGISTRY_HOSTS, *MACHINE_FOLDERS]))


@pytest.mark.parametrize(
    "pieces", [("https://", "pypi", ".org/simple"), (" /", "root/x"), ('"/', "work/main"), ("=/", "home/me")]
)
def test_the_search_finds_what_it_is_for(pieces: tuple[str, ...]) -> None:
    assert UNWANTED.search("".join(pieces))


def files_of_the_repository() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of its files")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine() -> None:
    found = []
    for name in files_of_the_repository():
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        found += [f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}" for hit in UNWANTED.finditer(text)]
    assert found == []


def test_locks_hold_a_hash_for_every_package_and_no_address() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", lock.read_text()))
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
        assert "//" not in lock.read_text()
