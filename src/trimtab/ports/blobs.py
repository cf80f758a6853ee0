"""Bytes under the digest of their content."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from trimtab.ports.blob_flow import BlobFlow


class StoredBlob(msgspec.Struct, frozen=True, kw_only=True):
    """A blob as a listing tells of it."""

    key: str
    size_bytes: int
    #: Seconds since somebody last put these bytes, by the store's own clock; >= 0.
    idle_seconds: float


class Blobs(Protocol):
    """Contract:

    - `put` returns when the bytes are durable; putting the same bytes again costs no space and is no error, but says
      that somebody wants them: `idle_seconds` begins again.
    - A blob is wholly there or wholly absent, whenever the process dies.
    - `get` and `get_piece` hash what they read: bytes that do not have their digest raise `Damaged` and are never
      returned.
    - `discard` is atomic beside `put`: when both run at once, a `put` that returns leaves the blob there.
    - Any number of threads and processes may put, get, list and discard at once.
    """

    #: Calls at once that this store answers sooner than one after the other, >= 1; each may hold a blob in memory.
    threads: int
    #: The same blobs for bytes that come and go by and by.
    flow: BlobFlow

    def put(self, content: bytes) -> str:
        """Keep `content`; returns its SHA-256 in hex."""
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
