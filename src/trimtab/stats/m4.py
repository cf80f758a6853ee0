"""M4: few points that draw the same line as many."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import float_vector


def m4(x: ArrayLike, y: ArrayLike, most: int) -> NDArray[np.int64]:
    """Places of the points that a picture needs: of each stretch of x the first, the last, the lowest, the highest.

    Args:
        x: Ascending, finite, shape (n,).
        y: Shape (n,); NaN is a gap, and the infinities are extremes like others.
        most: How many points the picture may have, >= 10.

    Returns:
        Places in x and y, ascending, shape (k,), k <= most: all of them where n <= most. The first, the last, the
        lowest and the highest point of the whole are always among them, and one NaN of each stretch that has any.

    Raises:
        ValueError: x and y differ in length, x does not ascend, or `most` is below 10.

    Source:
        Jugel, Jerzak, Hackenbroich and Markl 2014, "M4: a visualization-oriented time series data aggregation":
        a line through these four points of each column of pixels sets the same pixels as a line through all.
        Kept over LTTB (Steinarsson 2013), which may leave out the one spike that a person looks for.

    >>> m4(range(100), [0.0] * 50 + [9.0] + [0.0] * 49, 10)
    array([ 0, 49, 50, 51, 99])
    """
    across, up = float_vector(x, "x"), float_vector(y, "y")
    if across.size != up.size:
        raise ValueError(f"x has {across.size} values and y {up.size}: give one y for each x")
    if most < 10:
        raise ValueError(f"{most} points draw no line: ask for 10 or more")
    if across.size <= most:
        return np.arange(across.size)
    steps = np.diff(across)
    if not np.isfinite(across).all() or (steps < 0).any():
        raise ValueError("x is not ascending")
    missing = np.isnan(up)
    stretches = most // (5 if missing.any() else 4)
    width = across[-1] - across[0]
    share = (across - across[0]) / width if width > 0 else np.linspace(0.0, 1.0, across.size)
    stretch = np.minimum((share * stretches).astype(np.int64), stretches - 1)
    starts = np.flatnonzero(np.r_[True, np.diff(stretch) > 0])
    ends = np.r_[starts[1:], across.size] - 1
    kept = [starts, ends, _extremes(up, starts, lowest=True), _extremes(up, starts, lowest=False)]
    if missing.any():
        kept.append(_first_of_each(np.flatnonzero(missing), stretch))
    return np.unique(np.concatenate(kept))


def _extremes(up: NDArray[np.float64], starts: NDArray[np.int64], *, lowest: bool) -> NDArray[np.int64]:
    """Place of the first lowest (or highest) value of each stretch that has one."""
    reduce = np.fmin if lowest else np.fmax
    extreme = np.repeat(reduce.reduceat(up, starts), np.diff(np.r_[starts, up.size]))
    places = np.flatnonzero(up == extreme)
    stretch = np.searchsorted(starts, places, side="right")
    return places[np.r_[True, np.diff(stretch) > 0]] if places.size else places


def _first_of_each(places: NDArray[np.int64], stretch: NDArray[np.int64]) -> NDArray[np.int64]:
    return places[np.r_[True, np.diff(stretch[places]) > 0]]
