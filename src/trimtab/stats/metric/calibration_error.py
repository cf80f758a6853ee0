"""Expected calibration error: whether 70 % means 70 %."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.block import block_sums
from trimtab.stats.metric.class_probability import class_probability
from trimtab.stats.ratio import ratio

#: Equally wide bins of probability, as Guo et al. have them.
BINS = 15


def expected_calibration_error(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean distance between what was predicted and what came, over bins of probability.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes). Of two classes the probability of class 1 is
            judged, of more the confidence in the likeliest class.

    Returns:
        In [0, 1], smaller is better; NaN without rows or with a NaN probability. Chance alone keeps it
        above 0: about 0.02 for 1,000 rows.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Naeini et al. 2015; Guo et al. 2017.

    >>> round(expected_calibration_error([1, 0], [[0.3, 0.7], [0.3, 0.7]]), 3)
    0.2
    """
    whole = np.zeros(len(np.asarray(truth)), dtype=np.int64)
    return float(expected_calibration_error_resample(truth, prediction, whole, np.ones((1, 1)))[0])


def expected_calibration_error_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`expected_calibration_error` on replicates of blocks; see `metric.Resample`."""
    actual, probability = class_probability(truth, prediction)
    if np.isnan(probability).any():
        return np.full(len(weights), np.nan)
    if probability.shape[1] == 2:
        stated, came = probability[:, 1], actual == 1
    else:
        stated, came = probability.max(axis=1), np.argmax(probability, axis=1) == actual
    blocks = weights.shape[1]
    place = np.maximum(np.ceil(np.clip(stated, 0.0, 1.0) * BINS).astype(np.int64) - 1, 0)
    gap = block_sums(stated - came, codes * BINS + place, blocks * BINS).reshape(blocks, BINS)
    rows = weights @ block_sums(np.ones_like(stated), codes, blocks)
    apart = np.abs(weights @ gap).sum(axis=1)
    return ratio(apart, rows)
