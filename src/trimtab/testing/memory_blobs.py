"""The blobs port in memory."""

import threading
import time
from collections.abc import Callable, Iterator

from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged
from trimtab.ports.blob_flow import BlobFlow, HeldFlow
from trimtab.ports.blobs import StoredBlob


class MemoryBlobs:
    """A dict that hashes; `flip_bit` damages one of its blobs, for tests of what must notice."""

    threads = 2

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        """Start empty; `wall` is the seconds by which blobs are idle."""
        self.flow: BlobFlow = HeldFlow(self.put, self.get)
        self._blobs: dict[str, bytes] = {}
        self._wanted: dict[str, float] = {}
        self._wall = wall
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """See the port."""
        key = digest_bytes(content)
        with self._lock:
            self._blobs[key] = bytes(content)
            self._wanted[key] = self._wall()
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        content = self._blobs[key]
        if digest_bytes(content) != key:
            raise Damaged(f"blob {key} is damaged in memory")
        return content

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """See the port."""
        content = self._blobs[key][start : start + size_bytes]
        if digest_bytes(content) != digest:
            raise Damaged(f"blob {key} is damaged in memory")
        return content

    def find(self, key: str) -> StoredBlob | None:
        """See the port."""
        with self._lock:
            return self._stored(key) if key in self._blobs else None

    def stored(self) -> Iterator[StoredBlob]:
        """See the port."""
        with self._lock:
            found = [self._stored(key) for key in self._blobs]
        yield from found

    def discard(self, key: str, idle_seconds: float) -> bool:
        """See the port."""
        with self._lock:
            if key not in self._blobs or self._stored(key).idle_seconds < idle_seconds:
                return False
            del self._blobs[key], self._wanted[key]
            return True

    def sweep(self) -> int:
        """See the port: nothing is ever left behind in memory."""
        return 0

    def _stored(self, key: str) -> StoredBlob:
        idle = max(self._wall() - self._wanted[key], 0.0)
        return StoredBlob(key=key, size_bytes=len(self._blobs[key]), idle_seconds=idle)


def flip_bit(blobs: MemoryBlobs, key: str) -> None:
    """Damage a blob that is not empty."""
    content = blobs._blobs[key]
    blobs._blobs[key] = bytes([content[0] ^ 1]) + content[1:]


def set_back(blobs: MemoryBlobs, key: str, seconds: float) -> None:
    """Make a blob look as if nobody had put it for `seconds`."""
    blobs._wanted[key] -= seconds
