"""Reading the segments of a stream: what was acknowledged, and what is damaged."""

import os
from collections.abc import Iterator
from pathlib import Path

from trimtab.adapters.segment_file import end_of, is_abandoned, stated_end
from trimtab.adapters.stream_segment import is_damaged, read_between, read_segment, salvage
from trimtab.atoms.error import Damaged
from trimtab.ports.streams import Cursor


class SegmentReader:
    """Reads the folders of streams; remembers which ends it has looked at, so that a poll is cheap."""

    def __init__(self) -> None:
        #: Segments that have a torn tail and no damage, with the size at which that was seen.
        self._torn: dict[Path, int] = {}
        #: Stated ends.
        self._ends: dict[Path, int] = {}
        #: Segments by folder that were read up to their stated end: of these only the size is looked at again.
        self._whole: dict[Path, dict[str, int]] = {}

    def read(
        self, folder: Path, after: Cursor | None, limit: int | None, until: Cursor | None, *, rest: bool
    ) -> tuple[list[bytes], Cursor]:
        """See the port; Damaged names the file."""
        taken = dict(after.segments) if after else {}
        records: list[bytes] = []
        whole = self._whole.setdefault(folder, {})
        for name in _names(folder):
            left = None if limit is None else limit - len(records)
            if left == 0:
                break
            start, stop = taken.get(name, 0), None
            if start and whole.get(name) == start == _size(f"{folder}/{name}"):
                continue
            path = folder / name
            if until is not None:
                stop = until.segments.get(name, 0)
                if start >= stop:
                    continue
            if (fault := self._fault_before(path, start)) and not rest:
                raise Damaged(fault)
            if _size(path) in (start, None):
                if start and self._ends.get(path) == start:
                    whole[name] = start
                continue
            frames = read_between(path, start, stop, left) if stop else read_segment(path, start, left)
            if frames.torn and not fault:
                fault = _damaged(path, frames.end) if stop else self._fault_in(path, frames.end)
                if fault and not rest:
                    raise Damaged(fault)
            if fault:
                frames = salvage(path.read_bytes()[:stop], start, left)
            records += frames.records
            taken[name] = frames.end
        return records, Cursor(segments=taken)

    def faults(self, folder: Path) -> list[str]:
        """A sentence for each segment that is not as it was acknowledged; all of them are read."""
        found = []
        for path in _segments(folder):
            fault = self._fault_before(path, 0)
            if not fault:
                frames = read_segment(path, 0, None)
                end = self._end(path)
                if end is not None and frames.end > end:
                    fault = f"stream segment {path} goes on behind the end that {path.name}.end states: restore both"
                elif frames.torn or end is not None:
                    fault = self._fault_in(path, frames.end)
            if fault:
                found.append(fault)
        return found

    def removable(self, folder: Path, upto: Cursor) -> Iterator[Path]:
        """Segments that nobody writes any more and that hold nothing beyond the cursor."""
        for path in _segments(folder):
            start = upto.segments.get(path.name)
            if start is None or not path.exists() or not (end_of(path).exists() or is_abandoned(path)):
                continue
            frames = read_segment(path, start, 1)
            fault = self._fault_before(path, start) or (frames.torn and self._fault_in(path, frames.end))
            if not frames.records and not fault:
                yield path

    def _end(self, path: Path) -> int | None:
        end = self._ends.get(path)
        if end is None and (end := stated_end(path)) is not None:
            self._ends[path] = end
        return end

    def _fault_before(self, path: Path, start: int) -> str:
        """What is wrong with a segment that can be told without reading it."""
        try:
            end = self._end(path)
        except ValueError:
            return (
                f"stream segment {path}: what {path.name}.end says cannot be read: restore it from a backup"
            )
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            if end_of(path).exists():
                return f"stream segment {path} is gone: restore it from a backup"
            return ""  # forgotten meanwhile
        least = max(start, end or 0)
        if size < least:
            return f"stream segment {path} was cut to {size} of {least} bytes: restore it from a backup"
        return ""

    def _fault_in(self, path: Path, read: int) -> str:
        """What is wrong with a segment that could be read up to byte `read`."""
        end = self._end(path)
        if end is not None and read >= end:
            return ""
        if end is None:
            size = path.stat().st_size
            if self._torn.get(path) == size:
                return ""
            if not is_damaged(path.read_bytes()):
                self._torn[path] = size
                return ""
        return _damaged(path, read)


def _damaged(path: Path, read: int) -> str:
    return f"stream segment {path} is damaged on disk after byte {read}: restore it from a backup"


def _size(path: str | Path) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def _segments(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder)]


def _names(folder: Path) -> list[str]:
    """Segments that are there, or of which an end says that they should be."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted({name.removesuffix(".end") for name in names if name.endswith((".seg", ".seg.end"))})
