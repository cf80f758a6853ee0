"""A function over many things on a few threads, with the results in order and few of them in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")

#: Threads for work that waits for a disk or hashes, which lets go of the interpreter.
THREADS = 2


def side_by_side(
    function: Callable[[Thing], Result], things: Iterable[Thing], *, threads: int = THREADS
) -> Iterator[Result]:
    """`function` of each thing, in the order of the things.

    Args:
        function: Called from several threads at once.
        things: Taken as they are needed, never more than two a thread ahead.
        threads: How many calls run at once, >= 1.

    Raises:
        Whatever the first failing call raised; no further call is begun.
    """
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque()
        try:
            for thing in things:
                running.append(pool.submit(function, thing))
                if len(running) >= 2 * threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for call in running:
                call.cancel()
