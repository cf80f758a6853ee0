"""Scales of charts: which points can be drawn, and where."""

import math
import sys
from collections.abc import Callable, Sequence

#: A point, or a drawn one.
Spot = tuple[float, float]


def drawable(x: Sequence[float], y: Sequence[float], *, log: bool = False) -> list[Spot | None]:
    """The points; None, a gap, where y is no finite number, or no positive one on a logarithmic scale."""
    return [(a, b) if math.isfinite(b) and (b > 0 or not log) else None for a, b in zip(x, y, strict=True)]


def reach(values: Sequence[float], *, log: bool = False) -> Spot:
    """From the least to the most of one or more values; where they are one value, with room on both sides of it."""
    low, high = min(values), max(values)
    if low < high:
        return low, high
    if log:
        return max(low / 2, sys.float_info.min), min(high * 2, sys.float_info.max)
    room = abs(low) * 0.1 or 1.0
    return max(low - room, -sys.float_info.max), min(high + room, sys.float_info.max)


def share(low: float, high: float, *, log: bool = False) -> Callable[[float], float]:
    """Where a value is between `low`, 0, and `high`, 1; in the middle where these are one.

    >>> share(10.0, 1000.0, log=True)(100.0)
    0.5
    """
    if log:
        linear = share(math.log10(low), math.log10(high))
        return lambda value: linear(math.log10(value))
    # Halved, so that the whole scale of floats fits.
    width = high / 2 - low / 2
    return lambda value: (value / 2 - low / 2) / width if width > 0 else 0.5
