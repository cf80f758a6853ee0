"""A deadline for one request; as `asyncio.timeout`, which costs four times as much on every request that is in time."""

import asyncio
from types import TracebackType

from trimtab.web.route import Refused


class Overdue(Refused):
    """503: it took longer than it may."""


class Deadline:
    """Used in a `with` block of one task; Overdue where the block takes longer."""

    __slots__ = ("_handle", "_overdue", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds, self._overdue = seconds, False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "requests are answered in tasks"
        self._task = task
        self._handle = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def _end(self) -> None:
        self._overdue = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        # Whoever else cancelled the task meant to end it.
        if self._overdue and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise Overdue(503, f"not answered within {self._seconds:g} s: come back later") from None
