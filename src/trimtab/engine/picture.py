"""A picture of a metric: few of its points, which draw the same line as all of them."""

from trimtab.engine.metric_series import Series
from trimtab.stats.m4 import m4


def picture_of(series: Series, most: int) -> Series:
    """At most `most` (>= 10) of the points, which draw the same line; NaN stays where it is: a gap."""
    if len(series.steps) <= most:
        return series
    return series.chosen(m4(series.steps, series.values, most).tolist())
