"""Brier score: squared distance of the probabilities from the truth."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.metric.class_probability import class_probability, true_class_probability
from trimtab.stats.metric.row_mean import ratio_resample, row_mean


def brier_rows(truth: ArrayLike, prediction: ArrayLike) -> FloatArray:
    """Brier score of each row.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        Shape (n,): (p - y)^2 in [0, 1] for two classes, the sum over classes in [0, 2] for more; NaN
        where a probability is NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Brier 1950, halved for two classes as is usual (and as scikit-learn does).

    >>> brier_rows([1], [[0.5, 0.5]])
    array([0.25])
    """
    codes, probability = class_probability(truth, prediction)
    given = true_class_probability(codes, probability)
    if probability.shape[1] == 2:
        known = (codes == 0) | (codes == 1)
        miss = np.where(known, probability[:, 1] - codes, 1.0 - given)
        squares: FloatArray = np.square(miss)
        return squares
    # Sum of (p - y)^2 = sum of p^2 - 2 p_true + 1, which also holds for a class without a column.
    with np.errstate(over="ignore", invalid="ignore"):
        distance: FloatArray = np.square(probability).sum(axis=1) - 2 * given + 1
    return np.maximum(distance, 0.0)


def brier(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean Brier score.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        In [0, 1] for two classes, [0, 2] for more, smaller is better; NaN without rows or with a NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Brier 1950; bounded, so it also serves `betting`.

    >>> brier([1, 0], [[0.5, 0.5], [1.0, 0.0]])
    0.125
    """
    return row_mean(brier_rows(truth, prediction))


def brier_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`brier` on replicates of blocks; see `metric.Resample`."""
    rows = brier_rows(truth, prediction)
    return ratio_resample(rows, np.ones_like(rows), codes, weights)
