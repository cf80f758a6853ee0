"""Student's t, so that few blocks are not mistaken for many."""

import math

import numpy as np


def student_t_cdf(t: float, degrees_of_freedom: int) -> float:
    """Chance that a Student t variable is at most `t`.

    Args:
        t: Any float; infinities are fine.
        degrees_of_freedom: >= 1.

    Returns:
        A probability in [0, 1]; NaN for NaN.

    Raises:
        ValueError: `degrees_of_freedom` is below 1.

    Source:
        Abramowitz and Stegun 26.7.3 and 26.7.4: exact finite sums for whole degrees of freedom, so no
        incomplete beta function is needed.

    >>> round(student_t_cdf(2.262, 9), 4)
    0.975
    """
    if degrees_of_freedom < 1:
        raise ValueError(f"degrees_of_freedom must be at least 1, not {degrees_of_freedom}")
    if math.isnan(t):
        return math.nan
    angle = math.atan(t / math.sqrt(degrees_of_freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees_of_freedom % 2
    steps = np.arange(2 + odd, degrees_of_freedom, 2)
    terms = np.cumprod((steps - 1) / steps * cosine**2)
    total = 1.0 + float(terms.sum())
    arc = 2 / math.pi * (angle + sine * cosine * total * (degrees_of_freedom > 1))
    central = arc if odd else sine * total
    return min(max(0.5 + central / 2, 0.0), 1.0)


def student_t_quantile(p: float, degrees_of_freedom: int) -> float:
    """The value that a Student t variable stays under with chance `p`.

    Args:
        p: A probability strictly between 0 and 1.
        degrees_of_freedom: >= 1.

    Returns:
        The quantile, accurate to about 1e-9 relative for p in [1e-6, 1 - 1e-6].

    Raises:
        ValueError: `p` is not strictly between 0 and 1, or `degrees_of_freedom` is below 1.

    Source:
        Bisection on the exact distribution function.

    >>> round(student_t_quantile(0.975, 9), 4)
    2.2622
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie strictly between 0 and 1, not {p}")
    if p < 0.5:
        return -student_t_quantile(1 - p, degrees_of_freedom)
    low, high = 0.0, 1.0
    while student_t_cdf(high, degrees_of_freedom) < p:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_t_cdf(middle, degrees_of_freedom) < p else (low, middle)
    return (low + high) / 2
