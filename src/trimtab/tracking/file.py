"""Files of runs and logged models: content-addressed pieces under logical paths."""

from collections.abc import Iterable, Iterator

from trimtab.atoms.run import LoggedFile
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower
from trimtab.tracking.logbook import Logbook

#: A longer file is kept in pieces of this size, so that nobody ever holds a whole one in memory.
PIECE_BYTES = 16 << 20


class Upload:
    """A file on its way in, piece by piece; nothing can be seen of it before `finish`."""

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; blocks while a piece is being made durable."""
        raise NotImplementedError

    def finish(self) -> LoggedFile:
        """Put the file in its place, over the one that was there; durable when it returns."""
        raise NotImplementedError


class Files:
    """Who asks never names a place on a disk: a path is a key of the run index, and content is found by its digest."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower, logbook: Logbook) -> None:
        self._store, self._index, self._follower, self._logbook = store, index, follower, logbook

    def begin(self, owner: str, path: str) -> Upload:
        """Begin a file of a run or a logged model.

        Raises:
            UsageError: The path breaks a rule (see `LoggedFile.path`): the message names it.
            NotThere: No such owner.
            Conflict: The owner is deleted.
        """
        raise NotImplementedError

    def put(self, owner: str, path: str, chunks: Iterable[bytes]) -> LoggedFile:
        """Keep a file; durable when it returns. Errors as `begin`."""
        upload = self.begin(owner, path)
        for chunk in chunks:
            upload.write(chunk)
        return upload.finish()

    def find(self, owner: str, path: str) -> LoggedFile:
        """The file at a path; NotThere."""
        raise NotImplementedError

    def read(self, file: LoggedFile) -> Iterator[bytes]:
        """The content, piece by piece, each one hashed before it is given; Damaged where one is not what was put."""
        raise NotImplementedError

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        """Every file in a folder and in those below it, by path; empty: all of the owner's."""
        raise NotImplementedError

    def remove(self, owner: str, path: str) -> None:
        """Take a file, or a folder with all in it, away; NotThere."""
        raise NotImplementedError
