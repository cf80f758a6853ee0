"""Metrics that are means of rows."""

import math

import numpy as np

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.block import block_sums
from trimtab.stats.ratio import ratio


def row_mean(rows: FloatArray) -> float:
    """Mean of per-row values.

    Args:
        rows: Shape (n,).

    Returns:
        The mean; NaN without rows, or where a row is NaN: a model that answers NaN must not profit.

    Source:
        The arithmetic mean.

    >>> row_mean(np.array([1.0, 2.0]))
    1.5
    """
    if rows.size == 0:
        return math.nan
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.mean(rows))


def ratio_resample(top: FloatArray, bottom: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """Sum of `top` over sum of `bottom` on each replicate; with ones below, the mean.

    Args:
        top: One number a row, shape (n,).
        bottom: One number a row, shape (n,).
        codes: Block of each row, shape (n,).
        weights: How often each replicate draws each block, shape (replicates, blocks).

    Returns:
        Shape (replicates,); NaN where nothing stands below the line.

    Source:
        Chamandy et al. 2012: sums by block suffice, so a replicate costs O(blocks).

    >>> ratio_resample(np.array([1.0, 3.0]), np.ones(2), np.array([0, 1]), np.array([[1.0, 1.0], [0.0, 2.0]]))
    array([2., 3.])
    """
    count = weights.shape[1]
    with np.errstate(invalid="ignore", over="ignore"):
        return ratio(weights @ block_sums(top, codes, count), weights @ block_sums(bottom, codes, count))
