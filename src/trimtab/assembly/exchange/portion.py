"""Runs a portion at a time: few enough runs, and few enough points, to be in memory together."""

from collections.abc import Iterable, Iterator

from trimtab.assembly.exchange.foreign import ForeignRun

#: Runs in a portion at most, and points after which it is full.
RUNS_AT_ONCE, POINTS_AT_ONCE = 250, 500_000


def portions(runs: Iterable[ForeignRun]) -> Iterator[list[ForeignRun]]:
    """The same runs in lists; each run is taken only when there is room for it."""
    some: list[ForeignRun] = []
    points = 0
    for run in runs:
        some.append(run)
        points += len(run.points)
        if len(some) >= RUNS_AT_ONCE or points >= POINTS_AT_ONCE:
            yield some
            some, points = [], 0
    if some:
        yield some
