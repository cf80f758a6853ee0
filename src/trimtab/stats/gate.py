"""Whether a challenger may replace a champion: better, no worse, worse, or cannot tell."""

import math
from statistics import NormalDist
from typing import Literal

from trimtab.stats.interval import Interval

Verdict = Literal["better", "no-worse", "worse", "cannot-tell"]

#: Blocks below which an interval is not to be believed.
MINIMUM_BLOCKS = 10
#: Chance that the labels asked for will decide, if the estimate is the truth.
POWER = 0.8


def gate_verdict(improvement: Interval, margin: float, minimum_blocks: int = MINIMUM_BLOCKS) -> Verdict:
    """What a paired interval says of a challenger.

    Args:
        improvement: Challenger against champion, positive = better (`paired_improvement`).
        margin: How much worse would still do, in the same unit, >= 0. 0 asks for superiority or equality.
        minimum_blocks: Blocks below which nothing is said.

    Returns:
        "better": above 0 with confidence. "no-worse": above -margin with confidence. "worse": below
        -margin with confidence. "cannot-tell": anything else, too few blocks, or no interval.

    Raises:
        ValueError: `margin` is negative or not finite.

    Source:
        Piaggio et al. 2012 (non-inferiority). "The score is higher" would promote an equal model half
        of the time.

    >>> gate_verdict(Interval(0.0, -0.001, 0.001, n=9000, blocks=30), margin=0.002)
    'no-worse'
    """
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin must be 0 or more in the metric's unit, not {margin}")
    if improvement.blocks < minimum_blocks or math.isnan(improvement.low) or math.isnan(improvement.high):
        return "cannot-tell"
    if improvement.low > 0:
        return "better"
    if improvement.low >= -margin:
        return "no-worse"
    return "worse" if improvement.high < -margin else "cannot-tell"


def labels_needed(
    improvement: Interval,
    margin: float,
    minimum_blocks: int = MINIMUM_BLOCKS,
    level: float = 0.95,
    power: float = POWER,
) -> int | None:
    """How many more labelled rows would probably let the gate decide.

    Args:
        improvement: The interval that could not tell.
        margin: As for `gate_verdict`.
        minimum_blocks: As for `gate_verdict`.
        level: Confidence of the interval.
        power: Chance of a decision with that many rows, if the estimate is the truth.

    Returns:
        Further rows, at the present rows a block; 0 where it is decided. It assumes that the width falls
        with the root of the rows and that the estimate is true. An estimate on the margin itself would
        need infinitely many; the answer is then capped at what resolves half of today's standard error
        (about 31 times today's rows). None where nothing is known to extrapolate from.

    Raises:
        ValueError: `margin` is negative or not finite.

    Source:
        Sample size by normal approximation: n ((z_level + z_power) se / distance)^2.

    >>> labels_needed(Interval(0.0, -0.002, 0.002, n=9000, blocks=30), margin=0.001)
    64556
    """
    if gate_verdict(improvement, margin, minimum_blocks) != "cannot-tell":
        return 0
    if improvement.n == 0 or improvement.blocks == 0:
        return None
    for_blocks = max(minimum_blocks - improvement.blocks, 0) * improvement.n / improvement.blocks
    confident, powerful = NormalDist().inv_cdf(0.5 + level / 2), NormalDist().inv_cdf(power)
    error = (improvement.high - improvement.low) / (2 * confident)
    if not math.isfinite(error):
        return math.ceil(for_blocks) or None
    distance = max(abs(improvement.value + margin), error / 2)
    growth = ((confident + powerful) * error / distance) ** 2 if error > 0 else 1.0
    for_width = max(growth - 1, 0.0) * improvement.n
    return max(math.ceil(max(for_blocks, for_width)), 1)


def level_after_looks(level: float, looks: int) -> float:
    """The confidence to ask for when a hold-out has been looked at before.

    Args:
        level: Confidence of a single look, in (0, 1).
        looks: Looks so far, this one included, >= 1.

    Returns:
        A level in [`level`, 1): the error is divided by the looks.

    Raises:
        ValueError: `looks` is below 1.

    Source:
        Bonferroni. The best of 20 equal challengers is else falsely promoted 37 % of the time.

    >>> round(level_after_looks(0.95, 5), 3)
    0.99
    """
    if looks < 1:
        raise ValueError(f"looks must be at least 1 (this one counts), not {looks}")
    return 1 - (1 - level) / looks
