"""Pieces that are stored already, so that unchanged content is never stored twice."""

from collections.abc import Callable, Iterable, Mapping

from trimtab.atoms.content.content import Part
from trimtab.atoms.error import Damaged
from trimtab.ports.blobs import Blobs
from trimtab.rows.file_list import File, Piece, read_list

#: Gives the file lists of other snapshots; asked once, when a piece is met that the previous one lacks.
Elsewhere = Callable[[], Iterable[Part]]


class Known:
    """Pieces of the previous snapshot, which is sure to stay, and of others, which a gc may be taking away."""

    def __init__(self, blobs: Blobs, before: Iterable[File], elsewhere: Elsewhere) -> None:
        self._blobs = blobs
        self._before = _by_digest(before)
        self._elsewhere = elsewhere
        self._others: Mapping[bytes, Piece] | None = None
        #: Packs of others: whether they are stored, as new as if they were put now.
        self._revived: dict[bytes, bool] = {}

    def get(self, digest: bytes) -> Piece | None:
        """A stored piece with this digest, which no gc takes before this step has ended."""
        piece = self._before.get(digest)
        if piece is not None:
            return piece
        piece = self._other_pieces().get(digest)
        return piece if piece is not None and self._revive(piece.pack) else None

    def __bool__(self) -> bool:
        return bool(self._before) or bool(self._other_pieces())

    def _other_pieces(self) -> Mapping[bytes, Piece]:
        if self._others is None:
            others: dict[bytes, Piece] = {}
            for part in self._elsewhere():
                try:
                    others |= _by_digest(read_list(self._blobs.get(part.blob)))
                except (KeyError, Damaged):
                    continue  # forgotten, or for fsck to tell: a piece less to share
            self._others = others
        return self._others

    def _revive(self, pack: bytes) -> bool:
        """Put a pack again, so that it counts as wanted; False where it is gone."""
        if pack not in self._revived:
            try:
                self._blobs.put(self._blobs.get(pack.hex()))
                self._revived[pack] = True
            except (KeyError, Damaged):
                self._revived[pack] = False
        return self._revived[pack]


def _by_digest(files: Iterable[File]) -> dict[bytes, Piece]:
    return {piece.digest: piece for file in files for piece in file.pieces}
