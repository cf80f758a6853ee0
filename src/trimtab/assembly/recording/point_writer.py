"""The writing end of a run's metric points: a call costs a microsecond or two, and a thread makes them durable."""

import os
import threading
import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import time_ns
from typing import Any

from trimtab.atoms.error import StoreError, TrimtabError, UsageError, WritingEnded
from trimtab.atoms.metric_point import Points, require_name, series_points
from trimtab.tracking.rule import require_key

#: Points that may wait to become durable; a call that finds so many waits until there is room.
MOST_WAITING = 1_000_000
#: Points that are written at once.
_PIECE = 200_000
#: How long until a store that refused is tried again.
_AGAIN_S = 1.0

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class PointWriter:
    """Takes points from any number of threads.

    Points gather while those before them are being written, so a busy loop pays one flush for thousands, and a slow
    one waits a millisecond at most until each point is kept. A point is acknowledged when `flush` has returned;
    before that a kill -9 loses those of the last write, mostly of some milliseconds.

    In a child that was forked, a writer starts anew: what waited in the parent is the parent's to write.
    """

    def __init__(self, write: Callable[[Points], None], next_steps: Mapping[str, int] | None = None) -> None:
        """
        Args:
            write: Makes points durable. StoreError: it will be tried again; another TrimtabError: never.
            next_steps: The step of the next point of a metric whose caller names none.
        """
        self._write = write
        self._next = dict(next_steps or {})
        self._last_us = 0
        self._closed = False
        #: Points were refused for good, and nobody was told yet.
        self._refused: TrimtabError | None = None
        self._begin()
        _WRITERS.add(self)

    def metric(self, name: str, value: float, step: int | None = None) -> None:
        """Log one point; durable when `flush` or the end of the run has returned.

        Args:
            name: Name of the metric; made when it is first logged.
            value: Anything that `float` takes: NumPy's and PyTorch's numbers too; NaN and infinite are values.
            step: Whole number of 64 bits; None: one more than the last one of this metric.

        Raises:
            UsageError: It is no point; nothing was logged.
            StoreError: The run has ended, or the disk has refused a flush.
        """
        with self._lock:
            if self._closed or self._ended or self._taken - self._landed >= MOST_WAITING:
                self._require_room()
            now = time_ns() // 1000
            if now <= self._last_us:
                now = self._last_us + 1  # the same value twice in a microsecond is two points
            gathered, known = self._gathered, isinstance(name, str) and self._next.get(name)
            if known is None or known is False:
                known = _new_name(name)
            gathered.add(name, known if step is None else step, value, now)
            self._last_us = now
            self._next[name] = gathered.steps[-1] + 1
            self._taken += 1
            if len(gathered) == 1:
                self._call_thread()

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Log one point each of several metrics, of one moment and step: all of them, or with UsageError none."""
        taken = [(name, _number(name, value)) for name, value in values.items()]
        for name, _ in taken:
            _new_name(name)
        if step is not None:
            _require_step(step)
        for name, value in taken:
            self.metric(name, value, step)

    def series(
        self,
        name: str,
        steps: Sequence[int],
        values: Sequence[float],
        at_us: int | Sequence[int] | None = None,
    ) -> None:
        """Log many points of one metric: lists, arrays, NumPy's arrays; durable as those of `metric`.

        Args:
            name: Name of the metric.
            steps: Whole numbers, shape (n,).
            values: Numbers, shape (n,).
            at_us: Microseconds since 1970, UTC, one for all or one each; None: now.

        Raises:
            UsageError: The columns do not make points; none was logged.
        """
        _new_name(name)
        points = series_points(name, steps, values, time_ns() // 1000 if at_us is None else at_us)
        if not len(points):
            return
        with self._lock:
            self._require_room()
            self._whole.append(points)
            self._taken += len(points)
            self._next[name] = points.steps[-1] + 1
            self._call_thread()

    def flush(self) -> None:
        """Return when every point that was logged before is durable.

        Raises:
            StoreError: Some are not; they wait still, and flushing again may help.
            UsageError: Some were refused for good, such as those of a run that somebody deleted.
        """
        with self._lock:
            upto, tries = self._taken, self._tries
            self._turn.notify_all()  # what was refused is tried again now
            self._turn.wait_for(
                lambda: self._landed >= upto or self._ended or (self._trouble and self._tries > tries)
            )
            refused, self._refused = self._refused, None
            error = self._ended or (self._trouble if self._landed < upto else None) or refused
        if error is not None:
            raise error

    def close(self) -> None:
        """Flush; nothing can be logged afterwards. A second call does nothing."""
        self.flush()
        with self._lock:
            self._closed = True
            self._turn.notify_all()

    def _begin(self) -> None:
        """Empty, without a thread; also in a child that was forked."""
        self._lock = threading.Lock()
        self._turn = threading.Condition(self._lock)
        self._gathered = Points()
        self._whole: list[Points] = []
        self._taken = self._landed = self._tries = 0
        self._thread: threading.Thread | None = None
        #: The store refuses, and is tried again.
        self._trouble: StoreError | None = None
        #: The disk refused a flush: nothing is kept any more.
        self._ended: WritingEnded | None = None

    def _call_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="trimtab-points", daemon=True)
            self._thread.start()
        self._turn.notify_all()

    def _require_room(self) -> None:
        """Return when another point may wait, with the lock held."""
        if self._closed:
            raise StoreError("this run has ended in this process: `trimtab.run(id=...)` lets it go on")
        self._turn.wait_for(
            lambda: self._taken - self._landed < MOST_WAITING or self._trouble or self._ended or self._closed
        )
        if self._ended or self._taken - self._landed >= MOST_WAITING:
            raise self._ended or self._trouble or StoreError("this run has ended in this process")

    def _work(self) -> None:
        while True:
            with self._lock:
                self._turn.wait_for(lambda: self._gathered or self._whole or self._closed)
                points = [*self._whole, self._gathered] if len(self._gathered) else self._whole
                self._gathered, self._whole = Points(), []
            if not points:
                return
            for piece in (piece for each in points for piece in pieces_of(each, _PIECE)):
                if not self._keep(piece):
                    return

    def _keep(self, piece: Points) -> bool:
        """Write until it is written or refused for good; False where nothing ever will be."""
        while True:
            trouble: StoreError | None = None
            refused: TrimtabError | None = None
            try:
                self._write(piece)
            except StoreError as error:
                trouble = error
            except TrimtabError as error:
                refused = error
            except Exception as error:
                refused = StoreError(f"metric points were not kept: {type(error).__name__}: {error}")
            with self._lock:
                self._trouble = trouble
                self._tries += 1
                self._ended = trouble if isinstance(trouble, WritingEnded) else None
                if trouble is None:
                    self._landed += len(piece)
                    self._refused = self._refused or refused
                self._turn.notify_all()
                if trouble is None or self._ended:
                    return trouble is None
                self._turn.wait(_AGAIN_S)


def pieces_of(points: Points, most: int) -> Iterator[Points]:
    """The same points, at most `most` at a time."""
    if len(points) <= most:
        yield points
        return
    one_moment = len(points.at_us) == 1
    for first in range(0, len(points), most):
        piece = Points()
        piece.names = points.names
        piece.metrics = points.metrics[first : first + most]
        piece.steps = points.steps[first : first + most]
        piece.values = points.values[first : first + most]
        piece.at_us = points.at_us if one_moment else points.at_us[first : first + most]
        yield piece


def _new_name(name: str) -> int:
    """The first step of a metric that was not logged before; UsageError where none can have this name."""
    require_name(name)
    require_key(name, "metric")
    return 0


def _number(name: str, value: Any) -> float:
    try:
        return float(array("d", [value])[0])
    except (TypeError, OverflowError) as error:
        raise UsageError(f"metric {name!r}: {str(value)[:60]!r} is no number: {error}") from error


def _require_step(step: Any) -> None:
    try:
        array("q", [step])
    except (TypeError, OverflowError) as error:
        raise UsageError(f"step {step!r} is no whole number of 64 bits") from error


#: Those of this process, so that a forked child begins with empty ones.
_WRITERS: "weakref.WeakSet[PointWriter]" = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_WRITERS):
        writer._begin()


os.register_at_fork(after_in_child=_after_fork)
