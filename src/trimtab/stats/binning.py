"""Bins that are frozen at the baseline, and counts over them that merge by addition."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray, float_vector

#: Outer edges stand this far outside the range, relative to it or to the largest magnitude: a
#: value that went through float32 (6e-8) must not become an outsider.
EDGE_ROOM = 1e-6


def quantile_edges(values: ArrayLike, bins: int = 20) -> FloatArray:
    """Edges of at most `bins` bins with about the same number of `values` in each.

    A column with no more distinct values than bins gets one bin a value, and a value that fills a
    bin alone (the zeros of a rainfall column) gets a bin alone, so the others keep their resolution.

    Args:
        values: Baseline values, shape (n,); non-finite ones are ignored.
        bins: Largest number of bins, >= 1.

    Returns:
        Strictly increasing finite edges, shape (bins used + 1,); every bin holds at least one value.
        Shape (0,) where no value is finite.

    Raises:
        ValueError: `bins` is below 1.

    Source:
        Equal-frequency bins, as PSI practice has them; a greedy cut over distinct values instead of
        raw quantiles, because ties make raw quantiles coincide and lose bins.

    >>> quantile_edges([0, 0, 0, 1, 2, np.nan], bins=20).round(3)
    array([-0. ,  0.5,  1.5,  2. ])
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    column = float_vector(values, "values")
    distinct, counts = np.unique(column[np.isfinite(column)], return_counts=True)
    if distinct.size == 0:
        return np.empty(0)
    starts = np.arange(distinct.size) if distinct.size <= bins else _bin_starts(counts, bins)
    inner = _between(distinct[starts[1:] - 1], distinct[starts[1:]])
    low, high = _outer_edges(float(distinct[0]), float(distinct[-1]))
    return np.concatenate([[low], inner, [high]])


def count_bins(values: ArrayLike, edges: ArrayLike) -> IntArray:
    """How many finite values fall below the edges, in each bin, and above.

    Counts of parts of a column add up to the counts of the whole, in any order.

    Args:
        values: Shape (n,); non-finite ones are ignored.
        edges: Strictly increasing, shape (m,). Bins are closed on the left; the last inner one on
            both sides.

    Returns:
        Counts, shape (m + 1,): below, m - 1 inner bins, above. Without edges (a baseline that had
        no finite value), one count of everything finite.

    Source:
        Mergeable histograms over frozen edges.

    >>> count_bins([-1.0, 0.0, 0.5, 1.0, 7.0, np.inf], [0.0, 0.5, 1.0])
    array([1, 1, 2, 1])
    """
    column = float_vector(values, "values")
    bounds = float_vector(edges, "edges")
    finite = column[np.isfinite(column)]
    place = np.searchsorted(bounds, finite, side="right")
    if bounds.size > 1:
        place[finite == bounds[-1]] = bounds.size - 1
    return np.bincount(place, minlength=bounds.size + 1).astype(np.int64)


def _bin_starts(counts: IntArray, bins: int) -> IntArray:
    """Indices of the distinct values at which bins start; each bin takes a fair share of what is left."""
    through = np.cumsum(counts)
    starts = [0]
    for bins_left in range(bins, 1, -1):
        start = starts[-1]
        taken = int(through[start - 1]) if start else 0
        fair = (int(through[-1]) - taken) / bins_left
        end = int(np.searchsorted(through, taken + fair))
        stops_before_atom = end > start and counts[end] >= fair
        following = end if stops_before_atom else end + 1
        if following >= counts.size:
            break
        starts.append(following)
    return np.asarray(starts, dtype=np.int64)


def _between(left: FloatArray, right: FloatArray) -> FloatArray:
    """Midpoints in (left, right]; the right value where no float lies strictly between."""
    middle = 0.5 * left + 0.5 * right  # not (left + right) / 2: that overflows
    return np.where((middle > left) & (middle <= right), middle, right)


def _outer_edges(low: float, high: float) -> tuple[float, float]:
    """`low` and `high` with room for rounding, distinct and finite."""
    largest = max(abs(low), abs(high))
    with np.errstate(over="ignore"):
        spread = float(np.subtract(high, low))
        room = min(EDGE_ROOM * largest, 1e-3 * spread) if spread > 0 else EDGE_ROOM * (largest or 1.0)
        below, above = float(np.subtract(low, room)), float(np.add(high, room))
    limit = float(np.finfo(np.float64).max)
    below = below if below < low else float(np.nextafter(low, -limit))
    above = above if above > high else float(np.nextafter(high, limit))
    return max(below, -limit), min(above, limit)
