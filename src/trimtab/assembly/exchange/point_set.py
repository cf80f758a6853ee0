"""Points as a set: two stores hold the same ones where the sets are equal, whatever the order."""

from math import isnan
from struct import pack

from trimtab.atoms.metric_point import Points

_NAN = b"NaN"

#: Metric, step, bits of the value, microseconds since 1970; there is one NaN, whatever its bits.
OnePoint = tuple[str, int, bytes, int]


def point_set(points: Points) -> set[OnePoint]:
    """Every point once."""
    return {
        (metric, step, _NAN if isnan(value) else pack("<d", value), at_us)
        for metric, step, value, at_us in points
    }
