"""Intervals that respect that rows of one day are alike: whole blocks are resampled, never rows."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import FloatArray, IntArray, float_vector, same_length
from trimtab.stats.block import block_codes, block_sums, poisson_weights
from trimtab.stats.interval import Interval, replicate_interval
from trimtab.stats.metric.metric import Metric
from trimtab.stats.ratio import ratio


def mean_interval(
    row_values: ArrayLike, blocks: ArrayLike, replicates: int = 2000, *, seed: int, level: float = 0.95
) -> Interval:
    """Mean of a value a row (a loss, an error), with an interval.

    Args:
        row_values: One number a row, shape (n,).
        blocks: Label of each row's block (its day), shape (n,).
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        level: Confidence, in (0, 1).

    Returns:
        The mean and its bounds, in the rows' unit. All NaN where there are no rows or a row is not
        finite: rows are never dropped in silence.

    Raises:
        ValueError: The two do not have the same rows.

    Source:
        Kuensch 1989 (blocks); Chamandy et al. 2012 (Poisson weights): O(blocks) a replicate. On real
        weeks the clustered error is 2.2 times the i.i.d. one.

    >>> mean_interval([1.0, 2.0, 3.0, 4.0], ["mon", "mon", "tue", "wed"], seed=0).value
    2.5
    """
    values = float_vector(row_values, "row_values")
    codes, count = _codes(values, blocks)
    value = _mean(values)
    if math.isnan(value):
        return Interval(math.nan, math.nan, math.nan, values.size, count)
    weights = poisson_weights(count, replicates, seed)
    spread = weights @ block_sums(values - value, codes, count)  # centred: no cancellation far from 0
    rows = weights @ block_sums(np.ones_like(values), codes, count)
    means = value + ratio(spread, rows)
    return replicate_interval(value, means, values.size, count, level)


def paired_difference(
    rows_a: ArrayLike,
    rows_b: ArrayLike,
    blocks: ArrayLike,
    replicates: int = 2000,
    *,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Mean of `rows_a` - `rows_b` over the same rows, with an interval.

    With losses, `a` the champion and `b` the challenger, positive means that the challenger is better.

    Args:
        rows_a: One number a row, shape (n,).
        rows_b: The same rows under the other model, shape (n,).
        blocks: Label of each row's block (its day), shape (n,).
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        level: Confidence, in (0, 1).

    Returns:
        The difference and its bounds; all NaN where a row of either is not finite.

    Raises:
        ValueError: The rows differ.

    Source:
        Pairing removes what both models find hard. McNemar is weak here and Wilcoxon on losses answers
        another question.

    >>> paired_difference([1.0, 2.0, 2.0], [0.5, 1.5, 1.5], ["mon", "tue", "wed"], seed=0).low
    0.5
    """
    a, b = float_vector(rows_a, "rows_a"), float_vector(rows_b, "rows_b")
    same_length(rows_a=a, rows_b=b)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = a - b
    return mean_interval(difference, blocks, replicates, seed=seed, level=level)


def metric_interval(
    metric: Metric,
    truth: ArrayLike,
    prediction: ArrayLike,
    blocks: ArrayLike,
    replicates: int = 2000,
    *,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Any metric of one model, with an interval.

    Args:
        metric: One of `METRICS`.
        truth: As the metric takes it, shape (n,).
        prediction: As the metric takes it, shape (n,) or (n, classes).
        blocks: Label of each row's block (its day), shape (n,).
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        level: Confidence, in (0, 1).

    Returns:
        The metric and its bounds, in the metric's unit; NaN where it is undefined.

    Raises:
        ValueError: The rows differ.

    Source:
        As `mean_interval`; metrics that are no means are recomputed from per-block sums.

    >>> from trimtab.stats.metric.catalog import METRICS
    >>> metric_interval(METRICS["rmse"], [1, 2, 3], [1, 2, 3], ["a", "b", "c"], seed=0).high
    0.0
    """
    rows = np.asarray(truth)
    codes, count = _codes(rows, blocks)
    value = metric.score(truth, prediction)
    if not math.isfinite(value):
        return Interval(value, math.nan, math.nan, len(rows), count)
    weights = poisson_weights(count, replicates, seed)
    scores = metric.resample(truth, prediction, codes, weights)
    return replicate_interval(value, scores, len(rows), count, level)


def paired_improvement(
    metric: Metric,
    truth: ArrayLike,
    champion: ArrayLike,
    challenger: ArrayLike,
    blocks: ArrayLike,
    replicates: int = 2000,
    *,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """By how much the challenger beats the champion in a metric, on the same rows.

    Args:
        metric: One of `METRICS`.
        truth: As the metric takes it, shape (n,).
        champion: The champion's predictions, shape (n,) or (n, classes).
        challenger: The challenger's, same shape.
        blocks: Label of each row's block (its day), shape (n,).
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        level: Confidence, in (0, 1).

    Returns:
        The improvement and its bounds: positive means that the challenger is better, whichever way
        the metric points. NaN where the metric is undefined.

    Raises:
        ValueError: The rows differ.

    Source:
        Both models are scored on the same resampled blocks, so what they share cancels.

    >>> from trimtab.stats.metric.catalog import METRICS
    >>> paired_improvement(METRICS["mae"], [1, 2], [0, 1], [1, 2], ["a", "b"], seed=0).value
    1.0
    """
    rows = np.asarray(truth)
    codes, count = _codes(rows, blocks)
    sign = 1.0 if metric.greater_is_better else -1.0
    with np.errstate(invalid="ignore"):
        value = sign * float(np.subtract(metric.score(truth, challenger), metric.score(truth, champion)))
    if not math.isfinite(value):
        return Interval(math.nan, math.nan, math.nan, len(rows), count)
    weights = poisson_weights(count, replicates, seed)
    ours = metric.resample(truth, challenger, codes, weights)
    theirs = metric.resample(truth, champion, codes, weights)
    return replicate_interval(value, sign * (ours - theirs), len(rows), count, level)


def _codes(rows: NDArray[np.generic], blocks: ArrayLike) -> tuple[IntArray, int]:
    codes, count = block_codes(blocks)
    same_length(rows=rows, blocks=codes)
    return codes, count


def _mean(values: FloatArray) -> float:
    """The mean; NaN where there is no row or one is not finite."""
    if values.size == 0 or not np.all(np.isfinite(values)):
        return math.nan
    return float(np.mean(values))
