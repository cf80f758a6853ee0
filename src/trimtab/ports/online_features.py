"""Feature values by entity, read while a request waits."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec


class FeatureValue(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a feature view."""

    entity: str
    #: Microseconds since 1970, UTC.
    event_time_us: int
    #: JSON scalars in the order of the view's columns.
    values: tuple[Any, ...]


class OnlineFeatures(Protocol):
    """Contract:

    - `put` is durable when it returns and visible to every process at once; the same entity and event time again
      replaces the value (the last writer wins).
    - `as_of` answers with the newest value at or before a moment: the same rule as the offline point-in-time join.
    """

    def put(self, view: str, rows: Iterable[FeatureValue]) -> int:
        """Keep rows of a view; returns how many."""
        ...

    def as_of(self, view: str, wanted: Sequence[tuple[str, int]]) -> list[FeatureValue | None]:
        """For each (entity, moment in microseconds) the newest value at or before it, or None."""
        ...

    def newest(self, view: str) -> int | None:
        """Event time of the view's newest row in microseconds, or None."""
        ...

    def forget(self, view: str, before_us: int) -> int:
        """Drop rows older than a moment but each entity's newest; returns how many."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...
