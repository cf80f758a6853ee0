"""Blobs as files, named by the digest of their content: `blobs/ab/abcdef...`."""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from trimtab.adapters.durable_file import flush_folder, write_new
from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged, StoreError

_KEY = re.compile(r"[0-9a-f]{64}")
#: Keeps the temporaries of threads, and of two openings in one process, apart.
_COUNT = itertools.count()


class LocalBlobs:
    """Contract of the port, on a local file system: temporary, flush, rename, flush of the folder."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made where it is not there (mode 0700, with its 256 sub-folders)."""
        self._folder = folder
        self._temporary = folder / "incoming"
        for child in (folder, self._temporary, *(folder / f"{number:02x}" for number in range(256))):
            child.mkdir(mode=0o700, exist_ok=True)
        flush_folder(folder)

    def put(self, content: bytes) -> str:
        """See the port; a stored blob that turns out to be damaged is replaced."""
        key = digest_bytes(content)
        path = self._path(key)
        if not self._holds(path, content):
            temporary = self._temporary / f"{quote(this_process(), safe='')}+{next(_COUNT)}"
            try:
                write_new(temporary, content)
                os.replace(temporary, path)
            except OSError as error:
                raise StoreError(
                    f"{self._folder}: {error.strerror}: nothing was kept; mend it and try again"
                ) from error
            finally:
                temporary.unlink(missing_ok=True)
        # Also where it was there: the process that renamed it may not have come so far.
        flush_folder(path.parent)
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        if digest_bytes(content) != key:
            raise Damaged(f"blob {key} is damaged on disk ({self._path(key)}): restore it from a backup")
        return content

    def has(self, key: str) -> bool:
        """See the port."""
        return _KEY.fullmatch(key) is not None and self._path(key).is_file()

    def size_bytes(self, key: str) -> int:
        """See the port."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise KeyError(key) from None

    def keys(self) -> Iterator[str]:
        """See the port."""
        for number in range(256):
            for path in (self._folder / f"{number:02x}").iterdir():
                if _KEY.fullmatch(path.name):
                    yield path.name

    def delete(self, key: str) -> None:
        """See the port."""
        self._path(key).unlink(missing_ok=True)

    def sweep(self) -> int:
        """See the port."""
        dead = [path for path in self.temporaries if is_dead(unquote(path.name.rpartition("+")[0]))]
        for path in dead:
            path.unlink(missing_ok=True)
        return len(dead)

    @property
    def temporaries(self) -> list[Path]:
        """Files of puts that are under way, or were when their process died."""
        return sorted(self._temporary.iterdir())

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
