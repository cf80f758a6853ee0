"""The machine's own clock."""

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """Real time; when the machine's clock is set back, `now` stands still until it has caught up."""

    def __init__(self) -> None:
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """See the port."""
        with self._lock:
            self._newest = max(self._newest, datetime.now(UTC))
            return self._newest

    def monotonic(self) -> float:
        """See the port."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See the port."""
        time.sleep(seconds)
