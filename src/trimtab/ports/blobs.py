"""Bytes under the digest of their content."""

from collections.abc import Iterator
from typing import Protocol


class Blobs(Protocol):
    """Contract:

    - `put` returns when the bytes are durable; putting the same bytes again costs no space and is no error.
    - A blob is wholly there or wholly absent, whenever the process dies.
    - `get` hashes what it read: bytes that do not have their digest raise `Damaged` and are never returned.
    - Any number of processes may put, get and iterate at once.
    """

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

    def has(self, key: str) -> bool:
        """Whether the blob is there (its bytes are not read)."""
        ...

    def size_bytes(self, key: str) -> int:
        """Size of the blob; KeyError where there is none."""
        ...

    def keys(self) -> Iterator[str]:
        """Every key that is stored, in no order."""
        ...

    def delete(self, key: str) -> None:
        """Forget a blob; absent is no error."""
        ...

    def sweep(self) -> int:
        """Remove what an interrupted `put` of a dead process left behind; returns how many files."""
        ...
