"""Blobs as files, named by the digest of their content: `blobs/ab/abcdef...`."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from trimtab.adapters.blob_folder import KEY, BlobFolder
from trimtab.adapters.durable_file import flush_folder, write_new
from trimtab.adapters.local_flow import LocalFlow
from trimtab.adapters.process_holder import is_dead
from trimtab.atoms.digest import digest_bytes
from trimtab.ports.blob_flow import BlobFlow
from trimtab.ports.blobs import StoredBlob


class LocalBlobs:
    """Contract of the port, on a local file system: temporary, flush, rename, flush of the folder.

    A blob that is being discarded is renamed aside first and looked at again: a put that found it in its place has
    touched it by then, and it goes back.

    When the disk refuses a flush, this process keeps nothing more, for good; it still reads. A disk that is full, or
    that refuses a write, refuses that blob alone.
    """

    #: While some wait for the disk, others hash.
    threads = 4

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made where it is not there (mode 0700, with its 256 sub-folders)."""
        self._folder = BlobFolder(folder)
        self.flow: BlobFlow = LocalFlow(self._folder)

    def put(self, content: bytes) -> str:
        """See the port; a stored blob that turns out to be damaged is replaced."""
        key = digest_bytes(content)
        path = self._folder.place(key)
        with self._folder.changing():
            if not self._holds(path, content):
                self._place(path, content)
            # Also where it was there: the process that renamed it may not have come so far. (Where that process was
            # told that this very flush failed, ours proves nothing; file systems that journal names stop by then.)
            flush_folder(path.parent)
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        content = self._read(key)
        if digest_bytes(content) != key:
            raise self._folder.damaged(key)
        return content

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """See the port."""
        content = self._read(key, start, size_bytes)
        if digest_bytes(content) != digest:
            raise self._folder.damaged(key)
        return content

    def find(self, key: str) -> StoredBlob | None:
        """See the port."""
        for path in self._folder.places(key) if KEY.fullmatch(key) else ():
            try:
                return _stored(key, path.stat(), time.time())
            except FileNotFoundError:
                continue
        return None

    def stored(self) -> Iterator[StoredBlob]:
        """See the port."""
        now = time.time()
        for number in range(256):
            with os.scandir(self._folder.path / f"{number:02x}") as found:
                for item in found:
                    if not KEY.fullmatch(item.name):
                        continue
                    try:
                        stat = item.stat()
                    except FileNotFoundError:  # discarded since the folder was read
                        continue
                    yield _stored(item.name, stat, now)

    def discard(self, key: str, idle_seconds: float) -> bool:
        """See the port."""
        path, aside = self._folder.place(key), self._folder.outgoing / key
        with self._folder.changing():
            try:
                if not _is_idle(path, idle_seconds):
                    return False
                os.rename(path, aside)
            except FileNotFoundError:
                return False
            return self._end_discard(aside, idle_seconds)

    def sweep(self) -> int:
        """See the port; what a dead process was discarding is back in its place."""
        dead = [path for path in self.temporaries if is_dead(unquote(path.name.rpartition("+")[0]))]
        for path in dead:
            path.unlink(missing_ok=True)
        for aside in self._folder.outgoing.iterdir():
            self._restore(aside)
        return len(dead)

    @property
    def temporaries(self) -> list[Path]:
        """Files of puts that are under way, or were when their process died."""
        return sorted(self._folder.incoming.iterdir())

    @property
    def set_aside(self) -> list[Path]:
        """Blobs that are being discarded, or were when their process died."""
        return sorted(self._folder.outgoing.iterdir())

    def _place(self, path: Path, content: bytes) -> None:
        temporary = self._folder.new_temporary()
        try:
            write_new(temporary, content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):  # the next opening of the store sweeps it
                temporary.unlink(missing_ok=True)
            raise

    def _read(self, key: str, start: int = 0, size_bytes: int = -1) -> bytes:
        with self._folder.reading(key) as file:
            file.seek(start)
            return file.read(size_bytes)

    def _end_discard(self, aside: Path, idle_seconds: float) -> bool:
        try:
            if _is_idle(aside, idle_seconds):
                aside.unlink()
                return True
        except FileNotFoundError:
            return False
        self._restore(aside)
        return False

    def _restore(self, aside: Path) -> None:
        path = self._folder.place(aside.name)
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        except FileNotFoundError:
            return
        flush_folder(path.parent)
        aside.unlink(missing_ok=True)

    @staticmethod
    def _holds(path: Path, content: bytes) -> bool:
        try:
            # The touch tells a collector of garbage that somebody wants this blob again.
            os.utime(path)
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except FileNotFoundError:
            return False


def _stored(key: str, found: os.stat_result, now: float) -> StoredBlob:
    return StoredBlob(key=key, size_bytes=found.st_size, idle_seconds=max(now - found.st_mtime, 0.0))


def _is_idle(path: Path, idle_seconds: float) -> bool:
    return time.time() - path.stat().st_mtime >= idle_seconds
