"""Log loss: how surprised the model was by the truth."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.metric.class_probability import class_probability, true_class_probability
from trimtab.stats.metric.row_mean import ratio_resample, row_mean

#: A probability of 0 counts as this, so one certain mistake costs 36 nats and not infinity.
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def log_loss_rows(truth: ArrayLike, prediction: ArrayLike) -> FloatArray:
    """Log loss of each row.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        Nats in [0, 36.05], shape (n,); NaN where the probability is NaN.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Good 1952, the logarithmic score; clipped as scikit-learn does.

    >>> log_loss_rows([1], [[0.5, 0.5]]).round(3)
    array([0.693])
    """
    given = true_class_probability(*class_probability(truth, prediction))
    return -np.log(np.clip(given, SMALLEST_PROBABILITY, 1.0))


def log_loss(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean log loss.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        Nats in [0, 36.05], smaller is better; NaN without rows or with a NaN probability.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        As `log_loss_rows`; proper, so it rewards honest probabilities.

    >>> round(log_loss([1, 0], [[0.5, 0.5], [1.0, 0.0]]), 3)
    0.347
    """
    return row_mean(log_loss_rows(truth, prediction))


def log_loss_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`log_loss` on replicates of blocks; see `metric.Resample`."""
    rows = log_loss_rows(truth, prediction)
    return ratio_resample(rows, np.ones_like(rows), codes, weights)
