"""A clock that whoever replays history sets: a year passes in minutes."""

import threading
import time
from datetime import UTC, datetime, timedelta

from trimtab.atoms.instant import iso

#: Longest real nap of one `sleep`: enough for another thread or process to get on with its work.
_NAP_SECONDS = 0.01


class ReplayClock:
    """`now` is where the replay stands: `go_to` and `sleep` move it forward; `monotonic` stays real time."""

    def __init__(self, start: datetime) -> None:
        """Stand at `start`, an aware moment."""
        iso(start)  # raises without a time zone
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def go_to(self, moment: datetime) -> None:
        """Move on to a later moment; ValueError for an earlier one, as history does not run backwards."""
        iso(moment)
        with self._lock:
            if moment < self._now:
                raise ValueError(f"the replay stands at {iso(self._now)} and cannot go back to {iso(moment)}")
            self._now = moment.astimezone(UTC)

    def now(self) -> datetime:
        """See the port."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """See the port."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds`, which takes a hundredth of a real second at most."""
        with self._lock:
            self._now += timedelta(seconds=max(seconds, 0.0))
        time.sleep(min(max(seconds, 0.0), _NAP_SECONDS))
