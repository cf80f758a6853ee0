"""Numbers of metrics for people: short, and counts as counts."""

import math


def short_number(value: float) -> str:
    """Four significant digits; whole numbers and large ones with all that stand before the point.

    >>> short_number(0.254871), short_number(42400.0), short_number(123456.7), short_number(3.2e-7)
    ('0.2549', '42,400', '123,457', '3.2e-07')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < 1e9 and (value == int(value) or size >= 1e4):
        return f"{value:,.0f}"
    return f"{value:.4g}"
