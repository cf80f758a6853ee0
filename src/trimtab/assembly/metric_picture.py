"""A picture of a metric: as few of its points as draw the same line."""

from array import array

from trimtab.atoms.metric_point import Points
from trimtab.engine.metric_series import Series


def metric_picture(points: Points, most: int) -> Series:
    """At most `most` (>= 10) of the points of one metric, as M4 chooses them.

    NumPy is loaded when the first one is asked for: a server whose charts nobody looks at goes without.

    Args:
        points: Of one metric, ascending by step, as a run index gives them.
    """
    from trimtab.engine.picture import picture_of

    moments = points.at_us if len(points.at_us) == len(points) else array("q", [*points.at_us] * len(points))
    return picture_of(Series(points.steps, points.values, moments), most)
