"""The prediction log's writing end: an answered prediction is a logged one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from trimtab.atoms.error import WritingEnded
from trimtab.ports.streams import Streams


class PredictionLog:
    """Appends records in groups: while one group is being made durable, the next one gathers.

    All methods belong to the event loop's thread. A group costs one flush and one wake-up, whether one
    request waits for it or a thousand: so a durable log is cheap.
    """

    def __init__(self, streams: Streams, *, best_effort: bool = False, most_waiting: int = 20_000) -> None:
        """
        Args:
            best_effort: Answers do not wait for the disk, and what cannot be written is dropped and counted.
            most_waiting: Records of a stream that may wait with nobody waiting for them (shadows, refusals).
        """
        self.best_effort = best_effort
        #: Records that were given up, by stream.
        self.dropped: dict[str, int] = {}
        #: Set when the disk has refused a flush: the process must end.
        self.ended: WritingEnded | None = None
        self._streams = streams
        self._most_waiting = most_waiting
        self._lanes: dict[str, _Lane] = {}

    async def write(self, stream: str, record: bytes) -> None:
        """Return when `record` is durable (in best-effort mode: at once).

        Raises:
            Exception: Whatever the stream raised; the record must then count as not logged.
        """
        if self.best_effort:
            self.note(stream, record)
        else:
            await self._lane(stream).add([record])

    async def write_all(self, stream: str, records: Sequence[bytes]) -> None:
        """Return when all of `records` are durable, also in best-effort mode."""
        await self._lane(stream).add(records)

    def note(self, stream: str, record: bytes) -> None:
        """Write `record` without waiting; dropped and counted where too many wait or the stream fails."""
        lane = self._lane(stream)
        if lane.waiting >= self._most_waiting:
            self._drop(stream)
            return
        lane.add([record]).add_done_callback(lambda done: self._drop(stream) if _failed(done) else None)

    async def settle(self) -> None:
        """Return when nothing waits any more."""
        for lane in list(self._lanes.values()):
            await lane.idle.wait()

    def _lane(self, stream: str) -> "_Lane":
        lane = self._lanes.get(stream)
        if lane is None:
            lane = self._lanes[stream] = _Lane(stream, self._streams, self._hear)
        return lane

    def _hear(self, error: BaseException) -> None:
        if isinstance(error, WritingEnded):
            self.ended = error

    def _drop(self, stream: str) -> None:
        self.dropped[stream] = self.dropped.get(stream, 0) + 1


class _Lane:
    """One stream: the group that is being written, and the group that gathers."""

    def __init__(self, stream: str, streams: Streams, hear: Callable[[BaseException], None]) -> None:
        self._hear = hear
        self.idle = asyncio.Event()
        self.idle.set()
        self._stream = stream
        self._streams = streams
        self._loop = asyncio.get_running_loop()
        self._records: list[bytes] = []
        self._promises: list[asyncio.Future[None]] = []

    @property
    def waiting(self) -> int:
        return len(self._records)

    def add(self, records: Sequence[bytes]) -> "asyncio.Future[None]":
        promise: asyncio.Future[None] = self._loop.create_future()
        self._records.extend(records)
        self._promises.append(promise)
        if self.idle.is_set():
            self.idle.clear()
            # Requests that are answered in this same turn of the loop join the group.
            self._loop.call_soon(self._begin)
        return promise

    def _begin(self) -> None:
        records, self._records = self._records, []
        promises, self._promises = self._promises, []
        try:
            written = self._streams.append_nowait(self._stream, records)
        except Exception as error:
            self._end(promises, error)
        else:
            written.add_done_callback(lambda done: self._wake(promises, done))

    def _wake(self, promises: Sequence["asyncio.Future[None]"], written: "Future[None]") -> None:
        """Runs on the stream's thread."""
        self._loop.call_soon_threadsafe(self._end, promises, written.exception())

    def _end(self, promises: Sequence["asyncio.Future[None]"], error: BaseException | None) -> None:
        if error is not None:
            self._hear(error)
        for promise in promises:
            if promise.done():
                continue  # its request was given up while it waited
            if error is None:
                promise.set_result(None)
            else:
                promise.set_exception(error)
        if self._promises:
            self._begin()
        else:
            self.idle.set()


def _failed(future: "asyncio.Future[Any]") -> bool:
    return not future.cancelled() and future.exception() is not None
