"""An estimate with its confidence interval, from bootstrap replicates."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trimtab.stats.array import FloatArray
from trimtab.stats.student_t import student_t_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of a number. NaN bounds mean: cannot tell (fewer than two blocks, or no value)."""

    #: The estimate on all rows.
    value: float
    #: Lower and upper confidence bound.
    low: float
    high: float
    #: Rows behind it.
    n: int
    #: Blocks behind it: the number that counts.
    blocks: int


def replicate_interval(
    value: float, replicates: FloatArray, n: int, blocks: int, level: float = 0.95
) -> Interval:
    """The interval that bootstrap replicates leave, widened for few blocks.

    Args:
        value: The estimate on all rows.
        replicates: The estimate on each replicate, shape (R,); NaN where it was undefined.
        n: Rows behind the estimate.
        blocks: Blocks that were resampled.
        level: Confidence, in (0, 1).

    Returns:
        `value` between the replicates' percentiles. NaN bounds under two blocks, without a value, or
        where most replicates are undefined.

    Raises:
        ValueError: `level` is not strictly between 0 and 1.

    Source:
        Efron 1979, percentiles expanded as in Hesterberg 2015: plain percentiles of 10 blocks cover 90 %
        instead of 95 %, since they lack the factor sqrt(b / (b - 1)) and the t distribution's tails.

    >>> replicate_interval(0.5, np.linspace(0, 1, 101), n=900, blocks=1000, level=0.9).low.__round__(2)
    0.05
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, not {level}")
    defined = replicates[np.isfinite(replicates)]
    if blocks < 2 or not math.isfinite(value) or 2 * defined.size <= replicates.size:
        return Interval(value, math.nan, math.nan, n, blocks)
    stretch = math.sqrt(blocks / (blocks - 1))
    tail = NormalDist().cdf(-stretch * student_t_quantile(0.5 + level / 2, blocks - 1))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(value, float(low), float(high), n, blocks)
