"""Distances between two histograms over the same bins, for display; alarms use `drift_statistic`."""

import math

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector

#: Share that PSI puts in an empty bin, as its users do.
PSI_FLOOR = 1e-4


def hellinger(reference: ArrayLike, live: ArrayLike) -> float:
    """How far `live` has moved from `reference`, from 0 (same) to 1 (disjoint).

    Args:
        reference: Bin shares or counts, shape (bins,), each >= 0.
        live: Shares or counts over the same bins, shape (bins,).

    Returns:
        Unitless distance in [0, 1]; symmetric, and finite where a bin is empty. NaN where a side is
        empty: cannot tell.

    Raises:
        ValueError: The two do not have the same number of bins, or a share is negative.

    Source:
        Hellinger 1909; kept over PSI because an empty bin needs no epsilon.

    >>> hellinger([1, 0], [0, 1])
    1.0
    """
    p, q = _shares(reference, live)
    return math.sqrt(float(np.minimum(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2, 1.0)))


def jensen_shannon(reference: ArrayLike, live: ArrayLike) -> float:
    """Jensen-Shannon divergence of two histograms, in nats.

    Args:
        reference: Bin shares or counts, shape (bins,), each >= 0.
        live: Shares or counts over the same bins, shape (bins,).

    Returns:
        Nats in [0, ln 2]; symmetric. NaN where a side is empty: cannot tell.

    Raises:
        ValueError: The two do not have the same number of bins, or a share is negative.

    Source:
        Lin 1991. (scipy's `jensenshannon` is its square root.)

    >>> round(jensen_shannon([1, 1], [1, 0]), 4)
    0.2158
    """
    p, q = _shares(reference, live)
    if np.isnan(p).any():
        return math.nan
    middle = (p + q) / 2
    total = 0.0
    for shares in (p, q):
        used = shares > 0
        total += float(np.sum(shares[used] * np.log(shares[used] / middle[used]))) / 2
    return min(max(total, 0.0), math.log(2))


def psi(reference: ArrayLike, live: ArrayLike) -> float:
    """Population stability index, for readers who think in it; never compared with 0.1 or 0.2 here.

    Args:
        reference: Bin shares or counts, shape (bins,), each >= 0.
        live: Shares or counts over the same bins, shape (bins,).

    Returns:
        Nats, >= 0; symmetric. An empty bin counts as a share of 1e-4. Chance alone gives about
        (bins - 1)(1/n + 1/m). NaN where a side is empty: cannot tell.

    Raises:
        ValueError: The two do not have the same number of bins, or a share is negative.

    Source:
        Lewis 1994; Yurdakul 2018 for its expectation under no change.

    >>> round(psi([50, 50], [60, 40]), 4)
    0.0405
    """
    p, q = (np.maximum(shares, PSI_FLOOR) for shares in _shares(reference, live))
    return float(np.sum((p - q) * np.log(p / q)))


def _shares(reference: ArrayLike, live: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both sides as shares; NaN throughout where a side has nothing."""
    sides = float_vector(reference, "reference"), float_vector(live, "live")
    if sides[0].shape != sides[1].shape:
        raise ValueError(
            f"{sides[0].size} reference bins against {sides[1].size} live bins: "
            "count both over the same edges"
        )
    if any(np.any(side < 0) for side in sides):
        raise ValueError("a bin's share is negative: pass counts or shares")
    totals = [float(side.sum()) for side in sides]
    if not all(0 < total < math.inf for total in totals):
        missing = np.full(max(sides[0].size, 1), np.nan)
        return missing, missing
    return sides[0] / totals[0], sides[1] / totals[1]
