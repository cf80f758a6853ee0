"""The limit of a family of readings: one false alarm in N spans, over all columns and families."""

import math

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import float_vector

#: Share of past spans that lie above the point where the tail is fitted.
TAIL_SHARE = 0.25
#: Past spans below which the past says too little of its own tail.
CALIBRATED_SPANS = 12


def family_limit(
    largest: ArrayLike, spans_per_false_alarm: float = 60, families: int = 1, members: int = 1
) -> float:
    """How surprising the most surprising member of a family must be to raise an alarm.

    Args:
        largest: M_i, the largest surprise (-ln p) over the family on each past span, each judged with
            its own span left out, shape (K,); NaN where a span had none.
        spans_per_false_alarm: N: spans per false alarm, over all families together, > 1.
        families: Families judged beside one another, >= 1.
        members: Readings in this family, >= 1; used only while the past is too short.

    Returns:
        A limit on the surprise, at least ln(N * families): a family cannot be calmer than one of its
        members (this binds where the past is constant, as with columns that never missed a value).
        Under 12 past spans, Bonferroni's ln(N * families * members).

    Raises:
        ValueError: `spans_per_false_alarm` is not above 1, or a count is below 1.

    Source:
        science.md, step 3: Westfall and Young 1993 over time instead of permutations, which keeps the
        dependence between columns; exponential excesses over the 75 % point.

    >>> round(family_limit(np.linspace(0, 4, 61), spans_per_false_alarm=60, families=2), 2)
    4.81
    """
    if not spans_per_false_alarm > 1:
        raise ValueError(f"spans_per_false_alarm must be above 1, not {spans_per_false_alarm}")
    if families < 1 or members < 1:
        raise ValueError(f"families and members must be at least 1, not {families} and {members}")
    past = float_vector(largest, "largest")
    past = past[np.isfinite(past)]
    spans_each = spans_per_false_alarm * families
    if past.size < CALIBRATED_SPANS:
        return math.log(spans_each * members)
    start = float(np.quantile(past, 1 - TAIL_SHARE))
    beyond = past.size * TAIL_SHARE
    ratio = spans_each * beyond / (past.size + 1)
    if ratio <= 1:  # so many alarms are allowed that the limit lies inside the past: count
        limit = float(np.quantile(past, 1 - 1 / spans_each))
    else:
        above = past[past > start]
        mean_excess = float(np.mean(above - start)) if above.size else 0.0
        limit = start + mean_excess * math.log(ratio)
    return max(limit, math.log(spans_each))
