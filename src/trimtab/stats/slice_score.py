"""Whether a challenger fails some slice of the rows, whatever it does on the whole."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import FloatArray, IntArray, float_vector, same_length
from trimtab.stats.block import block_codes, block_sums
from trimtab.stats.block_bootstrap import mean_interval
from trimtab.stats.gate import MINIMUM_BLOCKS, Verdict, gate_verdict
from trimtab.stats.holm import holm
from trimtab.stats.interval import Interval
from trimtab.stats.student_t import student_t_cdf

#: Rows below which a slice is shown but not judged.
MINIMUM_ROWS = 100


@dataclass(frozen=True, slots=True)
class SliceScore:
    """One slice, judged."""

    #: The slice's value, as it stands in the column.
    value: object
    #: Challenger against champion on the slice, positive = better.
    improvement: Interval
    #: Holm-adjusted p-value for "no worse than the margin"; None where the slice is too small to judge.
    adjusted_p: float | None
    #: "worse" holds over all slices together; the other verdicts are the slice's own.
    verdict: Verdict


def compare_slices(
    improvement_rows: ArrayLike,
    slices: ArrayLike,
    blocks: ArrayLike,
    margin: float,
    minimum_rows: int = MINIMUM_ROWS,
    replicates: int = 2000,
    *,
    seed: int,
    alpha: float = 0.05,
) -> tuple[SliceScore, ...]:
    """Compare two models on each slice of the same rows.

    Args:
        improvement_rows: Champion's loss less challenger's on each row, positive = better, shape (n,).
        slices: The slice of each row (its carrier), any sortable type, shape (n,).
        blocks: Label of each row's block (its day), shape (n,).
        margin: How much worse a slice may get, in the rows' unit, >= 0.
        minimum_rows: Rows below which a slice is not judged.
        replicates: Bootstrap replicates, >= 1.
        seed: Seed of the resampling.
        alpha: Chance of calling any slice worse if none is, in (0, 1).

    Returns:
        One score a slice, the most harmed first. "cannot-tell" where rows or blocks are too few, or a row of
        the slice is not finite.

    Raises:
        ValueError: The rows differ, the margin is negative, or `alpha` is out of range.

    Source:
        Holm 1979 over one-sided t tests on per-block sums: a bootstrap p-value of 2,000 replicates is too
        coarse to be divided by 100 slices.

    >>> day = [row // 20 for row in range(400)]
    >>> scores = compare_slices([-1.0, 1.0] * 200, ["a", "b"] * 200, day, margin=0.1, seed=0)
    >>> [(score.value, score.verdict) for score in scores]
    [('a', 'worse'), ('b', 'better')]
    """
    values = float_vector(improvement_rows, "improvement_rows")
    labels, days = np.asarray(slices), np.asarray(blocks)
    same_length(improvement_rows=values, slices=labels, blocks=days)
    names, parts = _rows_of_slices(labels)
    intervals = [
        mean_interval(values[part], days[part], replicates, seed=seed, level=1 - alpha) for part in parts
    ]
    p = np.full(len(parts), np.nan)
    for i, (part, interval) in enumerate(zip(parts, intervals, strict=True)):
        if interval.n >= minimum_rows and interval.blocks >= MINIMUM_BLOCKS and not math.isnan(interval.low):
            p[i] = _worse_p(values[part], *block_codes(days[part]), margin)
    adjusted = holm(p)
    scores = [
        SliceScore(
            value=name,
            improvement=interval,
            adjusted_p=None if math.isnan(q) else float(q),
            verdict=_verdict(interval, margin, float(q), alpha),
        )
        for name, interval, q in zip(names, intervals, adjusted, strict=True)
    ]
    return tuple(sorted(scores, key=lambda score: _harm_first(score.improvement.value)))


def _rows_of_slices(labels: NDArray[np.generic]) -> tuple[list[object], list[IntArray]]:
    """Each slice's value and the rows that are in it."""
    names, members, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(members, kind="stable").astype(np.int64)
    return names.tolist(), np.split(order, np.cumsum(sizes)[:-1]) if names.size else []


def _worse_p(values: FloatArray, codes: IntArray, count: int, margin: float) -> float:
    """One-sided p-value of the null that the mean is at least -margin, by blocks."""
    mean = float(np.mean(values))
    scatter = block_sums(values - mean, codes, count)
    error = math.sqrt(float(np.sum(np.square(scatter))) * count / (count - 1)) / values.size
    distance = mean + margin
    if error <= 1e-15 * max(abs(mean), abs(margin)):
        return 0.0 if distance < 0 else 1.0
    return student_t_cdf(distance / error, count - 1)


def _verdict(interval: Interval, margin: float, adjusted_p: float, alpha: float) -> Verdict:
    """Harm needs Holm's word; the rest is the slice's own interval."""
    own = gate_verdict(interval, margin)
    if math.isnan(adjusted_p):
        return "cannot-tell"
    if adjusted_p <= alpha:
        return "worse"
    return "cannot-tell" if own == "worse" else own


def _harm_first(improvement: float) -> float:
    return math.inf if math.isnan(improvement) else improvement
