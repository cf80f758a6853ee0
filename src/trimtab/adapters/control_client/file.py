"""Files of a server's runs."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

import msgspec

from trimtab.adapters.control_client.connection import Connection, place
from trimtab.atoms.run import LoggedFile


class _Files(msgspec.Struct):
    files: list[LoggedFile]


class _Removed(msgspec.Struct):
    removed: str


class RemoteFiles:
    """As `trimtab.tracking.file.Files`; errors are those of `Connection.ask`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, run: str, path: str, content: bytes | Iterable[bytes]) -> LoggedFile:
        """Keep a file; durable when it returns. Bytes are sent again while the server is away, chunks are not."""
        at = place("runs", run, "files", rest=path)
        if isinstance(content, bytes | bytearray | memoryview):
            return self._connection.ask("PUT", at, LoggedFile, content=bytes(content))
        return self._connection.send_stream(at, content, LoggedFile)

    def read(self, run: str, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """`with client.files.read(run, path) as chunks`: the content as it comes; NotThere."""
        return self._connection.reading(place("runs", run, "files", rest=path))

    def under(self, run: str, folder: str = "") -> list[LoggedFile]:
        """Every file in a folder and in those below it, by path; empty: all of the run's."""
        asked = {"under": folder or None}
        return self._connection.ask("GET", place("runs", run, "files"), _Files, query=asked).files

    def remove(self, run: str, path: str) -> None:
        """Take a file, or a folder with all in it, away; NotThere."""
        self._connection.ask("DELETE", place("runs", run, "files", rest=path), _Removed)
