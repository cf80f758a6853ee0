"""Findings in words and numbers that a person knows: means, shares, the usual range."""

from collections.abc import Callable, Sequence

import numpy as np

from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.loop.monitor.movement import ColumnCount, Columns
from trimtab.stats.drift_alarm import AlarmRow


def describe(
    row: AlarmRow, current: Columns, before: Columns, history: Sequence[Columns], whole: Profile
) -> str:
    """One alarmed reading in a clause, with its usual range over the past spans."""
    bins = whole.column(row.column)
    now, then = current[row.column], before[row.column]
    past = [span[row.column] for span in history if row.column in span]
    name = repr(row.column)
    if row.statistic == "missing":
        return _clause(f"missing values of {name}", _missing, now, then, past)
    if row.statistic == "alien":
        words = "values outside the known range of" if now.numeric else "unseen values of"
        return _clause(f"{words} {name}", _alien, now, then, past)
    if row.statistic == "location":
        return _clause(f"mean of {name}", _mean, now, then, past, number)
    place = _most_moved(now, then)

    def in_bin(count: ColumnCount) -> float | None:
        return _part(int(count.counts[place]), int(count.counts.sum()))

    return _clause(f"share of {name} {_bin_name(bins, place)}", in_bin, now, then, past)


def share(value: float) -> str:
    """A share in per cent."""
    return f"{100 * value:.3g} %"


def number(value: float) -> str:
    """A number with four digits."""
    return f"{value:.4g}"


def _clause(
    what: str,
    measure: Callable[[ColumnCount], float | None],
    now: ColumnCount,
    then: ColumnCount,
    past: Sequence[ColumnCount],
    write: Callable[[float], str] = share,
) -> str:
    values = [value for value in map(measure, past) if value is not None]
    after, before = measure(now), measure(then)
    moved = f"{what}: {_or_nothing(before, write)} -> {_or_nothing(after, write)}"
    if not values:
        return moved
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{moved}, usual range {write(float(low))} to {write(float(high))}"


def _or_nothing(value: float | None, write: Callable[[float], str]) -> str:
    return "nothing" if value is None else write(value)


def _part(some: int, all_of_them: int) -> float | None:
    return some / all_of_them if all_of_them else None


def _missing(count: ColumnCount) -> float | None:
    return _part(count.n_missing, count.n)


def _alien(count: ColumnCount) -> float | None:
    return _part(count.n_alien, count.n)


def _mean(count: ColumnCount) -> float | None:
    return count.mean


def _most_moved(now: ColumnCount, then: ColumnCount) -> int:
    p, q = (side.counts / max(int(side.counts.sum()), 1) for side in (now, then))
    return int(np.argmax(np.abs(p - q)))


def _bin_name(bins: ColumnProfile | None, place: int) -> str:
    if bins is None:
        return f"in bin {place}"
    if bins.shape == "category":
        return f"= {bins.categories[place]!r}" if place < len(bins.categories) else "= any other value"
    if not bins.edges:
        return "of any value"
    if bins.dtype == "Boolean":
        return "= true" if place == len(bins.edges) - 1 else "= false"
    if place == 0:
        return f"below {number(bins.edges[0])}"
    if place == len(bins.edges):
        return f"above {number(bins.edges[-1])}"
    return f"between {number(bins.edges[place - 1])} and {number(bins.edges[place])}"
