"""Blobs as files, named by the digest of their content: `blobs/ab/abcdef...`."""

import hashlib
import itertools
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from urllib.parse import quote, unquote

from trimtab.adapters.durable_file import FlushFailed, NewFile, flush_folder, write_new, writing_ended
from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged, StoreError, WritingEnded
from trimtab.ports.blobs import CHUNK_BYTES, StoredBlob

_KEY = re.compile(r"[0-9a-f]{64}")
#: Keeps the temporaries of threads, and of two openings in one process, apart.
_COUNT = itertools.count()


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
        self._folder = folder
        self._temporary = folder / "incoming"
        self._aside = folder / "outgoing"
        self._failed: WritingEnded | None = None
        children = (folder / f"{number:02x}" for number in range(256))
        for child in (folder, self._temporary, self._aside, *children):
            child.mkdir(mode=0o700, exist_ok=True)
        flush_folder(folder)

    def put(self, content: bytes) -> str:
        """See the port; a stored blob that turns out to be damaged is replaced."""
        key = digest_bytes(content)
        path = self._path(key)
        with self._changing():
            if not self._holds(path, content):
                self._place(path, content)
            # Also where it was there: the process that renamed it may not have come so far. (Where that process was
            # told that this very flush failed, ours proves nothing; file systems that journal names stop by then.)
            flush_folder(path.parent)
        return key

    def begin(self) -> "LocalDraft":
        """See the port; what was written lies in a temporary, where a sweep finds it if this process dies."""
        with self._changing():
            return LocalDraft(self, self._new_temporary())

    def get(self, key: str) -> bytes:
        """See the port."""
        content = self._read(key)
        if digest_bytes(content) != key:
            raise self._damaged(key)
        return content

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """See the port."""
        content = self._read(key, start, size_bytes)
        if digest_bytes(content) != digest:
            raise self._damaged(key)
        return content

    def chunks(self, key: str) -> Iterator[bytes]:
        """See the port."""
        with self._reading(key) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != key:
                raise self._damaged(key)
            file.seek(0)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def find(self, key: str) -> StoredBlob | None:
        """See the port."""
        for path in self._places(key) if _KEY.fullmatch(key) else ():
            try:
                return _stored(key, path.stat(), time.time())
            except FileNotFoundError:
                continue
        return None

    def stored(self) -> Iterator[StoredBlob]:
        """See the port."""
        now = time.time()
        for number in range(256):
            with os.scandir(self._folder / f"{number:02x}") as found:
                for item in found:
                    if not _KEY.fullmatch(item.name):
                        continue
                    try:
                        stat = item.stat()
                    except FileNotFoundError:  # discarded since the folder was read
                        continue
                    yield _stored(item.name, stat, now)

    def discard(self, key: str, idle_seconds: float) -> bool:
        """See the port."""
        path, aside = self._path(key), self._aside / key
        with self._changing():
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
        for aside in self._aside.iterdir():
            self._restore(aside)
        return len(dead)

    @property
    def temporaries(self) -> list[Path]:
        """Files of puts that are under way, or were when their process died."""
        return sorted(self._temporary.iterdir())

    @property
    def set_aside(self) -> list[Path]:
        """Blobs that are being discarded, or were when their process died."""
        return sorted(self._aside.iterdir())

    def _new_temporary(self) -> Path:
        return self._temporary / f"{quote(this_process(), safe='')}+{next(_COUNT)}"

    def _place(self, path: Path, content: bytes) -> None:
        temporary = self._new_temporary()
        try:
            write_new(temporary, content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):  # the next opening of the store sweeps it
                temporary.unlink(missing_ok=True)
            raise

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Errors of the disk in words; after a failed flush nothing is changed any more."""
        if self._failed:
            raise self._failed
        try:
            yield
        except FlushFailed as error:
            self._failed = writing_ended(self._folder, error)
            raise self._failed from error
        except OSError as error:
            raise StoreError(
                f"{self._folder}: {error.strerror}: nothing was kept; mend it and try again"
            ) from error

    def _read(self, key: str, start: int = 0, size_bytes: int = -1) -> bytes:
        with self._reading(key) as file:
            file.seek(start)
            return file.read(size_bytes)

    @contextmanager
    def _reading(self, key: str) -> Iterator[BufferedReader]:
        try:
            with self._open(key) as file:
                yield file
        except OSError as error:
            raise StoreError(
                f"blob {key} cannot be read: {self._path(key)}: {error.strerror}: check the disk"
            ) from error

    def _open(self, key: str) -> BufferedReader:
        for path in self._places(key):
            with suppress(FileNotFoundError):
                return path.open("rb")
        raise KeyError(key)

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
        path = self._path(aside.name)
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        except FileNotFoundError:
            return
        flush_folder(path.parent)
        aside.unlink(missing_ok=True)

    def _places(self, key: str) -> tuple[Path, ...]:
        """Where to look: what is just being discarded may go back, so in its own place once more."""
        path = self._path(key)
        return path, self._aside / key, path

    def _damaged(self, key: str) -> Damaged:
        return Damaged(f"blob {key} is damaged on disk ({self._path(key)}): restore it from a backup")

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise KeyError(key)
        return self._folder / key[:2] / key

    @staticmethod
    def _holds(path: Path, content: bytes) -> bool:
        try:
            # The touch tells a collector of garbage that somebody wants this blob again.
            os.utime(path)
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except FileNotFoundError:
            return False


class LocalDraft:
    """A blob on its way in, in a temporary of its own: one megabyte of it at most lies in memory."""

    def __init__(self, blobs: LocalBlobs, temporary: Path) -> None:
        self._blobs, self._temporary = blobs, temporary
        self._told = hashlib.sha256()
        self._file: NewFile | None = NewFile(temporary, direct=True)

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See the port."""
        file = self._open
        with self._blobs._changing():
            file.write(content)
        self._told.update(content)

    def finish(self) -> str:
        """See the port."""
        file, key = self._open, self._told.hexdigest()
        path = self._blobs._path(key)
        with self._blobs._changing():
            file.flush()
            # Also over the same bytes: then they are as new, and whole if they were damaged.
            os.replace(self._temporary, path)
            self._let_go()
            flush_folder(path.parent)
        return key

    def drop(self) -> None:
        """See the port."""
        if self._file is not None:
            self._let_go()
            with suppress(OSError):  # the next opening of the store sweeps it
                self._temporary.unlink(missing_ok=True)

    @property
    def _open(self) -> NewFile:
        assert self._file is not None, "a draft was used that is finished or dropped"
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _stored(key: str, found: os.stat_result, now: float) -> StoredBlob:
    return StoredBlob(key=key, size_bytes=found.st_size, idle_seconds=max(now - found.st_mtime, 0.0))


def _is_idle(path: Path, idle_seconds: float) -> bool:
    return time.time() - path.stat().st_mtime >= idle_seconds
