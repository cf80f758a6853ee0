"""A crew: a few threads that compute for the event loop, with a deadline."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class Overdue(Exception):
    """The work was not done in time, or cannot be because earlier work hangs."""


class Panic(Exception):
    """The call raised what is no `Exception`: a panic inside a library, or an attempt to end the process."""


class Full(Exception):
    """More work waits than the crew takes."""


class Crew:
    """Runs calls on its threads. Work that hangs keeps its thread and no more: the process can still end.

    (Python waits for the threads of a `concurrent.futures` executor: one hung model would block its end.)
    """

    def __init__(self, name: str, threads: int, *, most_waiting: int) -> None:
        self._name = name
        self._threads = threads
        self._most_waiting = most_waiting
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._started = False
        self._waiting = 0
        self._overdue = 0

    @property
    def waiting(self) -> int:
        """Calls that were asked for and have not ended."""
        return self._waiting

    async def do(
        self, call: Callable[[], Result], *, seconds: float, after: Callable[[], None] = lambda: None
    ) -> Result:
        """Run `call` on a thread of the crew and await its result; call this from the event loop only.

        Args:
            after: Runs once when `call` has really ended, or will never begin; also when it was overdue.

        Raises:
            Overdue: It took longer than `seconds`, or every thread hangs in earlier overdue work.
            Full: Too many calls wait already.
        """
        if self._overdue >= self._threads:
            after()
            raise Overdue("still busy with earlier requests that are overdue")
        if self._waiting >= self._most_waiting:
            after()
            raise Full(f"{self._waiting} requests wait already")
        self._start()
        loop = asyncio.get_running_loop()
        future: Future[Result] = Future()
        late = False

        def end() -> None:
            self._waiting -= 1
            self._overdue -= late
            after()

        def ended(_: Future[Result]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(end)

        self._waiting += 1
        answer = asyncio.wrap_future(future)
        future.add_done_callback(
            ended
        )  # after the line above, so that `end` never runs before `answer` is done
        self._calls.put((future, call))
        done, _ = await asyncio.wait([answer], timeout=seconds)
        if done:
            return answer.result()
        if not future.cancel():
            late = True
            self._overdue += 1
        raise Overdue(f"no answer within {seconds:g} s")

    def close(self) -> None:
        """Let idle threads end; a thread that hangs is left behind."""
        if self._started:
            for _ in range(self._threads):
                self._calls.put(None)

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except Exception as raised:
                future.set_exception(raised)
            except (
                BaseException
            ) as raised:  # a panic of polars, or sys.exit() in user code: must not end the server
                future.set_exception(Panic(f"{type(raised).__name__}: {raised}"))
            else:
                future.set_result(result)
