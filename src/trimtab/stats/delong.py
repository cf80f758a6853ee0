"""DeLong's test: whether two scores of the same rows differ in AUC, at once and without resampling."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector, same_length


@dataclass(frozen=True, slots=True)
class AucDifference:
    """AUC of two scores of the same rows. NaN where the rows cannot tell."""

    auc_a: float
    auc_b: float
    #: `auc_b` - `auc_a`.
    difference: float
    #: Standard error of the difference, were all rows independent.
    standard_error: float
    #: Two-sided p-value for equal AUC.
    p: float
    #: Confidence bounds of the difference.
    low: float
    high: float


def delong_covariance(truth: ArrayLike, scores: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """AUC of several scores of the same rows, and their covariance.

    Args:
        truth: Whether each row is positive, shape (n,), boolean or 0 and 1.
        scores: One row of scores a model, shape (models, n), rising with the chance of positive.

    Returns:
        AUCs (models,) and covariance (models, models). All NaN where all rows are of one kind or a score
        is NaN; the covariance also with a single positive or a single negative.

    Raises:
        ValueError: The rows differ.

    Source:
        DeLong et al. 1988 in the O(n log n) form of Sun and Xu 2014. For independent rows: rows that
        cluster by day need `block_bootstrap`, which gives wider intervals.

    >>> delong_covariance([0, 0, 1, 1], [[0.1, 0.4, 0.35, 0.8]])[0]
    array([0.75])
    """
    table = np.asarray(scores, dtype=np.float64)
    positive = np.asarray(truth).astype(np.bool_)
    if table.ndim != 2:
        raise ValueError(f"scores must have shape (models, n), not {table.shape}: pass a list of scores")
    same_length(truth=positive, scores=table.T)
    m, n = int(positive.sum()), int((~positive).sum())
    models = len(table)
    if m == 0 or n == 0 or np.isnan(table).any():
        return np.full(models, np.nan), np.full((models, models), np.nan)
    within_all = np.stack([_midranks(row) for row in table])
    above = (within_all[:, positive] - np.stack([_midranks(row[positive]) for row in table])) / n
    below = 1 - (within_all[:, ~positive] - np.stack([_midranks(row[~positive]) for row in table])) / m
    if m == 1 or n == 1:
        return above.mean(axis=1), np.full((models, models), np.nan)
    covariance = np.atleast_2d(np.cov(above)) / m + np.atleast_2d(np.cov(below)) / n
    return above.mean(axis=1), covariance


def delong_test(
    truth: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, level: float = 0.95
) -> AucDifference:
    """Whether two scores of the same rows differ in AUC.

    Args:
        truth: Whether each row is positive, shape (n,), boolean or 0 and 1.
        score_a: The champion's score, shape (n,).
        score_b: The challenger's score, shape (n,).
        level: Confidence of the bounds, in (0, 1).

    Returns:
        Both AUCs, their difference (b - a), its error, p-value and bounds. p is 1 where both rank the
        rows alike; NaN where the rows cannot tell.

    Raises:
        ValueError: The rows differ.

    Source:
        As `delong_covariance`.

    >>> delong_test([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.2, 0.3, 0.4]).difference
    0.25
    """
    a, b = float_vector(score_a, "score_a"), float_vector(score_b, "score_b")
    same_length(score_a=a, score_b=b)
    areas, covariance = delong_covariance(truth, np.stack([a, b]))
    difference = float(areas[1] - areas[0])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = math.sqrt(max(variance, 0.0)) if not math.isnan(variance) else math.nan
    if math.isnan(error) or math.isnan(difference):
        p = math.nan
    elif error < 1e-12:
        p = 1.0 if abs(difference) < 1e-12 else 0.0
    else:
        p = math.erfc(abs(difference) / error / math.sqrt(2))
    reach = NormalDist().inv_cdf(0.5 + level / 2) * error
    return AucDifference(
        float(areas[0]), float(areas[1]), difference, error, p, difference - reach, difference + reach
    )


def _midranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, the mean rank where values tie."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: FloatArray = np.cumsum(counts) - (counts - 1) / 2
    return middle[place]
