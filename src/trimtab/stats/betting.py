"""Evidence from paired losses in shadow, label by label, valid whenever one looks."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector

ShadowVerdict = Literal["no-worse", "worse", "cannot-tell"]


def log_wealth(differences: ArrayLike, margin: float = 0.0) -> FloatArray:
    """Wealth of a gambler who bets that the mean difference exceeds `margin`.

    Args:
        differences: Loss of the challenger less loss of the champion on each row, in order of the
            outcomes' arrival, in [-1, 1], shape (n,).
        margin: The null: the mean difference is at most this, in (-1, 1).

    Returns:
        ln wealth after each row, shape (n,), starting from 0. If the null holds, the chance that wealth ever
        reaches 1/alpha is at most alpha.

    Raises:
        ValueError: A difference is outside [-1, 1] or not finite, or the margin is out of range.

    Source:
        Waudby-Smith and Ramdas 2023; the stake is of the past only. Pairing needs 9 times fewer labels.

    >>> log_wealth([1.0] * 20)[-1] > math.log(100)
    np.True_
    """
    if not -1 < margin < 1:
        raise ValueError(f"margin must lie strictly between -1 and 1, not {margin}")
    d = float_vector(differences, "differences")
    if not np.all(np.abs(d) <= 1):  # NaN fails as well
        raise ValueError(
            "differences must be finite and within [-1, 1]: use a bounded loss (Brier, zero-one) or divide "
            "by its bound, and pass rows whose outcome is known"
        )
    x, m = (d + 1) / 2, (margin + 1) / 2
    rows = np.arange(1, d.size + 1)
    mean = (0.5 + np.cumsum(x)) / (rows + 1)
    variance = (0.25 + np.cumsum(np.square(x - mean))) / (rows + 1)
    mean_before = np.concatenate([[0.5], mean[:-1]])[: d.size]
    variance_before = np.concatenate([[0.25], variance[:-1]])[: d.size]
    edge = mean_before - m
    stake = np.clip(edge / (variance_before + np.square(edge)), 0.0, 0.5 / m)
    return np.cumsum(np.log1p(stake * (x - m)))


def shadow_verdict(differences: ArrayLike, margin: float, alpha: float = 0.05) -> ShadowVerdict:
    """What the outcomes so far say of a challenger in shadow.

    Args:
        differences: As for `log_wealth`.
        margin: How much more loss would still do, in [0, 1).
        alpha: Chance of each wrong verdict over the whole shadow, in (0, 1).

    Returns:
        "no-worse": the mean difference is below the margin. "worse": it is above. "cannot-tell": not yet. The
        first verdict that was reached stands.

    Raises:
        ValueError: As for `log_wealth`, a negative margin, or `alpha` out of range.

    Source:
        Two one-sided bets, each by Ville's inequality.

    >>> shadow_verdict([0.0] * 400, margin=0.05)
    'no-worse'
    """
    if not 0 <= margin < 1:
        raise ValueError(f"margin must lie in [0, 1), not {margin}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie strictly between 0 and 1, not {alpha}")
    d = float_vector(differences, "differences")
    worse = _first_at_least(log_wealth(d, margin), -math.log(alpha))
    no_worse = _first_at_least(log_wealth(-d, -margin), -math.log(alpha))
    if worse == no_worse:
        return "cannot-tell"
    return "worse" if worse < no_worse else "no-worse"


def _first_at_least(path: FloatArray, limit: float) -> float:
    """Place of the first entry that reaches `limit`; infinity if none does."""
    reached = np.flatnonzero(path >= limit)
    return float(reached[0]) if reached.size else math.inf
