"""Area under the ROC curve: how often a positive row is scored above a negative one."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import FloatArray, IntArray
from trimtab.stats.metric.class_probability import class_probability
from trimtab.stats.ratio import ratio

#: Replicates rank scores in this many groups at most; the exact value is then put back.
RANK_GROUPS = 2048


def roc_auc(truth: ArrayLike, prediction: ArrayLike) -> float:
    """AUC of class 1 of two, or the mean over classes of each against the rest.

    Args:
        truth: Class codes, shape (n,).
        prediction: Probabilities, shape (n, classes).

    Returns:
        In [0, 1], 0.5 by guessing; ties count half. NaN, cannot tell, where all rows are of one class or
        a probability is NaN. Of more than two classes, those that cannot be told are left out.

    Raises:
        ValueError: A shape is wrong or the rows differ.

    Source:
        Hanley and McNeil 1982; Provost and Domingos 2000 for one against the rest.

    >>> roc_auc([0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    0.75
    """
    areas = [binary_auc(positive, score) for positive, score in _questions(truth, prediction)]
    told = [area for area in areas if not math.isnan(area)]
    return float(np.mean(told)) if told else math.nan


def binary_auc(positive: NDArray[np.bool_], score: FloatArray) -> float:
    """AUC of one score for one class.

    Args:
        positive: Whether each row is of the class, shape (n,).
        score: Any numbers that rise with the chance of it, shape (n,).

    Returns:
        In [0, 1]; NaN where all rows are of one kind or a score is NaN.

    Source:
        Mann and Whitney 1947, from counts a distinct score.

    >>> binary_auc(np.array([False, True]), np.array([0.1, 0.9]))
    1.0
    """
    positives = int(np.count_nonzero(positive))
    negatives = positive.size - positives
    if positives == 0 or negatives == 0 or np.isnan(score).any():
        return math.nan
    _, rank = np.unique(score, return_inverse=True)
    here = np.bincount(rank[positive], minlength=rank.max() + 1)
    there = np.bincount(rank[~positive], minlength=rank.max() + 1)
    return float(np.sum(here * (np.cumsum(there) - there / 2)) / (float(positives) * negatives))


def roc_auc_resample(
    truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """`roc_auc` on replicates of blocks; see `metric.Resample`.

    A replicate's AUC is w' A w / ((w' positives)(w' negatives)), where A[b, c] counts the pairs of a
    positive of block b above a negative of block c: A is counted once, so no replicate sees a row.
    """
    areas = [
        _resampled_area(positive, score, codes, weights) for positive, score in _questions(truth, prediction)
    ]
    each = np.stack(areas)
    told = ~np.isnan(each)
    return ratio(np.where(told, each, 0.0).sum(axis=0), told.sum(axis=0).astype(np.float64))


def _questions(truth: ArrayLike, prediction: ArrayLike) -> list[tuple[NDArray[np.bool_], FloatArray]]:
    """Positives and scores of each two-class question within the classes."""
    codes, probability = class_probability(truth, prediction)
    classes = [1] if probability.shape[1] == 2 else range(probability.shape[1])
    return [(codes == one, probability[:, one]) for one in classes]


def _resampled_area(
    positive: NDArray[np.bool_], score: FloatArray, codes: IntArray, weights: FloatArray
) -> FloatArray:
    area = binary_auc(positive, score)
    if math.isnan(area):
        return np.full(len(weights), np.nan)
    blocks = weights.shape[1]
    rank, groups = _rank_group(score)
    here = _block_histogram(positive, rank, groups, codes, blocks)
    there = _block_histogram(~positive, rank, groups, codes, blocks)
    pairs = here @ (np.cumsum(there, axis=1) - there / 2).T
    positives, negatives = here.sum(axis=1), there.sum(axis=1)
    lost = area - float(pairs.sum()) / (float(positives.sum()) * float(negatives.sum()))
    won = ((weights @ pairs) * weights).sum(axis=1)
    possible = (weights @ positives) * (weights @ negatives)
    return ratio(won, possible) + lost


def _rank_group(score: FloatArray) -> tuple[IntArray, int]:
    """Group of each row by score, equal scores together, about equally many rows a group."""
    distinct, rank, counts = np.unique(score, return_inverse=True, return_counts=True)
    if distinct.size <= RANK_GROUPS:
        return rank.astype(np.int64), int(distinct.size)
    before = np.cumsum(counts) - counts
    return (before * RANK_GROUPS // score.size)[rank].astype(np.int64), RANK_GROUPS


def _block_histogram(
    chosen: NDArray[np.bool_], rank: IntArray, groups: int, codes: IntArray, blocks: int
) -> FloatArray:
    """Chosen rows by block and rank group, shape (blocks, groups)."""
    flat = np.bincount(codes[chosen] * groups + rank[chosen], minlength=blocks * groups)
    return flat.reshape(blocks, groups).astype(np.float64)
