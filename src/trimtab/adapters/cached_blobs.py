"""Blobs that are far away, with copies of what was read lately on this machine."""

import itertools
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.atoms.digest import digest_bytes
from trimtab.ports.blob_flow import BlobFlow, HeldFlow
from trimtab.ports.blobs import Blobs, StoredBlob

_KEY = re.compile(r"[0-9a-f]{64}")
_COUNT = itertools.count()
#: Bytes that copies may take where nothing else is said.
LIMIT_BYTES = 10 * 10**9
#: The copies are counted anew after this share of the limit was written, and then cut back by as much.
_SHARE = 0.1


class CachedBlobs:
    """Contract of the port, kept by `outer`; copies of its blobs are read from files of this machine.

    A copy is hashed whenever it is read: one that is damaged, or was cut by a power failure, is dropped and fetched
    anew. So copies are never flushed, and may be deleted at any time. What another machine has discarded may still
    be read from a copy here. Several processes may share the folder; the copies used longest ago go first.
    """

    def __init__(self, outer: Blobs, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        """Keep copies in `folder`, made where it is not there (mode 0700).

        Args:
            outer: Where the blobs are.
            folder: For copies alone: whatever has the name of one is deleted when there is no room.
            limit_bytes: What the copies may take together, exceeded by a tenth at most for each process that writes.
        """
        self._outer = outer
        self.threads = outer.threads
        self.flow: BlobFlow = HeldFlow(self.put, self.get)
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._uncounted_bytes = 0
        for child in (folder, *(folder / f"{number:02x}" for number in range(256))):
            child.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, content: bytes) -> str:
        """See the port; durable where `outer` says so."""
        key = self._outer.put(content)
        self._keep(key, content)
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        content = self._held(key)
        if content is None:
            content = self._outer.get(key)
            self._keep(key, content)
        return content

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """See the port; a blob of which only pieces are read gets no copy."""
        if _KEY.fullmatch(key):
            try:
                with self._path(key).open("rb") as file:
                    file.seek(start)
                    piece = file.read(size_bytes)
                os.utime(self._path(key))
                if digest_bytes(piece) == digest:
                    return piece
            except FileNotFoundError:
                pass
        return self._outer.get_piece(key, start, size_bytes, digest)

    def find(self, key: str) -> StoredBlob | None:
        """See the port."""
        return self._outer.find(key)

    def stored(self) -> Iterator[StoredBlob]:
        """See the port."""
        return self._outer.stored()

    def discard(self, key: str, idle_seconds: float) -> bool:
        """See the port; the copy goes too."""
        discarded = self._outer.discard(key, idle_seconds)
        if discarded:
            self._path(key).unlink(missing_ok=True)
        return discarded

    def sweep(self) -> int:
        """See the port."""
        dead = [
            path for path in self._folder.glob("*+*.new") if is_dead(unquote(path.name.rpartition("+")[0]))
        ]
        for path in dead:
            path.unlink(missing_ok=True)
        return self._outer.sweep() + len(dead)

    def _held(self, key: str) -> bytes | None:
        if not _KEY.fullmatch(key):
            return None
        path = self._path(key)
        try:
            content = path.read_bytes()
            if digest_bytes(content) == key:
                os.utime(path)  # the last use decides which copies go
                return content
            path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        return None

    def _keep(self, key: str, content: bytes) -> None:
        if len(content) > self._limit_bytes:
            return
        temporary = self._folder / f"{quote(this_process(), safe='')}+{next(_COUNT)}.new"
        try:
            temporary.write_bytes(content)
            os.replace(temporary, self._path(key))
        except OSError:
            # A copy is a convenience: no room for it, or no right to write, takes nothing from the answer.
            temporary.unlink(missing_ok=True)
            return
        with self._lock:
            self._uncounted_bytes += len(content)
            if self._uncounted_bytes <= self._limit_bytes * _SHARE:
                return
            self._uncounted_bytes = 0
        self._make_room()

    def _make_room(self) -> None:
        copies: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("??/*"):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if _KEY.fullmatch(path.name):
                copies.append((stat.st_mtime, stat.st_size, path))
        excess = sum(size for _, size, _ in copies) - self._limit_bytes
        if excess <= 0:
            return
        excess += int(self._limit_bytes * _SHARE)
        for _, size, path in sorted(copies):
            path.unlink(missing_ok=True)
            excess -= size
            if excess <= 0:
                return

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key
