"""What the native runtime and its child process say to each other: frames of raw bytes, never pickles."""

import struct
from typing import Any, Protocol

#: Kind, two dimensions, bytes that follow.
_HEAD = struct.Struct("<cIIQ")

LOAD, ROWS, ANSWERS, READY, FAILED = b"L", b"R", b"A", b"K", b"F"
#: Largest frame, in bytes: a length beyond it is a broken pipe, not a request.
LARGEST_BYTES = 1 << 31


class Readable(Protocol):
    """What bytes come from; an empty read is the end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        ...


def frame(kind: bytes, content: bytes = b"", rows: int = 0, columns: int = 0) -> bytes:
    """One message: its kind, the shape of the array in it, the array's bytes."""
    return _HEAD.pack(kind, rows, columns, len(content)) + content


def read_frame(stream: Readable) -> tuple[bytes, int, int, bytes] | None:
    """The next message as (kind, rows, columns, content); None where the other side has hung up."""
    head = _exactly(stream, _HEAD.size)
    if head is None:
        return None
    kind, rows, columns, size = _HEAD.unpack(head)
    content = _exactly(stream, size) if size <= LARGEST_BYTES else None
    return None if content is None else (kind, rows, columns, content)


def array(content: bytes, rows: int, columns: int, kind: str) -> Any:
    """The array in a frame; with 0 columns it is one-dimensional."""
    import numpy as np

    values = np.frombuffer(content, dtype=kind)
    return values.reshape(rows, columns) if columns else values


def _exactly(stream: Readable, size: int) -> bytes | None:
    parts = []
    while size:
        part = stream.read(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
