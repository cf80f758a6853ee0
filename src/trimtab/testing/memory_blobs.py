"""The blobs port in memory."""

import threading
from collections.abc import Iterator

from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged


class MemoryBlobs:
    """A dict that hashes; `flip_bit` damages one of its blobs, for tests of what must notice."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """See the port."""
        key = digest_bytes(content)
        with self._lock:
            self._blobs[key] = bytes(content)
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        content = self._blobs[key]
        if digest_bytes(content) != key:
            raise Damaged(f"blob {key} is damaged in memory")
        return content

    def has(self, key: str) -> bool:
        """See the port."""
        return key in self._blobs

    def size_bytes(self, key: str) -> int:
        """See the port."""
        return len(self._blobs[key])

    def keys(self) -> Iterator[str]:
        """See the port."""
        with self._lock:
            found = list(self._blobs)
        yield from found

    def delete(self, key: str) -> None:
        """See the port."""
        with self._lock:
            self._blobs.pop(key, None)

    def sweep(self) -> int:
        """See the port: nothing is ever left behind in memory."""
        return 0


def flip_bit(blobs: MemoryBlobs, key: str) -> None:
    """Damage a blob that is not empty."""
    content = blobs._blobs[key]
    blobs._blobs[key] = bytes([content[0] ^ 1]) + content[1:]
