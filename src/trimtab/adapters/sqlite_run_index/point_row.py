"""Metric points as rows: in their order, and each of them once.

A value is kept as the whole number of 64 bits that sorts as it does: SQLite has no NaN, and holds -0.0 for 0.0. NaN is
the lowest, so that a number of the same step and moment beats it; every NaN is the same one.
"""

import math
from array import array
from collections.abc import Iterable, Sequence

from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import LastPoint

#: Owner, name of the metric, step, moment, value as `ranks` gives it.
Row = tuple[int, int, int, int, int]

_NAN = -(1 << 63)
_FLIP = (1 << 63) - 1


def ranks(values: "array[float]") -> list[int]:
    """Each value as the whole number that sorts as it does."""
    bits = array("q", values.tobytes())
    whole = [bit if bit >= 0 else bit ^ _FLIP for bit in bits]
    if any(map(math.isnan, values)):
        return [_NAN if value != value else rank for value, rank in zip(values, whole, strict=True)]
    return whole


def values_of(numbers: Iterable[int]) -> "array[float]":
    """What `ranks` was given."""
    # The rank of NaN, turned back, is NaN's bits too.
    return array("d", array("q", [rank if rank >= 0 else rank ^ _FLIP for rank in numbers]).tobytes())


def points_of(metric: str, rows: Sequence[tuple[int, int, int]]) -> Points:
    """Points of one metric from step, moment and rank."""
    points = Points()
    if rows:
        points.names[metric] = 0
        points.metrics = array("I", bytes(4 * len(rows)))
        points.steps = array("q", [row[0] for row in rows])
        points.at_us = array("q", [row[1] for row in rows])
        points.values = values_of(row[2] for row in rows)
    return points


def point_rank(point: LastPoint) -> tuple[int, int, int]:
    """Step, moment and rank of a point: the last one has the highest."""
    (rank,) = ranks(array("d", (point.value,)))
    return point.step, point.at_us, rank
