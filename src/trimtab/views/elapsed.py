"""When, and how long: for people."""

from datetime import UTC, datetime

#: Units with what is told beside them: seconds, its name, and the next smaller one.
_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def moment(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2013-02-01T05:00:00Z`."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def elapsed(milliseconds: float) -> str:
    """How long something took.

    >>> elapsed(430), elapsed(83_000), elapsed(7_500_000), elapsed(200_000_000)
    ('0.4 s', '1 min 23 s', '2 h 5 min', '2 d 7 h')
    """
    seconds = max(milliseconds, 0) / 1000
    for size, name, small, small_name in _UNITS:
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole:,} {name} {rest // small} {small_name}" if rest // small else f"{whole:,} {name}"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
