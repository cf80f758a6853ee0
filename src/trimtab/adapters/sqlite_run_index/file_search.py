"""Files of runs and logged models."""

from trimtab.adapters.sqlite_run_index.file import IndexFile
from trimtab.adapters.sqlite_run_index.number import logging_owner
from trimtab.atoms.run import LoggedFile

_COLUMNS = "path, size_bytes, at_us, blobs"
_FIND = f"SELECT {_COLUMNS} FROM file WHERE owner = ? AND path = ?"
_ALL = f"SELECT {_COLUMNS} FROM file WHERE owner = ? ORDER BY path"
#: `0` comes after `/`.
_UNDER = (
    f"SELECT {_COLUMNS} FROM file WHERE owner = ?1 AND path >= ?2 || '/' AND path < ?2 || '0' ORDER BY path"
)


class SqliteFileSearch:
    """See `FileSearch`."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file

    def find(self, owner: str, path: str) -> LoggedFile | None:
        """See the port."""
        with self._file.read() as connection:
            found = logging_owner(connection, owner)
            row = connection.execute(_FIND, (found[0], path)).fetchone() if found else None
        return None if row is None else _logged_file(*row)

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        """See the port."""
        with self._file.read() as connection:
            found = logging_owner(connection, owner)
            if found is None:
                return []
            if folder:
                rows = connection.execute(_UNDER, (found[0], folder)).fetchall()
            else:
                rows = connection.execute(_ALL, (found[0],)).fetchall()
        return [_logged_file(*row) for row in rows]


def _logged_file(path: str, size_bytes: int, at_us: int, blobs: bytes) -> LoggedFile:
    return LoggedFile(path=path, size_bytes=size_bytes, blobs=_digests(blobs), at_us=at_us)


def _digests(blobs: bytes) -> tuple[str, ...]:
    return tuple(blobs.decode().split("\n")) if blobs else ()
