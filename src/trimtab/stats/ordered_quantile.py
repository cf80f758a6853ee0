"""Quantiles of rows that were sorted once, with gaps."""

import numpy as np

from trimtab.stats.array import FloatArray, IntArray


def ordered_quantile(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Quantile of each row of a sorted array whose gaps (NaN) stand last.

    Args:
        ordered: Ascending along the last axis, NaN last, shape (..., K).
        count: Entries that are not NaN, shape (...).
        share: Which quantile, in [0, 1].

    Returns:
        Quantiles by linear interpolation, shape (...); NaN where a row has no entry.

    Source:
        Hyndman and Fan 1996, type 7 (numpy's default); written out because `np.nanquantile` goes row
        by row, and a leave-one-out cube has thousands.

    >>> ordered_quantile(np.array([[1.0, 2.0, 4.0, np.nan]]), np.array([3]), 0.75)
    array([3.])
    """
    if ordered.shape[-1] == 0:
        return np.full(ordered.shape[:-1], np.nan)
    last = np.maximum(count - 1, 0)
    position = share * last
    below = np.floor(position).astype(np.int64)
    low = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.minimum(below + 1, last)[..., None], axis=-1)[..., 0]
    return low + (high - low) * (position - below)
