"""Benjamini and Hochberg's adjustment: the share of false finds among the finds."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """p-values adjusted so that a cut at q lets at most a share q of the finds be false.

    Args:
        p_values: Each in [0, 1], shape (m,); NaN stays NaN and does not count as a test.

    Returns:
        Adjusted p-values in [0, 1], shape (m,), never below the given ones, in the same order of size.

    Source:
        Benjamini and Hochberg 1995; valid under positive dependence (Benjamini and Yekutieli 2001).

    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(3)
    array([0.04 , 0.053, 0.053, 0.5  ])
    """
    p = float_vector(p_values, "p_values")
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * (order.size / np.arange(1, order.size + 1))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
