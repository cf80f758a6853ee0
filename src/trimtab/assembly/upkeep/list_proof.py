"""File lists held against their snapshot: whatever they point into is one of its packs, and long enough."""

from collections.abc import Iterator

import msgspec

from trimtab.atoms.content.snapshot import Folder
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import Damaged
from trimtab.ports.blobs import Blobs
from trimtab.rows.file_list import read_list


class _SnapshotHead(msgspec.Struct, frozen=True):
    folder: Folder | None = None


class ListProof:
    """Reads each list once, as snapshots share them. What cannot be read is told by whoever reads the blobs."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        #: For each list, how many bytes of each pack it needs.
        self._needs: dict[str, dict[str, int]] = {}

    def faults(self, snapshot: bytes) -> Iterator[str]:
        """A sentence for each list of a snapshot, given by its content, that points to what a pack does not hold."""
        folder = msgspec.json.decode(snapshot, type=_SnapshotHead).folder
        if folder is None:
            return
        sizes = {part.blob: part.size_bytes for part in folder.packs}
        for part in folder.lists:
            for pack, end in self._needed(part.blob).items():
                what = f"its file list {part.blob[:SHORT]} points into blob {pack[:SHORT]}"
                if pack not in sizes:
                    yield f"{what}, which is none of its packs"
                elif end > sizes[pack]:
                    yield f"{what} up to byte {end}, but that has {sizes[pack]}"

    def _needed(self, key: str) -> dict[str, int]:
        if key not in self._needs:
            needs = self._needs[key] = {}
            try:
                files = read_list(self._blobs.get(key))
            except (KeyError, Damaged):
                return needs
            for piece in (piece for file in files for piece in file.pieces):
                pack = piece.pack.hex()
                needs[pack] = max(needs.get(pack, 0), piece.start + piece.size_bytes)
        return self._needs[key]
