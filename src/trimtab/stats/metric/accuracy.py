"""Accuracy: the share of rows whose likeliest class is the true one."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.metric.class_probability import class_probability
from trimtab.stats.metric.row_mean import ratio_resample, row_mean


def accuracy_rows(truth: ArrayLike, prediction: ArrayLike) -> FloatArray:
    """Whether each row is right.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes); of equal ones the first class counts.

    Returns:
        1.0 or 0.0, shape (n,); NaN where a probability is NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        One minus the zero-one loss.

    >>> accuracy_rows([1, 0], [[0.2, 0.8], [0.4, 0.6]])
    array([1., 0.])
    """
    codes, probability = class_probability(truth, prediction)
    right = (np.argmax(probability, axis=1) == codes).astype(np.float64)
    return np.where(np.isnan(probability).any(axis=1), np.nan, right)


def accuracy(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of rows that are right.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        In [0, 1], greater is better; NaN without rows or with a NaN probability.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        As `accuracy_rows`.

    >>> accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])
    0.5
    """
    return row_mean(accuracy_rows(truth, prediction))


def accuracy_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`accuracy` on replicates of blocks; see `metric.Resample`."""
    rows = accuracy_rows(truth, prediction)
    return ratio_resample(rows, np.ones_like(rows), codes, weights)
