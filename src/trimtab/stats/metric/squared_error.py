"""Squared error: MSE, and RMSE in the outcome's unit."""

import math

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray, float_vector, same_length
from trimtab.stats.metric.row_mean import ratio_resample, row_mean


def squared_error_rows(truth: ArrayLike, prediction: ArrayLike) -> FloatArray:
    """Squared error of each row.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        The unit squared, >= 0, shape (n,); NaN where either is NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Gauss 1821.

    >>> squared_error_rows([1.0, 2.0], [1.0, 4.0])
    array([0., 4.])
    """
    actual, predicted = float_vector(truth, "truth"), float_vector(prediction, "prediction")
    same_length(truth=actual, prediction=predicted)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return np.square(predicted - actual)


def mse(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean squared error.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        The unit squared, >= 0, smaller is better; NaN without rows or with a NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Gauss 1821; rewards predicting the mean.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return row_mean(squared_error_rows(truth, prediction))


def rmse(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Root of the mean squared error.

    Args:
        truth: Outcomes, shape (n,).
        prediction: Predictions in the same unit, shape (n,).

    Returns:
        The outcome's unit, >= 0, smaller is better; NaN without rows or with a NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        `mse` in a unit that people can read.

    >>> rmse([1.0, 2.0], [3.0, 4.0])
    2.0
    """
    return math.sqrt(mse(truth, prediction))


def mse_resample(truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray) -> FloatArray:
    """`mse` on replicates of blocks; see `metric.Resample`."""
    rows = squared_error_rows(truth, prediction)
    return ratio_resample(rows, np.ones_like(rows), codes, weights)


def rmse_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`rmse` on replicates of blocks; see `metric.Resample`."""
    return np.sqrt(mse_resample(truth, prediction, codes, weights))
