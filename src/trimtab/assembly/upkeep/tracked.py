"""Blobs that runs and logged models need: told by the stream of their events, never by the index that is made of it."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from trimtab.atoms.run_event import STREAM, RunEvent, decode_event
from trimtab.engine.store import Store
from trimtab.ports.streams import Cursor
from trimtab.tracking.file import PIECE_BYTES, UPLOAD
from trimtab.tracking.rule import microseconds_of

_PAGE = 5000


class Needed(NamedTuple):
    """A blob that a file needs."""

    owner: str
    path: str
    blob: str
    size_bytes: int


class _Kept(NamedTuple):
    at_us: int
    size_bytes: int
    blobs: tuple[str, ...]


class TrackedFiles:
    """A fold over the stream of run events, as far as `refresh` has read it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cursor = Cursor()
        #: By owner and path; of several the latest.
        self._files: dict[str, dict[str, _Kept]] = {}
        #: When files and folders of an owner were taken away, microseconds since 1970.
        self._removed: dict[str, dict[str, int]] = {}
        #: When a piece of an upload was put.
        self._pieces: dict[str, int] = {}

    def refresh(self) -> None:
        """Read what the stream got since the last call.

        Raises:
            Damaged: Events cannot be read, so that nobody knows what they need.
        """
        while True:
            records, self._cursor = self._store.streams.read(STREAM, self._cursor, _PAGE)
            for record in records:
                self._take(decode_event(record))
            if not records:
                return

    def _take(self, event: RunEvent) -> None:
        for file in event.files:
            mine = self._files.setdefault(event.owner, {})
            before = mine.get(file.path)
            if before is None or before.at_us <= event.at_us:
                mine[file.path] = _Kept(event.at_us, file.size_bytes, file.blobs)
        for path in event.removed:
            gone = self._removed.setdefault(event.owner, {})
            gone[path] = max(gone.get(path, 0), event.at_us)
        for piece in event.pieces:
            self._pieces[piece] = max(self._pieces.get(piece, 0), event.at_us)

    def needed(self, given_up: Collection[str] = ()) -> Iterator[Needed]:
        """Every blob of every file that was not taken away, but those of the owners in `given_up`."""
        for owner, files in self._files.items():
            if owner in given_up:
                continue
            gone = self._removed.get(owner, {})
            for path, kept in files.items():
                if not _is_gone(path, kept.at_us, gone):
                    last = len(kept.blobs) - 1
                    for place, blob in enumerate(kept.blobs):
                        size = PIECE_BYTES if place < last else kept.size_bytes - last * PIECE_BYTES
                        yield Needed(owner, path, blob, size)

    def on_their_way(self, now: datetime) -> set[str]:
        """Blobs of uploads that may still be under way."""
        oldest = microseconds_of(now - UPLOAD)
        return {piece for piece, at_us in self._pieces.items() if at_us >= oldest}


def _is_gone(path: str, at_us: int, gone: dict[str, int]) -> bool:
    if not gone:
        return False
    parts = path.split("/")
    return any(gone.get("/".join(parts[:count]), -1) > at_us for count in range(1, len(parts) + 1))
