"""The online features port in memory."""

import bisect
import json
import threading
from collections.abc import Iterable, Sequence

from trimtab.ports.online_features import FeatureValue


class MemoryOnlineFeatures:
    """For each view and entity the values in order of time."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[FeatureValue]]] = {}
        self._lock = threading.Lock()

    def put(self, view: str, rows: Iterable[FeatureValue]) -> int:
        """See the port."""
        new = list(rows)
        json.dumps([row.values for row in new], allow_nan=False)
        with self._lock:
            for row in new:
                values = self._values.setdefault(view, {}).setdefault(row.entity, [])
                place = bisect.bisect_left(values, row.event_time_us, key=_time)
                same = place < len(values) and values[place].event_time_us == row.event_time_us
                values[place : place + same] = [row]
        return len(new)

    def as_of(self, view: str, wanted: Sequence[tuple[str, int]]) -> list[FeatureValue | None]:
        """See the port."""
        found: list[FeatureValue | None] = []
        with self._lock:
            for entity, moment in wanted:
                values = self._values.get(view, {}).get(entity, [])
                place = bisect.bisect_right(values, moment, key=_time)
                found.append(values[place - 1] if place else None)
        return found

    def newest(self, view: str) -> int | None:
        """See the port."""
        with self._lock:
            return max(
                (values[-1].event_time_us for values in self._values.get(view, {}).values()), default=None
            )

    def forget(self, view: str, before_us: int) -> int:
        """See the port."""
        dropped = 0
        with self._lock:
            for values in self._values.get(view, {}).values():
                old = min(bisect.bisect_left(values, before_us, key=_time), len(values) - 1)
                del values[:old]
                dropped += old
        return dropped

    def close(self) -> None:
        """See the port."""


def _time(row: FeatureValue) -> int:
    return row.event_time_us
