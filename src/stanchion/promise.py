"""A result that is on its way, lighter than asyncio's future.

An asyncio future hands each callback to the event loop, in a context of its own: some two microseconds for each
request, and a turn of the loop later. A promise calls back at once, from whoever keeps it. It can be awaited too.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PENDING, _KEPT, _BROKEN, _CANCELLED = range(4)


class Promise(Generic[T]):
    """Kept with a result, broken with an exception, or cancelled by whoever no longer wants it.

    Only for one event loop's thread. The names are those of asyncio's futures; callbacks differ as said above.
    """

    __slots__ = ("_callbacks", "_state", "_value")

    def __init__(self) -> None:
        self._state = _PENDING
        self._value: Any = None
        self._callbacks: list[Callable[[Promise[T]], object]] | None = None

    def done(self) -> bool:
        return self._state != _PENDING

    def cancelled(self) -> bool:
        return self._state == _CANCELLED

    def result(self) -> T:
        if self._state == _BROKEN:
            raise self._value
        self._check_not_cancelled()
        value: T = self._value
        return value

    def exception(self) -> BaseException | None:
        self._check_not_cancelled()
        return self._value if self._state == _BROKEN else None

    def _check_not_cancelled(self) -> None:
        if self._state == _CANCELLED:
            raise asyncio.CancelledError
        if self._state == _PENDING:
            raise asyncio.InvalidStateError("the promise is not kept yet")

    def set_result(self, result: T) -> None:
        self._settle(_KEPT, result)

    def set_exception(self, error: BaseException) -> None:
        self._settle(_BROKEN, error)

    def cancel(self) -> bool:
        """Want it no more. Whoever works on it sees that it is done, and need not go on."""
        if self._state != _PENDING:
            return False
        self._settle(_CANCELLED, None)
        return True

    def _settle(self, state: int, value: Any) -> None:
        if self._state != _PENDING:
            raise asyncio.InvalidStateError("the promise has been settled")
        self._state = state
        self._value = value
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            self._call(callback)

    def add_done_callback(self, callback: "Callable[[Promise[T]], object]") -> None:
        """Have the callback called with this promise once it is settled; now, if it is."""
        if self._state != _PENDING:
            self._call(callback)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def _call(self, callback: "Callable[[Promise[T]], object]") -> None:
        try:
            callback(self)
        except Exception:  # it must not keep others from hearing of their results
            _log.exception("a callback failed")

    def __await__(self) -> Generator[Any, None, T]:
        if self._state == _PENDING:
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.add_done_callback(lambda _: settled.set_result(None) if not settled.done() else None)
            try:
                yield from settled
            except asyncio.CancelledError:
                self.cancel()
                raise
        return self.result()
