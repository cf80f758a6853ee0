"""Streams as append-only segment files: one for each stream and process, shared by nobody."""

import functools
import itertools
import os
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import quote, unquote

from trimtab.adapters.durable_file import flush, flush_folder
from trimtab.adapters.process_holder import this_process
from trimtab.adapters.stream_segment import MOST_BYTES, frame_batch, frame_end, is_damaged, read_segment
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.ports.streams import Cursor

#: A segment that has grown beyond this is closed, and the next begun.
SEGMENT_BYTES = 64 << 20
_MOST_APPENDS = 4096
#: Keeps the segments of two openings in one process apart.
_COUNT = itertools.count()


class _Segment:
    """The file that this process adds to for one stream."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._batch = 0
        self.size_bytes = 0

    def write(self, records: Sequence[bytes]) -> None:
        self._batch += 1
        self._put(frame_batch(records, self._batch))

    def flush(self) -> None:
        flush(self._descriptor)

    def close(self, *, whole: bool) -> None:
        try:
            if whole:
                self._put(frame_end(self._batch + 1))
                self.flush()
        finally:
            os.close(self._descriptor)

    def _put(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(content)


class SegmentStreams:
    """Contract of the port, plus `append_nowait` for whoever must not block.

    When the disk refuses a flush, nothing is acknowledged any more, for good: what is on it is then unknown.
    A full disk refuses what was being written, and the next append tries again.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which must be there."""
        self._folder = folder
        self._queue: SimpleQueue[tuple[str, Sequence[bytes], Future[None]] | None] = SimpleQueue()
        self._segments: dict[str, _Segment] = {}
        self._failed: StoreError | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._torn: dict[Path, int] = {}
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
        _folders_of(stream)
        if any(len(record) > MOST_BYTES for record in records):
            raise UsageError(f"stream {stream!r}: a record is longer than {MOST_BYTES} bytes: split it")
        done: Future[None] = Future()
        with self._closing:
            if self._failed:
                raise self._failed
            if self._closed:
                raise StoreError(f"{self._folder} has been closed by this process")
            if records:
                self._queue.put((stream, records, done))
            else:
                done.set_result(None)
        return done

    def read(
        self, stream: str, after: Cursor | None = None, limit: int | None = None
    ) -> tuple[list[bytes], Cursor]:
        """See the port.

        Raises:
            Damaged: Records that were acknowledged cannot be read any more; the message names the file.
        """
        folder = self._folder.joinpath(*_folders_of(stream))
        taken = dict(after.segments) if after else {}
        records: list[bytes] = []
        for path in sorted(folder.glob("*.seg")):
            left = None if limit is None else limit - len(records)
            if left == 0:
                break
            start = taken.get(path.name, 0)
            if path.stat().st_size == start:
                continue
            frames = read_segment(path, start, left)
            if frames.torn:
                self._refuse_damage(path)
            records += frames.records
            taken[path.name] = frames.end
        return records, Cursor(segments=taken)

    def names(self) -> list[str]:
        """See the port."""
        folders = {path.parent for path in self._folder.rglob("*.seg")}
        return sorted("/".join(map(unquote, folder.relative_to(self._folder).parts)) for folder in folders)

    def close(self) -> None:
        """See the port; a second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _refuse_damage(self, path: Path) -> None:
        size = path.stat().st_size
        if self._torn.get(path) == size:
            return
        if is_damaged(path.read_bytes()):
            raise Damaged(f"stream segment {path} is damaged on disk: restore it from a backup")
        self._torn[path] = size

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
        for segment in self._segments.values():
            segment.close(whole=self._failed is None)

    def _commit(self, appends: list[tuple[str, Sequence[bytes], Future[None]]]) -> None:
        """Write what waits, one write and one flush a stream, then tell those who wait."""
        written: list[tuple[str, list[Future[None]]]] = []
        for stream in dict.fromkeys(stream for stream, _, _ in appends):
            mine = [(records, done) for name, records, done in appends if name == stream]
            try:
                if self._failed:
                    raise self._failed
                self._segment(stream).write([record for records, _ in mine for record in records])
                written.append((stream, [done for _, done in mine]))
            except Exception as error:
                self._drop(stream)
                _refuse([done for _, done in mine], self._said(error))
        for stream, waiting in written:
            try:
                self._segments[stream].flush()
            except OSError as error:
                self._failed = StoreError(
                    f"{self._folder}: the disk did not take a write ({error}); this process acknowledges "
                    "nothing more: check the disk, run `trimtab fsck`, then start again"
                )
            if self._failed:
                _refuse(waiting, self._failed)
                continue
            for done in waiting:
                done.set_result(None)
            if self._segments[stream].size_bytes > SEGMENT_BYTES:
                self._segments.pop(stream).close(whole=True)

    def _segment(self, stream: str) -> _Segment:
        if stream not in self._segments:
            folder = self._folder
            for part in _folders_of(stream):
                if not (folder / part).is_dir():
                    (folder / part).mkdir(mode=0o700, exist_ok=True)
                    flush_folder(folder)
                folder = folder / part
            name = f"{time.time_ns() // 1000:014x}-{next(_COUNT):04x}-{quote(this_process(), safe='')}.seg"
            self._segments[stream] = _Segment(folder / name)
            flush_folder(folder)
        return self._segments[stream]

    def _drop(self, stream: str) -> None:
        segment = self._segments.pop(stream, None)
        if segment is not None:
            segment.close(whole=False)

    def _said(self, error: Exception) -> Exception:
        if isinstance(error, OSError):
            return StoreError(
                f"{self._folder}: {error.strerror}: nothing was written; it goes on when that is mended"
            )
        return error


def _refuse(waiting: list[Future[None]], error: Exception) -> None:
    for done in waiting:
        done.set_exception(error)


@functools.lru_cache(maxsize=1024)
def _folders_of(stream: str) -> tuple[str, ...]:
    """The folders of a stream's name; upper case is escaped, as some file systems do not tell it."""
    parts = stream.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise UsageError(f"{stream!r} cannot name a stream: give words with single slashes between them")
    named = [re.sub("%..", lambda found: found[0].lower(), quote(part, safe="")) for part in parts]
    named = [re.sub("[A-Z]", lambda found: f"%{ord(found[0]):02x}", part) for part in named]
    if any(len(part) > 200 or part.endswith(".seg") for part in named):
        raise UsageError(f"{stream!r} cannot name a stream: a part is too long, or ends in '.seg'")
    return tuple(named)
