"""The machine that figures come from, as far as it explains them."""

import os
import platform
import statistics
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import apsw
from servers import HERE, two_cores

_FSYNCS = 500
_PAGE = b"\0" * 4096


def facts(folder: Path) -> dict[str, str]:
    """``folder`` is on the disk that is measured."""
    fsync_ms = sorted(_fsync_ms(folder))
    libraries = ("uvloop", "httptools", "msgspec", "apsw")
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "Server and load": "on a core each" if two_cores() else "on the same core: the figures mean little",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "Disk": f"{_file_system(folder)}; a write of 4 KiB with fdatasync takes {statistics.median(fsync_ms):.2f} ms "
        f"(p99 {fsync_ms[int(_FSYNCS * 0.99)]:.2f} ms)",
        "Kernel": platform.release(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": apsw.sqlite_lib_version(),
        "Libraries": ", ".join(f"{name} {version(name)}" for name in libraries),
        "Code": _commit(),
        "Load before": f"{os.getloadavg()[0]:.2f} (one minute's average; 0 is a quiet machine)",
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    here = str(folder.resolve())
    return max((each for each in mounts if here.startswith(each[0])), key=lambda each: len(each[0]))[1]


def _fsync_ms(folder: Path) -> list[float]:
    """What makes one small write safe, each time at the end of a file, as in a write-ahead log."""
    file = folder / "fsync"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    took = []
    for _ in range(_FSYNCS):
        os.write(descriptor, _PAGE)
        began = time.perf_counter()
        os.fdatasync(descriptor)
        took.append((time.perf_counter() - began) * 1000)
    os.close(descriptor)
    file.unlink()
    return took


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "not in a git repository"
