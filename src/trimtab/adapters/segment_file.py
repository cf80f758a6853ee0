"""One segment of a stream on the disk: written by one process, and stated to be whole once that has ended.

Beside a segment that nobody writes any more lies `NAME.seg.end`, the number of bytes that belong to it: a segment
that was cut, or that is gone, is thereby told from one that ends there.
"""

import functools
import itertools
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from trimtab.adapters.durable_file import flush, flush_folder, write_new
from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.adapters.stream_segment import frame_batch, frame_end, is_damaged, read_segment
from trimtab.atoms.error import UsageError

#: Keeps the segments of two openings in one process apart.
_COUNT = itertools.count()


class SegmentFile:
    """The file that this process adds to for one stream."""

    def __init__(self, folder: Path) -> None:
        name = f"{time.time_ns() // 1000:014x}-{next(_COUNT):04x}-{quote(this_process(), safe='')}.seg"
        self.path = folder / name
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._batch = 0
        self.size_bytes = 0
        flush_folder(folder)

    def write(self, records: Sequence[bytes]) -> None:
        """Write a batch; durable after `flush`."""
        self._batch += 1
        self._put(frame_batch(records, self._batch))

    def flush(self) -> None:
        """Return when what was written is durable."""
        flush(self._descriptor)

    def close(self, *, whole: bool) -> None:
        """Let go of the file; `whole` where every batch in it was made durable."""
        try:
            if whole:
                self._put(frame_end(self._batch + 1))
                flush(self._descriptor)
        finally:
            os.close(self._descriptor)
        if whole:
            state_end(self.path, self.size_bytes)

    def _put(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(content)


@functools.lru_cache(maxsize=1024)
def folders_of(stream: str) -> tuple[str, ...]:
    """The folders of a stream's name; upper case is escaped, as some file systems do not tell it."""
    parts = stream.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise UsageError(f"{stream!r} cannot name a stream: give words with single slashes between them")
    named = [re.sub("%..", lambda found: found[0].lower(), quote(part, safe="")) for part in parts]
    named = [re.sub("[A-Z]", lambda found: f"%{ord(found[0]):02x}", part) for part in named]
    if any(len(part) > 200 or part.endswith((".seg", ".end")) for part in named):
        raise UsageError(f"{stream!r} cannot name a stream: a part is too long, or ends in '.seg' or '.end'")
    return tuple(named)


def end_of(path: Path) -> Path:
    """Where the end of a segment is stated."""
    return path.with_name(path.name + ".end")


def state_end(path: Path, size_bytes: int) -> None:
    """Say, durably, that a segment has this many bytes for good."""
    with suppress(FileExistsError):  # another process says the same at the same time
        write_new(end_of(path), b"%d\n" % size_bytes)
    flush_folder(path.parent)


def stated_end(path: Path) -> int | None:
    """How many bytes a segment must have; None where nobody has said so, or died while saying it.

    Raises:
        ValueError: What was said cannot be read.
    """
    try:
        said = end_of(path).read_bytes()
    except FileNotFoundError:
        return None
    if re.fullmatch(rb"\d*", said):
        return None
    if not re.fullmatch(rb"\d+\n", said):
        raise ValueError("no number")
    return int(said)


def is_abandoned(path: Path) -> bool:
    """Whether the process that wrote a segment has certainly ended."""
    return is_dead(unquote(path.stem.split("-", 2)[-1]))


def state_abandoned(folder: Path) -> None:
    """State the end of every segment whose process died without doing so."""
    for path in sorted(folder.glob("*.seg")):
        if _is_stated(path) or not is_abandoned(path):
            continue
        frames = read_segment(path, 0, None)
        if frames.torn and is_damaged(path.read_bytes()):
            continue  # it tells by itself, and where it should have ended nobody knows
        with path.open("rb") as file:
            flush(file.fileno())  # else a power cut could take what is stated here
        end_of(path).unlink(missing_ok=True)
        state_end(path, frames.end)


def _is_stated(path: Path) -> bool:
    try:
        return stated_end(path) is not None
    except ValueError:
        return True
