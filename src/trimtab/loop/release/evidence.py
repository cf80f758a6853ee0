"""What the batches of a canary prove, whenever one looks: E grows only where the canary does harm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.loop.release.policy import Policy
from trimtab.loop.release.traffic import Batch
from trimtab.stats.array import FloatArray
from trimtab.stats.binning import count_bins, quantile_edges
from trimtab.stats.e_process import canary_evidence

#: Percentiles of the latencies that the two sides are counted beyond.
PERCENTILES = (0.5, 0.9, 0.99)
#: Evidence beyond this is shown as this.
MOST_EVIDENCE = 1e12
#: Bins that answers are counted in.
_BINS = 10


@dataclass(frozen=True, slots=True)
class AnswerBins:
    """Frozen bins of answers, with how much more frequent the challenger may be in each than the champion."""

    edges: NDArray[np.float64]
    tolerated: NDArray[np.float64]


def error_evidence(batches: Sequence[Batch]) -> FloatArray:
    """ln E after each batch that the challenger fails more often, shape (batches,)."""
    return canary_evidence(
        [batch.challenger.errors for batch in batches],
        [batch.challenger.requests for batch in batches],
        [batch.champion.errors for batch in batches],
        [batch.champion.requests for batch in batches],
    ).log_e


def latency_evidence(batches: Sequence[Batch], policy: Policy) -> FloatArray:
    """ln E after each batch that the challenger is slower by more than the slack, in the middle or the tail.

    Source:
        Counts beyond percentiles of both sides' pooled latencies: given the pool, the canary's count is
        hypergeometric, less spread than the binomial that the evidence assumes, so the bound holds.
    """
    counts = [_beyond(batch, policy) for batch in batches]
    return averaged(
        [
            canary_evidence(
                [count[0][place] for count in counts],
                [batch.challenger.latency_ms.size for batch in batches],
                [count[1][place] for count in counts],
                [batch.champion.latency_ms.size for batch in batches],
            ).log_e
            for place in range(len(PERCENTILES))
        ]
    )


def answer_evidence(batches: Sequence[Batch], bins: AnswerBins) -> FloatArray:
    """ln E after each batch that some bin of answers is too frequent in the challenger."""
    if not batches:
        return np.empty(0)
    ours = np.array([count_bins(batch.challenger.answers, bins.edges) for batch in batches])
    theirs = np.array([count_bins(batch.champion.answers, bins.edges) for batch in batches])
    return averaged(
        [
            canary_evidence(
                ours[:, place],
                ours.sum(axis=1),
                theirs[:, place],
                theirs.sum(axis=1),
                tolerated_ratio=float(bins.tolerated[place]),
            ).log_e
            for place in range(ours.shape[1])
        ]
    )


def averaged(paths: Sequence[FloatArray]) -> FloatArray:
    """ln of the mean E of several checks after each batch.

    The mean is taken before the maximum over time: a mean of maxima would be no evidence.
    """
    table = np.stack(paths)
    largest = table.max(axis=0)
    with np.errstate(under="ignore"):
        mean: FloatArray = np.log(np.mean(np.exp(table - largest), axis=0)) + largest
    return mean


def strongest(path: FloatArray) -> float:
    """Largest E so far, at least 1 and at most 1e12: a roll-back that was due stays due."""
    return float(np.exp(min(max(path.max(initial=0.0), 0.0), np.log(MOST_EVIDENCE))))


def latest(path: FloatArray) -> float:
    """E after the last batch, at least 1 and at most 1e12."""
    return float(np.exp(min(max(float(path[-1]) if path.size else 0.0, 0.0), np.log(MOST_EVIDENCE))))


def answer_bins(challenger: NDArray[np.float64], champion: NDArray[np.float64], policy: Policy) -> AnswerBins:
    """Bins over both models' held-out answers.

    A challenger that was trained because the world changed answers otherwise than the champion, and rightly
    so: how the two differ on held-out rows is allowed for, and `answers_ratio` beyond it.

    Args:
        challenger: Summaries of its held-out answers, shape (n,); empty where there are none.
        champion: The champion's, shape (m,).
    """
    edges = quantile_edges(np.concatenate([challenger, champion]), _BINS)
    if not challenger.size or not champion.size:
        return AnswerBins(edges, np.full(edges.size + 1, 2 * policy.answers_ratio))
    ours, theirs = (count_bins(side, edges) + 1.0 for side in (challenger, champion))
    expected = (ours / ours.sum()) / (theirs / theirs.sum())
    return AnswerBins(edges, np.maximum(expected, 1.0) * policy.answers_ratio)


def live_bins(batches: Sequence[Batch], policy: Policy) -> AnswerBins:
    """Bins over what both sides answered live, where neither bundle kept held-out answers."""
    sides = [side.answers for batch in batches for side in (batch.challenger, batch.champion)]
    edges = quantile_edges(np.concatenate([np.empty(0), *sides]), _BINS)
    return AnswerBins(edges, np.full(edges.size + 1, 2 * policy.answers_ratio))


def _beyond(batch: Batch, policy: Policy) -> tuple[list[int], list[int]]:
    """Requests of each side beyond each percentile of the pool, the challenger's with the slack taken off."""
    theirs = batch.champion.latency_ms
    middle = float(np.median(theirs)) if theirs.size else 0.0
    ours = batch.challenger.latency_ms - max(policy.latency_slack_ms, policy.latency_slack_share * middle)
    if not ours.size or not theirs.size:
        return [0] * len(PERCENTILES), [0] * len(PERCENTILES)
    limits = np.quantile(np.concatenate([ours, theirs]), PERCENTILES)
    return [int((ours > limit).sum()) for limit in limits], [int((theirs > limit).sum()) for limit in limits]
