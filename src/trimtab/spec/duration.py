"""Durations as people write them: `3h`, `1d`, `90s`."""

import re
from datetime import timedelta

from trimtab.atoms.error import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str, where: str) -> timedelta:
    """Read a duration.

    Args:
        text: A whole or decimal number and one of s, m, h, d, w.
        where: What the duration is for, named in the error.

    Raises:
        UsageError: `text` is not a duration.

    >>> parse_duration("90s", "max_age").total_seconds()
    90.0
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if match is None:
        raise UsageError(f"{where}: {text!r} is no duration: write a number and s, m, h, d or w, as in '3h'")
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise UsageError(f"{where}: {text[:40]!r} is longer than two million years: give less") from None
