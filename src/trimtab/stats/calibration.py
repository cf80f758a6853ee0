"""How surprising a reading is, given how the same reading behaved on past spans."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import FloatArray
from trimtab.stats.ordered_quantile import ordered_quantile

#: Share of a series' past that is judged by counting; above it an exponential tail is fitted.
TAIL_START = 0.8
#: Before seeing any excess, the tail is given this mean (a normal's is near it) ...
PRIOR_EXCESS = 0.6
#: ... with the weight of this many spans.
PRIOR_SPANS = 4
#: Divides out an sd of 0 (a column of one value): any change is then enormous, not undefined.
SMALLEST_SCALE = 1e-12
#: Readings that differ by less, relatively, are equal: rounding must not break ties.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Surprise:
    """Readings on the scale of their own past; each array has one entry a series."""

    #: Signed standardised readings, in robust standard deviations.
    z: FloatArray
    #: -ln p, >= 0; NaN where the reading is missing.
    s: FloatArray
    #: Past spans that had a reading.
    spans: NDArray[np.int64]


def surprise(
    value: float,
    history: ArrayLike,
    null_sd: float,
    *,
    history_null_sd: ArrayLike | None = None,
    two_sided: bool = True,
) -> float:
    """How surprising one reading is against its past spans, as s = -ln p.

    `history` must not contain the span being judged: a past span is judged by leaving itself out
    (`drift_alarm.judge_columns` does so for every span).

    Args:
        value: The reading now.
        history: Readings on past spans, shape (K,); NaN where a span had none.
        null_sd: Standard deviation of `value` by sampling alone, >= 0.
        history_null_sd: The same for each past span, shape (K,); `null_sd` for all if left out.
        two_sided: Whether a fall surprises as much as a rise (all statistics but the shape).

    Returns:
        -ln p in [0, inf): 3 is one span in 20, 4.6 one in 100. With no past at all, the null sd and
        a normal's 80 % point stand in for it. NaN for a NaN value.

    Source:
        science.md, "Drift, skew and quality alarms", steps 1 and 2; peaks over threshold with an
        exponential tail (Pickands 1975), whose prior keeps the tail sane from few spans.

    >>> past = [0.1, -0.2, 0.0, 0.3, -0.1, 0.2, -0.3, 0.1, 0.0, -0.1]
    >>> round(surprise(0.0, past, null_sd=0.1), 2), round(surprise(1.5, past, null_sd=0.1), 1)
    (0.0, 16.1)
    """
    past = np.asarray(history, dtype=np.float64)
    past_sd = np.full(past.shape, null_sd) if history_null_sd is None else np.asarray(history_null_sd, float)
    found = surprise_series(
        np.array([value], dtype=np.float64),
        np.array([null_sd], dtype=np.float64),
        past[None, :],
        past_sd[None, :],
        np.array([two_sided]),
    )
    return float(found.s[0])


def surprise_series(
    value: FloatArray,
    null_sd: FloatArray,
    history: FloatArray,
    history_null_sd: FloatArray,
    two_sided: NDArray[np.bool_],
) -> Surprise:
    """`surprise` for many series at once, each against its own past.

    Args:
        value: Readings, shape (...); NaN where there is none.
        null_sd: Their sampling sd, shape (...).
        history: Past readings, shape (..., K); NaN where a span had none.
        history_null_sd: Their sampling sd, shape (..., K).
        two_sided: Whether a fall surprises too, shape broadcastable to (...).

    Returns:
        z, s = -ln p and the number of past spans, each of shape (...).

    Source:
        As `surprise`.

    >>> one = np.array([0.5])
    >>> surprise_series(one, one, np.zeros((1, 0)), np.zeros((1, 0)), np.array([True])).z
    array([1.])
    """
    ordered = np.sort(history, axis=-1)  # NaN sorts last
    spans = np.count_nonzero(~np.isnan(history), axis=-1)
    none = spans == 0
    median = np.where(none, 0.0, ordered_quantile(ordered, spans, 0.5))
    deviation = np.sort(np.abs(ordered - median[..., None]), axis=-1)
    spread = np.maximum(
        1.4826 * ordered_quantile(deviation, spans, 0.5),
        (ordered_quantile(ordered, spans, 0.95) - ordered_quantile(ordered, spans, 0.05)) / 3.29,
    )
    spread = np.where(none, 0.0, np.maximum(spread, SMALLEST_SCALE))
    with np.errstate(over="ignore"):
        z = (value - median) / np.maximum(np.maximum(spread, null_sd), SMALLEST_SCALE)
    past_z = (history - median[..., None]) / np.maximum(spread[..., None], history_null_sd)
    sided = np.broadcast_to(two_sided, z.shape)
    size = np.where(sided, np.abs(z), z)
    past_size = np.where(sided[..., None], np.abs(past_z), past_z)
    return Surprise(z=z, s=_tail_surprise(size, past_size, spans, sided), spans=spans)


def _tail_surprise(
    size: FloatArray, past_size: FloatArray, spans: NDArray[np.int64], sided: NDArray[np.bool_]
) -> FloatArray:
    """-ln p: counted up to the 80 % point of the past, exponential beyond it."""
    none = spans == 0
    normal = np.where(sided, NormalDist().inv_cdf(0.5 + TAIL_START / 2), NormalDist().inv_cdf(TAIL_START))
    start = np.where(none, normal, ordered_quantile(np.sort(past_size, axis=-1), spans, TAIL_START))
    past_excess = past_size - start[..., None]
    excess = np.where(past_excess > ROUNDING * np.abs(start[..., None]), past_excess, 0.0)
    beyond = np.count_nonzero(excess, axis=-1)
    mean_excess = (excess.sum(axis=-1) + PRIOR_SPANS * PRIOR_EXCESS) / (beyond + PRIOR_SPANS)
    # Ties can leave nothing beyond the 80 % point; one span then stands for the tail.
    rate = np.where(none, 1 - TAIL_START, np.maximum(beyond, 1) / (spans + 1))
    in_tail = -np.log(rate) + (size - start) / mean_excess
    at_least = size * np.where(size > 0, 1 - ROUNDING, 1 + ROUNDING)
    as_large = np.count_nonzero(past_size >= at_least[..., None], axis=-1)
    counted = np.log((spans + 1) / (as_large + 1))
    judged = np.where(at_least > start, in_tail, counted)
    return np.where(np.isnan(size), np.nan, judged)
