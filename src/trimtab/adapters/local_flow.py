"""Blobs on a local file system whose bytes come and go by and by."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

from trimtab.adapters.blob_folder import BlobFolder
from trimtab.adapters.durable_file import NewFile, flush_folder
from trimtab.ports.blob_flow import CHUNK_BYTES


class LocalFlow:
    """Contract of the port: a megabyte at most of each blob that is on its way lies in memory."""

    def __init__(self, folder: BlobFolder) -> None:
        self._folder = folder

    def begin(self) -> "LocalDraft":
        """See the port."""
        with self._folder.changing():
            return LocalDraft(self._folder)

    def chunks(self, key: str) -> Iterator[bytes]:
        """See the port."""
        with self._folder.reading(key) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != key:
                raise self._folder.damaged(key)
            file.seek(0)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


class LocalDraft:
    """A blob on its way in, in a temporary of its own: one megabyte of it at most lies in memory."""

    def __init__(self, folder: BlobFolder) -> None:
        self._folder, self._temporary = folder, folder.new_temporary()
        self._told = hashlib.sha256()
        self._file: NewFile | None = NewFile(self._temporary, direct=True)

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See `Draft`."""
        file = self._open
        with self._folder.changing():
            file.write(content)
        self._told.update(content)

    def finish(self) -> str:
        """See `Draft`."""
        file, key = self._open, self._told.hexdigest()
        path = self._folder.place(key)
        with self._folder.changing():
            file.flush()
            # Also over the same bytes: then they are as new, and whole if they were damaged.
            os.replace(self._temporary, path)
            self._let_go()
            flush_folder(path.parent)
        return key

    def drop(self) -> None:
        """See `Draft`."""
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
