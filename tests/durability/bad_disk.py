"""A disk that refuses, for the SQLite of this process: its own calls to the operating system are turned aside."""

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import apsw

_TRANSFER = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_longlong, use_errno=True
)

FULL, BROKEN = errno.ENOSPC, errno.EIO


class BadDisk:
    """While it is entered, reads and writes of database files can be made to fail with an errno."""

    def __init__(self) -> None:
        self._system = apsw.VFS("turned-aside", "unix")
        self._genuine: dict[str, int] = {}
        self._keep_alive: list[object] = []
        self._failing: dict[str, int] = {}
        self._only = ""
        self._may_pass = threading.Event()
        self._may_pass.set()
        self._reached = threading.Event()
        self.failures = 0

    def __enter__(self) -> "BadDisk":
        for call in ("pwrite64", "pread64"):
            self._turn_aside(call)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for call, pointer in self._genuine.items():
            self._system.xSetSystemCall(call, pointer)

    def _turn_aside(self, call: str) -> None:
        self._genuine[call] = self._system.xGetSystemCall(call)
        genuine: Callable[..., int] = _TRANSFER(self._genuine[call])

        def transfer(descriptor: int, buffer: Any, size: int, offset: int) -> int:
            if call == "pwrite64":
                self._reached.set()
                self._may_pass.wait()
            number = self._failing.get(call)
            if number is None or not os.readlink(f"/proc/self/fd/{descriptor}").endswith(self._only):
                return genuine(descriptor, buffer, size, offset)
            self.failures += 1
            ctypes.set_errno(number)
            return -1

        pointer = _TRANSFER(transfer)
        self._keep_alive.append(pointer)
        self._system.xSetSystemCall(call, ctypes.cast(pointer, ctypes.c_void_p).value or 0)

    @contextmanager
    def failing(self, number: int, *calls: str, only: str = "") -> Iterator[None]:
        """``calls`` fail with this errno, on files whose name ends with ``only``; writes if none is named."""
        self._only, self._failing = only, dict.fromkeys(calls or ("pwrite64",), number)
        before = self.failures
        try:
            yield
        finally:
            self._failing = {}
        assert self.failures > before, "the disk was not even asked"

    @contextmanager
    def stalled(self) -> Iterator[threading.Event]:
        """Writes do not come to an end. The event tells that one has begun."""
        self._reached.clear()
        self._may_pass.clear()
        try:
            yield self._reached
        finally:
            self._may_pass.set()
