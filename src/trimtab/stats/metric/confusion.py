"""Precision, recall and F1, from one count of hits, calls and cases a class."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.block import block_sums
from trimtab.stats.metric.class_probability import class_probability
from trimtab.stats.ratio import ratio

Kind = Literal["precision", "recall", "f1"]


def precision(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of rows called positive that are: class 1 of two, the mean over classes of more.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes); a row is called its likeliest class.

    Returns:
        In [0, 1]. NaN, cannot tell, where two classes have no row called positive, without rows, or
        with a NaN probability. Of more classes, one that occurs but is never called counts 0.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        van Rijsbergen 1979; macro average as scikit-learn's.

    >>> precision([1, 0, 1], [[0, 1], [0, 1], [1, 0]])
    0.5
    """
    return _score("precision", truth, prediction)


def recall(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of positive rows that are called so: class 1 of two, the mean over classes of more.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes); a row is called its likeliest class.

    Returns:
        In [0, 1]. NaN, cannot tell, where two classes have no positive row, without rows, or with a
        NaN probability.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        van Rijsbergen 1979; macro average as scikit-learn's.

    >>> recall([1, 0, 1], [[0, 1], [0, 1], [1, 0]])
    0.5
    """
    return _score("recall", truth, prediction)


def f1(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Harmonic mean of precision and recall: class 1 of two, the mean over classes of more.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes); a row is called its likeliest class.

    Returns:
        In [0, 1]. NaN, cannot tell, where two classes have no positive row and none called so, without
        rows, or with a NaN probability.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        van Rijsbergen 1979; macro average of the classes' F1, as scikit-learn's.

    >>> f1([1, 0, 1], [[0, 1], [0, 1], [1, 0]])
    0.5
    """
    return _score("f1", truth, prediction)


def precision_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`precision` on replicates of blocks; see `metric.Resample`."""
    return _resample("precision", truth, prediction, codes, weights)


def recall_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`recall` on replicates of blocks; see `metric.Resample`."""
    return _resample("recall", truth, prediction, codes, weights)


def f1_resample(truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray) -> FloatArray:
    """`f1` on replicates of blocks; see `metric.Resample`."""
    return _resample("f1", truth, prediction, codes, weights)


def _score(kind: Kind, truth: ArrayLike, prediction: ArrayLike) -> float:
    rows = len(np.asarray(truth))
    return float(_resample(kind, truth, prediction, np.zeros(rows, dtype=np.int64), np.ones((1, 1)))[0])


def _resample(
    kind: Kind, truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """Hits, calls and cases of each class, on each replicate, put together as `kind` says."""
    actual, probability = class_probability(truth, prediction)
    if np.isnan(probability).any():
        return np.full(len(weights), np.nan)
    called = np.argmax(probability, axis=1)
    two_classes = probability.shape[1] == 2
    classes = [1] if two_classes else np.union1d(np.unique(actual), np.unique(called)).tolist()
    total = np.zeros(len(weights))
    seen = np.zeros(len(weights))
    for one in classes:
        hits, calls, cases = (
            weights @ block_sums(which, codes, weights.shape[1])
            for which in ((actual == one) & (called == one), called == one, actual == one)
        )
        top, bottom = {
            "precision": (hits, calls),
            "recall": (hits, cases),
            "f1": (2 * hits, calls + cases),
        }[kind]
        missing = np.nan if two_classes else 0.0
        total += ratio(top, bottom, missing)
        seen += 1.0 if two_classes else (calls + cases > 0)
    return ratio(total, seen)
