"""Files of runs and logged models: content-addressed pieces under logical paths."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from trimtab.atoms.error import NotThere, StoreError, UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.atoms.run_event import RunEvent
from trimtab.engine.store import Store
from trimtab.ports.blob_flow import Draft
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower
from trimtab.tracking.logbook import Logbook
from trimtab.tracking.rule import microseconds_of, require_path

#: A longer file is kept in pieces of this size, so that nobody ever holds a whole one in memory.
PIECE_BYTES = 16 << 20
#: An upload is over by then: the pieces of one that was given up are not kept any longer.
UPLOAD = timedelta(days=7)
#: From this size on what came of a piece is handed to the store, rather than held in memory.
_HELD_BYTES = 1 << 20


class Upload:
    """A file on its way in, piece by piece; nothing can be seen of it before `finish`.

    Whoever does not finish it drops it. One thread at a time may use it.
    """

    def __init__(self, store: Store, logbook: Logbook, owner: str, path: str) -> None:
        self._store, self._logbook, self._owner, self._path = store, logbook, owner, path
        self._gathered = bytearray()
        #: Where a piece goes that is longer than what is held.
        self._draft: Draft | None = None
        self._piece_bytes = 0
        self._blobs: list[str] = []
        self._size_bytes = 0
        self._ended = False
        self._began = store.now()

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; blocks while a piece is being made durable. After an error nothing more is taken."""
        with self._whole_or_dropped():
            self._size_bytes += len(chunk)
            view = memoryview(chunk)
            while len(view) >= (rest := PIECE_BYTES - self._piece_bytes):
                self._add(view[:rest])
                view = view[rest:]
                self._keep()
                # Until the file is in its place, nothing else tells `trimtab gc` that this piece is wanted.
                self._logbook.log(RunEvent(owner=self._owner, pieces=(self._blobs[-1],)))
            self._add(view)

    def finish(self) -> LoggedFile:
        """Put the file in its place, over the one that was there; durable when it returns."""
        with self._whole_or_dropped():
            if self._piece_bytes or not self._blobs:
                self._keep()
            if self._store.now() - self._began > UPLOAD:
                raise StoreError(
                    f"file {self._path!r} was on its way for over {UPLOAD.days} days: send it anew"
                )
            file = LoggedFile(
                path=self._path,
                size_bytes=self._size_bytes,
                blobs=tuple(self._blobs),
                at_us=microseconds_of(self._store.now()),
            )
            self._logbook.log(RunEvent(owner=self._owner, files=(file,)))
        self._ended = True
        return file

    def drop(self) -> None:
        """Forget what came of a file that is not finished; does nothing where it is."""
        if self._draft is not None:
            self._draft.drop()
            self._draft = None
        self._ended = True

    @contextmanager
    def _whole_or_dropped(self) -> Iterator[None]:
        """An upload of which something was lost is never finished, and leaves nothing behind."""
        if self._ended:
            raise UsageError(f"file {self._path!r} was finished already, or given up: begin it anew")
        try:
            yield
        except BaseException:
            self.drop()
            raise

    def _add(self, view: memoryview) -> None:
        self._piece_bytes += len(view)
        if self._draft is None:
            if self._piece_bytes <= _HELD_BYTES:
                self._gathered += view
                return
            self._draft = self._store.blobs.flow.begin()
            self._draft.write(self._gathered)
            self._gathered.clear()
        self._draft.write(view)

    def _keep(self) -> None:
        if self._draft is None:
            self._blobs.append(self._store.blobs.put(bytes(self._gathered)))
            self._gathered.clear()
        else:
            self._blobs.append(self._draft.finish())
            self._draft = None
        self._piece_bytes = 0


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
        require_path(path)
        self._logbook.owners.require(owner)
        return Upload(self._store, self._logbook, owner, path)

    def put(self, owner: str, path: str, chunks: Iterable[bytes]) -> LoggedFile:
        """Keep a file; durable when it returns. Errors as `begin`."""
        upload = self.begin(owner, path)
        try:
            for chunk in chunks:
                upload.write(chunk)
            return upload.finish()
        finally:
            upload.drop()

    def find(self, owner: str, path: str) -> LoggedFile:
        """The file at a path; NotThere."""
        self._follower.catch_up()
        found = self._index.files.find(owner, path)
        if found is None:
            raise NotThere(f"{owner[:80]} has no file {path[:200]!r}")
        return found

    def read(self, file: LoggedFile) -> Iterator[bytes]:
        """The content in chunks of at most `CHUNK_BYTES`; Damaged where a piece is not what was put.

        A piece is hashed before its first chunk is given.
        """
        for blob in file.blobs:
            try:
                yield from self._store.blobs.flow.chunks(blob)
            except KeyError as error:
                raise StoreError(
                    f"file {file.path!r}: blob {blob[:12]} is not in the store: `trimtab fsck` says whether it was "
                    "forgotten or is missing"
                ) from error

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        """Every file in a folder and in those below it, by path; empty: all of the owner's."""
        self._follower.catch_up()
        return self._index.files.under(owner, folder)

    def remove(self, owner: str, path: str) -> None:
        """Take a file, or a folder with all in it, away; NotThere."""
        require_path(path)
        self._logbook.owners.require(owner)
        if not self.under(owner, path) and self._index.files.find(owner, path) is None:
            raise NotThere(f"{owner[:80]} has no file {path[:200]!r}")
        self._logbook.log(RunEvent(owner=owner, removed=(path,)))
