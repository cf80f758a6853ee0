"""Numbers for people: as many digits as the interval allows, and no more."""

import math
from typing import Any


def plain_number(value: float | None) -> str:
    """A number with four significant digits; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def measured(reading: Any) -> dict[str, str]:
    """A value and its interval, rounded to two digits of the interval's half width.

    Args:
        reading: With `value`, `low` and `high`, as attributes or as keys; each may be None.

    >>> measured({"value": 0.45987, "low": 0.43987, "high": 0.47987})
    {'value': '0.460', 'low': '0.440', 'high': '0.480'}
    """
    value, low, high = (_of(reading, name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None or high <= low:
        return {"value": "" if value is None else plain_number(value), "low": "", "high": ""}
    digits = min(max(1 - math.floor(math.log10((high - low) / 2)), 0), 8)
    return {"value": f"{value:.{digits}f}", "low": f"{low:.{digits}f}", "high": f"{high:.{digits}f}"}


def _of(reading: Any, name: str) -> float | None:
    found: float | None = reading[name] if isinstance(reading, dict) else getattr(reading, name)
    return found
