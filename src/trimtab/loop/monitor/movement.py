"""How far the columns of one span moved from a reference, and which spans a span is held against."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.stats.array import IntArray
from trimtab.stats.drift_alarm import Key
from trimtab.stats.drift_statistic import Statistic, location_shift, shape_shift, share_shift

#: Spans of the same phase that make a reference.
REFERENCE_SPANS = 4


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """A column's rows by bin; adds up over spans."""

    numeric: bool
    counts: IntArray
    n: int
    n_missing: int
    n_alien: int
    #: Sum over the finite values of a numeric column.
    total: float

    def __add__(self, other: "ColumnCount") -> "ColumnCount":
        return ColumnCount(
            self.numeric,
            self.counts + other.counts,
            self.n + other.n,
            self.n_missing + other.n_missing,
            self.n_alien + other.n_alien,
            self.total + other.total,
        )

    def __sub__(self, part: "ColumnCount") -> "ColumnCount":
        return ColumnCount(
            self.numeric,
            self.counts - part.counts,
            self.n - part.n,
            self.n_missing - part.n_missing,
            self.n_alien - part.n_alien,
            self.total - part.total,
        )

    @property
    def mean(self) -> float | None:
        """Mean of the finite values."""
        rows = int(self.counts.sum())
        return self.total / rows if self.numeric and rows else None


Columns = Mapping[str, ColumnCount]


def columns_of(profile: Profile) -> dict[str, ColumnCount]:
    """The columns of a profile, ready to be added up."""
    return {column.name: _count(column) for column in profile.columns}


def merged(spans: Iterable[Columns]) -> dict[str, ColumnCount]:
    """All spans as one."""
    whole: dict[str, ColumnCount] = {}
    for span in spans:
        for name, count in span.items():
            whole[name] = whole[name] + count if name in whole else count
    return whole


def without(whole: Columns, part: Columns) -> dict[str, ColumnCount]:
    """The whole less one of its parts."""
    return {name: count - part[name] if name in part else count for name, count in whole.items()}


def movements(
    current: Columns, reference: Columns, names: Iterable[str], *, located: bool = True
) -> dict[Key, Statistic | None]:
    """The statistics of each column: location (numbers), shape, missing, alien; None without rows.

    Args:
        located: Whether the location is wanted.
    """
    found: dict[Key, Statistic | None] = {}
    for name in names:
        now, then = current.get(name), reference.get(name)
        if now is None or then is None:
            continue
        if located and now.numeric:
            found[name, "location"] = location_shift(now.counts, then.counts)
        found[name, "shape"] = shape_shift(now.counts, then.counts)
        found[name, "missing"] = share_shift("missing", now.n_missing, now.n, then.n_missing, then.n)
        found[name, "alien"] = share_shift("alien", now.n_alien, now.n, then.n_alien, then.n)
    return found


def reference_places(spans: Sequence[str]) -> list[tuple[list[int], bool]]:
    """For each span the places of the earlier ones it is held against, newest first, and whether by phase.

    Days are held against the same day of the last four weeks; other spans, and days without three of these,
    against the last four. The first span has none.

    >>> reference_places(["a", "b", "c"])
    [([], False), ([0], False), ([1, 0], False)]
    """
    by_day: dict[int, list[int]] = {}
    places = []
    for place, weekday in enumerate(map(_weekday, spans)):
        same = by_day.get(weekday, []) if weekday is not None else []
        if len(same) >= REFERENCE_SPANS - 1:
            places.append((same[: -REFERENCE_SPANS - 1 : -1], True))
        else:
            places.append((list(range(place - 1, max(place - 1 - REFERENCE_SPANS, -1), -1)), False))
        if weekday is not None:
            by_day.setdefault(weekday, []).append(place)
    return places


def _weekday(span: str) -> int | None:
    try:
        return date.fromisoformat(span).weekday()
    except ValueError:
        return None


def _count(column: ColumnProfile) -> ColumnCount:
    counts = np.asarray(column.counts, dtype=np.int64)
    mean = column.mean or 0.0
    return ColumnCount(
        column.shape == "numeric",
        counts,
        column.n,
        column.n_missing,
        column.n_alien,
        mean * int(counts.sum()),
    )
