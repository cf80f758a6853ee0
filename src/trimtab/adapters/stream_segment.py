"""The bytes of one segment of a stream: framed records, where a torn tail and damage can be told apart.

A frame is length, batch number with two flags, CRC-32 of these and the record, record. A batch is what one
flush made durable, so batch n+1 is only ever written when n is on the disk: a frame that cannot be read is a
torn tail where nothing of the batch after its own follows, and damage where it does.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct("<III")
_MORE = 1 << 31  # the batch goes on
_END = 1 << 30  # the segment was closed; no record
_FLAGS = _MORE | _END

_PIECE_BYTES = 4 << 20
_NOT_ZERO = re.compile(rb"[^\0]")

#: Longest record.
MOST_BYTES = (1 << 30) - 1


class Frames(NamedTuple):
    """What could be read of a segment."""

    records: list[bytes]
    #: Bytes from the start of the segment to the end of each record.
    ends: list[int]
    #: Where to go on reading.
    end: int
    #: Number of the newest whole batch that was read, 0 for none.
    batch: int
    #: Whether bytes that make no whole batch follow.
    torn: bool


def frame_batch(records: Sequence[bytes], batch: int) -> bytes:
    """The bytes of a batch: wholly read or not at all."""
    pieces = []
    for place, record in enumerate(records, start=1):
        flagged = batch | (_MORE if place < len(records) else 0)
        pieces += [_header(record, flagged), record]
    return b"".join(pieces)


def frame_end(batch: int) -> bytes:
    """The mark that a segment was closed after the batch before `batch`."""
    return _header(b"", batch | _END)


def read_frames(content: bytes, start: int = 0, most: int | None = None) -> Frames:
    """Whole batches in `content`, which begins at byte `start` of its segment.

    Args:
        content: From a record's first byte on.
        start: Where `content` begins in its segment.
        most: Records at most; None for all.
    """
    records: list[bytes] = []
    ends: list[int] = []
    pending: list[tuple[bytes, int]] = []
    position = end = batch = 0
    while (frame := _frame_at(content, position)) is not None:
        record, flagged, position = frame
        if not flagged & _END:
            pending.append((record, position + start))
        if flagged & _MORE:
            continue
        batch, end = flagged & ~_FLAGS, position
        records += [item for item, _ in pending]
        ends += [item for _, item in pending]
        pending.clear()
        if most is not None and len(records) >= most:
            last = ends[most - 1] if most else start
            return Frames(records[:most], ends[:most], last, batch, False)
    return Frames(records, ends, end + start, batch, end < len(content))


def read_segment(path: Path, start: int, most: int | None = None) -> Frames:
    """Whole batches of a segment file from byte `start` on, where a record begins; read in pieces."""
    records: list[bytes] = []
    ends: list[int] = []
    content, batch = b"", 0
    with path.open("rb") as file:
        file.seek(start)
        while more := file.read(_PIECE_BYTES):
            content += more
            frames = read_frames(content, start, None if most is None else most - len(records))
            records += frames.records
            ends += frames.ends
            content, start, batch = content[frames.end - start :], frames.end, frames.batch or batch
            if most is not None and len(records) >= most:
                return Frames(records, ends, start, batch, False)
    return Frames(records, ends, start, batch, bool(content))


def read_between(path: Path, start: int, stop: int, most: int | None) -> Frames:
    """Records of a segment file between two bytes where records begin, wherever batches end; `batch` is 0."""
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(stop - start)
    records: list[bytes] = []
    ends: list[int] = []
    position = 0
    while (most is None or len(records) < most) and (frame := _frame_at(content, position)) is not None:
        record, flagged, position = frame
        if not flagged & _END:
            records.append(record)
            ends.append(start + position)
    full = most is not None and len(records) >= most
    return Frames(records, ends, start + position, 0, not full and start + position < stop)


def salvage(content: bytes, start: int, most: int | None = None) -> Frames:
    """What can still be read of a damaged segment, given from its first byte, from byte `start` on.

    Every record that has its checksum; those of a batch that was not whole are among them. `end` is where the last
    of them ends, or the end of the segment.
    """
    records: list[bytes] = []
    ends: list[int] = []
    position = batch = whole = 0
    while position < len(content) and (most is None or len(records) < most):
        frame = _frame_at(content, position)
        if frame is None:
            position = _next_place(content, position + 1, batch, whole)
            continue
        record, flagged, position = frame
        batch, whole = flagged & ~_FLAGS, position
        if not flagged & _END and position > start:
            records.append(record)
            ends.append(position)
    return Frames(records, ends, position, batch, False)


def _next_place(content: bytes, position: int, batch: int, whole: int) -> int:
    """Where a frame may begin, from `position` on, after `batch`, which was whole until `whole`; else the end."""
    size = len(content)
    last = size - _HEADER.size
    while position <= last:
        found = _NOT_ZERO.search(content, position + 4)
        if found is None:
            break
        position = max(position, found.start() - 7)  # a batch's number is not zero
        if position > last:
            break
        length, flagged, _ = _HEADER.unpack_from(content, position)
        number = flagged & ~_FLAGS
        most = (
            batch + 2 + (position - whole) // _HEADER.size
        )  # no more batches than frames can have been skipped
        if number and batch <= number <= most and length <= size - position - _HEADER.size:
            return position
        position += 1
    return size


def is_damaged(content: bytes) -> bool:
    """Whether a segment, given from its first byte, has a break that is not a torn tail."""
    whole = read_frames(content)
    if not whole.torn:
        return False
    after = whole.batch + 2  # the break is in the batch after the last whole one
    for flagged in (after, after | _MORE, after | _END):
        word, position = struct.pack("<I", flagged), whole.end
        while (position := content.find(word, position + 1)) >= 0:
            if position >= 4 and _frame_at(content, position - 4) is not None:
                return True
    return False


def _header(record: bytes, flagged: int) -> bytes:
    words = struct.pack("<II", len(record), flagged)
    return words + struct.pack("<I", zlib.crc32(record, zlib.crc32(words)))


def _frame_at(content: bytes, position: int) -> tuple[bytes, int, int] | None:
    if position + _HEADER.size > len(content):
        return None
    length, flagged, stated = _HEADER.unpack_from(content, position)
    first = position + _HEADER.size
    if length > MOST_BYTES or first + length > len(content):
        return None
    record = content[first : first + length]
    if zlib.crc32(record, zlib.crc32(content[position : position + 8])) != stated:
        return None
    return record, flagged, first + length
