"""Bytes under the digest of their content."""

from collections.abc import Iterator
from typing import Protocol

import msgspec


class StoredBlob(msgspec.Struct, frozen=True, kw_only=True):
    """A blob as a listing tells of it."""

    key: str
    size_bytes: int
    #: Seconds since somebody last put these bytes, by the store's own clock; >= 0.
    idle_seconds: float


#: Most bytes that `Blobs.chunks` gives at once.
CHUNK_BYTES = 1 << 20


class Draft(Protocol):
    """A blob on its way in: nothing is stored before `finish`. Whoever does not finish it drops it.

    One thread at a time may use it.
    """

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Add bytes at its end."""
        ...

    def finish(self) -> str:
        """Keep all that was written, as `Blobs.put` does; returns its key. Nothing may follow."""
        ...

    def drop(self) -> None:
        """Forget it; does nothing where it was finished or dropped."""
        ...


class Blobs(Protocol):
    """Contract:

    - `put` returns when the bytes are durable; putting the same bytes again costs no space and is no error, but says
      that somebody wants them: `idle_seconds` begins again.
    - A blob is wholly there or wholly absent, whenever the process dies.
    - `get`, `get_piece` and `chunks` hash what they read: bytes that do not have their digest raise `Damaged` and are
      never returned.
    - A draft, and what `chunks` has not given yet, need not lie in memory: a store on this machine holds a megabyte.
    - `discard` is atomic beside `put`: when both run at once, a `put` that returns leaves the blob there.
    - Any number of threads and processes may put, get, list and discard at once.
    """

    #: Calls at once that this store answers sooner than one after the other, >= 1; each may hold a blob in memory.
    threads: int

    def put(self, content: bytes) -> str:
        """Keep `content`; returns its SHA-256 in hex."""
        ...

    def begin(self) -> Draft:
        """Begin a blob whose bytes come by and by."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes under `key`.

        Raises:
            KeyError: No such blob.
            Damaged: The stored bytes do not have this digest.
        """
        ...

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """`size_bytes` bytes of a blob from byte `start` on, whose own SHA-256 is `digest`.

        Raises:
            KeyError: No such blob.
            Damaged: The piece does not have its digest, or the blob ends before it.
        """
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """The bytes under `key`, at most CHUNK_BYTES at once; all of them are hashed before the first is given.

        Raises:
            KeyError: No such blob; where the first chunk is asked for.
            Damaged: The stored bytes do not have this digest; where the first chunk is asked for.
        """
        ...

    def find(self, key: str) -> StoredBlob | None:
        """What a listing would tell of the blob, None where it is absent; its bytes are not read."""
        ...

    def stored(self) -> Iterator[StoredBlob]:
        """Every blob that is stored, in no order."""
        ...

    def discard(self, key: str, idle_seconds: float) -> bool:
        """Forget a blob that nobody has put for `idle_seconds`; False where somebody has, or it is absent."""
        ...

    def sweep(self) -> int:
        """Remove what an interrupted `put` of a dead process left behind; returns how many files."""
        ...


class HeldDraft:
    """A draft that lies in memory until it is finished."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._held: bytearray | None = bytearray()

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See `Draft`."""
        assert self._held is not None, "a draft was written that is finished or dropped"
        self._held += content

    def finish(self) -> str:
        """See `Draft`."""
        assert self._held is not None, "a draft was finished twice, or after it was dropped"
        held, self._held = bytes(self._held), None
        return self._blobs.put(held)

    def drop(self) -> None:
        """See `Draft`."""
        self._held = None


def in_chunks(content: bytes) -> Iterator[bytes]:
    """Bytes that lie in memory, as `Blobs.chunks` gives them."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]
