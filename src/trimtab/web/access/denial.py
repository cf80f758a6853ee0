"""What was denied, told in the log without drowning it, and without a word of what the caller sent."""

import logging
import time

_LOG = logging.getLogger("trimtab.access")
#: Seconds in which like denials are told once.
_QUIET_SECONDS = 10.0
_MOST_REMEMBERED = 512


class Denials:
    """Tells each kind of denial once in a while, with how many there were since."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, str, str], tuple[float, int]] = {}

    def note(self, status: int, method: str, path: str, name: str = "") -> None:
        """Count a denial.

        Args:
            path: The route's own, with its names: what a caller wrote into the path may be a secret.
            name: Of the token, where a known one was shown.
        """
        kind = (status, f"{method} {path or 'elsewhere'}", name)
        now = time.monotonic()
        last, count = self._told.get(kind, (-_QUIET_SECONDS, 0))
        if now - last < _QUIET_SECONDS:
            self._told[kind] = (last, count + 1)
            return
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told[kind] = (now, 0)
        more = f" ({count} more since it was told last)" if count else ""
        to = f" to token:{name}" if name else ""
        _LOG.warning("denied: %d %s%s%s", status, kind[1], to, more)
