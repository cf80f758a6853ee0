"""Division that says NaN where there is nothing to divide by."""

import numpy as np

from trimtab.stats.array import FloatArray


def ratio(top: FloatArray, bottom: FloatArray, empty: float = np.nan) -> FloatArray:
    """`top` / `bottom`, and `empty` where `bottom` is not above 0.

    Args:
        top: Shape (...).
        bottom: Counts or other sums that cannot be negative, same shape.
        empty: What a ratio over nothing is.

    Returns:
        Shape (...).

    Source:
        A share of no rows is unknown, not an exception.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    quotient = np.full(np.shape(top), empty, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(top, bottom, out=quotient, where=bottom > 0)
    return quotient
