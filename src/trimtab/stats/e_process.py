"""Evidence, batch by batch, that a canary fails more often than the champion beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector, same_length

CanaryDecision = Literal["advance", "hold", "roll-back"]

#: Rate ratios that the evidence looks for, equally weighted: from 25 % more failures to 20 times.
RATES = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
#: Evidence from which a canary waits.
HOLD_AT = 10.0


@dataclass(frozen=True, slots=True)
class CountEvidence:
    """Evidence of one check after each batch."""

    #: ln E, shape (batches,); 0 before any evidence.
    log_e: FloatArray

    @property
    def latest(self) -> float:
        """ln E now; 0 without a batch."""
        return float(self.log_e[-1]) if self.log_e.size else 0.0

    @property
    def strongest(self) -> float:
        """Largest ln E so far: a roll-back that was due stays due."""
        return max(float(self.log_e.max()), 0.0) if self.log_e.size else 0.0


def canary_evidence(
    canary_events: ArrayLike,
    canary_exposures: ArrayLike,
    champion_events: ArrayLike,
    champion_exposures: ArrayLike,
    tolerated_ratio: float = 1.0,
    rates: Iterable[float] = RATES,
) -> CountEvidence:
    """Evidence that an event is more frequent in the canary than in the champion, at any time.

    An event is an error, an answer slower than a percentile of the champion, or a prediction in a bin.
    Look as often as you like: the chance that E ever reaches 1/alpha is at most alpha if the canary's
    rate is at most `tolerated_ratio` times the champion's. Only a surplus counts; to find a lack of
    events too, pass the complement as a second check.

    Args:
        canary_events: Events a batch, x_c, shape (batches,), 0 <= x_c <= n_c.
        canary_exposures: Requests a batch, n_c, shape (batches,).
        champion_events: The champion's in the same minutes, x_b, shape (batches,).
        champion_exposures: The champion's requests, n_b, shape (batches,).
        tolerated_ratio: rho0, the rate ratio that is still fine, > 0.
        rates: Multiples of rho0 to look for, each > 1.

    Returns:
        ln E after each batch, shape (batches,).

    Raises:
        ValueError: Batches differ, events exceed exposures, a number is negative or not finite, or a ratio
            is out of range.

    Source:
        Shin, Ramdas and Rinaldo (e-detectors); a likelihood ratio of the canary's share of events given
        their total, mixed over r. Events of finite exposures are hypergeometric given the total, which is
        less spread than the binomial used here (Hoeffding 1963), so the bound holds.

    >>> evidence = canary_evidence([6, 6], [100, 100], [1, 1], [1000, 1000])
    >>> evidence.log_e.round(1)
    array([ 9.3, 20. ])
    """
    x_c, n_c = _batches("canary", canary_events, canary_exposures)
    x_b, n_b = _batches("champion", champion_events, champion_exposures)
    same_length(canary=x_c, champion=x_b)
    ratios = np.asarray(tuple(rates), dtype=np.float64)
    if not 0 < tolerated_ratio < math.inf or ratios.size == 0 or not np.all(ratios > 1):
        raise ValueError("tolerated_ratio must be above 0, and rates must be numbers above 1")
    weighted = tolerated_ratio * n_c
    seen = weighted + n_b > 0
    # ln(q_r / w) = ln r - ln t and ln((1 - q_r) / (1 - w)) = -ln t, t = (r rho0 n_c + n_b) / (rho0 n_c + n_b)
    canary_share = np.divide(weighted, weighted + n_b, out=np.zeros_like(weighted), where=seen)
    log_t = np.log1p((ratios[:, None] - 1) * canary_share)
    steps = x_c * np.log(ratios)[:, None] - (x_c + x_b) * log_t
    return CountEvidence(_log_mean_exp(np.cumsum(steps, axis=1)))


def average_e(log_e: Iterable[float]) -> float:
    """One E over several checks.

    Args:
        log_e: ln E of each check.

    Returns:
        The mean of the E's, in [0, inf]: again evidence of the same kind, whatever the checks share. 1, no
        evidence, without checks.

    Source:
        Vovk and Wang 2021: the mean is the best merge of e-values of unknown dependence; a product would
        need independence.

    >>> average_e([0.0, math.log(3.0)]).__round__(9)
    2.0
    """
    each = np.asarray(tuple(log_e), dtype=np.float64)
    if each.size == 0:
        return 1.0
    merged = float(_log_mean_exp(each[:, None])[0])
    return math.inf if merged > 700 else math.exp(merged)


def canary_decision(e: float, alpha: float = 0.01) -> CanaryDecision:
    """What the evidence asks for.

    Args:
        e: Evidence, >= 0, averaged over checks.
        alpha: Chance of rolling back a canary that is fine, over its whole life, in (0, 1).

    Returns:
        "roll-back" at E >= 1/alpha, "hold" from 10 or where E is NaN, else "advance" (if the caller's minimum
        counts are met: no evidence is not evidence of none).

    Raises:
        ValueError: `alpha` is not strictly between 0 and 1.

    Source:
        Ville 1939.

    >>> canary_decision(3.0), canary_decision(10.0), canary_decision(100.0)
    ('advance', 'hold', 'roll-back')
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie strictly between 0 and 1, not {alpha}")
    if e * alpha >= 1 - 1e-12:
        return "roll-back"
    return "advance" if e < HOLD_AT else "hold"


def _batches(side: str, events: ArrayLike, exposures: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Counts of one side, checked."""
    x, n = float_vector(events, f"{side}_events"), float_vector(exposures, f"{side}_exposures")
    same_length(events=x, exposures=n)
    if not np.all((x >= 0) & (x <= n) & np.isfinite(n)):
        raise ValueError(f"{side}: events must lie between 0 and their exposures in each batch: count both")
    return x, n


def _log_mean_exp(log_values: FloatArray) -> FloatArray:
    """ln of the mean of exp over the first axis, without overflow."""
    largest = log_values.max(axis=0)
    safe = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(under="ignore", divide="ignore"):
        mean: FloatArray = np.log(np.mean(np.exp(log_values - safe), axis=0)) + safe
    return mean
