"""Metric points in packs: those of one run, metric and `take`, in their order.

A value is kept as the whole number of 64 bits that sorts as it does. NaN is the lowest, so that a number of the same
step and moment beats it; every NaN is the same one, and -0.0 is another value than 0.0, and lower.
"""

import math
import struct
from array import array
from collections.abc import Iterable, Sequence

from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import LastPoint

#: Step, moment, value as `ranks` gives it: the last point of a metric has the highest.
Ranked = tuple[int, int, int]
#: Owner and name of the metric, then as `Ranked`.
Row = tuple[int, int, int, int, int]

_NAN = -(1 << 63)
_FLIP = (1 << 63) - 1
_WHOLE, _FLOAT = struct.Struct("<q"), struct.Struct("<d")
#: Step, moment and rank.
_POINT = struct.Struct("<qqq")


def ranks(values: "array[float]") -> list[int]:
    """Each value as the whole number that sorts as it does."""
    bits = array("q", values.tobytes())
    whole = [bit if bit >= 0 else bit ^ _FLIP for bit in bits]
    if any(map(math.isnan, values)):
        return [_NAN if value != value else rank for value, rank in zip(values, whole, strict=True)]
    return whole


def value_of(rank: int) -> float:
    """The value with a rank."""
    if rank == _NAN:
        return math.nan
    (value,) = _FLOAT.unpack(_WHOLE.pack(rank if rank >= 0 else rank ^ _FLIP))
    return float(value)


def point_rank(point: LastPoint) -> Ranked:
    """Where a point stands among the others of its metric."""
    (rank,) = ranks(array("d", (point.value,)))
    return point.step, point.at_us, rank


def pack_of(rows: Iterable[Row]) -> bytes:
    """The pack of the points of one metric."""
    return b"".join([_POINT.pack(step, at_us, rank) for _, _, step, at_us, rank in rows])


def points_of(metric: str, packs: Sequence[bytes]) -> Points:
    """The points of one metric, in their order, each of them once."""
    found: dict[Ranked, None] = dict.fromkeys(sorted(_POINT.iter_unpack(b"".join(packs))))
    points = Points()
    if found:
        points.names[metric] = 0
        points.metrics = array("I", bytes(4 * len(found)))
        points.steps = array("q", [step for step, _, _ in found])
        points.at_us = array("q", [at_us for _, at_us, _ in found])
        points.values = array("d", map(value_of, (rank for _, _, rank in found)))
    return points
