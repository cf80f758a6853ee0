"""Prediction bias: whether predictions are too high or too low on average."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import float_vector, same_length
from trimtab.stats.block_bootstrap import mean_interval
from trimtab.stats.interval import Interval


def prediction_bias(
    prediction: ArrayLike,
    outcome: ArrayLike,
    blocks: ArrayLike,
    replicates: int = 2000,
    *,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Mean prediction less mean outcome, with an interval.

    Args:
        prediction: Predicted value, or probability of the positive class, shape (n,).
        outcome: What came, in the same unit (0 and 1 for a class), shape (n,).
        blocks: Label of each row's block (its day), shape (n,).
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        level: Confidence, in (0, 1).

    Returns:
        The bias in the outcome's unit: positive means that predictions are too high. NaN without rows, or
        where a row is not finite.

    Raises:
        ValueError: The rows differ.

    Source:
        Google's "Rules of ML" and Breck et al. 2017: the mean prediction must equal the mean outcome, on the
        whole and in each slice. Most of a year's real error was bias.

    >>> prediction_bias([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 0], ["mon", "mon", "tue", "wed"], seed=0).value
    0.25
    """
    predicted, came = float_vector(prediction, "prediction"), float_vector(outcome, "outcome")
    same_length(prediction=predicted, outcome=came)
    with np.errstate(invalid="ignore", over="ignore"):
        miss = predicted - came
    return mean_interval(miss, blocks, replicates, seed=seed, level=level)
