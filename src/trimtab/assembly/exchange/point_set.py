"""Points as a set: two stores hold the same ones where the sets are equal, whatever the order."""

from math import isnan
from struct import pack

from trimtab.atoms.metric_point import Points

_NAN = b"NaN"

#: Metric, step, bits of the value, microseconds since 1970; there is one NaN, whatever its bits.
OnePoint = tuple[str, int, bytes, int]


def point_set(points: Points) -> set[OnePoint]:
    """Every point once."""
    return {_one(*point) for point in points}


def among(points: Points, wanted: set[OnePoint]) -> Points:
    """The points that are in a set, in their order."""
    if len(points) == len(wanted):
        return points
    found = Points()
    found.extend(point for point in points if _one(*point) in wanted)
    return found


def _one(metric: str, step: int, value: float, at_us: int) -> OnePoint:
    return metric, step, _NAN if isnan(value) else pack("<d", value), at_us
