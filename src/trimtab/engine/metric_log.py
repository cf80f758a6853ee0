"""Metric points of a run, as they are logged: durable before they are acknowledged, and cheap all the same."""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

from trimtab.atoms.error import StoreError
from trimtab.atoms.metric_point import Point, Points, encode_points, series_points
from trimtab.ports.clock import Clock
from trimtab.ports.streams import Streams

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Points that may wait for the disk; `log` then waits too.
MOST_WAITING = 200_000


def points_stream(run: str) -> str:
    """The stream that a run's points are logged to, until they are sealed."""
    return f"runs/{run}"


class MetricLog:
    """The writing end of one run's points; any number of threads may log at once.

    Points logged one by one gather while those before them are being made durable: whoever does not wait for each
    one pays a flush for thousands, and so do many threads that do wait.
    """

    def __init__(self, streams: Streams, run: str, clock: Clock) -> None:
        """
        Args:
            run: Id of the run's Action.
        """
        self._streams = streams
        self._stream = points_stream(run)
        self._clock = clock
        self._lock = threading.RLock()  # a stream that is done at once calls back at once
        self._gathered = Points()
        self._promise: Future[None] = Future()
        #: Groups that are on their way to the disk.
        self._flying: dict[Future[None], None] = {}
        self._refused: BaseException | None = None
        self._closed = False

    def log(self, metric: str, step: int, value: float, at_us: int | None = None) -> Future[None]:
        """Log one point without waiting; the future is done when it is durable, or carries the error.

        Args:
            metric: Its name; made when it is first logged.
            step: Whole number of 64 bits; the same step again is another point, not a correction.
            value: NaN and infinite are values too.
            at_us: Microseconds since 1970, UTC; None: now.

        Raises:
            UsageError: It is no point.
            StoreError: The log was closed, or the disk refused.
        """
        at_us = self._now() if at_us is None else at_us
        with self._lock:
            self._require_open()
            self._gathered.add(metric, step, value, at_us)
            promise, full = self._promise, len(self._gathered) >= MOST_WAITING
            if not self._flying:
                self._send()
        if full:
            promise.exception()  # waits until these are on the disk; what went wrong is the future's to tell
        return promise

    def log_batch(self, points: Iterable[Point | tuple[str, int, float, int]]) -> None:
        """Log points, (metric, step, value, at_us) each; when this returns, all of them are durable.

        Raises:
            UsageError: One is no point; none was logged.
            StoreError: As `log`.
        """
        batch = Points()
        batch.extend(points)
        self._write(batch)

    def log_series(
        self,
        metric: str,
        steps: Sequence[int],
        values: Sequence[float],
        at_us: int | Sequence[int] | None = None,
    ) -> None:
        """Log many points of one metric from lists or arrays; when this returns, all of them are durable.

        Args:
            at_us: Microseconds since 1970, UTC, one for all or one each; None: now.

        Raises:
            UsageError: The columns do not make points; none was logged.
            StoreError: As `log`.
        """
        self._write(series_points(metric, steps, values, self._now() if at_us is None else at_us))

    def flush(self) -> None:
        """Return when every point logged so far is durable.

        Raises:
            StoreError: Some point since the last flush is not; it may be logged again.
        """
        with self._lock:
            self._send()
            flying = list(self._flying)
        for promise in flying:
            promise.exception()
        with self._lock:
            refused, self._refused = self._refused, None
        if refused is not None:
            raise refused

    def close(self) -> None:
        """Flush; nothing can be logged afterwards. A second call does nothing."""
        with self._lock:
            self._closed = True
        self.flush()

    def _now(self) -> int:
        return (self._clock.now() - _EPOCH) // _MICROSECOND

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self._stream}: this log has been closed: open another one for this run")

    def _write(self, batch: Points) -> None:
        if not len(batch):
            return
        record = encode_points(batch)
        with self._lock:
            self._require_open()
            self._send()  # what was logged before the batch comes before it
            written = self._streams.append_nowait(self._stream, [record])
        written.result()

    def _send(self) -> None:
        """Let what has gathered fly, with the lock held."""
        if not len(self._gathered):
            return
        points, self._gathered = self._gathered, Points()
        promise, self._promise = self._promise, Future()
        self._flying[promise] = None
        try:
            written = self._streams.append_nowait(self._stream, [encode_points(points)])
        except Exception as error:
            self._land(promise, error)
        else:
            written.add_done_callback(lambda done: self._land(promise, done.exception()))

    def _land(self, promise: Future[None], error: BaseException | None) -> None:
        """A group is durable, or refused; what has gathered meanwhile flies next. Runs on the stream's thread."""
        with self._lock:
            del self._flying[promise]
            self._refused = self._refused or error
            if not self._flying:
                self._send()
        if error is None:
            promise.set_result(None)
        else:
            promise.set_exception(error)
