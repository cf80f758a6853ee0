"""Holm's adjustment: the chance of any false find."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector


def holm(p_values: ArrayLike) -> FloatArray:
    """p-values adjusted so that a cut at alpha makes any false find with at most that chance.

    Args:
        p_values: Each in [0, 1], shape (m,); NaN stays NaN and does not count as a test.

    Returns:
        Adjusted p-values in [0, 1], shape (m,), never below the given ones, in the same order of size.

    Source:
        Holm 1979; kept over Bonferroni, which it beats under any dependence.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = float_vector(p_values, "p_values")
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
