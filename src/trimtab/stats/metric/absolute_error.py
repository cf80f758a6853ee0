"""Absolute error: how far off, in the outcome's unit."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray, float_vector, same_length
from trimtab.stats.metric.row_mean import ratio_resample, row_mean


def absolute_error_rows(truth: ArrayLike, prediction: ArrayLike) -> FloatArray:
    """Absolute error of each row.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        The outcome's unit, >= 0, shape (n,); NaN where either is NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Laplace 1774.

    >>> absolute_error_rows([1.0, 2.0], [1.0, 4.0])
    array([0., 2.])
    """
    actual, predicted = float_vector(truth, "truth"), float_vector(prediction, "prediction")
    same_length(truth=actual, prediction=predicted)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(predicted - actual)


def mae(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean absolute error.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        The outcome's unit, >= 0, smaller is better; NaN without rows or with a NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Laplace 1774; rewards predicting the median, and one outlier does not rule it.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return row_mean(absolute_error_rows(truth, prediction))


def mae_resample(truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray) -> FloatArray:
    """`mae` on replicates of blocks; see `metric.Resample`."""
    rows = absolute_error_rows(truth, prediction)
    return ratio_resample(rows, np.ones_like(rows), codes, weights)
