"""Time, so that a year can be replayed in minutes and no test sleeps."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Contract: `now` never goes back by itself; `monotonic` never goes back at all and counts seconds of real time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; for durations and leases."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...
