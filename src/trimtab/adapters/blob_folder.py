"""The folder of blobs on a local file system: where each lies, how it is read, and whether the disk still takes any."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from urllib.parse import quote

from trimtab.adapters.durable_file import FlushFailed, flush_folder, writing_ended
from trimtab.adapters.process_holder import this_process
from trimtab.atoms.error import Damaged, StoreError, WritingEnded

#: What can be a key.
KEY = re.compile(r"[0-9a-f]{64}")
#: Keeps the temporaries of threads, and of two openings in one process, apart.
_COUNT = itertools.count()


class BlobFolder:
    """`ab/abcdef...` for each blob, `incoming/` for what is being put, `outgoing/` for what is being discarded."""

    def __init__(self, path: Path) -> None:
        """Use `path`, made where it is not there (mode 0700, with its 256 sub-folders)."""
        self.path, self.incoming, self.outgoing = path, path / "incoming", path / "outgoing"
        self._failed: WritingEnded | None = None
        children = (path / f"{number:02x}" for number in range(256))
        for child in (path, self.incoming, self.outgoing, *children):
            child.mkdir(mode=0o700, exist_ok=True)
        flush_folder(path)

    def place(self, key: str) -> Path:
        """Where a blob lies; KeyError where nothing can have this key."""
        if not KEY.fullmatch(key):
            raise KeyError(key)
        return self.path / key[:2] / key

    def places(self, key: str) -> tuple[Path, ...]:
        """Where to look: what is just being discarded may go back, so in its own place once more."""
        path = self.place(key)
        return path, self.outgoing / key, path

    def new_temporary(self) -> Path:
        """A name that nobody else uses, for bytes on their way in; a sweep finds it if this process dies."""
        return self.incoming / f"{quote(this_process(), safe='')}+{next(_COUNT)}"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Errors of the disk in words; after a failed flush nothing is changed any more."""
        if self._failed:
            raise self._failed
        try:
            yield
        except FlushFailed as error:
            self._failed = writing_ended(self.path, error)
            raise self._failed from error
        except OSError as error:
            raise StoreError(
                f"{self.path}: {error.strerror}: nothing was kept; mend it and try again"
            ) from error

    @contextmanager
    def reading(self, key: str) -> Iterator[BufferedReader]:
        """The file of a blob; KeyError where there is none."""
        try:
            with self._open(key) as file:
                yield file
        except OSError as error:
            raise StoreError(
                f"blob {key} cannot be read: {self.place(key)}: {error.strerror}: check the disk"
            ) from error

    def damaged(self, key: str) -> Damaged:
        """What is said of a blob whose bytes do not have its digest."""
        return Damaged(f"blob {key} is damaged on disk ({self.place(key)}): restore it from a backup")

    def _open(self, key: str) -> BufferedReader:
        for path in self.places(key):
            with suppress(FileNotFoundError):
                return path.open("rb")
        raise KeyError(key)
