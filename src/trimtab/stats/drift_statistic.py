"""How far a span has moved from its reference: location, shape and shares, each with its null sd."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number that is near 0 while a column is as it was."""

    #: What was measured: "location", "shape", "missing", "alien", or a caller's own ("loss", "latency").
    name: str
    #: The reading; signed, but for the shape.
    value: float
    #: Standard deviation that sampling alone gives it, were nothing changed.
    null_sd: float
    #: Rows behind the current side.
    n_current: int
    #: Rows behind the reference side.
    n_reference: int


def location_shift(current_counts: ArrayLike, reference_counts: ArrayLike) -> Statistic | None:
    """Whether the values moved up (+) or down (-), in ranks of the reference.

    Args:
        current_counts: Counts by bin, shape (bins,), >= 0.
        reference_counts: Counts over the same bins, shape (bins,), >= 0.

    Returns:
        "location" with a value in [-0.5, 0.5]: how far the mean rank moved. None where a side has no
        rows: cannot tell.

    Raises:
        ValueError: The two do not have the same bins.

    Source:
        Mean of the probability integral transform over binned data (a rank-sum statistic); kept over
        a difference of means because one outlier cannot move it.

    >>> location_shift([0, 50, 50], [50, 50, 0]).value
    0.375
    """
    shares = _shares(current_counts, reference_counts)
    if shares is None:
        return None
    current, reference, n, m = shares
    midpoint = np.cumsum(reference) - reference / 2
    noise = 1 / n + 1 / m
    return Statistic("location", float(np.sum((current - reference) * midpoint)), math.sqrt(noise / 12), n, m)


def shape_shift(current_counts: ArrayLike, reference_counts: ArrayLike) -> Statistic | None:
    """How much the distribution changed in any way, less what sampling alone would show.

    Args:
        current_counts: Counts by bin, shape (bins,), >= 0.
        reference_counts: Counts over the same bins, shape (bins,), >= 0.

    Returns:
        "shape": Jensen-Shannon divergence in nats less its expectation under no change, so about 0
        then, at most ln 2, and only large values are surprising. None where a side has no rows.

    Raises:
        ValueError: The two do not have the same bins.

    Source:
        Lin 1991; its null expectation (k - 1) e / 8 is the chi-squared limit. Kept over PSI, whose
        expectation diverges with empty bins.

    >>> round(shape_shift([1000, 0], [0, 1000]).value, 4)
    0.6929
    """
    shares = _shares(current_counts, reference_counts)
    if shares is None:
        return None
    current, reference, n, m = shares
    middle = (current + reference) / 2
    in_use = int(np.count_nonzero(middle))
    noise = 1 / n + 1 / m
    divergence = (_relative_entropy(current, middle) + _relative_entropy(reference, middle)) / 2
    value = divergence - (in_use - 1) * noise / 8
    return Statistic("shape", value, math.sqrt(2 * (in_use - 1)) * noise / 8, n, m)


def share_shift(
    name: str, current_x: int, current_n: int, reference_x: int, reference_n: int
) -> Statistic | None:
    """Whether a share of rows (missing, outside the known range) rose (+) or fell (-).

    Args:
        name: What is counted: "missing" or "alien".
        current_x: Rows of the span that are so, 0 to `current_n`.
        current_n: Rows of the span.
        reference_x: Rows of the reference that are so, 0 to `reference_n`.
        reference_n: Rows of the reference.

    Returns:
        The difference of the two angles asin(sqrt(share)), in (-pi/2, pi/2). None where a side has
        no rows: cannot tell.

    Raises:
        ValueError: A count is negative or exceeds its rows.

    Source:
        Anscombe 1948: the variance of the angle does not depend on the share, so 0.1 % -> 1 % and
        40 % -> 41 % are judged on one scale.

    >>> round(share_shift("missing", 50, 1000, 10, 1000).value, 3)
    0.124
    """
    for x, n in ((current_x, current_n), (reference_x, reference_n)):
        if not 0 <= x <= n:
            raise ValueError(f"{name}: {x} of {n} rows is no share: count rows that are so among all rows")
    if current_n == 0 or reference_n == 0:
        return None
    value = _angle(current_x, current_n) - _angle(reference_x, reference_n)
    null_sd = math.sqrt(1 / current_n + 1 / reference_n) / 2
    return Statistic(name, value, null_sd, int(current_n), int(reference_n))


def _angle(x: int, n: int) -> float:
    return math.asin(math.sqrt((x + 0.5) / (n + 1)))


def _shares(
    current_counts: ArrayLike, reference_counts: ArrayLike
) -> tuple[FloatArray, FloatArray, int, int] | None:
    """Both sides as shares with their row counts, or None where one has no rows."""
    current = float_vector(current_counts, "current_counts")
    reference = float_vector(reference_counts, "reference_counts")
    if current.shape != reference.shape:
        raise ValueError(
            f"{current.size} current bins against {reference.size} reference bins: "
            "count both over the edges frozen at the baseline"
        )
    n, m = float(current.sum()), float(reference.sum())
    if n <= 0 or m <= 0:
        return None
    return current / n, reference / m, round(n), round(m)


def _relative_entropy(shares: FloatArray, base: FloatArray) -> float:
    """Kullback-Leibler divergence in nats; a share of 0 adds nothing."""
    used = shares > 0
    return float(np.sum(shares[used] * np.log(shares[used] / base[used])))
