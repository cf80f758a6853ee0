"""Blobs whose bytes come and go by and by, so that nobody need hold a whole one in memory."""

from collections.abc import Callable, Iterator
from typing import Protocol

#: Most bytes that `BlobFlow.chunks` gives at once.
CHUNK_BYTES = 1 << 18


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


class BlobFlow(Protocol):
    """Contract: as that of `Blobs.put` and `Blobs.get`, of which neither end need lie in memory as a whole."""

    def begin(self) -> Draft:
        """Begin a blob."""
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """The bytes under `key`, at most CHUNK_BYTES at once; all of them are hashed before the first is given.

        Raises:
            KeyError: No such blob; where the first chunk is asked for.
            Damaged: The stored bytes do not have this digest; where the first chunk is asked for.
        """
        ...


class HeldFlow:
    """The flow of a store that takes and gives whole blobs: what is on its way lies in memory."""

    def __init__(self, put: Callable[[bytes], str], get: Callable[[str], bytes]) -> None:
        """
        Args:
            put: `Blobs.put`.
            get: `Blobs.get`.
        """
        self._put, self._get = put, get

    def begin(self) -> Draft:
        """See `BlobFlow`."""
        return HeldDraft(self._put)

    def chunks(self, key: str) -> Iterator[bytes]:
        """See `BlobFlow`."""
        content = self._get(key)
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]


class HeldDraft:
    """A draft that lies in memory until it is finished."""

    def __init__(self, put: Callable[[bytes], str]) -> None:
        self._put = put
        self._held: bytearray | None = bytearray()

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See `Draft`."""
        assert self._held is not None, "a draft was written that is finished or dropped"
        self._held += content

    def finish(self) -> str:
        """See `Draft`."""
        assert self._held is not None, "a draft was finished twice, or after it was dropped"
        held, self._held = bytes(self._held), None
        return self._put(held)

    def drop(self) -> None:
        """See `Draft`."""
        self._held = None
