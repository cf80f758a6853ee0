"""A clock that a test moves."""

import threading
import time
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Time stands still until `advance` or `sleep` moves it; `sleep` returns at once."""

    def __init__(self, start: datetime = datetime(2013, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Let time pass; ValueError for a negative time."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._passed += seconds

    def now(self) -> datetime:
        """See the port."""
        with self._lock:
            return self._now

    def wall(self) -> float:
        """`now` in seconds since 1970, for what takes a plain function."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """See the port."""
        with self._lock:
            return self._passed

    def sleep(self, seconds: float) -> None:
        """See the port."""
        self.advance(seconds)
        time.sleep(0)
