"""R squared: the share of the outcome's variance that predictions explain."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray, float_vector
from trimtab.stats.block import block_sums
from trimtab.stats.metric.squared_error import squared_error_rows
from trimtab.stats.ratio import ratio


def r2(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of the outcome's variance that the predictions explain.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        At most 1, greater is better; 0 is the mean's own score. NaN, cannot tell, where the outcome is
        constant (then there is nothing to explain), without rows, or with a NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Wright 1921.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    whole = np.zeros(len(np.asarray(truth)), dtype=np.int64)
    return float(r2_resample(truth, prediction, whole, np.ones((1, 1)))[0])


def r2_resample(truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray) -> FloatArray:
    """`r2` on replicates of blocks; see `metric.Resample`."""
    errors = squared_error_rows(truth, prediction)
    actual = float_vector(truth, "truth")
    if actual.size == 0 or not np.all(np.isfinite(actual)) or np.ptp(actual) == 0:
        return np.full(len(weights), np.nan)
    # R2 does not depend on the unit: in units of the range, centred, nothing cancels or overflows.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        unit = float(np.ptp(actual))
        centred = (actual - np.mean(actual)) / unit
        scaled = errors / unit / unit
        count = weights.shape[1]
        rows, first, second, missed = (
            weights @ block_sums(values, codes, count)
            for values in (np.ones_like(actual), centred, np.square(centred), scaled)
        )
        variation = second - ratio(np.square(first), rows, empty=0.0)
        variation = np.where(variation > 1e-12 * second, variation, 0.0)  # less is rounding
        return 1.0 - ratio(missed, variation)
