"""Streams as append-only segment files: one for each stream and process, shared by nobody."""

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import unquote

from trimtab.adapters.durable_file import FlushFailed, flush_folder, writing_ended
from trimtab.adapters.segment_file import SegmentFile, end_of, folders_of, state_abandoned
from trimtab.adapters.segment_pulse import SegmentPulses
from trimtab.adapters.segment_reader import SegmentReader
from trimtab.adapters.stream_segment import MOST_BYTES
from trimtab.atoms.error import StoreError, UsageError, WritingEnded
from trimtab.ports.streams import Cursor

#: A segment that has grown beyond this is closed, and the next begun.
SEGMENT_BYTES = 64 << 20
#: Segments that a process holds open; beyond them the one that was written longest ago is closed.
MOST_OPEN = 128
_MOST_APPENDS = 4096


class _Append(NamedTuple):
    """What waits for the writing thread; without records: the stream's segment is to be closed."""

    stream: str
    records: Sequence[bytes]
    done: Future[None]


class SegmentStreams:
    """Contract of the port, plus `append_nowait` for whoever must not block.

    When the disk refuses a flush, nothing is acknowledged any more, for good: what is on it is then unknown.
    A full disk refuses what was being written, and the next append tries again.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which must be there."""
        self._folder = folder
        self._queue: SimpleQueue[_Append | None] = SimpleQueue()
        self._segments: dict[str, SegmentFile] = {}
        self._reader = SegmentReader()
        self._pulses = SegmentPulses()
        self._failed: WritingEnded | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="stream-writer", daemon=True)
        self._thread.start()

    def append(self, stream: str, records: Sequence[bytes]) -> None:
        """See the port."""
        self.append_nowait(stream, records).result()

    def append_nowait(self, stream: str, records: Sequence[bytes]) -> Future[None]:
        """Add records without waiting: the future is done when they are durable, or carries the error.

        Raises:
            UsageError: No stream can have this name, or a record is too long.
            StoreError: The streams were closed, or the disk refused an earlier flush.
        """
        folders_of(stream)
        if any(len(record) > MOST_BYTES for record in records):
            raise UsageError(f"stream {stream!r}: a record is longer than {MOST_BYTES} bytes: split it")
        done: Future[None] = Future()
        if records:
            self._submit(_Append(stream, records, done))
        else:
            done.set_result(None)
        return done

    def read(
        self,
        stream: str,
        after: Cursor | None = None,
        limit: int | None = None,
        *,
        until: Cursor | None = None,
        rest: bool = False,
    ) -> tuple[list[bytes], Cursor]:
        """See the port."""
        return self._reader.read(self._folder_of(stream), after, limit, until, rest=rest)

    def pulse(self, stream: str) -> Hashable:
        """See the port."""
        return self._pulses.of(self._folder_of(stream))

    def faults(self, stream: str) -> list[str]:
        """See the port."""
        return self._reader.faults(self._folder_of(stream))

    def forget(self, stream: str, upto: Cursor) -> None:
        """See the port. A segment goes as a whole, once nobody writes it and all of it lies before the cursor."""
        folder = self._folder_of(stream)
        closed: Future[None] = Future()
        self._submit(_Append(stream, (), closed))
        closed.result()
        for path in list(self._reader.removable(folder, upto)):
            end_of(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            flush_folder(folder)
        with suppress(OSError):
            folder.rmdir()  # succeeds where nothing is left in it

    def names(self) -> list[str]:
        """See the port."""
        folders = {path.parent for path in self._folder.rglob("*.seg*")}
        return sorted("/".join(map(unquote, folder.relative_to(self._folder).parts)) for folder in folders)

    def close(self) -> None:
        """See the port; a second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _folder_of(self, stream: str) -> Path:
        return self._folder.joinpath(*folders_of(stream))

    def _submit(self, append: _Append) -> None:
        with self._closing:
            if self._failed:
                raise self._failed
            if self._closed:
                raise StoreError(f"{self._folder} has been closed by this process")
            self._queue.put(append)

    def _work(self) -> None:
        last = False
        while not last:
            waiting = [self._queue.get()]
            try:
                while len(waiting) < _MOST_APPENDS:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            last = None in waiting
            self._commit([item for item in waiting if item is not None])
        for stream in list(self._segments):
            if self._failed is None:
                self._close_segment(stream)
            else:
                self._drop(stream)

    def _commit(self, appends: list[_Append]) -> None:
        """Write what waits, one write and one flush a stream, then tell those who wait."""
        by_stream: dict[str, list[_Append]] = {}
        for append in appends:
            by_stream.setdefault(append.stream, []).append(append)
        written: list[tuple[str, list[_Append]]] = []
        for stream, mine in by_stream.items():
            records = [record for append in mine for record in append.records]
            try:
                if self._failed:
                    raise self._failed
                if records:
                    self._segment(stream).write(records)
                written.append((stream, mine))
            except Exception as error:
                if isinstance(error, FlushFailed):
                    self._fail(error)
                self._drop(stream)
                _refuse(mine, self._failed or self._said(error))
        for stream, mine in written:
            self._acknowledge(stream, mine)
        while len(self._segments) > MOST_OPEN:
            self._close_segment(next(iter(self._segments)))

    def _acknowledge(self, stream: str, mine: list[_Append]) -> None:
        segment = self._segments.get(stream)
        try:
            if segment is not None:
                segment.flush()
        except OSError as error:
            self._fail(error)
        if self._failed:
            _refuse(mine, self._failed)
            return
        for append in mine:
            if append.records:
                append.done.set_result(None)
        closing = [append for append in mine if not append.records]
        if segment is not None and (closing or segment.size_bytes > SEGMENT_BYTES):
            self._close_segment(stream)
        for append in closing:
            append.done.set_result(None)

    def _segment(self, stream: str) -> SegmentFile:
        segment = self._segments.pop(stream, None)
        if segment is None:
            segment = self._begin_segment(stream)
        self._segments[stream] = segment  # the one that was written last stands last
        return segment

    def _begin_segment(self, stream: str) -> SegmentFile:
        for attempt in range(3):
            folder = self._folder
            for part in folders_of(stream):
                (folder / part).mkdir(mode=0o700, exist_ok=True)
                flush_folder(
                    folder
                )  # also where it was there: who made it may have died before it came so far
                folder = folder / part
            try:
                state_abandoned(folder)
                return SegmentFile(folder)
            except FileNotFoundError:  # another process forgot all of the stream, and its folder, just now
                if attempt == 2:
                    raise
        raise AssertionError("not reached")

    def _close_segment(self, stream: str) -> None:
        """End a segment that is wholly durable; what cannot be stated now, the next one in this folder states."""
        try:
            self._segments.pop(stream).close(whole=True)
        except FlushFailed as error:
            self._fail(error)
        except OSError:
            pass

    def _drop(self, stream: str) -> None:
        segment = self._segments.pop(stream, None)
        if segment is not None:
            segment.close(whole=False)

    def _fail(self, error: OSError) -> None:
        """After a failed flush nobody knows what is on the disk: nothing is acknowledged any more."""
        self._failed = writing_ended(self._folder, error)

    def _said(self, error: Exception) -> Exception:
        if isinstance(error, OSError):
            return StoreError(
                f"{self._folder}: {error.strerror}: nothing was written; it goes on when that is mended"
            )
        return error


def _refuse(appends: list[_Append], error: Exception) -> None:
    for append in appends:
        append.done.set_exception(error)
