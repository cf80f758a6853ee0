"""Where what one run logs goes out: its points through a writer, everything else at once, all by one way."""

import logging
import os
import threading
from pathlib import Path
from time import time_ns
from typing import Any

from trimtab.assembly.recording.point_writer import PointWriter
from trimtab.assembly.recording.way import Begun, Way
from trimtab.atoms.error import StoreError
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run_event import RunEvent

_LOG = logging.getLogger("trimtab")
#: The longest that the end of a run waits for its server, while that takes something every second.
_SETTLE_S = 600.0


class Outlet:
    """One run's end of a way."""

    def __init__(self, begun: Begun, way: Way) -> None:
        self.run, self.way = begun.run, way
        self.points = PointWriter(self._write, begun.next_steps)
        self._closed = False

    def log(self, **what: Any) -> None:
        """Keep what was logged at one time: fields of a `RunEvent`; durable when it returns."""
        self._require_open()
        self.way.log(RunEvent(owner=self.run, at_us=_MOMENTS.next_us(), **what))

    def put(self, path: str, content: Path | bytes) -> None:
        """Keep a file; durable when it returns."""
        self._require_open()
        self.way.put(self.run, path, content)

    def close(self) -> None:
        """Nothing goes out any more; waits for what is on its way to a server that takes it."""
        self._closed = True
        waits = self.way.settle(_SETTLE_S)
        if waits:
            _LOG.warning(
                "run %s is kept on this machine and not on its server yet (%s): the next run, or `trimtab.sync()`, "
                "sends it",
                self.run,
                waits,
            )
        self.way.close()

    def _write(self, points: Points) -> None:
        self.way.log(RunEvent(owner=self.run, points=encode_points(points), at_us=_MOMENTS.next_us()))

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"run {self.run} has ended in this process: `trimtab.run(id=...)` lets it go on")


class _Moments:
    """Moments that rise within this process, so that of two events the later one is known."""

    def __init__(self) -> None:
        self._last = 0
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # whoever held the lock in the parent is not here

    def _begin(self) -> None:
        self._lock = threading.Lock()

    def next_us(self) -> int:
        """Microseconds since 1970, UTC, later than all before."""
        with self._lock:
            self._last = max(self._last + 1, time_ns() // 1000)
            return self._last


_MOMENTS = _Moments()
